package main_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	visit "doorward/internal/journey"
)

// company is an external service that a room has, at a place of its own at a
// partner, with a secret and a credential that nobody may see.
type company struct {
	*room
	at         *partner
	place      string // first segment of the paths of what it is asked
	id         string
	key, token string
	form       string // where what failed is told, id
}

func (r *room) company(at *partner) *company {
	r.x.Helper()
	return r.companyAt(at, at.Plain)
}

// companyAt is one that is asked by https too.
func (r *room) companyAt(at *partner, base string) *company {
	r.x.Helper()
	c := &company{room: r, at: at, place: "c" + suffix(), key: rand.Text(), token: rand.Text()}
	c.id = r.make("/externalServices", c.body(base+"/"+c.place))
	c.form = r.make("/forms", fields(text("note")))
	c.keep(c.key)
	c.x.trail.Secret("credential of a service", c.token)
	return c
}

// keep sets the secret.
func (c *company) keep(key string) {
	c.x.Helper()
	c.x.trail.Secret("secret of a service", key)
	c.put("/externalServices/"+c.id+"/secrets", map[string]any{"secrets": []any{map[string]any{"name": "key", "value": key}}})
}

// body is the document. Its one request asks what is chosen by the path.
func (c *company) body(base string) map[string]any {
	return map[string]any{
		"name": "Company", "variables": map[string]any{"base": base},
		"authSchemes": []any{map[string]any{"name": "own", "type": "BEARER", "token": c.token}},
		"requests": []any{map[string]any{
			"name": "ask",
			"request": map[string]any{
				"method": "POST", "url": "variables.base + '/' + #string.asUrlEncoded(inputs.what) + '?to=' + #string.asUrlEncoded(inputs.to)",
				"headers": map[string]any{"X-Api-Key": "secrets.key", "X-Name": "inputs.name"}, "authScheme": "own",
				"body":        map[string]any{"type": "JSON", "template": "{'otp': inputs.to}"},
				"inputSchema": `{"type":"object","properties":{"what":{"type":"string"},"to":{"type":"string"},"name":{"type":"string"}},"required":["what","to","name"]}`,
			},
			"response": map[string]any{"output": "{'status': response.status, 'said': response.body.said}", "outputSchema": `{"type":"object"}`},
		}},
	}
}

// asks is a step that asks what a parameter of the experience says.
func (c *company) asks(what, next string) stepBody {
	return stepBody{
		kind: "EXTERNAL_SERVICE_INVOKE", config: map[string]any{"externalService": map[string]any{"id": c.id}, "request": map[string]any{"id": "ask"}},
		input:   map[string]any{"what": "${flow.inputs.parameters." + what + "}", "to": "${flow.inputs.parameters.to}", "name": "${flow.inputs.parameters.name}"},
		outlets: map[string]string{"INVOCATION_OUTPUT": next, "TIMEOUT": "late", "UNAVAILABLE": "away", "ERROR": "sorry"},
	}
}

// ends adds what calls lead to: the statuses LATE and AWAY, and a form on which the
// failure is told. It leads to again.
func (c *company) ends(again string, steps map[string]stepBody) map[string]stepBody {
	terminates := func(code string) stepBody {
		return stepBody{kind: "TERMINATE_FLOW", input: map[string]any{"error": map[string]any{"code": code, "message": "It is " + code + "."}}}
	}
	steps["late"], steps["away"] = terminates("LATE"), terminates("AWAY")
	steps["sorry"] = shows(c.form, again)
	return steps
}

// journey is a definition that asks the company at once.
func (c *company) journey() string {
	c.x.Helper()
	return c.definition(definition("EXPERIENCE", "what", c.calls("what", nil)))
}

// submitted is the same behind a form, with what its further parameters say asked
// behind it.
func (c *company) submitted(further ...string) string {
	c.x.Helper()
	steps := c.calls("ask", further)
	steps["ask"] = shows(c.form, "what")
	return c.definition(definition("EXPERIENCE", "ask", steps))
}

// calls are the steps that ask, in turn, and what they lead to.
func (c *company) calls(again string, further []string) map[string]stepBody {
	steps := map[string]stepBody{"done": redirects(map[string]any{"status": "${steps.what.outputs.status}"}, "")}
	names := append([]string{"what"}, further...)
	for i, name := range names {
		next := "done"
		if i+1 < len(names) {
			next = names[i+1]
		}
		steps[name] = c.asks(name, next)
	}
	return c.ends(again, steps)
}

// asked are the inquiries that came so far.
func (c *company) asked() []inquiry { return c.at.asked(c.place) }

// begin starts an experience with parameters, given as name and value.
func (c *company) begin(v *visit.Client, id string, parameters ...string) *visit.Answer {
	c.x.Helper()
	all := map[string]any{"to": "-", "name": "-"}
	for i := 0; i < len(parameters); i += 2 {
		all[parameters[i]] = parameters[i+1]
	}
	a := v.Experience(c.env, id, map[string]any{"redirectUri": c.shop.RedirectURI, "parameters": all}).Is(http.StatusCreated)
	c.silent(a)
	return a
}

// silent holds that an answer tells nothing of the company: not where it is, not
// what it said, not what it is shown.
func (c *company) silent(a *visit.Answer) {
	c.x.Helper()
	head, err := json.Marshal(a.Header)
	if err != nil {
		c.x.Fatal(err)
	}
	all := string(head) + string(a.Body)
	for _, hidden := range []string{c.key, c.token, words, c.place, ":" + port(c.at.Plain), ":" + port(c.at.Safe)} {
		if strings.Contains(all, hidden) {
			c.x.Errorf("an answer shows %s: %s", hidden, all)
		}
	}
}

// became is what an execution has come to: the status that the company answered
// with, the code of its end, or the one that is told on the form.
func became(r visit.Resource) string {
	switch {
	case r.Status == completed:
		u, err := url.Parse(r.ResumeURL)
		if err != nil {
			return err.Error()
		}
		return u.Query().Get("status")
	case r.Error.Code != "":
		return r.Error.Code
	}
	return r.Status
}

// asksFor is what becomes of one new visitor whose parameters are these.
func (c *company) asksFor(node int, id string, parameters ...string) string {
	c.x.Helper()
	return became(c.begin(c.x.browser().Via(node), id, parameters...).Resource())
}

// breaker is how a node sees the company.
func (c *company) breaker(node int) string {
	c.x.Helper()
	now := c.x.mustJSON(c.via(node).do(http.MethodGet, "/externalServices/"+c.id+"/status", nil).Is(200).Body)
	targets, _ := now["targets"].([]any)
	if len(targets) == 0 {
		return ""
	}
	state, _ := memberOf(targets[0], "breaker").(string)
	return state
}

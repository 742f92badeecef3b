package main_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	visit "doorward/internal/journey"
)

// room is what the tests of flow definitions make in an environment: everything is
// taken away again by clear, but for people.
type room struct {
	*manager
	shop  visit.App
	host  string // origin of the applications that it makes
	names int
	made  []string // paths, in order
	forms map[string]string
	terms string // id of an agreement; empty: not made yet
	calls string // id of the published external service; empty: not made yet
	place string // first segment of the paths of what it asks a partner
}

func (x *trial) room(admin, shop visit.App) *room {
	x.Helper()
	return &room{manager: x.manager(admin), shop: shop, host: "https://journeys.example", forms: map[string]string{}}
}

// clear takes away what was made, the youngest first. Call it while the test runs.
func (r *room) clear() {
	for i := len(r.made) - 1; i >= 0; i-- {
		if a := r.do(http.MethodDelete, r.made[i], nil); a.Status != 204 {
			r.x.Errorf("%s is not removed: %d %s", r.made[i], a.Status, a.Body)
		}
	}
}

// unique makes a name of its own in the environment.
func (r *room) unique(name string) string {
	r.names++
	return fmt.Sprintf("%s %d %s", name, r.names, rand.Text()[:6])
}

// make creates a resource under a name of its own, which clear removes.
func (r *room) make(collection string, body map[string]any) string {
	r.x.Helper()
	name, _ := body["name"].(string)
	body["name"] = r.unique(name)
	id := r.create(collection, body)
	r.made = append(r.made, collection+"/"+id)
	return id
}

// reference is a body of the reference: a form or a flow definition.
func (r *room) reference(file string) map[string]any {
	r.x.Helper()
	dir := "../../runtime/definition/testdata"
	if strings.Contains(file, "-form-") {
		dir = "../../runtime/form/testdata"
	}
	b, err := os.ReadFile(filepath.Join(dir, file+".json"))
	if err != nil {
		r.x.Fatal(err)
	}
	return r.x.mustJSON(b)
}

// form is the id of a published form, which is made when it is first asked for.
func (r *room) form(file string) string {
	r.x.Helper()
	if r.forms[file] == "" {
		r.forms[file] = r.make("/forms", r.reference(file))
	}
	return r.forms[file]
}

// The ids that published definitions have in them. Source: reference/management.md
// 2.10.
func (r *room) fitted(file string) map[string]any {
	r.x.Helper()
	text := string(r.x.json(r.reference(file)))
	pairs := []string{"11111111-0000-4000-8000-0000000000a1", populationOf(r.shop)}
	for id, form := range map[string]string{
		"aaaaaaaa-0000-4000-8000-000000000001": "rec-form-registration", "aaaaaaaa-0000-4000-8000-000000000002": "doc-form-sign-on",
		"aaaaaaaa-0000-4000-8000-000000000003": "rec-form-password-recovery-lookup", "aaaaaaaa-0000-4000-8000-000000000004": "rec-form-password-recovery",
		"aaaaaaaa-0000-4000-8000-000000000005": "rec-form-password-reset",
	} {
		if strings.Contains(text, id) {
			pairs = append(pairs, id, r.form(form))
		}
	}
	if id := "55555555-0000-4000-8000-000000000001"; strings.Contains(text, id) {
		pairs = append(pairs, id, r.agreement())
	}
	if id := "bbbbbbbb-0000-4000-8000-000000000001"; strings.Contains(text, id) {
		pairs = append(pairs, id, r.service())
	}
	return r.x.mustJSON([]byte(strings.NewReplacer(pairs...).Replace(text)))
}

// publishedKey is the credential in the published external service.
const publishedKey = "changeme"

// service is the id of the published external service, which calls a partner.
func (r *room) service() string {
	r.x.Helper()
	if r.calls != "" {
		return r.calls
	}
	b, err := os.ReadFile("../../runtime/external/testdata/rec-external-service-create.json")
	if err != nil {
		r.x.Fatal(err)
	}
	r.place = "p" + suffix()
	r.x.trail.Secret("credential of a service", publishedKey)
	text := strings.ReplaceAll(string(b), `"https://httpbin.example.com"`, `"`+r.x.partner.Safe+"/"+r.place+`"`)
	r.calls = r.make("/externalServices", r.x.mustJSON([]byte(text)))
	return r.calls
}

// agreement is the id of one that holds since now.
func (r *room) agreement() string {
	r.x.Helper()
	if r.terms != "" {
		return r.terms
	}
	r.terms = r.make("/agreements", map[string]any{"name": "Terms", "enabled": false, "reconsentPeriodDays": 30})
	path := "/agreements/" + r.terms
	language := map[string]any{"displayName": "Terms of the fourth", "locale": "en", "enabled": false}
	here := path + "/languages/" + r.create(path+"/languages", language)
	r.create(here+"/revisions", map[string]any{
		"contentType": "text/plain", "effectiveAt": time.Now().UTC().Format(time.RFC3339), "requireReconsent": false, "text": "Be kind.",
	})
	language["enabled"] = true
	r.put(here, language)
	now := r.get(path)
	r.put(path, map[string]any{"name": now["name"], "enabled": true, "reconsentPeriodDays": 30})
	return r.terms
}

// definition publishes a flow definition that both nodes serve.
func (r *room) definition(body map[string]any) string {
	r.x.Helper()
	name, _ := body["name"].(string)
	body["name"] = r.unique(name)
	id := r.publish(body)
	r.made = append(r.made, "/flowDefinitions/"+id)
	return id
}

// behind is an application with a sign-on policy of these actions, which both
// nodes serve; without any, with the policy of the environment.
func (r *room) behind(actions ...map[string]any) visit.App {
	r.x.Helper()
	app := visit.App{Env: r.env, RedirectURI: r.host + "/" + rand.Text()}
	policy := ""
	if len(actions) > 0 {
		policy = r.make("/signOnPolicies", map[string]any{"name": "Journey"})
	}
	for i, a := range actions {
		a["priority"] = i + 1
		r.create("/signOnPolicies/"+policy+"/actions", a)
	}
	body := map[string]any{
		"name": "Journeys", "enabled": false, "type": "WEB_APP", "protocol": "OPENID_CONNECT", "grantTypes": []string{"AUTHORIZATION_CODE"},
		"responseTypes": []string{"CODE"}, "redirectUris": []string{app.RedirectURI}, "tokenEndpointAuthMethod": "CLIENT_SECRET_BASIC",
	}
	app.ID = r.make("/applications", body)
	if policy != "" {
		r.create("/applications/"+app.ID+"/signOnPolicyAssignments", map[string]any{"priority": 1, "signOnPolicy": map[string]any{"id": policy}})
	}
	body["enabled"] = true // last, so that whoever serves it serves its policy
	r.put("/applications/"+app.ID, body)
	app.Secret, _ = r.get("/applications/" + app.ID + "/secret")["secret"].(string)
	r.x.trail.Secret("client secret", app.Secret)
	ask := app.Ask("prompt", "none")
	r.served(func(node int) bool {
		a := r.x.browser().Via(node).Authorize(ask)
		return a.Status == 302 && a.Refusal() == "login_required"
	})
	return app
}

// runs is the action of a sign-on policy that runs a flow definition.
func runs(definition string) map[string]any {
	return map[string]any{"type": "FLOW_DEFINITION", "flowDefinition": map[string]any{"id": definition}}
}

// guest is somebody who answers what forms ask by the last word of its name.
type guest struct {
	x       *trial
	answers map[string]string
	mailbox string // where codes come; they are read when they are first asked for
}

func (x *trial) guest(name, password string) *guest {
	return &guest{x: x, mailbox: name + "@fourth.example", answers: map[string]string{
		"username": name, "email": name + "@fourth.example", "password": password, "currentPassword": password,
		"nickname": "Nick", "given": "Given", "family": "Family", "field": "anything",
	}}
}

func (g *guest) know(p visit.Property) (any, bool) {
	name := p.Name[strings.LastIndexByte(p.Name, '.')+1:]
	name = strings.TrimSuffix(name, "Verify")
	switch {
	case len(p.Options.Inline) > 0 && p.Options.MaxItems > 0:
		return []string{p.Options.Inline[0].Value}, p.Required
	case len(p.Options.Inline) > 0:
		return p.Options.Inline[0].Value, p.Required
	case p.Type == "boolean":
		return true, p.Required
	case name == "otp" && g.answers["otp"] == "":
		g.answers["otp"] = g.x.sentCode(g.mailbox)
	case strings.HasSuffix(name, "Code") && g.answers["code"] == "":
		g.answers["code"] = g.x.mailed(g.mailbox).Code()
	}
	if strings.HasSuffix(name, "Code") {
		name = "code"
	}
	v, known := g.answers[name]
	return v, known
}

// says is the same for what is typed, also by the whole name.
func (g *guest) says(name string) string {
	if v, known := g.answers[name]; known {
		return v
	}
	v, _ := g.know(visit.Property{Name: name})
	text, _ := v.(string)
	return text
}

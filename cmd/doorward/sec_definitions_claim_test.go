package main_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/directory"
	visit "doorward/internal/journey"
	compiler "doorward/runtime/definition"
	"doorward/runtime/document"
	"doorward/runtime/flow"
	"doorward/steps"
)

// Whatever a definition says of whom it signs on and by what, it is refused when it
// is written unless its steps prove it on every path.
func TestSec_DEFINITION_CLAIMS(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	ask, named := r.form("doc-form-sign-on"), r.make("/forms", fields(text("who")))
	const found = "${steps.lookup.outputs.user.id}"
	lookup := func(next string) stepBody {
		return stepBody{
			kind: "USER_LOOKUP", config: map[string]any{"matchAttributes": []any{"username"}, "matchPingOneUsersOnly": true},
			input: map[string]any{"identifier": "${steps.ask.outputs.formData.user.username}"}, outlets: map[string]string{"PING_ONE_USER_MATCHED": next},
		}
	}
	proven := func(end stepBody) map[string]stepBody {
		return map[string]stepBody{
			"ask": shows(ask, "lookup"), "lookup": lookup("check"), "end": end,
			"check": {
				kind:    "USER_PASSWORD_CHECK",
				input:   map[string]any{"user": map[string]any{"id": found, "password": "${steps.ask.outputs.formData.user.password}"}},
				outlets: map[string]string{"PASSWORD_VALID": "end", "PASSWORD_EXPIRED": "no", "MUST_CHANGE_PASSWORD": "no"},
			},
			"no": {kind: "TERMINATE_FLOW", input: map[string]any{"error": map[string]any{"code": "NO", "message": "No."}}},
		}
	}
	looked := func(end stepBody) map[string]stepBody {
		return map[string]stepBody{"ask": shows(ask, "lookup"), "lookup": lookup("end"), "end": end}
	}
	asked := func(form string, end stepBody) map[string]stepBody {
		return map[string]stepBody{"ask": shows(form, "end"), "end": end}
	}
	for what, all := range map[string]map[string]stepBody{
		"whom it has only looked up":      looked(redirects(nil, found, "pwd")),
		"the same, by no method":          looked(redirects(nil, found)),
		"whom the address names":          asked(ask, redirects(nil, "${flow.inputs.parameters.user}", "pwd")),
		"whom the address names, proven":  proven(redirects(nil, "${flow.inputs.parameters.user}", "pwd")),
		"whom a form names":               asked(named, redirects(nil, "${steps.ask.outputs.formData.who}")),
		"a second factor not taken":       proven(redirects(nil, found, "pwd", "mfa")),
		"a method that the address names": proven(redirects(nil, found, "${flow.inputs.parameters.amr}")),
		"a method without anybody":        asked(ask, redirects(nil, "${flow.context.user.id}", "pwd")),
		"a factor that nobody has":        asked(ask, redirects(nil, "${flow.context.user.id}", "mfa")),
		"a fixed id":                      asked(ask, redirects(nil, noFlow, "pwd")),
	} {
		body := definition("EXPERIENCE", "ask", all)
		body["name"] = r.unique("Claims")
		a := r.do(http.MethodPost, "/flowDefinitions", body)
		if a.Status != 400 {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
			continue
		}
		p := a.Refused(400, "INVALID_DATA", "CONSTRAINT_VIOLATION@stepDefinitions.end")
		if finding, _ := p.Details[0].InnerError["finding"].(string); finding == "" || len(p.Details[0].InnerError) != 2 {
			t.Errorf("%s: the fault does not show the path: %v", what, p.Details[0])
		}
	}
	body := definition("EXPERIENCE", "ask", proven(redirects(nil, found, "pwd")))
	r.definition(body)
}

// One that was kept by something that verifies nothing fails when it is run: the
// engine believes its ledger alone.
func TestSec_DEFINITION_CLAIMS_unverified(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	name, other := "claimed-"+suffix(), "claiming-"+suffix()
	victim := r.user(name, walkersFirst)
	r.user(other, walkersFirst)
	looked := map[string]stepBody{
		"start": {
			kind: "USER_LOOKUP", config: map[string]any{"matchAttributes": []any{"username"}, "matchPingOneUsersOnly": true},
			input: map[string]any{"identifier": name}, outlets: map[string]string{"PING_ONE_USER_MATCHED": "end"},
		},
		"end": redirects(nil, "${steps.start.outputs.user.id}", "pwd"),
	}
	for what, all := range map[string]map[string]stepBody{
		"whom it has only looked up":      looked,
		"whom the address names":          {"start": redirects(nil, "${flow.inputs.parameters.user}")},
		"whom the address names, by pwd":  {"start": redirects(nil, "${flow.inputs.parameters.user}", "pwd")},
		"a fixed id":                      {"start": redirects(nil, victim, "pwd")},
		"a method that the address names": {"start": redirects(nil, "${flow.context.user.id}", "${flow.inputs.parameters.amr}")},
		"a factor not taken":              {"start": redirects(nil, "${flow.context.user.id}", "pwd", "mfa")},
	} {
		x.part(what, func() {
			id := r.unverified(definition("EXPERIENCE", "start", all))
			stranger, known := x.browser(), x.browser()
			known.Start(shop4.Ask()).Password(other, walkersFirst).Is(200)
			for _, c := range []*visit.Client{stranger, known} {
				f := c.Begin(shop4, id, map[string]any{"user": victim, "amr": "mfa"})
				if got := f.Get().Flow(); got.Status != failed || got.Error.Code != "AUTHENTICATION_REQUIRED" || got.Embedded.User.ID == victim || got.ResumeURL != shop4.RedirectURI+"?error=AUTHENTICATION_REQUIRED" {
					t.Errorf("the execution is in %s for %q, %+v, %s", got.Status, got.Embedded.User.Username, got.Error, got.ResumeURL)
				}
				x.happened(f, "FLOW.PROOF_MISSING", 1)
				x.noCode(f)
			}
			x.nobodyIn(stranger)
		})
	}
}

// unverified publishes a definition past every check but that of its form.
func (r *room) unverified(body map[string]any) string {
	r.x.Helper()
	id := r.definition(terminates("Unverified", "NO", "No."))
	body["id"], body["name"] = id, r.unique("Unverified")
	kept, err := document.Canonical(r.x.json(body))
	if err != nil {
		r.x.Fatal(err)
	}
	src, hash, err := compiler.Source(kept, nil, steps.Builtin(steps.Parts{}))
	if err != nil {
		r.x.Fatal(err)
	}
	db, ring := r.x.directory()
	_, err = directory.NewResources(db, ring).Edit(r.x.Context(), flow.Edit{
		Env: r.env, Put: []flow.Resource{{Env: r.env, Kind: "flowDefinition", ID: id, Body: kept}}, Plans: map[flow.Digest][]byte{hash: src},
	})
	if err != nil {
		r.x.Fatal(err)
	}
	r.served(func(node int) bool {
		f := r.x.browser().Via(node).Begin(r.shop, id, map[string]any{"amr": "mfa"}).Get().Flow()
		return f.Status != failed || f.Error.Code != "NO"
	})
	return id
}

// nobodyIn holds that a browser has no session that an application could use.
func (x *trial) nobodyIn(c *visit.Client) {
	x.Helper()
	if a := c.Authorize(shop4.Ask("prompt", "none")).Is(302); a.Refusal() != "login_required" {
		x.Errorf("the browser is signed on: %s", a.Header.Get("Location"))
	}
}

// noCode holds that no authorization code is to be had for an execution.
func (x *trial) noCode(f *visit.Flow) {
	x.Helper()
	for range 2 {
		f.Resume().Refused(404, "NOT_FOUND")
	}
}

// No authorization code is to be had for an experience, at whichever step it is,
// though it leaves a session.
func TestSec_EXPERIENCE_NO_CODE(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	name := "experienced-" + suffix()
	r.user(name, walkersFirst)
	c := x.browser()
	f := c.Begin(shop4, r.definition(r.fitted("rec-flow-sign-on-experience")), nil)
	x.noCode(f)
	if got := f.Fill(x.guest(name, walkersFirst).know).Flow(); got.Status != completed {
		t.Fatalf("the execution is in %s", got.Status)
	}
	x.noCode(f)
	if got := f.Get().Flow(); got.AuthorizeResponse.Code != "" || strings.Contains(got.ResumeURL, "code=") {
		t.Errorf("the execution is shown with a code: %s", got.ResumeURL)
	}
	x.happened(f, "OIDC.CODE_ISSUED", 0)
	if a := c.Authorize(shop4.Ask("prompt", "none")).Is(302); a.Code() == "" {
		t.Errorf("the session is worth nothing: %s", a.Header.Get("Location"))
	}
	f.Act("form.submit", map[string]any{"user": map[string]string{"username": name, "password": walkersFirst}}, "Idempotency-Key", "again").Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	f.Act("session.reset", nil).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
}

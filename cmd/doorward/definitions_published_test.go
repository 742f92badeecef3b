package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// waiting are the published definitions whose kinds of steps are yet to come, with
// the kind that each waits for.
func waiting() map[string]string {
	return map[string]string{
		"rec-flow-external-service-invoke-experience":       "EXTERNAL_SERVICE_INVOKE",
		"rec-flow-identity-provider-sign-on-sign-on-policy": "IDENTITY_PROVIDER_AUTHENTICATION",
		"rec-flow-mfa-challenge-experience":                 "MFA_CHALLENGE",
		"rec-flow-mfa-challenge-sign-on-policy":             "MFA_CHALLENGE",
		"rec-flow-mfa-enrollment-experience":                "MFA_ENROLLMENT",
		"rec-flow-mfa-enrollment-sign-on-policy":            "MFA_ENROLLMENT",
	}
}

// walked are the other ones, with who walks each of them to its end.
func walked() map[string]func(w *tour) {
	return map[string]func(w *tour){
		"mixed-flow-registration-experience":                (*tour).registration,
		"mixed-flow-registration-sign-on-policy":            (*tour).registration,
		"rec-flow-agreement-consent-experience":             (*tour).signOn,
		"rec-flow-agreement-consent-sign-on-policy":         (*tour).signOn,
		"rec-flow-agreement-reconsent-experience":           (*tour).signedOn,
		"rec-flow-agreement-reconsent-sign-on-policy":       (*tour).signedOn,
		"rec-flow-basic-experience":                         (*tour).nobody,
		"rec-flow-basic-sign-on-policy":                     (*tour).signedOn,
		"rec-flow-password-recovery-experience":             (*tour).recovery,
		"rec-flow-password-recovery-sign-on-policy":         (*tour).recovery,
		"rec-flow-registration-with-consent-sign-on-policy": (*tour).registration,
		"rec-flow-sign-on-experience":                       (*tour).signOn,
		"rec-flow-sign-on-sign-on-policy":                   (*tour).signOn,
	}
}

// publishedFiles are the names of the bodies of the reference.
func publishedFiles(t *testing.T, pattern string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal(pattern, err)
	}
	for _, f := range files {
		out = append(out, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return out
}

// Every published form is made over the API as it is, read back and listed, shown
// by a definition, and filled in by a client that knows no form.
func TestPublishedFormsAreFilledIn(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	for _, file := range publishedFiles(t, "../../runtime/form/testdata/*-form-*.json") {
		x.part(file, func() {
			id := r.form(file)
			now := r.get("/forms/" + id)
			if want := r.reference(file); fmt.Sprint(now["components"]) != fmt.Sprint(want["components"]) || now["category"] != want["category"] || now["id"] != id {
				t.Errorf("%s was kept as %v", file, now)
			}
			if listed := embedded(r.get("/forms?filter="+url.QueryEscape(`id eq "`+id+`"`)), "forms"); len(listed) != 1 || listed[0]["name"] != now["name"] {
				t.Errorf("%s is listed as %v", file, listed)
			}
			f := x.browser().Begin(r.shop, r.definition(r.asking(id)), nil)
			if first := f.Get().Flow(); first.Status != "FORM_REQUIRED" || first.Form.ID != id || first.Form.Name != now["name"] {
				t.Fatalf("%s is shown as %+v", file, first)
			}
			g := x.guest("form-filler", "Form-Filler-Horse-1")
			g.answers["newPassword"], g.answers["code"] = "Form-Filler-Horse-2", "ABCD2345"
			done := f.Fill(g.know).Flow()
			if done.Status != completed || done.ResumeURL != r.shop.RedirectURI+"?by=SUBMITTED" {
				t.Errorf("%s was filled in to %s, %s", file, done.Status, done.ResumeURL)
			}
		})
	}
}

// asking is a definition that shows a form and says by which of its results it was
// left.
func (r *room) asking(form string) map[string]any {
	r.x.Helper()
	config := map[string]any{"form": map[string]any{"id": form}}
	described := r.x.mustJSON(r.do(http.MethodPost, "/flowMetadata/stepTypes/FORM", map[string]any{"trigger": map[string]any{"type": "EXPERIENCE"}, "configuration": config}).Is(200).Body)
	results, _ := described["resultMetadata"].([]any)
	outlets, steps := map[string]any{}, map[string]any{}
	for i, v := range results {
		name, _ := memberOf(v, "typeName").(string)
		end := fmt.Sprintf("end%d", i)
		outlets[name] = map[string]any{"next": end}
		steps[end] = map[string]any{"type": "COMPLETE_FLOW", "configuration": map[string]any{"result": "REDIRECT"}, "input": map[string]any{"parameters": map[string]any{"by": name}}}
	}
	steps["ask"] = map[string]any{"type": "FORM", "configuration": config, "input": map[string]any{}, "outlets": outlets}
	return map[string]any{"name": "Asking", "enabled": true, "trigger": map[string]any{"type": "EXPERIENCE", "next": "ask"}, "stepDefinitions": steps}
}

// Every published definition is either walked to its end, or waits for a kind of
// step that is not known; one that could be walked and is not fails here.
func TestPublishedDefinitionsAreWalkedOrWait(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	known := map[string]bool{}
	for _, k := range embedded(r.get("/flowMetadata/stepTypes"), "stepTypes") {
		name, _ := k["typeName"].(string)
		known[name] = true
	}
	wait, walk := waiting(), walked()
	for _, file := range publishedFiles(t, "../../runtime/definition/testdata/*-flow-*.json") {
		body := r.reference(file)
		steps, _ := body["stepDefinitions"].(map[string]any)
		var unknown []string
		for _, s := range steps {
			if name, _ := memberOf(s, "type").(string); !known[name] {
				unknown = append(unknown, name)
			}
		}
		switch kind := wait[file]; {
		case kind == "" && walk[file] == nil:
			t.Errorf("%s is neither walked nor waiting; its unknown kinds are %v", file, unknown)
		case kind != "" && !slices.Contains(unknown, kind):
			t.Errorf("%s waits for %s, which is known now: have it walked", file, kind)
		case kind != "":
			a := r.do(http.MethodPost, "/flowDefinitions", r.fitted(file)).Is(400)
			if !strings.Contains(string(a.Body), kind) {
				t.Errorf("%s is refused with %s", file, a.Body)
			}
		case len(unknown) > 0:
			t.Errorf("%s is to be walked, and its kinds %v are not known", file, unknown)
		}
		delete(wait, file)
		delete(walk, file)
	}
	if len(wait)+len(walk) > 0 {
		t.Errorf("there are no bodies for %v and %v", slices.Collect(maps.Keys(wait)), slices.Collect(maps.Keys(walk)))
	}
}

// tour is one published definition that is walked to its end.
type tour struct {
	*room
	file, id string
	name     string // of whoever walks
	policy   bool   // it is an action of a sign-on policy
}

const (
	walkersFirst  = "Walker-First-Horse-1"
	walkersSecond = "Walker-Second-Horse-2"
)

// The published definitions are made over the API as they are, but for ids, read
// back and listed, and walked to their ends by a client that reads nothing but
// _templates: as experiences, which lead back to the application and leave a
// session, and as actions of sign-on policies, which lead to tokens.
func TestPublishedDefinitionsAreWalked(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	all := walked()
	for i, file := range slices.Sorted(maps.Keys(all)) {
		x.part(file, func() {
			w := &tour{room: r, file: file, policy: strings.HasSuffix(file, "-sign-on-policy"), name: fmt.Sprintf("walker-%d", i)}
			w.id = r.definition(r.fitted(file))
			now := r.get("/flowDefinitions/" + w.id)
			if want := r.fitted(file); fmt.Sprint(now["stepDefinitions"]) != fmt.Sprint(want["stepDefinitions"]) || fmt.Sprint(now["trigger"]) != fmt.Sprint(want["trigger"]) {
				t.Errorf("%s was kept as %v", file, now)
			}
			if listed := embedded(r.get("/flowDefinitions?filter="+url.QueryEscape(`id eq "`+w.id+`"`)), "flowDefinitions"); len(listed) != 1 || listed[0]["name"] != now["name"] {
				t.Errorf("%s is listed as %v", file, listed)
			}
			all[file](w)
		})
	}
}

// registration makes an account and verifies its address.
func (w *tour) registration() {
	w.x.Helper()
	g := w.x.guest(w.name, walkersFirst)
	done := w.to(g, w.begin(w.x.browser()))
	if user := w.get("/users/" + done); user["username"] != w.name || memberOf(user, "lifecycle", "status") != "ACCOUNT_OK" {
		w.x.Errorf("%s: the new user is %v", w.file, user)
	}
}

// signOn signs on somebody who is there already.
func (w *tour) signOn() {
	w.x.Helper()
	id := w.user(w.name, walkersFirst)
	if got := w.to(w.x.guest(w.name, walkersFirst), w.begin(w.x.browser())); got != id {
		w.x.Errorf("%s: %s is signed on, want %s", w.file, got, id)
	}
}

// signedOn does the same for somebody who has signed on before, or does by the
// first action of the policy.
func (w *tour) signedOn() {
	w.x.Helper()
	id, g, c := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst), w.x.browser()
	if !w.policy {
		if r := c.Start(w.shop.Ask()).Fill(g.know).Flow(); r.Status != completed {
			w.x.Fatalf("%s: signing on leads to %s", w.file, r.Status)
		}
	}
	if got := w.to(g, w.begin(c, map[string]any{"type": "LOGIN"})); got != id {
		w.x.Errorf("%s: %s is signed on, want %s", w.file, got, id)
	}
}

// recovery sets a forgotten password.
func (w *tour) recovery() {
	w.x.Helper()
	id, g := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst)
	g.answers["newPassword"] = walkersSecond
	if got := w.to(g, w.begin(w.x.browser())); got != id {
		w.x.Errorf("%s: %s is signed on, want %s", w.file, got, id)
	}
	f := w.x.browser().Start(w.shop.Ask())
	f.Password(w.name, walkersFirst).Is(400)
	f.Password(w.name, walkersSecond).Is(200)
}

// nobody walks to an end that signs nobody on.
func (w *tour) nobody() {
	w.x.Helper()
	c := w.x.browser()
	f := w.begin(c)
	if r := f.Get().Flow(); r.Status != completed || r.Embedded.User.ID != "" || r.Session.ID != "" {
		w.x.Errorf("%s: the execution is %+v", w.file, r)
	}
	if a := c.Authorize(w.shop.Ask("prompt", "none")).Is(302); a.Refusal() != "login_required" {
		w.x.Errorf("%s leaves a session: %s", w.file, a.Header.Get("Location"))
	}
}

// begin starts the definition, alone or behind the actions of a policy.
func (w *tour) begin(c *visit.Client, before ...map[string]any) *visit.Flow {
	w.x.Helper()
	if w.policy {
		return c.Start(w.behind(append(before, runs(w.id))...).Ask())
	}
	return c.Begin(w.shop, w.id, nil)
}

// to fills in what is asked until the end, and returns the id of whoever is signed
// on then, as an application learns it.
func (w *tour) to(g *guest, f *visit.Flow) string {
	w.x.Helper()
	done := f.Fill(g.know).Flow()
	if done.Status != completed || !slices.Contains(done.AMR, "pwd") || len(done.Templates) != 0 {
		w.x.Fatalf("%s: the execution is %+v", w.file, done)
	}
	if w.policy {
		sub, _ := w.x.claims(f)["sub"].(string)
		return sub
	}
	if want := w.shop.RedirectURI + "?flowExecutionId=" + f.ID; done.ResumeURL != want {
		w.x.Errorf("%s leads to %s, want %s", w.file, done.ResumeURL, want)
	}
	ask := w.shop.Ask("prompt", "none")
	sub, _ := f.Redeem(ask, f.Authorize(ask).Is(302).Code()).Tokens().Claims(w.x)["sub"].(string)
	return sub
}

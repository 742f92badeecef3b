package main_test

import (
	"net/http"
	"slices"
	"strings"

	visit "doorward/internal/journey"
)

// face is how a definition is walked, by one visitor.
type face interface {
	// signOn signs on at the application, where nobody is known yet.
	signOn(w *tour, g *guest)
	// to fills in what the definition asks until its end: alone, or behind what
	// comes before it in the policy of the application. It returns what the
	// application is told then of who is signed on; nil when that is nobody.
	to(w *tour, g *guest, app visit.App) map[string]any
}

// tour is one published definition that is walked to its end.
type tour struct {
	*room
	face
	file, id string
	name     string // of whoever walks
}

const (
	walkersFirst  = "Walker-First-Horse-1"
	walkersSecond = "Walker-Second-Horse-2"
)

// policy reports whether the definition is an action of a sign-on policy.
func (w *tour) policy() bool { return strings.HasSuffix(w.file, "-sign-on-policy") }

// registration makes an account and verifies its address.
func (w *tour) registration() {
	w.x.Helper()
	done := w.end(w.x.guest(w.name, walkersFirst))
	if user := w.get("/users/" + done); user["username"] != w.name || memberOf(user, "lifecycle", "status") != "ACCOUNT_OK" {
		w.x.Errorf("%s: the new user is %v", w.file, user)
	}
}

// signOn signs on somebody who is there already.
func (w *tour) signOn() {
	w.x.Helper()
	id := w.user(w.name, walkersFirst)
	if got := w.end(w.x.guest(w.name, walkersFirst)); got != id {
		w.x.Errorf("%s: %s is signed on, want %s", w.file, got, id)
	}
}

// signedOn does the same for somebody who has signed on before, or does by the
// first action of the policy.
func (w *tour) signedOn() {
	w.x.Helper()
	id, g := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst)
	if !w.policy() {
		w.face.signOn(w, g)
	}
	if got := w.end(g, map[string]any{"type": "LOGIN"}); got != id {
		w.x.Errorf("%s: %s is signed on, want %s", w.file, got, id)
	}
}

// expired sets a new password in place of one that is good for one sign-on.
func (w *tour) expired() {
	w.x.Helper()
	id, g := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst)
	w.act(http.MethodPut, "/users/"+id+"/password", "password.forceChange", nil).Is(200)
	g.answers["newPassword"] = walkersSecond
	if got := w.end(g); got != id {
		w.x.Errorf("%s: %s is signed on, want %s", w.file, got, id)
	}
	w.changed()
}

// recovery sets a forgotten password.
func (w *tour) recovery() {
	w.x.Helper()
	id, g := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst)
	g.answers["newPassword"] = walkersSecond
	if got := w.end(g); got != id {
		w.x.Errorf("%s: %s is signed on, want %s", w.file, got, id)
	}
	w.changed()
}

// changed holds that the second password counts, and the first one does no more.
func (w *tour) changed() {
	w.x.Helper()
	f := w.x.browser().Start(w.shop.Ask())
	f.Password(w.name, walkersFirst).Is(400)
	f.Password(w.name, walkersSecond).Is(200)
}

// nobody walks to an end that signs nobody on.
func (w *tour) nobody() {
	w.x.Helper()
	if claims := w.to(w, w.x.guest(w.name, walkersFirst), w.shop); claims != nil {
		w.x.Errorf("%s leaves a session: %v", w.file, claims)
	}
}

// invokes walks to an end behind a call of a partner, who is told who walks.
func (w *tour) invokes() {
	w.x.Helper()
	w.nobody()
	came := w.x.partner.asked(w.place)
	if len(came) == 0 {
		w.x.Fatalf("%s has called nobody", w.file)
	}
	last := came[len(came)-1]
	if body := w.x.mustJSON([]byte(last.Body)); last.Method != http.MethodPost || last.URI != "/"+w.place+"/post" || last.Header.Get("X-User") != w.name || last.Header.Get("Authorization") != publishedKey || len(body) != 1 || body["userId"] != w.name {
		w.x.Errorf("%s has called by %+v", w.file, last)
	}
}

// parameters are what the definition is begun with, in turn names and values.
func (w *tour) parameters() []string {
	if strings.Contains(w.file, "external-service") {
		return []string{"userId", w.name}
	}
	return nil
}

// end walks to the end, and returns the id of whoever is signed on then.
func (w *tour) end(g *guest, before ...map[string]any) string {
	w.x.Helper()
	app := w.shop
	if w.policy() {
		app = w.behind(append(before, runs(w.id))...)
	}
	claims := w.to(w, g, app)
	if amr, _ := claims["amr"].([]any); !slices.Contains(amr, any("pwd")) {
		w.x.Errorf("%s: an application is told %v", w.file, claims)
	}
	sub, _ := claims["sub"].(string)
	return sub
}

// reader walks over JSON.
type reader struct{ *visit.Client }

func (r *reader) signOn(w *tour, g *guest) {
	w.x.Helper()
	if now := r.Start(w.shop.Ask()).Fill(g.know).Flow(); now.Status != completed {
		w.x.Fatalf("%s: signing on leads to %s", w.file, now.Status)
	}
}

func (r *reader) to(w *tour, g *guest, app visit.App) map[string]any {
	w.x.Helper()
	var f *visit.Flow
	if w.policy() {
		f = r.Start(app.Ask())
	} else {
		parameters := map[string]any{}
		for i, p := 0, w.parameters(); i < len(p); i += 2 {
			parameters[p[i]] = p[i+1]
		}
		f = r.Begin(app, w.id, parameters)
	}
	done := f.Fill(g.know).Flow()
	if done.Status != completed || len(done.Templates) != 0 {
		w.x.Fatalf("%s: the execution is %+v", w.file, done)
	}
	if w.policy() {
		return w.x.claims(f)
	}
	if want := app.RedirectURI + "?flowExecutionId=" + f.ID; done.ResumeURL != want {
		w.x.Errorf("%s leads to %s, want %s", w.file, done.ResumeURL, want)
	}
	ask := app.Ask("prompt", "none")
	a := r.Authorize(ask).Is(302)
	if a.Refusal() != "login_required" {
		return r.Redeem(ask, a.Code()).Tokens().Claims(w.x)
	}
	if done.Embedded.User.ID != "" || done.Session.ID != "" {
		w.x.Errorf("%s: the execution is %+v", w.file, done)
	}
	return nil
}

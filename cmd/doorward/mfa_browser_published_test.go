package main_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"doorward/internal/browsertest"
)

// challenged signs on somebody who has a device that codes are mailed to.
func (w *tour) challenged() {
	w.x.Helper()
	id, g := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst)
	w.create("/users/"+id+"/devices", map[string]any{"type": "EMAIL", "email": g.mailbox, "status": "ACTIVE"})
	w.proven(id, g, "pwd", "otp", "mfa")
}

// enrolled has somebody set such a device up, who has none.
func (w *tour) enrolled() { w.enrols("EMAIL", "Email") }

// enrols has them set up a device of a type that is called so on the page.
func (w *tour) enrols(type_, title string) {
	w.x.Helper()
	id, g := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst)
	g.answers["type"], g.answers["choice"] = type_, title
	w.proven(id, g, "pwd")
	devices := embedded(w.get("/users/"+id+"/devices"), "devices")
	if len(devices) != 1 || devices[0]["type"] != type_ || devices[0]["status"] != "ACTIVE" {
		w.x.Errorf("%s: the devices are %v", w.file, devices)
	}
}

// proven walks to the end, with a code on the way, and looks at what an application is
// told of it.
func (w *tour) proven(id string, g *guest, amr ...any) {
	w.x.Helper()
	app := w.shop
	if w.policy() {
		app = w.behind(runs(w.id))
	}
	claims := w.to(w, g, app)
	told, _ := claims["amr"].([]any)
	for _, method := range amr {
		if !slices.Contains(told, method) || claims["sub"] != id || g.answers["otp"] == "" {
			w.x.Errorf("%s: an application is told %v, want %v of %s", w.file, claims, amr, id)
		}
	}
}

// sentCode is the code of the next mail that has one.
func (x *trial) sentCode(to string) (code string) {
	x.Helper()
	for range 8 { // there may be a notice before it
		if code = x.mailed(to).Code(); code != "" {
			return code
		}
	}
	x.Fatalf("no mail to %s has a code", to)
	return ""
}

// sets takes a page of devices to choose from, or of where codes are to go, and
// reports whether it was one.
func (v *window) sets(g *guest) bool {
	v.s.x.Helper()
	switch {
	case v.Has(".choices"):
		v.sound()
		v.Follow(v.choice(g.answers["choice"]))
	case g.answers["choice"] != "" && v.Text("h1") == "Confirm that it is you" && v.Has(otherWay):
		v.Follow(otherWay)
		v.Follow(v.choice(g.answers["choice"]))
		return false
	case v.Has("#key") && g.answers["otp"] == "":
		g.answers["otp"] = v.shows()
		return false
	case v.Has(`main form [type=hidden][name=type]`):
		v.sound()
		v.fill(g)
		v.Follow(primary)
	default:
		return false
	}
	if v.Status() != http.StatusOK {
		v.s.x.Fatalf("a device is answered with %d: %s", v.Status(), v.Text("body"))
	}
	return true
}

// otherWay leads to the devices beside the one that is asked.
const otherWay = `main a[href*="show=device.select"]`

// choice is one of several ways, by what it is called.
func (v *window) choice(title string) string {
	v.s.x.Helper()
	n := browsertest.Eval[int](v.Tab, `[...document.querySelectorAll(".choices .choice b")].findIndex(e => e.innerText === `+strconv.Quote(title)+`)`)
	if n < 0 {
		v.s.x.Fatalf("there is no %q: %s", title, v.Text("body"))
	}
	return `.choices li:nth-child(` + strconv.Itoa(n+1) + `) .choice`
}

// shows is what an app shows that was given the key by typing it.
func (v *window) shows() string {
	v.s.x.Helper()
	code, err := totp.GenerateCode(strings.ReplaceAll(v.Text("#key"), " ", ""), time.Now())
	if err != nil {
		v.s.x.Fatal(err)
	}
	return code
}

// scriptless are walks through the published definitions that ask for a second factor,
// as far as somebody without scripts can go.
func scriptless() map[string][]func(*tour) {
	sets := []func(*tour){(*tour).enrolled, func(w *tour) { w.enrols("TOTP", "Authenticator app") }}
	answers := []func(*tour){(*tour).challenged, (*tour).answersByApp, (*tour).answersByList}
	return map[string][]func(*tour){
		"rec-flow-mfa-enrollment-experience":     sets,
		"rec-flow-mfa-enrollment-sign-on-policy": sets,
		"rec-flow-mfa-challenge-experience":      answers,
		"rec-flow-mfa-challenge-sign-on-policy":  answers,
	}
}

// answersByApp types what an app shows.
func (w *tour) answersByApp() {
	w.x.Helper()
	r, g := w.dweller()
	g.answers["otp"] = r.authenticator().next(w.x)
	w.proven(r.id, g, "pwd", "otp", "mfa")
}

// answersByList has no app any more, and a list of codes.
func (w *tour) answersByList() {
	w.x.Helper()
	r, g := w.dweller()
	r.authenticator()
	_, codes := r.recoveryCodes()
	g.answers["choice"], g.answers["otp"] = "Recovery code", codes[3]
	w.proven(r.id, g, "pwd", "mfa")
}

// dweller is somebody new of the room.
func (w *tour) dweller() (*lodger, *guest) {
	w.x.Helper()
	return &lodger{x: w.x, admin: w.manager, id: w.user(w.name, walkersFirst)}, w.x.guest(w.name, walkersFirst)
}

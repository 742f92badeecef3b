package main_test

import (
	"net/http"
	"slices"
	"strconv"

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
func (w *tour) enrolled() {
	w.x.Helper()
	id, g := w.user(w.name, walkersFirst), w.x.guest(w.name, walkersFirst)
	g.answers["type"] = "EMAIL"
	w.proven(id, g, "pwd")
	devices := embedded(w.get("/users/"+id+"/devices"), "devices")
	if len(devices) != 1 || devices[0]["type"] != "EMAIL" || devices[0]["status"] != "ACTIVE" {
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
		n := browsertest.Eval[int](v.Tab, `[...document.querySelectorAll(".choices .choice b")].findIndex(e => e.innerText === "Email")`)
		v.Follow(`.choices li:nth-child(` + strconv.Itoa(n+1) + `) .choice`)
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

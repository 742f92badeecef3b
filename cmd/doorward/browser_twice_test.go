package main_test

import (
	"net/http"
	"strings"
	"time"

	"doorward/demo"
	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// What happens twice, late, or the other way round.

// playWaiting has the page itself look at its form when it is left.
func playWaiting(p player) {
	if p.look.NoScript {
		return // the browser alone says that something is under way
	}
	tab := p.visit()
	tab.Open(p.start(""))
	p.fill(tab, nodetest.User, "wrong")
	const measure = `(b => b.form.getAttribute("aria-busy") + " " + b.offsetWidth + " " + b.offsetHeight)(document.querySelector("main .button"))`
	before := browsertest.Eval[string](tab, measure)
	browsertest.Eval[any](tab, `addEventListener("pagehide", () => sessionStorage.setItem("left", `+measure+`))`)
	tab.Follow(primary)
	if left := browsertest.Eval[string](tab, `sessionStorage.getItem("left")`); left != strings.Replace(before, "null", "true", 1) {
		p.Errorf("the button was %s and became %s", before, left)
	}
}

func playDoubleClick(p player) { playClicks(p, 0) }

// playSlowDoubleClick clicks a second time about when the answer comes.
func playSlowDoubleClick(p player) {
	for _, gap := range []time.Duration{60 * time.Millisecond, 120 * time.Millisecond, 180 * time.Millisecond} {
		playClicks(p, gap)
	}
}

func playClicks(p player, gap time.Duration) {
	tab := p.visit()
	tab.Open(p.start(""))
	p.fill(tab, nodetest.User, nodetest.Password)
	checked, replayed := p.events("PASSWORD.CHECK_SUCCEEDED"), p.events("OIDC.CODE_REPLAYED")
	tab.DoubleClick(primary, gap)
	tab.Await(`location.pathname === "` + demo.HomePath + `" && document.querySelector("#sign-out, #sign-on")`)
	time.Sleep(300 * time.Millisecond) // what the second click led to has come, too
	if n := p.events("PASSWORD.CHECK_SUCCEEDED") - checked; n != 1 {
		p.Errorf("the password was checked %d times", n)
	}
	if n := p.events("OIDC.CODE_REPLAYED") - replayed; n != 0 {
		p.Errorf("the code was presented again %d times", n)
	}
	if !tab.Has("#sign-out") { // the click took the application's own cookie, or met its own button
		tab.Follow("#sign-on")
	}
	if tab.Has("#password") {
		p.fill(tab, nodetest.User, nodetest.Password)
		tab.Follow(primary)
	}
	p.signedOn(tab)
}

func playBack(p player) {
	tab := p.visit()
	tab.Open(p.home())
	tab.Follow("#sign-on")
	p.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
	replayed := p.events("OIDC.CODE_REPLAYED")
	tab.Back()
	p.signedOn(tab) // the page that was left is over; its application is shown
	if p.events("OIDC.CODE_REPLAYED") != replayed {
		p.Error("the code was presented again, which revokes what was granted")
	}
	tab.Back()
	p.signedOn(tab)
}

// playOldForm submits a form that another tab has left behind, and one that the
// back button brought back.
func playOldForm(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	other := tab.Another()
	other.Open(tab.URL())
	p.fill(other, nodetest.User, "wrong")
	other.Follow(primary)
	p.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	if tab.Status() != http.StatusConflict || tab.Text(".notice") != "That page was out of date. This is where you are now." || !tab.Has("#password") {
		p.Errorf("%d %s", tab.Status(), tab.Text("body"))
	}
	other.Back()
	p.fill(other, nodetest.User, "wrong")
	other.Follow(primary)
	if !other.Has("#password") {
		p.Errorf("%d %s", other.Status(), other.Text("body"))
	}
	tab.Open(tab.URL())
	p.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
}

func playFinishedForm(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	other := tab.Another()
	other.Open(tab.URL())
	p.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
	p.fill(other, nodetest.User, "another password")
	other.Follow(primary)
	p.signedOn(other)
}

package main_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/demo"
	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// player is somebody with a browser, on a stage.
type player struct {
	*testing.T
	*stage
	look browsertest.Look
}

// visit opens a tab in a profile of its own.
func (p player) visit() *browsertest.Tab {
	p.Helper()
	return p.visitor(p.T, p.look)
}

// both plays with scripts and without, on a stage for each, at the same time.
func both(t *testing.T, play func(player)) {
	t.Helper()
	for mode, look := range map[string]browsertest.Look{"with scripts": {}, "without scripts": {NoScript: true}} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			play(player{t, newStage(t, nodetest.Options{}), look})
		})
	}
}

// act is one test on the stage that is there, after those before it.
func (p player) act(name string, play func(player)) {
	p.Helper()
	p.Run(name, func(t *testing.T) { play(player{t, p.stage, p.look}) })
}

// TestBrowser is what people do, once with scripts and once without.
func TestBrowser(t *testing.T) {
	t.Parallel()
	journeys := []struct {
		name string
		play func(player)
	}{
		{"the demo is signed on to and out of", playDemo},
		{"two empty fields are summed up", playTwoErrors},
		{"a form under way says so", playWaiting},
		{"a session is not asked again", playSSO},
		{"prompt=login asks for the password of whom it knows", playKnown},
		{"not you leads to the whole form and keeps the request", playNotYou},
		{"a tab that was open before goes on", playTabs},
		{"a double click is one submit", playDoubleClick},
		{"a slow double click is one submit", playSlowDoubleClick},
		{"the back button after a sign-on is no dead end", playBack},
		{"an old form shows the present state", playOldForm},
		{"an old form of a finished sign-on goes on", playFinishedForm},
		{"an unknown flow looks like a stranger's", playUnknown},
		{"a disabled user goes back to the application", playFailed},
		{"a locked name says how long", playLocked},
		{"a form without its token is refused with a way out", playNoToken},
		{"a form of another site is refused", playOtherSite},
		{"signing off is asked for and done", playSignOff},
		{"password managers find what they look for", playPasswordManager},
		{"the keyboard is enough", playKeyboard},
		{"a forgotten password is set anew by mail", playForgot},
		{"an account is made and verified", playRegister},
		{"a temporary or expired password is changed", playChange},
		{"the browser's language is spoken", playGerman},
	}
	both(t, func(p player) {
		p.demo = nodetest.Start(p.T, nodetest.Options{})
		for _, j := range journeys {
			p.act(j.name, j.play)
		}
	})
}

func playDemo(p player) {
	tab := p.visit()
	tab.Open(p.demo.Base + demo.HomePath)
	tab.Follow("#sign-on")
	policy := tab.Header("Content-Security-Policy")
	if !strings.HasPrefix(tab.URL(), p.demo.Base+"/"+nodetest.Env+"/signon/?flowId=") || !strings.Contains(policy, "form-action 'self' "+p.demo.Base+";") {
		p.Errorf("%s with %s", tab.URL(), policy)
	}
	p.fill(tab, nodetest.User, "wrong")
	tab.Follow(primary)
	if tab.Status() != http.StatusBadRequest || tab.Focused() != "password" || tab.Has("#problems") || !strings.HasPrefix(browsertest.Eval[string](tab, "document.title"), "Error: ") {
		p.Errorf("status %d, focus on %s, title %s", tab.Status(), tab.Focused(), browsertest.Eval[string](tab, "document.title"))
	}
	told := browsertest.Eval[[]string](tab, `(p => [p.getAttribute("aria-invalid"), document.getElementById(p.getAttribute("aria-describedby")).innerText, document.getElementById(p.getAttribute("aria-describedby")).role, p.value, document.querySelector("#username").value])(document.querySelector("#password"))`)
	if told[0] != "true" || told[1] != "That username and password do not match. Check both and try again." || told[2] != "alert" || told[3] != "" || told[4] != nodetest.User {
		p.Errorf("%q", told)
	}
	tab.Fill("#password", nodetest.Password)
	tab.Follow(primary)
	if tab.URL() != p.demo.Base+demo.HomePath {
		p.Errorf("ended at %s", tab.URL())
	}
	for _, claim := range []string{"ada@example.com", "Ada Lovelace", nodetest.Web, `["pwd"]`} {
		if !strings.Contains(tab.Text("main"), claim) {
			p.Errorf("no %s in %s", claim, tab.Text("main"))
		}
	}
	tab.Follow("#sign-out")
	if tab.URL() != p.demo.Base+demo.HomePath || tab.Text("h1") != "You are signed out" {
		p.Errorf("after signing out: %s %s", tab.URL(), tab.Text("body"))
	}
	tab.Follow("#sign-on")
	if !tab.Has("input#username:not([hidden])") {
		p.Errorf("signed out, but not asked: %s", tab.Text("body"))
	}
}

func playTwoErrors(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	tab.Follow(primary)
	tab.Await(`document.activeElement.id === "problems"`)
	if tab.Text("#problems h2") != "There are 2 problems" || !tab.Has("#problems[role=alert]") || tab.Text("#username-error") != "Enter your username." || tab.Text("#password-error") != "Enter your password." {
		p.Error(tab.Text("body"))
	}
	tab.Click(`#problems a[href="#password"]`)
	tab.Await(`document.activeElement.id === "password"`)
}

// playSSO signs on to one application, then to it again and to another one.
func playSSO(p player) {
	tab := p.visit()
	p.signOn(tab)
	before := p.events("FLOW.STARTED")
	tab.Open(p.start(""))
	p.signedOn(tab)
	tab.Open(p.native())
	if tab.Text("h1") != "Landed" || !strings.HasPrefix(tab.URL(), p.app+"/callback?") || !strings.Contains(tab.URL(), "code=") {
		p.Errorf("%s %s", tab.URL(), tab.Text("body"))
	}
	if n := p.events("FLOW.STARTED") - before; n != 0 {
		p.Errorf("%d flows were kept although nothing was asked", n)
	}
}

func playKnown(p player) {
	tab := p.visit()
	p.signOn(tab)
	tab.Open(p.start("login"))
	if !strings.Contains(tab.Text(".chip"), nodetest.User) || tab.Has("label[for=username]") || tab.Focused() != "password" {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#password", "wrong")
	tab.Follow(primary)
	if tab.Text("#password-error") != "That password is not right. Try again." || !tab.Has(".chip") {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#password", nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
}

func playNotYou(p player) {
	tab := p.visit()
	p.signOn(tab)
	tab.Open(p.start("login"))
	here := tab.URL()
	tab.Follow(".chip button")
	if tab.URL() != here || tab.Has(".chip") || browsertest.Eval[string](tab, `document.querySelector("#username").value`) != "" {
		p.Errorf("%s, then %s: %s", here, tab.URL(), tab.Text("body"))
	}
	p.fill(tab, ann, nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
	if !strings.Contains(tab.Text("#userinfo"), ann) {
		p.Error(tab.Text("main"))
	}
}

func playTabs(p player) {
	one := p.visit()
	one.Open(p.start(""))
	two, three := one.Another(), one.Another()
	two.Open(p.start(""))
	three.Open(p.start(""))
	p.fill(one, nodetest.User, nodetest.Password)
	one.Follow(primary)
	p.signedOn(one)
	p.fill(two, nodetest.User, nodetest.Password)
	two.Follow(primary)
	p.signedOn(two)
	three.Open(three.URL())
	p.fill(three, nodetest.User, nodetest.Password)
	three.Follow(primary)
	p.signedOn(three)
	noProblems(p.T, two)
	noProblems(p.T, three)
}

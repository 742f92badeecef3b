package main_test

import (
	"strings"
	"testing"
	"time"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// suppliersApp sends @partner.example to sign on elsewhere.
const suppliersApp = "d0000000-0000-4000-8000-000000000612"

// gaveUp is the page of whoever has come back from there without having signed on.
const gaveUp = `document.readyState === "complete" && document.body.innerText.includes("The sign-on there was not completed.")`

// TestBrowserElsewhere has people sign on at another company.
func TestBrowserElsewhere(t *testing.T) {
	t.Parallel()
	both(t, func(p player) {
		p.act("somebody new signs on there, and is known the next time", playNewcomer)
		p.act("whoever gives up there tries again", playGivesUp)
		p.act("whoever has an account links it, once", playLinks)
	})
}

// leaves types a name of the partner's.
func (p player) leaves(tab *browsertest.Tab, name string) {
	p.Helper()
	tab.Open(p.landing(suppliersApp))
	tab.Fill("#username", name+"@partner.example")
	tab.Click(primary)
}

// lands is where every sign-on ends.
func (p player) lands(tab *browsertest.Tab) {
	p.Helper()
	tab.Await(`location.pathname === "/demo/members" && document.readyState === "complete"`)
	if !strings.Contains(tab.URL(), "code=") {
		p.Error(tab.URL())
	}
}

func playNewcomer(p player) {
	p.away.SignIn(map[string]any{"sub": "s1", "preferred_username": "mara", "email": "mara@partner.example", "email_verified": true})
	for range 2 {
		tab := p.visit()
		p.leaves(tab, "mara")
		p.lands(tab)
	}
	within(p.T, time.Minute, "an account", func() bool { return p.events("USER.REGISTERED") > 0 })
	if n := p.events("USER.REGISTERED"); n != 1 {
		p.Errorf("%d accounts were made", n)
	}
}

func playGivesUp(p player) {
	p.away.SignIn(map[string]any{"sub": "s2", "preferred_username": "noel"})
	p.away.Refuse("access_denied")
	tab := p.visit()
	p.leaves(tab, "noel")
	tab.Await(gaveUp)
	if said := tab.Text("main"); !strings.Contains(said, "The sign-on there was not completed.") || tab.Text("h1") != "Sign on elsewhere" || tab.Text("a.button") != "Continue with Partner" || !strings.Contains(said, "noel@partner.example") {
		p.Fatal(said)
	}
	p.away.Refuse("")
	tab.Click("a.button")
	p.lands(tab)
}

func playLinks(p player) {
	name := p.own("gisela", "gustav")
	p.away.SignIn(map[string]any{"sub": "s3", "preferred_username": name, "email": name + "@example.com", "email_verified": true})
	tab := p.visit()
	p.leaves(tab, name)
	tab.Await(`document.querySelector("#password")`)
	if said := tab.Text("main"); tab.Text("h1") != "Link your account" || !strings.Contains(said, "Your account at Partner is not linked to an account here yet") || value(tab, "username") != name+"@partner.example" {
		p.Fatal(said)
	}
	p.fill(tab, name, "wrong")
	tab.Follow(primary)
	if said := tab.Text("main"); !strings.Contains(said, "do not match") {
		p.Error(said)
	}
	linked := p.events("USER.ACCOUNT_LINKED") // of those before; what they did is in the log by now
	p.fill(tab, name, nodetest.Password)
	tab.Click(primary)
	p.lands(tab)
	within(p.T, time.Minute, "a link", func() bool { return p.events("USER.ACCOUNT_LINKED") > linked })
	tab = p.visit()
	p.leaves(tab, "whoever")
	p.lands(tab)
}

package main_test

import (
	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// factorOutings are the journeys of the demo's page that ask for a second factor, or
// would take one instead of a password. Whoever sets one up first has it after that.
func factorOutings() []outing {
	first, second := [2]string{"jonas", "jule"}, [2]string{"karl", "kira"}
	return []outing{
		{link: "MFA enrollment (experience)", pair: first, through: player.enrols},
		{link: "MFA challenge (experience)", pair: first, through: player.confirms},
		{link: "MFA_enrollment", pair: second, through: player.enrols},
		{link: "MFA_challenge", pair: second, through: player.confirms},
		{link: "Multi_Factor", pair: first, through: player.logsInAndConfirms},
		{link: "Passwordless", pair: second, through: player.saysWho},
	}
}

// enrols signs on by a form, and has codes sent by mail from then on.
func (p player) enrols(tab *browsertest.Tab, name string) string {
	p.Helper()
	p.form(tab, "user.username", name, "user.password", nodetest.Password)
	if tab.Text("h1") != "Add a second step" {
		p.Fatal(tab.Text("body"))
	}
	tab.Follow(`.choices a[href*="EMAIL"]`)
	if value(tab, "email") != name+"@example.com" {
		p.Error(tab.Text("body"))
	}
	tab.Follow(primary)
	return p.factor(tab, name)
}

// confirms signs on by a form, and confirms it with a code.
func (p player) confirms(tab *browsertest.Tab, name string) string {
	p.Helper()
	p.form(tab, "user.username", name, "user.password", nodetest.Password)
	return p.factor(tab, name)
}

func (p player) logsInAndConfirms(tab *browsertest.Tab, name string) string {
	p.Helper()
	p.fill(tab, name, nodetest.Password)
	tab.Follow(primary)
	return p.factor(tab, name)
}

// factor types the code that was mailed.
func (p player) factor(tab *browsertest.Tab, name string) string {
	p.Helper()
	code := ""
	for code == "" { // notices have none
		code = p.mail.Wait(p.T, name+"@example.com").Code()
	}
	fillIn(tab, "otp", code)
	return primary
}

// saysWho has no passkey: it is the name and the password then.
func (p player) saysWho(tab *browsertest.Tab, name string) string {
	p.Helper()
	if tab.Has("#password:not([hidden])") {
		p.Error(tab.Text("body"))
	}
	p.form(tab, "username", name)
	fillIn(tab, "password", nodetest.Password)
	return primary
}

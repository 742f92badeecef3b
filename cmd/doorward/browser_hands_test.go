package main_test

import (
	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// playPasswordManager checks what password managers decide by: both fields in one
// form, of the right type, named by the tokens of the HTML standard, and the name
// beside the password also where only the password is asked for.
func playPasswordManager(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	const found = `(() => {
		const f = document.querySelector("#password").form, u = f.querySelector("[autocomplete~=username]"), p = f.querySelector("[autocomplete~=current-password]");
		return {
			username: u.type + " " + u.value, shown: u.checkVisibility(), password: p.type + " " + p.name, inputs: [...f.elements].filter(e => e.type !== "hidden" && e.localName === "input").length,
			labels: [...f.querySelectorAll("input:not([type=hidden], [hidden])")].map(i => i.labels[0].innerText).join(), order: Boolean(u.compareDocumentPosition(p) & Node.DOCUMENT_POSITION_FOLLOWING),
			method: f.method, submits: f.querySelectorAll("[type=submit]").length,
		};
	})()`
	type form struct {
		Username, Password, Labels, Method string
		Shown, Order                       bool
		Inputs, Submits                    int
	}
	whole := form{"text ", "password password", "Username,Password", "post", true, true, 2, 1}
	if got := browsertest.Eval[form](tab, found); got != whole {
		p.Errorf("%+v", got)
	}
	p.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
	tab.Open(p.start("login"))
	known := form{"text " + nodetest.User, "password password", "Password", "post", false, true, 2, 1}
	if got := browsertest.Eval[form](tab, found); got != known {
		p.Errorf("%+v", got)
	}
}

// playKeyboard never touches the mouse.
func playKeyboard(p player) {
	tab := p.visit()
	tab.Open(p.home())
	press := func(key, until string) {
		p.Helper()
		for range 12 {
			if browsertest.Eval[bool](tab, `document.activeElement.matches("`+until+`")`) {
				return
			}
			tab.Press(key)
		}
		p.Fatalf("no way to %s, the focus is on %s", until, tab.Focused())
	}
	enter := func() { p.Helper(); tab.Leads(func() { tab.Press(browsertest.EnterKey) }) }
	press(browsertest.TabKey, "#sign-on")
	enter()
	press(browsertest.TabKey, "#username") // has the focus already
	tab.Press(nodetest.User)
	tab.Press(browsertest.TabKey)
	press(browsertest.TabKey, "#password")
	if !p.look.NoScript {
		press(browsertest.TabKey, ".reveal")
		tab.Press(" ")
		if tab.Focused() != "password" || !tab.Has("#password[type=text]") {
			p.Errorf("the password is not shown; the focus is on %s", tab.Focused())
		}
	}
	tab.Press(nodetest.Password)
	press(browsertest.TabKey, primary)
	if tab.Rule(primary, "outline-style") != "solid" {
		p.Error("the focus on the button is not seen")
	}
	enter()
	p.signedOn(tab)
	press(browsertest.TabKey, "[href='/demo/sign-on?prompt=login']")
	enter()
	press(browsertest.BackTabKey, ".chip button")
	enter()
	press(browsertest.TabKey, "#username")
	tab.Press(nodetest.User)
	tab.Press(browsertest.TabKey)
	press(browsertest.TabKey, "#password")
	tab.Press(nodetest.Password)
	enter()
	p.signedOn(tab)
	press(browsertest.TabKey, "#sign-out")
	enter()
	if tab.Text("h1") != "You are signed out" {
		p.Error(tab.Text("body"))
	}
}

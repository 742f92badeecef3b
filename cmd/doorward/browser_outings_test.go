package main_test

import (
	"net/http"
	"net/url"
	"strings"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// The ways through the demo's journeys: what people do wrong first, and what is
// then left to press.

// named is the input of that name, and wrong what is said beside it.
func named(name string) string { return `[name="` + name + `"]` }

func wrong(tab *browsertest.Tab, name string) string {
	return browsertest.Eval[string](tab, `(i => i.getAttribute("aria-invalid") && document.getElementById(i.getAttribute("aria-describedby").split(" ")[0]).innerText || "")(document.querySelector('`+named(name)+`'))`)
}

func value(tab *browsertest.Tab, name string) string {
	return browsertest.Eval[string](tab, `document.querySelector('`+named(name)+`').value`)
}

// form fills in the inputs of a form, given as name and value, and submits it.
func (p player) form(tab *browsertest.Tab, values ...string) {
	p.Helper()
	fillIn(tab, values...)
	tab.Follow(primary)
}

func fillIn(tab *browsertest.Tab, values ...string) {
	for i := 0; i < len(values); i += 2 {
		tab.Fill(named(values[i]), values[i+1])
	}
}

func nothing(player, *browsertest.Tab, string) string { return "" }

// signsOn is a sign-on by a form, the first time with the wrong password.
func (p player) signsOn(tab *browsertest.Tab, name string) string {
	p.Helper()
	tab.Follow(primary)
	if tab.Status() != http.StatusBadRequest || wrong(tab, "user.username") != "Enter your username." || wrong(tab, "user.password") != "Enter your password." || tab.Text("#problems h2") != "There are 2 problems" {
		p.Errorf("%d %s", tab.Status(), tab.Text("body"))
	}
	p.form(tab, "user.username", name, "user.password", "wrong")
	told := "That username and password do not match. Check both and try again."
	if tab.Status() != http.StatusOK || wrong(tab, "user.password") != told || value(tab, "user.username") != name || value(tab, "user.password") != "" || tab.Has("#problems") {
		p.Errorf("%d %s", tab.Status(), tab.Text("body"))
	}
	tab.Open(tab.URL())
	if wrong(tab, "user.password") != told || value(tab, "user.username") != name {
		p.Errorf("loaded again: %s", tab.Text("body"))
	}
	fillIn(tab, "user.password", nodetest.Password)
	return primary
}

// logsIn is a sign-on by the page of a policy.
func (p player) logsIn(tab *browsertest.Tab, name string) string {
	p.fill(tab, name, nodetest.Password)
	return primary
}

// signsOnFirst is whom the reconsent finds signed on.
func (p player) signsOnFirst(tab *browsertest.Tab) {
	tab.Open(p.start(""))
	p.fill(tab, p.own("edda", "edgar"), nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
	tab.Click("#sign-out") // of the application and of the provider
	tab.Await(`document.querySelector("#sign-on")`)
	tab.Open(p.native())
	p.fill(tab, p.own("edda", "edgar"), nodetest.Password)
	tab.Follow(primary)
}

// resets signs on with a password that is over, and chooses another one.
func resets(password string) func(player, *browsertest.Tab, string) string {
	return func(p player, tab *browsertest.Tab, name string) string { return p.resets(tab, name, password) }
}

func (p player) resets(tab *browsertest.Tab, name, password string) string {
	p.Helper()
	p.form(tab, "user.username", name, "user.password", password)
	if tab.Text("h1") != "Choose a new password" || !strings.Contains(tab.Text(".chip"), name) || !tab.Has(".rules") {
		p.Fatal(tab.Text("body"))
	}
	p.form(tab, "user.currentPassword", "wrong", "user.newPassword", "Quiet-Third-Horse-3", "user.newPasswordVerify", "Quiet-Third-Horse-3")
	if wrong(tab, "user.currentPassword") != "That is not your current password. Try again." {
		p.Error(tab.Text("body"))
	}
	p.form(tab, "user.currentPassword", password, "user.newPassword", password+"9", "user.newPasswordVerify", password+"9")
	if !tab.Has(".rules .unmet") || wrong(tab, "user.newPassword") != "The password does not meet what is marked below." {
		p.Error(tab.Text("body"))
	}
	p.form(tab, "user.currentPassword", password, "user.newPassword", "Quiet-Third-Horse-3", "user.newPasswordVerify", "Quiet-Third-Horse")
	if wrong(tab, "user.newPasswordVerify") != "The two are not the same. Type both again." {
		p.Error(tab.Text("body"))
	}
	fillIn(tab, "user.currentPassword", password, "user.newPassword", "Quiet-Third-Horse-3", "user.newPasswordVerify", "Quiet-Third-Horse-3")
	return primary
}

// registers makes an account by a form, with everything wrong at first, and
// verifies its address.
func (p player) registers(tab *browsertest.Tab, name string) string {
	p.Helper()
	tab.Follow(primary)
	if tab.Text("#problems h2") != "There are 3 problems" || wrong(tab, "user.email") != "Enter your email address." {
		p.Error(tab.Text("body"))
	}
	p.form(tab, "user.username", name, "user.email", name+"@example.org", "user.password", "quiethorse", "user.passwordVerify", "quiethorse")
	if wrong(tab, "user.password") != "The password needs every kind of character that is listed below." || tab.Has(".rules .unmet") || value(tab, "user.username") != name || value(tab, "user.email") != name+"@example.org" || value(tab, "user.password") != "" {
		p.Error(tab.Text("body"))
	}
	p.form(tab, "user.password", "Quiet-First-Horse-1", "user.passwordVerify", "Quiet-First-Horse-1")
	if tab.Text("h1") != "Verify your email address" {
		p.Fatal(tab.Text("body"))
	}
	first := p.mail.Wait(p.T, name+"@example.org").Code()
	tab.Follow(".button.quiet")
	second := p.mail.Wait(p.T, name+"@example.org").Code()
	p.form(tab, "verificationCode", first)
	if !strings.HasPrefix(wrong(tab, "verificationCode"), "That code is not right") {
		p.Error(tab.Text("body"))
	}
	tab.Back()
	p.form(tab, "verificationCode", "AAAAAAAA")
	fillIn(tab, "verificationCode", second)
	return primary
}

// agrees signs on and agrees.
func (p player) agrees(tab *browsertest.Tab, name string) string {
	p.Helper()
	p.form(tab, "user.username", name, "user.password", nodetest.Password)
	return p.terms(tab)
}

// terms is the page of an agreement, whose first button agrees.
func (p player) terms(tab *browsertest.Tab) string {
	p.Helper()
	if tab.Text("h1") != "Terms of the demo" || !strings.Contains(tab.Text(".terms"), "This is a demo.") || tab.Text(primary) != "I agree" || tab.Text(".button.quiet") != "I do not agree" {
		p.Fatal(tab.Text("body"))
	}
	tab.Open(tab.URL())
	return primary
}

// declines does not agree, which this definition takes for an error.
func (p player) declines(tab *browsertest.Tab, name string) string {
	p.Helper()
	p.agrees(tab, name)
	tab.Follow(".button.quiet")
	if tab.Text("h1") != "We could not sign you on" || !strings.Contains(tab.Text("main"), "You must accept the agreement to continue.") {
		p.Fatal(tab.Text("body"))
	}
	return primary
}

// agreesAgain is asked without a sign-on.
func (p player) agreesAgain(tab *browsertest.Tab, _ string) string { return p.terms(tab) }

func (p player) logsInAndAgrees(tab *browsertest.Tab, name string) string {
	p.fill(tab, name, nodetest.Password)
	tab.Follow(primary)
	return p.terms(tab)
}

func (p player) registersAndAgrees(tab *browsertest.Tab, name string) string {
	tab.Follow(p.registers(tab, name))
	return p.terms(tab)
}

// recovers sets a new password with the second of two codes.
func (p player) recovers(tab *browsertest.Tab, name string) string {
	p.Helper()
	tab.Follow(primary)
	if wrong(tab, "user.username") != "Enter your username." || tab.Text("h1") != "Forgot your password?" {
		p.Error(tab.Text("body"))
	}
	p.form(tab, "user.username", name)
	if tab.Text("h1") != "Set a new password" {
		p.Fatal(tab.Text("body"))
	}
	first := p.mail.Wait(p.T, name+"@example.com").Code()
	tab.Follow(`[value="resendCode"]`)
	second := p.mail.Wait(p.T, name+"@example.com").Code()
	p.form(tab, "recoveryCode", first, "user.newPassword", "Quiet-Second-Horse-2", "user.newPasswordVerify", "Quiet-Second-Horse-2")
	if !strings.HasPrefix(wrong(tab, "recoveryCode"), "That code is not right") {
		p.Error(tab.Text("body"))
	}
	p.form(tab, "recoveryCode", second, "user.newPassword", "Ab1#", "user.newPasswordVerify", "Ab1#")
	if !tab.Has(".rules .unmet") {
		p.Error(tab.Text("body"))
	}
	fillIn(tab, "recoveryCode", second, "user.newPassword", "Quiet-Second-Horse-2", "user.newPasswordVerify", "Quiet-Second-Horse-2")
	return primary
}

// members is where the application begins a sign-on whose way to an account is an
// experience of its own.
func (s *stage) members() string { return s.landing(membersApp) }

// landing begins a sign-on of an application without a secret, which ends at "Landed".
func (s *stage) landing(application string) string {
	to, _ := url.Parse(s.native())
	q := to.Query()
	q.Set("client_id", application)
	q.Set("redirect_uri", s.app+"/demo/members")
	to.RawQuery = q.Encode()
	return to.String()
}

// playLink leaves a sign-on for the registration that it links to, comes back
// without an account by the back button, and then with one.
func playLink(p player) {
	name := p.own("tilda", "thore")
	tab := p.visit()
	tab.Open(p.members())
	here := tab.URL()
	register := `.links a[href*="/experiences/` + registration + `?redirectUri="]`
	if tab.Text(register) != "Create account" || tab.Has(way("user.register")) || !tab.Has(way("password.forgot")) {
		p.Fatal(tab.Text("body"))
	}
	tab.Follow(register)
	if tab.Text("h1") != "Create your account" || tab.Text(".lead") != "to continue to Members" {
		p.Fatal(tab.Text("body"))
	}
	tab.Back()
	if tab.URL() != here || !tab.Has("#password") {
		p.Fatalf("%s %s", tab.URL(), tab.Text("body"))
	}
	tab.Follow(register)
	tab.DoubleClick(p.registers(tab, name), 0)
	tab.Await(`location.pathname === "/demo/members" && document.readyState === "complete"`)
	if tab.Text("h1") != "Landed" || !strings.Contains(tab.URL(), "code=") {
		p.Errorf("%s %s", tab.URL(), tab.Text("body"))
	}
	tab.Open(p.start(""))
	p.signedOn(tab)
	if !strings.Contains(tab.Text("#userinfo"), name) {
		p.Error(tab.Text("main"))
	}
}

// playCaptcha sends a form that tells people from programs: scripts do the work,
// and without them the page says that they are needed.
func playCaptcha(p player) {
	tab := p.visit()
	tab.Open(p.experience(captchaed))
	if p.look.NoScript {
		if !strings.Contains(tab.Text(".proof"), "This check needs JavaScript. Turn it on in your browser, then load the page again.") {
			p.Error(tab.Text("body"))
		}
		p.form(tab, "word", "quiet")
		if told := "We could not tell that you are a person. Try once more."; !strings.Contains(tab.Text("main"), told) || value(tab, "word") != "quiet" || !strings.Contains(tab.Text(".proof"), "needs JavaScript") {
			p.Errorf("no %s in %s", told, tab.Text("body"))
		}
		return
	}
	p.form(tab, "word", "") // with everything solved but the word
	if wrong(tab, "word") == "" {
		p.Error(tab.Text("body"))
	}
	fillIn(tab, "word", "quiet")
	tab.DoubleClick(primary, 0)
	tab.Await(`document.querySelector("#done")`)
	if !strings.Contains(tab.URL(), "word=quiet") {
		p.Error(tab.URL())
	}
}

// playClosed ends with a message that has links, lists and a script in it.
func playClosed(p player) {
	tab := p.visit()
	tab.Open(p.experience(closed))
	if tab.Text("main h2") != "What you can do today" || tab.Text("main b") != "Monday" || browsertest.Eval[int](tab, `document.querySelectorAll("main li").length`) != 2 || !tab.Has(`a[href="https://example.com/help"]`) || strings.Contains(tab.Text("body"), "ran") {
		p.Error(tab.Text("body"))
	}
	tab.Follow(primary)
	if tab.Text("#error") != "CLOSED" {
		p.Errorf("%s %s", tab.URL(), tab.Text("body"))
	}
}

// playFormGerman: what is ours on the page of a form is said in the browser's
// language.
func playFormGerman(p player) {
	look := p.look
	look.Language = "de"
	tab := p.visitor(p.T, look)
	tab.Open(p.experience(formSignOn))
	p.form(tab, "user.username", "nobody", "user.password", "wrong")
	if told := wrong(tab, "user.password"); told != "Benutzername und Passwort passen nicht zusammen. Prüfen Sie beides, und versuchen Sie es erneut." || tab.Header("Content-Language") != "de" {
		p.Errorf("%s: %s", told, tab.Text("body"))
	}
}

package main_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// What people do about their accounts. Each mode has people of its own, since
// what is changed stays changed.

func (p player) own(withScripts, without string) string {
	if p.look.NoScript {
		return without
	}
	return withScripts
}

// way is the link to another room.
func way(action string) string { return `.links a[href*="show=` + action + `"]` }

// playForgot asks for a code twice, follows the link of the mail, tries a weak
// password, and sets another one.
func playForgot(p player) {
	name := p.own("ruth", "rolf")
	tab := p.visit()
	tab.Open(p.start(""))
	tab.Follow(way("password.forgot"))
	if tab.Text("h1") != "Forgot your password?" || tab.Focused() != "username" || tab.Has("#password") {
		p.Error(tab.Text("body"))
	}
	tab.Follow(".links a")
	if tab.Text("h1") != "Sign on" || !tab.Has("#password") {
		p.Error(tab.Text("body"))
	}
	tab.Follow(way("password.forgot"))
	tab.Follow(primary)
	if tab.Text("#username-error") != "Enter your username." || tab.Text("h1") != "Forgot your password?" {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#username", name)
	tab.Follow(primary)
	if tab.Text("h1") != "Set a new password" || !strings.HasPrefix(tab.Text(".lead"), "If there is an account for "+name+", we sent a code") || tab.Focused() != "recoveryCode" {
		p.Error(tab.Text("body"))
	}
	first := p.mail.Wait(p.T, name+"@example.com")
	tab.Follow(".button.quiet")
	if tab.Text(".notice.done") != "A new code is on its way. Only the newest one works." {
		p.Error(tab.Text("body"))
	}
	p.elsewhere(first.Link(), first.Code())
	tab.Open(p.mail.Wait(p.T, name+"@example.com").Link())
	if tab.Focused() != "newPassword" || tab.Header("Referrer-Policy") != "no-referrer" {
		p.Errorf("the code is not filled in, the focus is on %s", tab.Focused())
	}
	tab.Fill("#newPassword", "quiethorse")
	tab.Follow(primary)
	if !tab.Has(".rules .unmet") || tab.Text("#newPassword-error") != "The password does not meet what is marked below." || browsertest.Eval[string](tab, `document.querySelector("#recoveryCode").value`) == "" {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#newPassword", "Quiet-Second-Horse-2")
	tab.Follow(primary)
	p.signedOn(tab)
}

// elsewhere opens the link of a mail in another browser.
func (p player) elsewhere(link, code string) {
	p.Helper()
	phone := p.visit()
	phone.Open(link)
	if phone.Status() != http.StatusOK || phone.Text(".token") != code || phone.Has("form") || phone.Header("Referrer-Policy") != "no-referrer" {
		p.Errorf("%d %s", phone.Status(), phone.Text("body"))
	}
}

// playRegister makes an account, with everything wrong at first.
func playRegister(p player) {
	name := p.own("nina", "nils")
	tab := p.visit()
	tab.Open(p.start(""))
	tab.Follow(way("user.register"))
	tab.Fill("#email", name+"@")
	tab.Fill("#password", "quiethorse")
	tab.Follow(primary)
	if tab.Text("#username-error") != "Enter your username." || tab.Text("h1") != "Create your account" || tab.Focused() != "username" {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#username", name)
	tab.Fill("#password", "quiethorse")
	tab.Follow(primary)
	if tab.Text("#email-error") != "That is not an email address. Check it for typing mistakes." || browsertest.Eval[string](tab, `document.querySelector("#username").value`) != name {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#email", name+"@example.org")
	tab.Fill("#password", "Quiet-First-Horse-1")
	tab.Fill("#name-given", "Nina")
	tab.Follow(primary)
	if tab.Text("h1") != "Verify your email address" || !strings.Contains(tab.Text(".lead"), "@example.org") || strings.Contains(tab.Text(".lead"), name+"@") {
		p.Fatal(tab.Text("body"))
	}
	tab.Fill("#verificationCode", "AAAA AAAA")
	tab.Follow(primary)
	if !strings.HasPrefix(tab.Text("#verificationCode-error"), "That code is not right") || tab.Focused() != "verificationCode" {
		p.Error(tab.Text("body"))
	}
	code := p.mail.Wait(p.T, name+"@example.org").Code()
	tab.Fill("#verificationCode", strings.ToLower(code[:4])+" "+code[4:])
	tab.Follow(primary)
	p.signedOn(tab)
	if !strings.Contains(tab.Text("#userinfo"), name) {
		p.Error(tab.Text("main"))
	}
}

// playChange has a password that was only lent, or has expired.
func playChange(p player) {
	name, password, title := "grace", "Temporary-Horse-9", "Choose your own password"
	if p.look.NoScript {
		name, password, title = "alan", "Expired-Horse-9", "Your password has expired"
	}
	tab := p.visit()
	tab.Open(p.start(""))
	p.fill(tab, name, password)
	tab.Follow(primary)
	if tab.Text("h1") != title || tab.Focused() != "currentPassword" || !strings.Contains(tab.Text(".chip"), name) {
		p.Fatal(tab.Text("body"))
	}
	tab.Fill("#currentPassword", "wrong")
	tab.Fill("#newPassword", "Quiet-Third-Horse-3")
	tab.Follow(primary)
	if tab.Text("#currentPassword-error") != "That is not your current password. Try again." {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#currentPassword", password)
	tab.Fill("#newPassword", password+"9")
	tab.Follow(primary)
	if !tab.Has(".rules .unmet") || !strings.Contains(tab.Text(".rules"), "Clearly different from your current password") {
		p.Error(tab.Text("body"))
	}
	tab.Fill("#currentPassword", password)
	tab.Fill("#newPassword", "Quiet-Third-Horse-3")
	tab.Follow(primary)
	p.signedOn(tab)
}

// playGerman asks for German, and is answered in it to the end, but where the
// application asks for another language.
func playGerman(p player) {
	look := p.look
	look.Language = "de-CH,de;q=0.9,en;q=0.5"
	tab := p.visitor(p.T, look)
	tab.Open(p.start(""))
	if tab.Text("h1") != "Anmelden" || tab.Header("Content-Language") != "de" || !tab.Has(`html[lang="de"]`) {
		p.Error(tab.Text("body"))
	}
	tab.Follow(primary)
	if tab.Text("#problems h2") != "Es gibt 2 Probleme" || tab.Text("#username-error") != "Geben Sie Ihren Benutzernamen ein." {
		p.Error(tab.Text("body"))
	}
	name := p.own("gisela", "gustav")
	tab.Follow(way("password.forgot"))
	tab.Fill("#username", name)
	tab.Follow(primary)
	if m := p.mail.Wait(p.T, name+"@example.com"); !strings.Contains(m.Text, "Passwort") {
		p.Errorf("the mail is in another language: %s", m.Text)
	}
	tab.Open(p.native() + "&ui_locales=es")
	if tab.Text("h1") != "Iniciar sesión" || tab.Header("Content-Language") != "es" {
		p.Errorf("the application's language is not spoken: %s", tab.Text("body"))
	}
	tab.Open(p.address("/as/signoff", nil))
	if tab.Text("h1") != "Abmelden?" && tab.Text("h1") != "Sie sind abgemeldet" {
		p.Error(tab.Text("body"))
	}
}

// TestBrowserLooks draws an environment's own look: its colours, its logo from
// elsewhere, its one language, and nothing that the policy of the page refuses.
func TestBrowserLooks(t *testing.T) {
	t.Parallel()
	s := newStage(t, nodetest.Options{}, `"demo": true, "languages": ["es"], "theme": {"logo": "{app}/logo.svg", "accent": "#0a6640", "background": "#102a43", "radius": 2}`)
	for name, look := range map[string]browsertest.Look{"light": {}, "dark": {Dark: true}} {
		t.Run(name, func(t *testing.T) {
			tab := s.visitor(t, look)
			tab.Open(s.start(""))
			want := map[bool][]string{false: {"rgb(10, 102, 64)", "rgb(255, 255, 255)", "rgb(16, 42, 67)"}, true: {"rgb(105, 162, 138)", "rgb(0, 0, 0)", "rgb(15, 18, 23)"}}[look.Dark]
			got := []string{tab.Rule(primary, "background-color"), tab.Rule(primary, "color"), tab.Rule("body", "background-color")}
			if strings.Join(got, "|") != strings.Join(want, "|") || tab.Rule(primary, "border-radius") != "2px" || tab.Text("h1") != "Iniciar sesión" {
				t.Errorf("%q, want %q", got, want)
			}
			if w := browsertest.Eval[float64](tab, `document.querySelector(".logo img").naturalWidth`); w == 0 {
				t.Error("the logo is not shown")
			}
			for _, v := range tab.Violations() {
				t.Error(v)
			}
			tab.Open(s.address("/signon/gallery", nil))
			for _, v := range tab.Violations() {
				t.Error(v)
			}
		})
	}
}

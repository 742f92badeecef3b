package forms

import (
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
	"doorward/runtime/wording"
)

// Gallery is a page with every component that pages are made of, in the look of
// an environment, for whoever chooses that look. Its form posts to action, and
// what it holds is invented.
func (p *Pages) Gallery(set Setting, action string) []byte {
	w := p.in(set)
	s := galleryExecution(action)
	l := w.lay(&s)
	problems := w.mark(&s, l.form)
	l.form.settle(problems)
	m := p.head(set, w.Say("page.signOn", nil), s.Application, false)
	m.progress(2, 3)
	m.lead(w.lead(&s, &layout{}))
	m.notice(w.Say("notice.moved", nil), false)
	m.notice(w.Say("password.sendRecoveryCode.done", nil), true)
	m.summary(problems)
	m.chip(s.View.User.Username, l.reset)
	m.open("", l.form)
	m.terms(galleryTerms())
	m.inputs(l.form)
	m.raw("</form>\n")
	m.quiet(l.reset)
	m.providers([]provider{
		{Link{"#top", w.Say("page.with", wording.Params{"provider": "Example"})}, "E"},
		{Link{"#top", w.Say("page.with", wording.Params{"provider": "Another"})}, "A"},
	})
	m.passkey(&Form{Action: action, Name: "gallery", Button: w.Say("passkey.submit", nil), Options: "{}"})
	m.choices(w.devices(&s, &s.View.Offers[0], galleryDevices()))
	m.element(`<p class="token number">`, "42", "</p>\n")
	m.pairing("otpauth://totp/Acme:ada", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	m.kept([]string{"aB3k9mQ2x7", "Zt4w8nR5y6"})
	m.waiting(w.Say("page.waiting", nil))
	m.links([]Link{{"#top", w.Say("page.otherWay", nil)}}, nil)
	m.script(p.assets.Path("passkey.js"))
	return m.foot(set)
}

// galleryDevices are one that codes are sent to, and one that is locked.
func galleryDevices() []authenticator {
	return []authenticator{{ID: "1", Type: "SMS", Nickname: "Work", Phone: "*******01"}, {ID: "2", Type: "TOTP", Lock: []byte("{}")}}
}

// galleryTerms are long enough to be scrolled.
func galleryTerms() terms {
	return terms{"Terms of service", []string{
		"These are the terms of Acme Travel. You read them before you agree.",
		"They say more than fits, so that this box shows what it does with a text that is longer than itself.",
		"What you book you may give back within a day, and what you give back is paid back within a week.",
		"We keep what we must, and tell nobody what we need not.",
	}}
}

// galleryExecution waits for one input of each type.
func galleryExecution(action string) SignOn {
	field := func(name string, t flow.FieldType, autocomplete, label string) flow.Field {
		return flow.Field{Name: name, Type: t, Autocomplete: autocomplete, Label: flow.Text{Key: label}, Required: true}
	}
	optional := field("name.given", flow.TypeText, "given-name", "register.given.label")
	optional.Required = false
	offer := flow.Offer{Name: "gallery", Fields: []flow.Field{
		optional,
		field("email", flow.TypeEmail, "email", "register.email.label"),
		field("recoveryCode", flow.TypeCode, "one-time-code", "recover.code.label"),
		field("currentPassword", flow.TypePassword, "current-password", "change.currentPassword.label"),
		field("newPassword", flow.TypePassword, "new-password", "change.newPassword.label"),
		field("accept", flow.TypeBoolean, "", "page.agree"),
	}}
	return SignOn{
		Address: action, Application: "Acme Travel", Policy: galleryPolicy(), Code: "AB34EF78", Submitted: offer.Name,
		View: flow.View{User: flow.Subject{Username: "ada@example.com"}, Offers: []flow.Offer{offer, {Name: Reset, Prompt: flow.Text{Key: Reset}}}},
		Fault: flow.Invalid(
			flow.Detail{Code: flow.InvalidValue, Target: "email"},
			flow.Detail{Code: flow.InvalidValue, Target: "newPassword", Inner: map[string]any{"unsatisfiedRequirements": []string{passwordpolicy.Length, passwordpolicy.History}}},
		),
	}
}

// galleryPolicy enforces everything.
func galleryPolicy() *passwordpolicy.Policy {
	p := &passwordpolicy.Policy{
		MinLength: 10, MaxLength: 64, MinCharacters: map[string]int{}, MaxRepeated: 2, MinUnique: 5, MinComplexity: 7,
		MaxAlphabetSequence: 3, MaxNumberSequence: 3, MaxQwertySequence: 3, MaxShiftedNumberRowSequence: 3,
		ExcludesCommonlyUsed: true, ExcludesProfileData: true, NotSimilarToCurrent: true,
	}
	for _, k := range kinds() {
		p.MinCharacters[k.alphabets[0]] = 1
	}
	p.History.Count = 6
	return p
}

package forms

import (
	"time"

	"doorward/runtime/wording"
)

// The actions of the forms of addresses.
const (
	ProposeAddress  = "propose"
	ProveAddress    = "prove"
	ResendAddress   = "resend"
	WithdrawAddress = "withdraw"
	RemoveAddress   = "remove"
)

// The inputs of those forms. Those of codes are named as elsewhere.
const (
	NewMailInput  = "newEmail"
	NewPhoneInput = "newPhone"
	MailCodeInput = "verificationCode"
)

// AccountAddress is an address of a person, and what is to take its place.
type AccountAddress struct {
	Account
	Phone     bool   // it is a number
	Current   string // empty: there is none
	Waiting   string // for its code; empty: none does
	Elsewhere bool   // Waiting was begun in another browser, and cannot be proven here
	Fixed     bool   // there is no way to prove another
}

// AccountAddress is the page on which it is changed: by what is to take its place, and
// then by the code that was sent there.
func (p *Pages) AccountAddress(set Setting, a AccountAddress) []byte {
	w := p.in(set)
	if a.Waiting != "" && !a.Elsewhere {
		return p.addressCode(set, &a)
	}
	page, title := a.page(), w.Say("account.email.title", nil)
	input := Field{
		Name: NewMailInput, ID: NewMailInput, Label: w.Say("account.email.label", nil), Hint: w.Say("account.email.hint", nil),
		Input: "email", Autocomplete: "email", Capitalize: "none", Required: true,
	}
	if a.Phone {
		title = w.Say("account.phone.title", nil)
		input = Field{
			Name: NewPhoneInput, ID: NewPhoneInput, Label: w.Say("account.phone.label", nil), Hint: w.Say("device.phone.hint", nil),
			Input: "tel", Autocomplete: "tel", Required: true,
		}
	}
	m := p.account(set, &a.Account, title, w.addressLead(&a))
	if a.Elsewhere {
		m.notice(w.Say("account.address.elsewhere", wording.Params{"address": a.Waiting}), false)
		m.quiet(a.form(page, WithdrawAddress, w.Say("account.address.withdraw", nil), ""))
	}
	if !a.Fixed {
		input.Value = a.value(input.Name, "")
		f := a.form(page, ProposeAddress, w.Say("enrol.send", nil), "")
		f.Fields = []Field{input}
		m.judged(&a.Account, f)
	}
	switch remove := a.form(page, RemoveAddress, w.Say("account.phone.remove", nil), ""); {
	case !a.Phone || a.Current == "":
	case a.Fixed:
		m.form(remove)
	default:
		m.quiet(remove)
	}
	m.back(&a.Account, "")
	return m.foot(set)
}

func (a *AccountAddress) page() string {
	if a.Phone {
		return "/phone"
	}
	return "/email"
}

// addressLead says what the address is for, and which one there is.
func (w *words) addressLead(a *AccountAddress) string {
	now := wording.Params{"address": a.Current}
	switch {
	case a.Phone && a.Current == "":
		return w.Say("account.phone.none", nil)
	case a.Fixed:
		return w.Say("account.phone.fixed", now)
	case a.Phone:
		return w.Say("account.phone.text", now)
	case a.Current == "":
		return w.Say("account.email.none", nil)
	}
	return w.Say("account.email.text", now)
}

// addressCode is the page that asks for the code.
func (p *Pages) addressCode(set Setting, a *AccountAddress) []byte {
	w := p.in(set)
	title, lead := w.Say("account.email.code.title", nil), w.Say("account.email.code.text", wording.Params{"address": a.Waiting})
	input := Field{
		Name: MailCodeInput, ID: MailCodeInput, Label: w.Say("verify.code.label", nil), Hint: w.Say("verify.code.hint", nil),
		Input: "text", Autocomplete: "one-time-code", Capitalize: "characters", Code: true, Required: true,
	}
	if a.Phone {
		title, lead = w.Say("account.phone.code.title", nil), w.Say("account.phone.code.text", wording.Params{"address": a.Waiting})
		input = Field{Name: codeInput, ID: codeInput, Label: w.Say("otp.code.label", nil), Input: "text", Autocomplete: "one-time-code", Digits: true, Required: true}
	}
	m := p.account(set, &a.Account, title, lead)
	f := a.form(a.page(), ProveAddress, w.Say("account.address.prove", nil), "")
	input.Value = a.value(input.Name, "")
	f.Fields = []Field{input}
	m.judged(&a.Account, f)
	m.quiet(a.form(a.page(), ResendAddress, w.Say("user.sendVerificationCode.submit", nil), ""))
	m.links([]Link{{a.Address, w.Say("page.back", nil)}}, a.form(a.page(), WithdrawAddress, w.Say("account.address.withdraw", nil), ""))
	return m.foot(set)
}

// ago is how long something has been, as people say it.
func (w *words) ago(age time.Duration) string {
	switch minutes := int(age / time.Minute); {
	case minutes < 1:
		return w.Say("time.now", nil)
	case minutes < 90:
		return w.Say("time.ago", wording.Params{"time": w.Count("time.minutes", minutes, nil)})
	case minutes < 24*60-30:
		return w.Say("time.ago", wording.Params{"time": w.Count("time.hours", (minutes+30)/60, nil)})
	default:
		return w.Count("time.days.ago", (minutes+12*60)/(24*60), nil)
	}
}

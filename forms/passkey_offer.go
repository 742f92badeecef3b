package forms

import "net/url"

// PasskeyOffer is the page that offers a passkey to whoever has just signed on without
// one.
type PasskeyOffer struct {
	Account
	Flow    string // id of the execution that has ended, and goes on from here
	Device  string // id that the passkey is going to have
	Options string // what the browser is asked for, as JSON
	Quiet   string // what it is asked for first, without the person being asked; empty: nothing
}

// The actions of its forms.
const (
	MakePasskey  = "create"
	LaterPasskey = "later"
	NeverPasskey = "never"
)

// The inputs of MakePasskey that the script fills in, beside IDInput.
const (
	AttestationInput = "attestation"
	OriginInput      = "origin"
	QuietInput       = "quiet" // "true" of what Quiet has made
)

// PasskeyOffer is that page. It has one thing to do, and two ways past it.
func (p *Pages) PasskeyOffer(set Setting, o PasskeyOffer) []byte {
	w := p.in(set)
	here := "/passkey?flow=" + url.QueryEscape(o.Flow)
	m := p.account(set, &o.Account, w.Say("offer.title", nil), w.Say("offer.text", nil))
	f := o.form(here, MakePasskey, w.Say("enrol.create", nil), o.Device)
	f.Options, f.Quiet, f.Filled = o.Options, o.Quiet, []string{AttestationInput, OriginInput, QuietInput}
	var problems []Problem
	for _, d := range o.details() {
		problems = append(problems, Problem{Text: m.sentence(&d, "", "")})
	}
	m.summary(problems)
	m.ceremony(f)
	m.quiet(o.form(here, LaterPasskey, w.Say("offer.later", nil), ""))
	m.links(nil, o.form(here, NeverPasskey, w.Say("offer.never", nil), ""))
	m.script(p.assets.Path("passkey.js"))
	return m.foot(set)
}

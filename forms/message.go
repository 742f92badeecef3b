package forms

import (
	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

// message is a page that only tells something.
type message struct {
	title     string
	text      string
	rich      string // text with markup, instead
	code      string // one-time code to be entered elsewhere
	warning   string
	onward    Link   // where to go on; no address: nowhere from here
	reference string // id of the failure, for support
}

func (p *Pages) message(set Setting, t message) []byte {
	m := p.head(set, t.title, "", false)
	if t.rich == "" || !m.rich(t.rich) {
		m.element("<p>", t.text, "</p>\n")
	}
	if t.code != "" {
		m.element(`<p class="token">`, t.code, "</p>\n")
	}
	if t.warning != "" {
		m.element(`<p class="small">`, t.warning, "</p>\n")
	}
	if t.onward.Address != "" {
		m.raw(`<a class="button"`)
		m.address("href", t.onward.Address)
		m.element(">", t.onward.Label, "</a>\n")
	}
	if t.reference != "" {
		m.element(`<p class="small">`, m.Say("page.reference", nil), "<br>")
		m.element("", t.reference, "</p>\n")
	}
	return m.foot(set)
}

// Fault is the page for a fault that leaves nothing to fill in. again is the
// address to try again at, used when trying again makes sense.
func (p *Pages) Fault(set Setting, f *flow.Fault, id, again string) []byte {
	w := p.in(set)
	key, retry := explain(f)
	m := message{title: w.Say(key+".title", nil), text: w.Say(key+".text", nil)}
	if f.Code == flow.Limited {
		m.text = w.limited(f, "page.limited.text", "page.limited.text.long")
	}
	if f.Code != flow.NotFound { // nobody can be asked about a page that is not there
		m.reference = id
	}
	if retry {
		m.onward = Link{again, w.Say("page.again", nil)}
	}
	return p.message(set, m)
}

// Failed is the page of an execution that failed; its link leads back to the
// application, which learns of the failure.
func (p *Pages) Failed(set Setting, v *flow.View, application, resume string) []byte {
	w := p.in(set)
	m := message{title: w.Say("page.ended.title", nil), text: w.Say("page.ended.text", nil), onward: Link{resume, w.Say("page.return", nil)}}
	if f := v.Failure; f != nil {
		m.text, m.rich = w.failure(f, v.User.Username), f.HTML
	}
	if application != "" {
		m.onward.Label = w.Say("page.returnTo", wording.Params{"application": application})
	}
	return p.message(set, m)
}

// Code is the page for a code that somebody followed a link with, in another
// browser than they began in. It says the same whatever the code is good for.
func (p *Pages) Code(set Setting, code string) []byte {
	w := p.in(set)
	return p.message(set, message{title: w.Say("page.code.title", nil), text: w.Say("page.code.text", nil), code: code, warning: w.Say("page.code.warning", nil)})
}

// SignOff is the page that asks whether to sign off. Its form posts the hidden
// fields, pairs of name and value, to action.
func (p *Pages) SignOff(set Setting, action string, hidden [][2]string) []byte {
	m := p.head(set, p.in(set).Say("page.signOff.title", nil), "", false)
	m.element("<p>", m.Say("page.signOff.text", nil), "</p>\n<form method=\"post\"")
	m.address("action", action)
	m.raw(">\n")
	for _, input := range hidden {
		m.raw(`<input type="hidden"`)
		m.attr("name", input[0])
		m.attr("value", input[1])
		m.raw(">\n")
	}
	m.element(`<button class="button" type="submit">`, m.Say("page.signOff.button", nil), "</button>\n</form>\n")
	return m.foot(set)
}

// SignedOff is the page that says it is done.
func (p *Pages) SignedOff(set Setting) []byte {
	w := p.in(set)
	return p.message(set, message{title: w.Say("page.signedOff.title", nil), text: w.Say("page.signedOff.text", nil)})
}

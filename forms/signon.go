package forms

import (
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/runtime/passwordpolicy"
)

// SignOn is a waiting execution, to be drawn as a page. The first of its offers
// is the form; an offer behind it is a way to another room: a link to its own
// form when it asks for something, and a quiet button when it does not. What a
// script has to fill in stands beside the form, and devices are buttons of their
// own.
type SignOn struct {
	View        flow.View
	Address     string                 // of this page, to which its forms post
	Application string                 // display name
	Elsewhere   string                 // address by which the person signs on at View.External; empty: nowhere
	Ways        []Way                  // to executions that come back to this one
	Policy      *passwordpolicy.Policy // for a new password; nil: none is shown
	Show        string                 // action whose form is wanted; one that is not offered counts as none
	Done        string                 // action that has just been done here
	Code        string                 // one-time code that came in the address
	Submitted   string                 // action that was refused; empty: none was
	Typed       flow.Values
	Fault       *flow.Fault // why it was refused
}

func (s *SignOn) details() []flow.Detail {
	if s.Fault == nil || s.Fault.Code != flow.InvalidData {
		return nil
	}
	return s.Fault.Details
}

// wanted is the action whose form is drawn.
func (s *SignOn) wanted() string {
	if s.Submitted != "" {
		return s.Submitted
	}
	return s.Show
}

// Link leads to another page, or to another form of this one.
type Link struct{ Address, Label string }

// Way leads to an execution of its own, which comes back to the one that is drawn.
type Way struct {
	Address string
	Prompt  flow.Text
}

// ways are the links that an execution's ways are drawn as.
func (w *words) ways(s *SignOn) []Link {
	out := make([]Link, 0, len(s.Ways))
	for _, way := range s.Ways {
		out = append(out, Link{way.Address, w.text(way.Prompt)})
	}
	return out
}

// SignOn is the page of a waiting execution.
func (p *Pages) SignOn(set Setting, s SignOn) []byte {
	if f, ok := s.View.Form.(*form.Form); ok {
		return p.sheet(set, &s, f)
	}
	if t, ok := s.View.Form.(form.Terms); ok {
		return p.consent(set, &s, t)
	}
	w := p.in(set)
	askAnew(&s)
	l := w.lay(&s)
	l.restarts(&s)
	problems := w.mark(&s, l.form)
	l.form.settle(problems)
	if l.room.key != "" && len(problems) == 0 || l.form.isScripted() {
		l.form.unfocus() // what is to be scanned or pressed comes first
	}
	m := p.head(set, w.title(&s, &l), s.Application, len(problems) > 0)
	m.lead(w.lead(&s, &l))
	if notice := w.noticed(&s, l.room.trouble); notice != "" {
		m.notice(notice, false)
	} else {
		m.notice(w.done(&s, &l), true)
	}
	m.summary(problems)
	if !l.form.asksWho() {
		m.chip(s.View.User.Username, l.reset)
	}
	m.above(&s, &l)
	m.elsewhere(&s)
	m.form(l.form)
	m.choices(l.choices)
	m.passkey(l.passkey)
	for _, f := range l.quiet {
		m.quiet(f)
	}
	m.links(l.links, l.away)
	if l.needsPasskeys() {
		m.script(p.assets.Path("passkey.js"))
	}
	return m.foot(set)
}

// asksWho reports whether the form itself asks for the person's name.
func (f *Form) asksWho() bool {
	if f == nil {
		return false
	}
	for i := range f.Fields {
		if f.Fields[i].Autocomplete == "username" && !f.Fields[i].Fixed {
			return true
		}
	}
	return false
}

// IsCode reports whether s can be a one-time code of ours. Source:
// reference/flows.md 5.4.
func IsCode(s string) bool {
	return len(s) == 8 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

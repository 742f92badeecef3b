package forms

import (
	"net/url"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/runtime/passwordpolicy"
)

// SignOn is a waiting execution, to be drawn as a page. The first of its offers
// is the form; an offer behind it is a way to another room: a link to its own
// form when it asks for something, and a quiet button when it does not.
type SignOn struct {
	View        flow.View
	Address     string                 // of this page, to which its forms post
	Application string                 // display name
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

// layout is where each offer has its place.
type layout struct {
	shown *flow.Offer // the form when it is not that of the status; nil: it is
	form  *Form
	reset *Form
	quiet []*Form
	links []Link
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
	l := w.lay(&s)
	problems := w.mark(&s, l.form)
	l.form.settle(problems)
	m := p.head(set, w.title(&s, l.shown), s.Application, len(problems) > 0)
	m.lead(w.lead(&s, l.shown))
	if notice := w.noticed(&s); notice != "" {
		m.notice(notice, false)
	} else {
		m.notice(w.done(&s, &l), true)
	}
	m.summary(problems)
	if !l.form.asksWho() {
		m.chip(s.View.User.Username, l.reset)
	}
	m.form(l.form)
	for _, f := range l.quiet {
		m.quiet(f)
	}
	m.links(l.links)
	return m.foot(set)
}

// lay gives each offer its place.
func (w *words) lay(s *SignOn) layout {
	var l layout
	var first *flow.Offer
	wanted := s.wanted()
	for i := range s.View.Offers {
		switch o := &s.View.Offers[i]; {
		case o.Name == Reset:
			l.reset = w.form(s, o)
		case first == nil:
			first = o
		case o.Name == wanted && len(o.Fields) > 0:
			l.shown = o
		}
	}
	switch {
	case l.shown != nil:
		l.form, l.links = w.form(s, l.shown), []Link{{s.Address, w.say("page.back", nil)}}
		return l
	case first != nil:
		l.form = w.form(s, first)
	}
	for i := range s.View.Offers {
		switch o := &s.View.Offers[i]; {
		case o.Name == Reset || o == first:
		case len(o.Fields) == 0:
			l.quiet = append(l.quiet, w.form(s, o))
		default:
			l.links = append(l.links, Link{s.Address + "&show=" + url.QueryEscape(o.Name), w.text(o.Prompt)})
		}
	}
	l.links = append(l.links, w.ways(s)...)
	return l
}

// done says that what was last pressed has happened, where it can be pressed.
func (w *words) done(s *SignOn, l *layout) string {
	for _, f := range l.quiet {
		if f.Name == s.Done {
			return w.say(f.Name+".done", nil)
		}
	}
	return ""
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

// title is what the page is about: the form that was asked for, else the status.
func (w *words) title(s *SignOn, shown *flow.Offer) string {
	if shown != nil {
		if key, ok := w.first(nil, shown.Name+".title"); ok {
			return w.say(key, nil)
		}
		return w.text(shown.Prompt)
	}
	if key, ok := w.first(nil, "status."+s.View.Status+".title"); ok {
		return w.say(key, nil)
	}
	if len(s.View.Offers) > 0 && s.View.Offers[0].Name != Reset {
		if t := w.text(s.View.Offers[0].Prompt); t != "" {
			return t
		}
	}
	return w.say("page.signOn", nil)
}

// lead is the first sentence that has everything it names.
func (w *words) lead(s *SignOn, shown *flow.Offer) *lead {
	topic := "status." + s.View.Status
	if shown != nil {
		topic = shown.Name
	}
	p := params{"application": s.Application, "address": s.View.Address, "person": s.View.User.Username}
	key, ok := w.first(p, topic+".lead", topic+".lead.other", "page.lead")
	if !ok {
		return nil
	}
	return w.phrases[key].lead(p)
}

// IsCode reports whether s can be a one-time code of ours. Source:
// reference/flows.md 5.4.
func IsCode(s string) bool {
	return len(s) == 8 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

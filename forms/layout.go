package forms

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

// layout is where each offer has its place.
type layout struct {
	room    room
	shown   *flow.Offer // the form when it is not that of the status; nil: it is
	part    string      // of an offer with several forms, which is shown: a type of device
	form    *Form
	choices []choice
	passkey *Form // beside the form
	reset   *Form
	quiet   []*Form
	links   []Link
	away    *Form // last of the links, where it takes a form to go there
}

// lay gives each offer its place.
func (w *words) lay(s *SignOn) layout {
	l := layout{room: enter(&s.View)}
	first := w.find(s, &l)
	if l.shown != nil {
		w.show(s, &l)
		l.links = []Link{{s.Address, w.Say("page.back", nil)}}
		return l
	}
	if first != nil {
		w.primary(s, &l, first)
	}
	another := false
	for i := range s.View.Offers {
		switch o := &s.View.Offers[i]; {
		case o.Name == selectAction && s.View.Status != selecting:
			another = w.another(s, &l, o)
		case o.Name == Reset || o == first:
		default:
			w.beside(s, &l, o)
		}
	}
	l.links = append(l.links, w.ways(s)...)
	if another && l.away == nil {
		l.links = append(l.links, Link{showing(s, selectAction), w.Say("page.otherWay", nil)})
	}
	if l.passkey != nil {
		l.form.offerPasskeys()
	}
	return l
}

// find returns the offer that is the form of the status; where nothing can be done
// but wait there is none. It marks the form that was asked for instead.
func (w *words) find(s *SignOn, l *layout) (first *flow.Offer) {
	wanted, part, _ := strings.Cut(s.wanted(), "/")
	if typed, ok := s.Typed[typeInput].(string); ok && wanted == createAction && part == "" {
		part = typed
	}
	for i := range s.View.Offers {
		switch o := &s.View.Offers[i]; {
		case o.Name == Reset:
			l.reset = w.form(s, o)
		case o.Name == wanted && (o.Name == createAction || o.Name == selectAction):
			if l.opens(s, o, part) {
				l.shown = o
			} else if first == nil && !Waits(&s.View) {
				first = o
			}
		case first == nil && !Waits(&s.View) && (o.Name != checkAction || s.View.Status != timedOut): // there it is the other way
			first = o
		case o.Name == wanted && len(o.Fields) > 0 && !isScripted(o):
			l.shown = o
		}
	}
	return first
}

// opens reports whether an offer about devices has a form of its own: for what is
// typed of a device, and for the devices beside the one that is asked.
func (l *layout) opens(s *SignOn, o *flow.Offer, part string) bool {
	if o.Name == selectAction {
		return s.View.Status != selecting && len(l.room.others()) > 0
	}
	if !l.room.asks(part) || !slices.Contains(l.room.types, part) {
		return false
	}
	l.part = part
	return true
}

// show draws the form that was asked for.
func (w *words) show(s *SignOn, l *layout) {
	switch o := l.shown; o.Name {
	case selectAction:
		l.choices = w.devices(s, o, l.room.others())
	case createAction:
		l.form = w.details(s, o, &l.room, l.part)
	default:
		l.form = w.form(s, o)
		l.form.digits(&l.room)
	}
}

// primary draws the form of the status.
func (w *words) primary(s *SignOn, l *layout, o *flow.Offer) {
	r := &l.room
	switch {
	case o.Name == selectAction && s.View.Status != selecting && r.selected != nil:
		l.form = w.choosing(s, o, r.selected.ID)
		l.form.Button = w.Say("push.again", nil)
	case o.Name == selectAction:
		l.choices = w.devices(s, o, r.devices)
	case o.Name == createAction && s.View.Status != unpaired:
		l.choices = w.types(s, o, r)
	case o.Name == createAction:
		if l.form = w.creating(s, o, mobile, r.apps); r.asks(mobile) {
			l.form = w.details(s, o, r, mobile)
		}
		l.form.Button = w.Say("page.again", nil)
	case isScripted(o):
		l.form = w.ceremony(s, o, r)
	default:
		l.form = w.form(s, o)
		l.form.digits(r)
	}
}

// beside draws an offer that is another way on.
func (w *words) beside(s *SignOn, l *layout, o *flow.Offer) {
	switch {
	case isForMachines(o.Name):
	case o.Name == cancelAction:
		if len(l.room.others()) > 0 {
			l.away = w.bare(s, o)
			l.away.Hidden = [][2]string{{reasonInput, "CHANGE_DEVICE"}}
		}
	case isScripted(o):
		if l.room.request != "" { // else passkeys are off
			l.passkey = w.ceremony(s, o, &l.room)
			l.passkey.forget(s.Fault)
		}
	case len(o.Fields) == 0:
		l.quiet = append(l.quiet, w.form(s, o))
	default:
		label := w.text(o.Prompt)
		if key, ok := w.First(nil, o.Name+".way"); ok {
			label = w.Say(key, nil)
		}
		l.links = append(l.links, Link{showing(s, o.Name), label})
	}
}

// another sends the code of the device that is asked once more where nothing else
// does, and reports whether there is another device.
func (w *words) another(s *SignOn, l *layout, o *flow.Offer) bool {
	r := &l.room
	_, resends := s.View.Find(resendAction)
	if s.View.Status == coding && isSent(r.kind()) && !resends {
		f := w.choosing(s, o, r.selected.ID)
		f.Button = w.Say(resendAction+".submit", nil)
		l.quiet = append(l.quiet, f)
	}
	return len(r.others()) > 0
}

// showing is the address of a form of its own.
func showing(s *SignOn, form string) string { return s.Address + "&show=" + url.QueryEscape(form) }

// done says that what was last pressed has happened, where it can be pressed.
func (w *words) done(s *SignOn, l *layout) string {
	for _, f := range l.quiet {
		if f.Name == s.Done {
			return w.Say(f.Name+".done", nil)
		}
	}
	return ""
}

// title is what the page is about: the form that was asked for, else the status.
func (w *words) title(s *SignOn, l *layout) string {
	if l.part != "" {
		return w.Say("device."+l.part, nil)
	}
	if l.shown != nil {
		if key, ok := w.First(nil, l.shown.Name+".title"); ok {
			return w.Say(key, nil)
		}
		return w.text(l.shown.Prompt)
	}
	topic := "status." + s.View.Status + ".title"
	if key, ok := w.First(nil, l.room.about(topic), topic); ok {
		return w.Say(key, nil)
	}
	if len(s.View.Offers) > 0 && s.View.Offers[0].Name != Reset {
		if t := w.text(s.View.Offers[0].Prompt); t != "" {
			return t
		}
	}
	return w.Say("page.signOn", nil)
}

// lead is the first sentence that has everything it names.
func (w *words) lead(s *SignOn, l *layout) *lead {
	topic := "status." + s.View.Status
	switch {
	case l.part != "":
		return w.leading("enrol."+l.part, nil)
	case l.shown != nil:
		topic = l.shown.Name
	}
	p := wording.Params{"application": s.Application, "address": s.View.Address, "person": s.View.User.Username}
	if s.View.External != nil {
		p["provider"] = s.View.External.Name
	}
	if a := l.room.selected; a != nil {
		p["address"] = cmp.Or(s.View.Address, a.target())
	}
	usual := topic + ".lead"
	key, ok := w.First(p, l.room.about(usual), usual, usual+".other", "page.lead")
	if !ok {
		return nil
	}
	return w.leading(key, p)
}

// about is the key of words about the device that is asked, or about a topic
// whichever it is.
func (r *room) about(topic string) string {
	switch kind := r.kind(); {
	case r.number != "":
		return topic + ".number"
	case kind == recoveryCode && r.codes != nil:
		return topic + ".shown"
	case kind != "":
		return topic + "." + kind
	}
	return topic
}

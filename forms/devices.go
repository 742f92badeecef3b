package forms

import (
	"cmp"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// choice is one of several ways on: a button with a form of its own, or a link.
type choice struct {
	Form     *Form
	Address  string // instead of a form
	Icon     constant
	Title    string
	Detail   string
	Locked   bool
	Scripted bool // of no use without scripts
}

// bare is an offer of which nothing is typed.
func (w *words) bare(s *SignOn, o *flow.Offer) *Form {
	return &Form{Action: s.Address, Name: o.Name, Token: s.View.Token, Button: w.button(o)}
}

// choosing is the form that chooses a device.
func (w *words) choosing(s *SignOn, o *flow.Offer, id string) *Form {
	f := w.bare(s, o)
	f.Hidden = [][2]string{{deviceInput, id}}
	if hasField(o, compatibilityInput) {
		f.Filled = []string{compatibilityInput}
	}
	return f
}

func hasField(o *flow.Offer, name string) bool {
	return slices.ContainsFunc(o.Fields, func(f flow.Field) bool { return f.Name == name })
}

// devices are a person's own, to choose from.
func (w *words) devices(s *SignOn, o *flow.Offer, list []authenticator) []choice {
	out := make([]choice, 0, len(list))
	for i := range list {
		a := &list[i]
		title := w.typeName(a.Type)
		details := make([]string, 0, 4)
		if a.Nickname != "" {
			title, details = a.Nickname, append(details, title)
		}
		details = append(details, a.Name, a.target())
		if a.isLocked() {
			details = append(details, w.Say("device.locked", nil))
		}
		details = slices.DeleteFunc(details, func(s string) bool { return s == "" })
		out = append(out, choice{
			Form: w.choosing(s, o, a.ID), Icon: iconOf(a.Type), Title: title, Detail: strings.Join(details, ", "), Locked: a.isLocked(),
		})
	}
	return out
}

// typeName is what a type of device is called; one that we do not know keeps its
// name.
func (w *words) typeName(t string) string {
	if key, ok := w.First(nil, "device."+t, "device."+family(t)); ok {
		return w.Say(key, nil)
	}
	return t
}

// types are the types of device that can be set up. Where something has to be
// typed for one, it has a form of its own.
func (w *words) types(s *SignOn, o *flow.Offer, r *room) []choice {
	out := make([]choice, 0, len(r.types))
	for _, t := range r.types {
		key, known := w.First(nil, "enrol."+t)
		if !known {
			continue
		}
		c := choice{Icon: iconOf(t), Title: w.typeName(t), Detail: w.Say(key, nil), Scripted: family(t) == "FIDO2"}
		if several, ok := w.First(nil, key+".title"); ok {
			c.Title = w.Say(several, nil)
		}
		if r.asks(t) {
			c.Address = showing(s, createAction+"/"+t)
		} else {
			c.Form = w.creating(s, o, t, r.apps)
		}
		out = append(out, c)
	}
	if !slices.ContainsFunc(out, func(c choice) bool { return !c.Scripted }) {
		for i := range out {
			out[i].Scripted = false // better one that explains itself than none
		}
	}
	return out
}

// creating is the form that begins with a device of which nothing is typed.
func (w *words) creating(s *SignOn, o *flow.Offer, t string, apps []application) *Form {
	f := w.bare(s, o)
	f.Hidden = [][2]string{{typeInput, t}}
	if t == mobile && len(apps) > 0 {
		f.Hidden = append(f.Hidden, [2]string{applicationInput, apps[0].ID})
	}
	return f
}

// details is the form for what has to be said of a device of a type: where codes are
// to be sent, with which of several apps it is paired, what it is to be called.
func (w *words) details(s *SignOn, o *flow.Offer, r *room, t string) *Form {
	plain := flow.Offer{Name: o.Name, Prompt: o.Prompt}
	for _, d := range o.Fields {
		switch {
		case d.Name == "email" && t == "EMAIL":
			d.Required, d.Autocomplete = true, "email"
		case d.Name == "phone" && isSent(t) && t != "EMAIL":
			d.Required, d.Autocomplete, d.Type = true, "tel", flow.TypeTel
		case d.Name == applicationInput && t == mobile && len(r.apps) > 1:
			d.Required = true
		case d.Name == nicknameInput && slices.Contains(r.named, t):
			d.Autocomplete = "off"
		default:
			continue
		}
		plain.Fields = append(plain.Fields, d)
	}
	f := w.form(s, &plain)
	f.Hidden = [][2]string{{typeInput, t}}
	if isSent(t) {
		f.Button = w.Say("enrol.send", nil)
	}
	if t == mobile && len(r.apps) == 1 {
		f.Hidden = append(f.Hidden, [2]string{applicationInput, r.apps[0].ID})
	}
	for i := range f.Fields {
		switch x := &f.Fields[i]; {
		case x.Name == applicationInput:
			for _, a := range r.apps {
				x.Options = append(x.Options, [2]string{a.ID, cmp.Or(a.Name, a.ID)})
			}
		case x.Value != "" || s.Submitted == o.Name:
		case x.Name == "email":
			x.Value = r.email
		case x.Name == "phone":
			x.Value = r.phone
		}
	}
	return f
}

// digits makes the input of a code one for digits, where codes are of digits.
func (f *Form) digits(r *room) {
	for i := range f.Fields {
		if x := &f.Fields[i]; x.Name == codeInput && r.kind() != recoveryCode {
			x.Digits, x.Capitalize = true, ""
		}
	}
}

// choices are drawn one below the other.
func (m *markup) choices(list []choice) {
	if len(list) == 0 {
		return
	}
	m.raw(`<ul class="choices">`)
	for i := range list {
		c := &list[i]
		if c.Scripted {
			m.raw(`<li data-scripted>`)
		} else {
			m.raw("<li>")
		}
		if c.Form == nil {
			m.raw(`<a class="choice"`)
			m.address("href", c.Address)
			m.raw(">")
			m.choice(c)
			m.raw("</a></li>\n")
			continue
		}
		m.open("", c.Form)
		m.raw(`<button class="choice" type="submit"`)
		m.flag("disabled", c.Locked)
		m.raw(">")
		m.choice(c)
		m.raw("</button></form></li>\n")
	}
	m.raw("</ul>\n")
}

func (m *markup) choice(c *choice) {
	m.raw(c.Icon)
	m.element("<span><b>", c.Title, "</b>")
	if c.Detail != "" {
		m.element("<span>", c.Detail, "</span>")
	}
	m.raw("</span>")
	if !c.Locked {
		m.raw(iconNext)
	}
}

// The icons of devices, 20 units high.
const (
	iconText   = svg + `<path d="M2.500 4h15v10H9l-4 3.500V14H2.500zM6.500 9h.1M10 9h.1M13.500 9h.1"/></svg>`
	iconMail   = svg + `<path d="M2.500 4.500h15v11h-15zM3 5l7 6 7-6"/></svg>`
	iconCall   = svg + `<path d="M5 2.500 8 3l1 4-2 1.500a9 9 0 0 0 4.500 4.500L13 11l4 1 .5 3c0 1.500-1 2.500-2.500 2.500C8.500 17.500 2.500 11.500 2.500 5c0-1.500 1-2.500 2.500-2.500z"/></svg>`
	iconClock  = svg + circle + `<path d="M10 5.500V10l3 2"/></svg>`
	iconPhone  = svg + `<path d="M6 1.500h8v17H6zM9 16h2"/></svg>`
	iconKey    = svg + `<circle cx="7" cy="7" r="3.500"/><path d="M2 17c.6-3 2.500-4.500 5-4.500 1.200 0 2.200.3 3 1M14.500 11a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM14.500 11v6M14.500 14H16"/></svg>`
	iconStick  = svg + `<path d="M6 8h8v10H6zM7.500 8V2.500h5V8"/></svg>`
	iconPaper  = svg + `<path d="M5 2.500h7l3 3v12H5zM8 9h4M8 12h4"/></svg>`
	iconDevice = svg + `<path d="M2.500 5.500h15v9h-15zM6 10h.1M10 10h.1M14 10h.1"/></svg>`
)

func iconOf(t string) constant {
	switch t {
	case "SMS":
		return iconText
	case "EMAIL":
		return iconMail
	case "VOICE":
		return iconCall
	case "TOTP":
		return iconClock
	case mobile:
		return iconPhone
	case "FIDO2", "PLATFORM":
		return iconKey
	case "SECURITY_KEY":
		return iconStick
	case recoveryCode:
		return iconPaper
	}
	return iconDevice
}

package forms

import (
	"cmp"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/runtime/wording"
)

// The actions of a form that is data. Source: reference/flows.md 7.4.
const (
	submitAction = "form.submit"
	pressAction  = "form.action"
)

// sheet is a form that is data, in one language: its markup is written once, but
// for what is typed, chosen and wrong.
type sheet struct {
	form   *form.Form
	title  string
	strips []strip
	fields []Field // one for each input of the form, as it is before anything is typed
	tells  bool    // it has a place for errors of its own
}

// strip is a stretch of a sheet: markup, and what follows it and changes.
type strip struct {
	before ready
	draw   func(m *markup, d *drawing) // nil: nothing
}

// drawing is one page made of a sheet.
type drawing struct {
	sheet    *sheet
	s        *SignOn
	state    *Form
	chosen   [][]string // by input: the options that are chosen, and what was typed beside them
	problems []Problem
}

// sheet is the page of an execution that waits for a form that is data.
func (p *Pages) sheet(set Setting, s *SignOn, f *form.Form) []byte {
	w := p.in(set)
	sh, _ := f.Once("page/"+w.Lang, func() any { return w.bind(f) }).(*sheet)
	d := w.fill(sh, s)
	d.problems = w.judge(d)
	d.state.settle(d.problems)
	m := p.head(set, sh.title, s.Application, len(d.problems) > 0)
	m.lead(w.lead(s, &layout{}))
	m.notice(w.notice(s.Fault), false)
	if !sh.tells {
		m.summary(d.problems)
	}
	if !d.state.asksWho() {
		m.chip(s.View.User.Username, w.reset(s))
	}
	m.sheet(d)
	m.links(w.ways(s), nil)
	return m.foot(set)
}

// reset is the way back from whom the page takes the person for.
func (w *words) reset(s *SignOn) *Form {
	if o, ok := s.View.Find(Reset); ok {
		return w.form(s, &o)
	}
	return nil
}

// sheet writes the form, and the one that its other ways out belong to: pressing
// one of those submits nothing that was typed.
func (m *markup) sheet(d *drawing) {
	submits := d.sheet.form.Submits()
	if submits {
		m.open("sheet", d.state)
		if name := d.known(); name != "" && d.asksSecret() {
			m.field(&Field{Fixed: true, Value: name, Autocomplete: "username"})
		}
	} else {
		m.raw(`<div class="sheet">` + "\n")
	}
	for i := range d.sheet.strips {
		x := &d.sheet.strips[i]
		m.again(x.before)
		if x.draw != nil {
			x.draw(m, d)
		}
	}
	if submits {
		m.raw("</form>\n")
	} else {
		m.raw("</div>\n")
	}
	if len(d.sheet.form.Buttons()) > 0 {
		m.raw(`<form id="ways" method="post" hidden`)
		m.address("action", d.s.Address)
		m.raw(`><input type="hidden" name="_action" value="` + pressAction + `"><input type="hidden" name="_token"`)
		m.attr("value", d.s.View.Token)
		m.raw("></form>\n")
	}
}

// known is whom the page takes the person for; empty where it asks.
func (d *drawing) known() string {
	if d.state.asksWho() {
		return ""
	}
	return d.s.View.User.Username
}

func (d *drawing) asksSecret() bool {
	return slices.ContainsFunc(d.sheet.fields, func(f Field) bool { return f.Secret })
}

// fill gives the inputs what they hold: what was just typed, or what the step
// fills them with.
func (w *words) fill(sh *sheet, s *SignOn) *drawing {
	d := &drawing{sheet: sh, s: s, chosen: make([][]string, len(sh.fields))}
	d.state = &Form{Action: s.Address, Name: submitAction, Token: s.View.Token, Fields: slices.Clone(sh.fields)}
	from := s.View.Values
	if s.Submitted == submitAction && s.Typed != nil {
		from = s.Typed
	}
	inputs := sh.form.Inputs()
	for i := range inputs {
		in, field := &inputs[i], &d.state.Fields[i]
		switch v := from[in.Name].(type) {
		case string:
			field.Value = v
		case bool:
			if v {
				field.Value = "true"
			}
		case []any:
			for _, x := range v {
				if text, ok := x.(string); ok {
					d.chosen[i], field.Value = append(d.chosen[i], text), text
				}
			}
		}
		switch {
		case in.Type == flow.TypeChoice && field.Value != "":
			d.chosen[i] = []string{field.Value}
		case field.Secret || in.Type == flow.TypeProof:
			field.Value = ""
		case field.Code && from[in.Name] == nil:
			field.Value = s.Code
		case field.Autocomplete == "username" && from[in.Name] == nil:
			field.Value = cmp.Or(s.View.User.Username, s.View.LoginHint)
		}
		if field.Managed != "" { // the sheet has marked it
			field.Managed = ""
			if s.Policy != nil {
				w.rulesBeside(field, s, inputs)
			}
		}
	}
	return d
}

// rulesBeside lists what a new password needs.
func (w *words) rulesBeside(f *Field, s *SignOn, inputs []flow.Field) {
	w.rules(f, s, &flow.Offer{Fields: inputs})
}

// judge puts what is wrong beside its input, and returns all of it: why the form
// was refused, or why a step behind it failed.
func (w *words) judge(d *drawing) []Problem {
	var problems []Problem
	ours := d.s.details()
	for i := range ours {
		problems = append(problems, w.blame(d, &ours[i], true))
	}
	failure := d.s.View.Failure
	if d.s.Fault != nil || failure == nil {
		return problems
	}
	for i := range failure.Details {
		problems = append(problems, w.blame(d, &failure.Details[i], false))
	}
	if len(problems) == 0 {
		problems = append(problems, Problem{Text: w.failure(failure, d.known())})
	}
	return problems
}

// blame finds the input that a detail is about. A step behind the form names its
// own input, which is that of the form but for the object it lies in.
func (w *words) blame(d *drawing, detail *flow.Detail, ours bool) Problem {
	name := detail.Target
	field := d.state.find(name)
	for _, other := range []string{"user." + name, strings.TrimPrefix(name, "user.")} {
		if field == nil {
			field = d.state.find(other)
		}
	}
	plain := *detail
	plain.Target = strings.TrimPrefix(name, "user.")
	if field == nil {
		return Problem{Text: w.sentence(&plain, "", d.s.View.User.Username)}
	}
	text := w.own(d, field, detail, ours)
	if text == "" {
		text = w.sentence(&plain, field.Label, d.known())
	}
	if names, ok := detail.Inner["unsatisfiedRequirements"].([]string); ok {
		list, marked := w.missed(field.Rules, names, "")
		if field.Rules = list; marked {
			text = w.Say("fault.UNSATISFIED", nil)
			if unsure(list) {
				text = w.Say("fault.UNSATISFIED.kinds", nil)
			}
		}
	}
	field.Error = text
	return Problem{Field: field.ID, Text: text}
}

// own is what is said of a value by the kind of its field: what the
// administrator says, or words of ours that fit the field better than the usual
// ones. Empty: the usual ones do.
func (w *words) own(d *drawing, field *Field, detail *flow.Detail, ours bool) string {
	f := d.sheet.form
	at := slices.IndexFunc(f.Inputs(), func(x flow.Field) bool { return x.Name == field.Name })
	in, missing := &f.Inputs()[at], detail.Code == flow.RequiredValue
	x := d.sheet.of(at)
	switch {
	case !ours || !missing && detail.Code != flow.InvalidValue:
		return ""
	case in.Name != x.Key && x.Type == form.PasswordVerify:
		return w.Say("fault.INVALID_VALUE.again", nil)
	case !missing || x.Type == form.SingleCheckbox:
		if text := f.Say(x.Wrong, w.Lang); text != "" && in.Name == x.Key {
			return text
		}
	}
	switch {
	case x.Type == form.Captcha:
		return w.Say("fault.INVALID_VALUE.person", nil)
	case missing && x.Type == form.SingleCheckbox:
		return w.Say("fault.REQUIRED_VALUE.box", wording.Params{"label": field.Label})
	case missing && (in.Type == flow.TypeChoice || in.Type == flow.TypeChoices):
		return w.Say("fault.REQUIRED_VALUE.choice", wording.Params{"label": field.Label})
	case !missing && x.Type == form.PhoneNumber && in.Name == x.Key:
		return w.Say("fault.INVALID_VALUE.phone", nil)
	}
	return ""
}

// of is the field that an input belongs to.
func (sh *sheet) of(input int) *form.Field {
	var found *form.Field
	for i := range sh.form.Fields {
		if x := &sh.form.Fields[i]; x.Input >= 0 && x.Input <= input {
			found = x
		}
	}
	return found
}

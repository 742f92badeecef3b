package forms

import (
	"strconv"

	"doorward/runtime/flow"
)

// Reset is the engine's own action, which leads back to the start of a sign-on
// without the person it was for.
const Reset = "session.reset"

// Form is one offer, ready to be drawn.
type Form struct {
	Action string // address that it posts to
	Name   string // of the action
	Token  string // step token
	Button string
	Fields []Field
}

// Field is one input of a Form.
type Field struct {
	Name         string
	ID           string
	Label        string
	Input        string // type of the input element
	Autocomplete string
	Value        string
	Error        string
	Required     bool
	Focus        bool
	Fixed        bool // says who it is; for password managers, not for people
	Posted       bool // of a Fixed one: the action takes it
}

// Problem is one line of the error summary.
type Problem struct {
	Field string // id of the input; empty: none is at fault
	Text  string
}

// form draws an offer. Lengths are not given to the browser, which would cut
// what is pasted without a word.
func (p *Pages) form(s *SignOn, o *flow.Offer, n int) Form {
	f := Form{Action: s.Address, Name: o.Name, Token: s.View.Token, Button: p.say(o.Prompt)}
	if f.Button == "" {
		f.Button = p.say(textContinue())
	}
	person := s.View.User.Username
	named := false
	for i := range o.Fields {
		d := &o.Fields[i]
		field := Field{Name: d.Name, ID: d.Name, Label: p.label(d), Input: inputOf(d.Type), Autocomplete: d.Autocomplete, Required: d.Required}
		if n > 0 {
			field.ID += "-" + strconv.Itoa(n+1)
		}
		typed, _ := s.Typed[d.Name].(string)
		switch {
		case d.Type == flow.TypeText && d.Autocomplete == "username" && person != "":
			field.Fixed, field.Posted, field.Value, named = true, true, person, true
		case d.Type == flow.TypeText && typed != "" && o.Name == s.Submitted:
			field.Value = typed
		case d.Type == flow.TypeText && d.Autocomplete == "username":
			field.Value = s.View.LoginHint
		case d.Type == flow.TypeBoolean && s.Typed[d.Name] == true && o.Name == s.Submitted:
			field.Value = "true"
		}
		f.Fields = append(f.Fields, field)
	}
	if person != "" && !named && len(f.Fields) > 0 {
		f.Fields = append([]Field{{Fixed: true, Value: person, Autocomplete: "username"}}, f.Fields...)
	}
	return f
}

func (p *Pages) label(f *flow.Field) string {
	if l := p.say(f.Label); l != "" {
		return l
	}
	return f.Name
}

func inputOf(t flow.FieldType) string {
	switch t {
	case flow.TypePassword:
		return "password"
	case flow.TypeBoolean:
		return "checkbox"
	case flow.TypeText:
	}
	return "text"
}

// mark puts each detail of the fault beside its field and into the summary, and
// returns the summary.
func (p *Pages) mark(s *SignOn, forms []Form) []Problem {
	var problems []Problem
	for _, d := range s.details() {
		field := find(forms, s.Submitted, d.Target)
		label := ""
		if field != nil {
			label = field.Label
		}
		text := p.say(sentence(d, label, s.View.User.Username))
		problem := Problem{Text: text}
		if field != nil && !field.Fixed {
			field.Error, problem.Field = text, field.ID
		}
		problems = append(problems, problem)
	}
	return problems
}

func find(forms []Form, action, target string) *Field {
	for i := range forms {
		if forms[i].Name != action && len(forms) > 1 {
			continue
		}
		for j := range forms[i].Fields {
			if forms[i].Fields[j].Name == target {
				return &forms[i].Fields[j]
			}
		}
	}
	return nil
}

// focus puts the cursor where the person goes on: at the only error, or else at
// the first empty input. Several errors give it to their summary.
func focus(forms []Form, problems []Problem) {
	if len(problems) > 1 {
		return
	}
	for i := range forms {
		for j := range forms[i].Fields {
			f := &forms[i].Fields[j]
			if f.Fixed || (len(problems) == 1 && problems[0].Field != "" && f.ID != problems[0].Field) || (f.Error == "" && f.Value != "") {
				continue
			}
			f.Focus = true
			return
		}
	}
}

package forms

import (
	"cmp"
	"strings"

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

	Hidden  [][2]string // inputs that hold what is chosen already: name and value
	Filled  []string    // inputs that the script of passkeys fills in
	Options string      // what it asks the browser for, as JSON; empty: nothing
	Quiet   string      // what the script tries first, of which the person is not asked; empty: nothing
	Unknown string      // id of the passkey that was shown and that nobody here has
}

// Field is one input of a Form.
type Field struct {
	Name         string
	ID           string
	Label        string
	Hint         string
	Input        string // type of the input element
	Autocomplete string
	Capitalize   string // autocapitalize; empty: as the type has it
	Value        string
	Error        string
	Described    string // ids of the hint, the error and the rules
	Managed      string // passwordrules
	Rules        []Requirement
	MinLength    int // characters; 0: not said
	Required     bool
	Focus        bool
	Fixed        bool        // says who it is; for password managers, not for people
	Posted       bool        // of a Fixed one: the action takes it
	Box          bool        // a box to tick
	Code         bool        // a one-time code
	Digits       bool        // of digits alone
	Passkeys     bool        // the browser may offer passkeys here
	Secret       bool        // can be looked at
	Options      [][2]string // of which one is chosen: value and words; none: it is typed
}

// Problem is one line of the error summary.
type Problem struct {
	Field string // id of the input; empty: none is at fault
	Text  string
}

// form draws an offer. Lengths are not given to the browser, which would cut
// what is pasted without a word.
func (w *words) form(s *SignOn, o *flow.Offer) *Form {
	f := &Form{Action: s.Address, Name: o.Name, Token: s.View.Token, Button: w.button(o), Fields: make([]Field, 0, len(o.Fields)+1)}
	person, chooses, named := s.View.User.Username, takes(o, "new-password"), false
	for i := range o.Fields {
		d := &o.Fields[i]
		field := w.field(d)
		typed, _ := s.Typed[d.Name].(string)
		again := o.Name == s.Submitted
		switch {
		case d.Autocomplete == "username" && person != "" && !chooses:
			field.Fixed, field.Posted, field.Value, named = true, true, person, true
		case field.Box:
			if again && s.Typed[d.Name] == true {
				field.Value = "true"
			}
		case field.Secret:
		case again && typed != "":
			field.Value = typed
		case field.Code:
			field.Value = s.Code
		case d.Autocomplete == "username":
			field.Value = cmp.Or(person, s.View.LoginHint)
		}
		if d.Autocomplete == "new-password" && s.Policy != nil {
			w.rules(&field, s, o)
		}
		named = named || d.Autocomplete == "username"
		f.Fields = append(f.Fields, field)
	}
	if person != "" && !named && len(f.Fields) > 0 {
		f.Fields = append([]Field{{Fixed: true, Value: person, Autocomplete: "username"}}, f.Fields...)
	}
	return f
}

// field is how an input is drawn by its declaration alone.
func (w *words) field(d *flow.Field) Field {
	f := Field{Name: d.Name, ID: strings.ReplaceAll(d.Name, ".", "-"), Autocomplete: d.Autocomplete, Required: d.Required, Capitalize: "none"}
	switch d.Type {
	case flow.TypePassword:
		f.Input, f.Capitalize, f.Secret = "password", "", true
	case flow.TypeBoolean:
		f.Input, f.Capitalize, f.Box = "checkbox", "", true
	case flow.TypeEmail:
		f.Input = "email"
	case flow.TypeCode:
		f.Input, f.Capitalize, f.Code = "text", "characters", true
		if f.Autocomplete == "" {
			f.Autocomplete = "one-time-code"
		}
	case flow.TypeTel:
		f.Input = "tel"
	case flow.TypeChoice, flow.TypeChoices, flow.TypeProof, flow.TypeCredential: // have inputs of their own
	case flow.TypeText:
		f.Input = "text"
		if strings.HasSuffix(f.Autocomplete, "name") && f.Autocomplete != "username" {
			f.Capitalize = "words"
		}
	}
	if l, ok := w.labels[d.Label.Key]; ok {
		f.Label, f.Hint = l.text, l.hint
	} else if f.Label = w.text(d.Label); f.Label == "" {
		f.Label = d.Name
	}
	return f
}

// rules lists what a new password needs beside its field.
func (w *words) rules(f *Field, s *SignOn, o *flow.Offer) {
	f.Rules = w.requirements(s.Policy, past{typed: takes(o, "current-password"), account: !takes(o, "username")})
	f.MinLength, f.Managed = s.Policy.MinLength, managed(s.Policy)
}

// described names what is read aloud with the input, the error first.
func (f *Field) described() string {
	var ids []string
	for _, part := range []struct {
		there bool
		name  string
	}{{f.Error != "", "-error"}, {f.Hint != "", "-hint"}, {len(f.Rules) > 0, "-rules"}} {
		if part.there {
			ids = append(ids, f.ID+part.name)
		}
	}
	return strings.Join(ids, " ")
}

// takes reports whether an offer has an input of that meaning.
func takes(o *flow.Offer, autocomplete string) bool {
	for i := range o.Fields {
		if o.Fields[i].Autocomplete == autocomplete {
			return true
		}
	}
	return false
}

// button is what the button says that submits an offer. The prompt is that of a
// way that can be gone, and may be a question.
func (w *words) button(o *flow.Offer) string {
	if key, ok := w.First(nil, o.Name+".button"); ok {
		return w.Say(key, nil)
	}
	if b := w.text(o.Prompt); b != "" {
		return b
	}
	return w.Say("page.continue", nil)
}

// mark puts each detail of the fault beside its field and into the summary, and
// returns the summary.
func (w *words) mark(s *SignOn, form *Form) []Problem {
	var problems []Problem
	for i := range s.details() {
		d := &s.Fault.Details[i]
		field := form.find(d.Target)
		if own := *d; own.Code == flow.UniquenessViolation && own.Target == "email" && form != nil && form.Name == createAction {
			own.Target, d = "device", &own // it is the person's, and nobody else's
		}
		if s.Submitted != "" && form != nil && s.Submitted != form.Name {
			field = nil
		}
		if field == nil {
			problems = append(problems, Problem{Text: w.sentence(d, "", s.View.User.Username)})
			continue
		}
		text := w.sentence(d, field.Label, s.View.User.Username)
		if names, ok := d.Inner["unsatisfiedRequirements"].([]string); ok {
			typed, _ := s.Typed[d.Target].(string)
			list, marked := w.missed(field.Rules, names, typed)
			if field.Rules = list; marked {
				text = w.Say("fault.UNSATISFIED", nil)
			}
		}
		problem := Problem{Text: text}
		if !field.Fixed {
			field.Error, problem.Field = text, field.ID
		}
		problems = append(problems, problem)
	}
	return problems
}

func (f *Form) find(name string) *Field {
	if f == nil || name == "" {
		return nil
	}
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			return &f.Fields[i]
		}
	}
	return nil
}

// settle gives each input what it is described by, and the cursor to where the
// person goes on: the only error, or else the first empty input. Several errors
// give it to their summary.
func (f *Form) settle(problems []Problem) {
	if f == nil {
		return
	}
	for i := range f.Fields {
		f.Fields[i].Described = f.Fields[i].described()
	}
	if len(problems) > 1 {
		return
	}
	for i := range f.Fields {
		x := &f.Fields[i]
		if x.Fixed || (len(problems) == 1 && problems[0].Field != "" && x.ID != problems[0].Field) || (x.Error == "" && x.Value != "") {
			continue
		}
		x.Focus = true
		return
	}
}

// unfocus leaves the cursor to the person.
func (f *Form) unfocus() {
	if f == nil {
		return
	}
	for i := range f.Fields {
		f.Fields[i].Focus = false
	}
}

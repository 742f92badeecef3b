package form

import (
	"slices"

	"doorward/runtime/flow"
)

// finish puts the fields in reading order and works out what follows from them.
func (c *compiler) finish() {
	f := c.f
	slices.SortStableFunc(f.Fields, func(a, b Field) int {
		if a.Row != b.Row {
			return a.Row - b.Row
		}
		return a.Col - b.Col
	})
	submit := false
	for i := range f.Fields {
		x := &f.Fields[i]
		switch x.Type { //nolint:exhaustive // of the others there is nothing to be told here
		case SubmitButton:
			submit = true
		case FlowButton, FlowLink:
			f.buttons = append(f.buttons, Button{Key: x.Key, Label: f.Say(x.Label, ""), Link: x.Type == FlowLink})
		}
		if x.Input >= 0 {
			f.add(x)
		}
	}
	f.submits = submit || len(f.inputs) > 0 || len(f.buttons) == 0 || f.Has(Polling)
	f.fields = make([]flow.Field, len(f.inputs))
	for i := range f.inputs {
		in := &f.inputs[i]
		f.fields[i], f.names[in.Name] = in.Field, i
		for at, r := range in.Name {
			if r == '.' {
				f.objects[in.Name[:at]] = true
			}
		}
	}
	f.schema = f.describe()
}

// add makes the inputs of a field.
func (f *Form) add(x *Field) {
	x.Input = len(f.inputs)
	t, most, autocomplete := meaning(x, f.Category)
	in := flow.Field{Name: x.Key, Type: t, Required: x.Required, MaxLength: most, Autocomplete: autocomplete, Label: flow.Text{Default: f.Say(x.Label, "")}, Free: x.Free}
	for _, o := range x.Options {
		in.Options = append(in.Options, flow.Option{Value: o.Value, Label: flow.Text{Default: f.Say(o.Label, "")}})
	}
	switch x.Type {
	case Radio, Dropdown, Combobox:
		in.Type = flow.TypeChoice
	case Checkbox:
		in.Type = flow.TypeChoices
	case SingleCheckbox:
		in.Type, in.MaxLength = flow.TypeBoolean, 0
	case Captcha:
		in.Type, in.MaxLength = flow.TypeProof, 4096
	default:
	}
	if x.pattern != nil {
		in.Pattern = x.source
	}
	f.inputs = append(f.inputs, input{Field: in, of: x, keep: x.Type != Captcha})
	if x.Type == PasswordVerify {
		again := in
		again.Name, again.Required, again.Pattern, again.Label.Default = x.Key+VerifySuffix, false, "", f.Say(x.Again, "")
		f.inputs = append(f.inputs, input{Field: again, of: x, part: second})
	}
	if x.Extension {
		f.inputs = append(f.inputs, input{of: x, part: extension, Field: flow.Field{
			Name: x.Key + ExtensionSuffix, Type: flow.TypeTel, MaxLength: 10, Autocomplete: "tel-extension", Label: flow.Text{Default: f.Say(x.ExtensionLabel, "")},
		}})
	}
}

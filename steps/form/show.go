package form

import (
	"encoding/json"
	"slices"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// keys is the field of form.action: the buttons.
func keys(f *form.Form) []flow.Field {
	key := flow.Field{Name: "key", Type: flow.TypeChoice, Required: true, MaxLength: 100}
	for _, b := range f.Buttons() {
		key.Options = append(key.Options, flow.Option{Value: b.Key, Label: flow.Text{Default: b.Label}})
	}
	return []flow.Field{key}
}

// Offers are the submission, with the form's own fields, and its buttons.
func (*Kind) Offers(t *flow.Turn) []flow.Offer {
	f := formOf(t)
	if f == nil {
		return nil
	}
	offers, _ := f.Once("offers", func() any { return offersOf(f) }).([]flow.Offer)
	return offers
}

func offersOf(f *form.Form) []flow.Offer {
	var out []flow.Offer
	if f.Submits() {
		o := flow.Offer{Name: "form.submit", Prompt: flow.Text{Key: "page.continue", Default: "Continue"}, Fields: f.Inputs(), Open: true}
		for i := range f.Fields {
			if f.Fields[i].Type == form.SubmitButton {
				o.Prompt = flow.Text{Default: f.Say(f.Fields[i].Label, "")}
				break
			}
		}
		out = append(out, o)
	}
	if len(f.Buttons()) > 0 {
		out = append(out, flow.Offer{Name: "form.action", Prompt: flow.Text{Key: "page.continue", Default: "Continue"}, Fields: keys(f), Open: true})
	}
	return out
}

// Show is the form, what its fields are filled with and, for clients that draw it
// themselves, the same nested by the keys. Source: reference/flows.md 7.3.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	f := formOf(t)
	s, err := flow.State[state](t)
	if f == nil || err != nil {
		return flow.Show{}
	}
	values := flow.Values{}
	for key, value := range s.Values {
		values[key] = value
	}
	for i := range f.Fields {
		x := &f.Fields[i]
		switch {
		case x.Type == form.Captcha && s.Challenge != nil:
			values[x.Key] = *s.Challenge
		case x.Type == form.Agreement:
			delete(values, x.Key)
			if terms, ok := k.terms(t.Ref.Env, x, s); ok {
				values[x.Key] = terms
			}
		}
	}
	return flow.Show{Form: f, Values: values, Members: members(f, values)}
}

// members are the form and its values. A value whose name the flow resource has
// already is in _templates alone.
func members(f *form.Form, values flow.Values) []flow.Member {
	head, err := json.Marshal(map[string]string{"id": f.ID, "name": f.Name})
	if err != nil {
		return nil
	}
	out := []flow.Member{{Name: "form", JSON: head}}
	nested := f.Nest(values)
	names := make([]string, 0, len(nested))
	for name := range nested {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if slices.Contains(taken(), name) {
			continue
		}
		if b, err := json.Marshal(nested[name]); err == nil {
			out = append(out, flow.Member{Name: name, JSON: b})
		}
	}
	return out
}

// taken are the members that a flow resource has of its own. Source:
// reference/flows.md 2.1, 7.3.
func taken() []string {
	return []string{
		"_links", "_embedded", "_templates", "id", "environment", "flowDefinition", "session", "resumeUrl", "status", "createdAt", "expiresAt",
		"amr", "error", "form", "authorizeResponse", "redirectUri",
	}
}

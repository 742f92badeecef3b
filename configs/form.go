package configs

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"doorward/runtime/form"
	"doorward/runtime/policy"
)

// formDocument is a form, which runtime/form judges. Source:
// reference/management.md 3.2.
type formDocument struct {
	id, name string
	body     []byte
	fields   []formField
}

// formField is what a field names beyond the form.
type formField struct {
	Type      string `json:"type"`
	Agreement struct {
		ID      string `json:"id"`
		Dynamic bool   `json:"useDynamicAgreement"`
	} `json:"agreement"`
}

func (d *formDocument) key() (string, string) { return d.id, d.name }

func (d *formDocument) check(f *policy.Faults) {
	_, err := form.Compile(d.body)
	found := policy.Faults(nil)
	switch {
	case errors.As(err, &found):
		*f = append(*f, found...)
	case err != nil:
		f.Add(root, err.Error())
	}
}

// readForm takes a form as it is: what is wrong with it is for check.
func readForm(body []byte, _ string) (document, policy.Faults) {
	d := &formDocument{body: body}
	var m object
	_ = json.Unmarshal(body, &m) // likewise
	d.id, d.name, d.fields = text(m, "id"), text(m, "name"), fieldsOf(m)
	return d, nil
}

func fieldsOf(form object) []formField {
	var components struct {
		Fields []formField `json:"fields"`
	}
	_ = json.Unmarshal(form["components"], &components)
	return components.Fields
}

// formRefers is the agreements that a form shows.
func formRefers(_ *tree, e *entry) []link {
	d, _ := e.doc.(*formDocument)
	var out []link
	for i, f := range d.fields {
		if f.Agreement.ID != "" && !f.Agreement.Dynamic {
			at := root.Member("components").Member("fields").Index(i).Member("agreement").Member("id")
			out = append(out, link{at, kindAgreement, f.Agreement.ID})
		}
	}
	return out
}

// showsForm names the types of field that a form has.
func showsForm(body, _ object, _ time.Time) object {
	types := []string{}
	for _, f := range fieldsOf(body) {
		if !slices.Contains(types, f.Type) {
			types = append(types, f.Type)
		}
	}
	slices.Sort(types)
	return object{"fieldTypes": raw(types)}
}

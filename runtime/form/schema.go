package form

import (
	"encoding/json"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// shape is a JSON Schema, as far as forms need it. Source: JSON Schema 2020-12.
type shape struct {
	Type       string            `json:"type,omitempty"`
	Title      string            `json:"title,omitempty"`
	Properties map[string]*shape `json:"properties,omitempty"`
	Required   []string          `json:"required,omitempty"`
	MaxLength  int               `json:"maxLength,omitempty"`
	Pattern    string            `json:"pattern,omitempty"`
	Enum       []string          `json:"enum,omitempty"`
	Items      *shape            `json:"items,omitempty"`
	WriteOnly  bool              `json:"writeOnly,omitempty"`
	Format     string            `json:"format,omitempty"`
}

// describe is the schema of what Decode returns.
func (f *Form) describe() json.RawMessage {
	root := &shape{Type: "object"}
	for i := range f.inputs {
		in := &f.inputs[i]
		if !in.keep {
			continue
		}
		at := root
		names := strings.Split(in.Name, ".")
		for n, name := range names {
			if in.Required && !slices.Contains(at.Required, name) {
				at.Required = append(at.Required, name)
			}
			if at.Properties == nil {
				at.Properties = map[string]*shape{}
			}
			if at.Properties[name] == nil {
				at.Properties[name] = &shape{Type: "object"}
			}
			if at = at.Properties[name]; n == len(names)-1 {
				*at = in.shape()
			}
		}
	}
	b, err := json.Marshal(root)
	if err != nil { // cannot happen: strings and numbers alone
		return json.RawMessage(`{"type":"object"}`)
	}
	return b
}

func (in *input) shape() shape {
	s := shape{Type: "string", Title: in.Label.Default, MaxLength: in.MaxLength}
	if !in.Free {
		for _, o := range in.Options {
			s.Enum = append(s.Enum, o.Value)
		}
	}
	if in.Pattern != "" {
		s.Pattern = "^(?:" + in.Pattern + ")$"
	}
	switch in.Type {
	case flow.TypeBoolean:
		s.Type = "boolean"
	case flow.TypePassword:
		s.WriteOnly, s.Format = true, "password"
	case flow.TypeChoices:
		one := s
		one.Title = ""
		return shape{Type: "array", Title: s.Title, Items: &one}
	case flow.TypeTel:
		s.MaxLength += 20 // the country code, and the extension
	case flow.TypeText, flow.TypeEmail, flow.TypeCode, flow.TypeCredential, flow.TypeChoice, flow.TypeProof:
	}
	return s
}

package flow

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Values is one decoded submit: a JSON object whose syntax package wire has
// already judged, or a form. Values are string, bool, float64, nil, []any or
// map[string]any.
type Values map[string]any

// FieldType is what a field takes.
type FieldType string

// The field types; each has its own input element and its own rules.
const (
	TypeText     FieldType = "text"
	TypePassword FieldType = "password"
	TypeEmail    FieldType = "email"
	TypeCode     FieldType = "code" // a one-time code
	TypeBoolean  FieldType = "boolean"
	// TypeCredential takes what a browser's authenticator says, as an object or as
	// the text of one; the input is always the text. Source: reference/flows.md 8.4.
	TypeCredential FieldType = "credential"
	TypeTel        FieldType = "tel"     // only of forms that are data, as are those below
	TypeChoice     FieldType = "choice"  // one of Options
	TypeChoices    FieldType = "choices" // any of Options, a list
	TypeProof      FieldType = "proof"   // of work or of a captcha, made by a script
)

// Field describes one input of an action, for validation, for HAL-FORMS and for
// the hosted page. It comes from the tags of the action's input type:
//
//	Username string `json:"username" required:"true" max:"128" autocomplete:"username" label:"username.label=Username"`
//
// type is password (a secret), email, code or credential. A name with a dot, "name.given", is
// a member of an object and may be sent as {"name":{"given":...}} or, by a client
// that has only read the form, as {"name.given":...}. Lengths are in characters.
type Field struct {
	Name         string
	Type         FieldType
	Required     bool
	MaxLength    int // characters; 0: the body limit alone
	Autocomplete string
	Label        Text

	// Only of forms that are data.
	Options []Option
	Free    bool   // a value beside Options is taken too
	Pattern string // RE2, of the whole value; empty: any

	index int
}

// Option is one of the values of a choice.
type Option struct {
	Value string
	Label Text
}

// FieldsOf reads the fields of In in order. It panics when a field cannot be an
// input, since that is a mistake in the kind and not in any request.
func FieldsOf[In any]() []Field {
	t := reflect.TypeFor[In]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("flow: input %s is not a struct", t))
	}
	fields := make([]Field, 0, t.NumField())
	for i := range t.NumField() {
		sf := t.Field(i)
		f := Field{Name: sf.Tag.Get("json"), Autocomplete: sf.Tag.Get("autocomplete"), Required: sf.Tag.Get("required") == "true", index: i}
		switch {
		case f.Name == "" || strings.Contains(f.Name, ","):
			panic(fmt.Sprintf("flow: input %s.%s needs a plain json name", t, sf.Name))
		case sf.Type.Kind() == reflect.Bool:
			f.Type = TypeBoolean
		case sf.Type.Kind() == reflect.String && sf.Tag.Get("type") != "":
			f.Type = FieldType(sf.Tag.Get("type"))
			if f.Type != TypePassword && f.Type != TypeEmail && f.Type != TypeCode && f.Type != TypeCredential {
				panic(fmt.Sprintf("flow: input %s.%s: type %q", t, sf.Name, f.Type))
			}
		case sf.Type.Kind() == reflect.String:
			f.Type = TypeText
		default:
			panic(fmt.Sprintf("flow: input %s.%s has type %s", t, sf.Name, sf.Type))
		}
		if m := sf.Tag.Get("max"); m != "" {
			n, err := strconv.Atoi(m)
			if err != nil {
				panic(fmt.Sprintf("flow: input %s.%s: max %q", t, sf.Name, m))
			}
			f.MaxLength = n
		}
		f.Label.Key, f.Label.Default, _ = strings.Cut(sf.Tag.Get("label"), "=")
		fields = append(fields, f)
	}
	return fields
}

// Bind checks values against fields and sets the struct that in points to. It
// reports every fault at once, in field order, and takes values as they are: it
// trims and repairs nothing.
func Bind(v Values, fields []Field, in any) *Fault {
	var faults []Detail
	dst := reflect.ValueOf(in).Elem()
	v = v.flat(fields)
	known := 0
	for _, f := range fields {
		raw, sent := v[f.Name]
		if sent {
			known++
		}
		if d := f.set(dst.Field(f.index), raw, sent); d != nil {
			faults = append(faults, *d)
		}
	}
	if known < len(v) {
		faults = append(faults, strangers(v, fields)...)
	}
	if len(faults) > 0 {
		return Invalid(faults...)
	}
	return nil
}

// flat brings the members of objects under their dotted names, for the fields
// that have one. What is said in both ways stays as it came, and is refused.
func (v Values) flat(fields []Field) Values {
	out := v
	for i := range fields {
		object, _, dotted := strings.Cut(fields[i].Name, ".")
		inside, is := out[object].(map[string]any)
		if !dotted || !is {
			continue
		}
		next := maps.Clone(out)
		delete(next, object)
		for name, value := range inside {
			if _, twice := next[object+"."+name]; twice {
				return v
			}
			next[object+"."+name] = value
		}
		out = next
	}
	return out
}

// without returns v less the named members, and whether there were any.
func (v Values) without(names []string) (Values, bool) {
	var out Values
	for _, name := range names {
		if _, sent := v[name]; !sent {
			continue
		}
		if out == nil {
			out = maps.Clone(v)
		}
		delete(out, name)
	}
	if out == nil {
		return v, false
	}
	return out, true
}

func (f *Field) set(dst reflect.Value, raw any, sent bool) *Detail {
	if !sent || raw == nil {
		if f.Required {
			return &Detail{Code: RequiredValue, Target: f.Name, Message: "A value for " + f.Name + " is required."}
		}
		return nil
	}
	if f.Type == TypeBoolean {
		b, ok := raw.(bool)
		if !ok {
			return &Detail{Code: InvalidValue, Target: f.Name, Message: f.Name + " takes true or false."}
		}
		dst.SetBool(b)
		return nil
	}
	if object, is := raw.(map[string]any); is && f.Type == TypeCredential {
		if b, err := json.Marshal(object); err == nil {
			raw = string(b)
		}
	}
	s, ok := raw.(string)
	switch {
	case !ok:
		return &Detail{Code: InvalidValue, Target: f.Name, Message: f.Name + " takes a string."}
	case s == "" && f.Required:
		return &Detail{Code: RequiredValue, Target: f.Name, Message: "A value for " + f.Name + " is required."}
	case f.MaxLength > 0 && utf8.RuneCountInString(s) > f.MaxLength:
		return &Detail{
			Code: SizeLimitExceeded, Target: f.Name, Inner: map[string]any{"maximumValue": f.MaxLength},
			Message: fmt.Sprintf("%s takes at most %d characters.", f.Name, f.MaxLength),
		}
	}
	dst.SetString(s)
	return nil
}

// strangers names what was sent and is no field. Only names that could be
// printed safely are repeated.
func strangers(v Values, fields []Field) []Detail {
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		names = append(names, f.Name)
	}
	takes := "takes no values"
	if len(names) > 0 {
		takes = "takes " + strings.Join(names, ", ")
	}
	var out []Detail
	for name := range v {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if known {
			continue
		}
		if len(name) > 64 {
			name = name[:64]
		}
		out = append(out, Detail{Code: InvalidValue, Target: strings.ToValidUTF8(name, ""), Message: "The action does not take this value; it " + takes + "."})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Target < out[j].Target })
	return out[:min(len(out), 10)]
}

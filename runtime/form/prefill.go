package form

import (
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"doorward/runtime/flow"
)

// Prefill is what the fields are filled with, by their dotted names, out of data
// that may be nested. Only what an input could hold is taken: scalars, for boxes
// lists of them too, never a password, and nothing past what a form may keep. QR
// codes and agreements take their text from it as well.
func (f *Form) Prefill(data map[string]any) flow.Values {
	out := flow.Values{}
	size := 0
	for i := range f.Fields {
		x := &f.Fields[i]
		raw, there := find(data, x.Key)
		if x.Key == "" || !there {
			continue
		}
		value := x.filled(f, raw)
		if value == nil {
			continue
		}
		if size += bytesOf(value) + len(x.Key); size <= maxData {
			out[x.Key] = value
		}
	}
	return out
}

// filled is a value as the field may show it; nil when it may not.
func (f *Field) filled(of *Form, raw any) any {
	switch {
	case f.Type == QRCode || f.Type == Agreement && f.Agrees == "":
		s, _ := scalar(raw).(string)
		if s == "" || len(s) > 1000 || !utf8.ValidString(s) {
			return nil
		}
		return s
	case f.Input < 0:
		return nil
	}
	in := &of.inputs[f.Input]
	switch in.Type {
	case flow.TypePassword, flow.TypeProof, flow.TypeCredential:
		return nil
	case flow.TypeBoolean:
		if b, ok := raw.(bool); ok {
			return b
		}
		return nil
	case flow.TypeChoices:
		list, ok := raw.([]any)
		if !ok {
			list = []any{raw}
		}
		texts := []any{}
		for _, x := range list {
			if s := in.text(x); s != "" && !slices.Contains(texts, any(s)) {
				texts = append(texts, s)
			}
		}
		return texts
	case flow.TypeText, flow.TypeEmail, flow.TypeCode, flow.TypeTel, flow.TypeChoice:
	}
	if s := in.text(raw); s != "" {
		return s
	}
	return nil
}

// text is a scalar as an input may hold it; empty when it may not.
func (in *input) text(raw any) string {
	s, _ := scalar(raw).(string)
	if utf8.RuneCountInString(s) > in.MaxLength || !utf8.ValidString(s) || len(in.Options) > 0 && !in.Free && !in.offers(s) {
		return ""
	}
	return s
}

// scalar is a string, also of a number or a boolean.
func scalar(v any) any {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case float64: // that lay in the document
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return nil
}

// find looks a dotted name up, in objects and as it stands.
func find(data map[string]any, name string) (any, bool) {
	if v, ok := data[name]; ok {
		return v, true
	}
	for i, r := range name {
		if r != '.' {
			continue
		}
		if inner, ok := data[name[:i]].(map[string]any); ok {
			if v, ok := find(inner, name[i+1:]); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// Nest is values under the objects that their dotted names say, with an empty one
// for each input that has none. Passwords are left out.
func (f *Form) Nest(v flow.Values) map[string]any {
	out := map[string]any{}
	for i := range f.Fields {
		x := &f.Fields[i]
		value, filled := v[x.Key]
		switch {
		case x.Key == "" || x.Type == Password || x.Type == PasswordVerify:
			continue
		case filled:
		case x.Input < 0:
			continue
		case x.Type == SingleCheckbox:
			value = false
		case x.Type == Checkbox:
			value = []any{}
		case x.Type == Captcha:
			continue
		default:
			value = ""
		}
		put(out, x.Key, value)
	}
	return out
}

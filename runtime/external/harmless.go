package external

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// disarmer makes harmless inputs: of the same form, and without a meaning in a URL.
// A string keeps its length, which of its characters are digits, and those of its
// marks that part nothing there; lists and objects keep theirs. All digits are
// alike, and all letters, so that nothing that is encoded in them comes out of it
// either.
type disarmer struct {
	numbers bool // these too: the URL may make characters of them
}

// value keeps what the schema has a list of: that was written by whoever wrote the
// request.
func (d disarmer) value(schema map[string]any, v any) any {
	switch v := v.(type) {
	case string:
		if slices.Contains(listed(schema), any(v)) {
			return v
		}
		return strings.Map(disarmed, v)
	case []any:
		out := make([]any, len(v))
		items, _ := schema["items"].(map[string]any)
		for i, of := range v {
			out[i] = d.value(items, of)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		properties, _ := schema["properties"].(map[string]any)
		for name, of := range v {
			member, known := properties[name].(map[string]any)
			if !known && strings.ContainsFunc(name, func(r rune) bool { return !letterOrDigit(r) && !strings.ContainsRune("_-.", r) }) {
				name = strings.Map(disarmed, name)
			}
			out[name] = d.value(member, of)
		}
		return out
	case json.Number:
		if d.numbers {
			return 65
		}
	}
	return v
}

func disarmed(r rune) rune {
	switch {
	case strings.ContainsRune("@.,:-_", r):
		return r
	case r >= '0' && r <= '9':
		return '1'
	case unicode.IsUpper(r):
		return 'A'
	}
	return 'a'
}

// listed are the values that a schema names one by one.
func listed(schema map[string]any) []any {
	list, _ := schema["enum"].([]any)
	if only, is := schema["const"]; is {
		list = append(slices.Clone(list), only)
	}
	return list
}

// probe is an input of ours that fits a schema as far as its type goes; of two
// sets, which differ wherever the schema leaves a choice.
func probe(schema map[string]any, set, depth int) any {
	if list := listed(schema); len(list) > 0 {
		return list[min(set, 1)*(len(list)-1)]
	}
	properties, _ := schema["properties"].(map[string]any)
	switch typeOf(schema, properties) {
	case "integer", "number":
		return []any{json.Number("2"), json.Number("31")}[set]
	case "boolean":
		return set == 0
	case "null":
		return nil
	case "array":
		items, _ := schema["items"].(map[string]any)
		if depth > 8 {
			return []any{}
		}
		one := probe(items, set, depth+1)
		return []any{one, one, one}
	case "object":
		out := make(map[string]any, len(properties))
		for name, of := range properties {
			if member, _ := of.(map[string]any); depth <= 8 {
				out[name] = probe(member, set, depth+1)
			}
		}
		return out
	}
	return []any{"a1.b-c@probe.example", "another.probe_22@other-probe.test"}[set]
}

// typeOf is the first type of a schema that is not null.
func typeOf(schema, properties map[string]any) string {
	switch t := schema["type"].(type) {
	case string:
		return t
	case []any:
		for _, one := range t {
			if name, _ := one.(string); name != "null" {
				return name
			}
		}
	}
	if properties != nil {
		return "object"
	}
	return "string"
}

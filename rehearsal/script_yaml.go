package rehearsal

import (
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// members are those of a mapping, each once and with one of the names.
func (r *scriptReader) members(n *yaml.Node, what string, names ...string) map[string]*yaml.Node {
	m := map[string]*yaml.Node{}
	if n = aliased(n); n.Kind != yaml.MappingNode {
		r.fault(n, "%s takes %s", what, strings.Join(names, ", "))
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], aliased(n.Content[i+1])
		switch {
		case !slices.Contains(names, key.Value):
			r.fault(key, "%s takes %s; there is no %q", what, strings.Join(names, ", "), key.Value)
		case m[key.Value] != nil:
			r.fault(key, "%s is there twice", key.Value)
		default:
			m[key.Value] = value
		}
	}
	return m
}

func aliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (r *scriptReader) list(n *yaml.Node, what string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "%s takes a list", what)
		return nil
	}
	var out []*yaml.Node
	for _, one := range n.Content {
		out = append(out, aliased(one))
	}
	return out
}

// text is a scalar as it is written; empty when there is none.
func (r *scriptReader) text(n *yaml.Node, what string) string {
	switch {
	case n == nil || n.ShortTag() == "!!null":
		return ""
	case aliased(n).Kind != yaml.ScalarNode:
		r.fault(n, "%s takes a text", what)
	}
	return aliased(n).Value
}

// object is a mapping as JSON has it: numbers are float64, and what YAML takes for
// a time is the text that it is written as.
func (r *scriptReader) object(n *yaml.Node, what string) map[string]any {
	if n == nil {
		return map[string]any{}
	}
	untimed(n)
	var m map[string]any
	if err := n.Decode(&m); err != nil || n.Kind != yaml.MappingNode {
		r.fault(n, "%s takes names and values", what)
		return map[string]any{}
	}
	out, ok := asJSON(m).(map[string]any)
	if !ok {
		r.fault(n, "%s takes what JSON can say", what)
	}
	return out
}

// value is anything that JSON can say, as object has it.
func (r *scriptReader) value(n *yaml.Node, what string) any {
	untimed(n)
	var v any
	err := n.Decode(&v)
	v = asJSON(v)
	if err == nil {
		_, err = json.Marshal(v)
	}
	if err != nil {
		r.fault(n, "%s takes what JSON can say", what)
		return nil
	}
	return v
}

// texts are the scalars of a mapping as they are written.
func (r *scriptReader) texts(n *yaml.Node, what string) map[string]string {
	out := map[string]string{}
	switch {
	case n == nil:
		return out
	case n.Kind != yaml.MappingNode:
		r.fault(n, "%s takes names and texts", what)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		out[name] = r.text(n.Content[i+1], what+": "+name)
	}
	return out
}

// untimed makes texts of the times below n. What an alias stands for is elsewhere
// in the file.
func untimed(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!timestamp" {
		n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
	}
	for _, inner := range n.Content {
		untimed(inner)
	}
}

// asJSON is a decoded value with JSON's types.
func asJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, x := range v {
			out[name] = asJSON(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = asJSON(x)
		}
		return out
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return v
}

package verifier

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// schema parses one; nil for none. A schema that cannot be read allows
// everything: it is the kind's fault, which a test of the kind meets.
func (c *chart) schema(raw json.RawMessage) *schema {
	if len(raw) == 0 {
		return nil
	}
	if s, ok := c.schemas[string(raw)]; ok {
		return s
	}
	var root any
	s := open()
	if json.Unmarshal(raw, &root) == nil {
		s = (&reader{root: root, left: mostParts}).read(root, 0)
	}
	c.schemas[string(raw)] = s
	return s
}

// Schemas that refer to themselves are followed this deep and no longer than
// this; below, everything is allowed.
const (
	deepest   = 16
	mostParts = 10_000
)

type reader struct {
	root any
	left int
}

func (r *reader) read(v any, depth int) *schema {
	m, ok := v.(map[string]any)
	r.left--
	if !ok || depth > deepest || r.left < 0 {
		return open()
	}
	if ref, ok := m["$ref"].(string); ok {
		return r.read(r.lookUp(ref), depth+1)
	}
	s := &schema{types: typesOf(m)}
	writeOnly, _ := m["writeOnly"].(bool)
	s.secret = writeOnly || m["format"] == "password"
	if props, ok := m["properties"].(map[string]any); ok {
		s.members = map[string]*schema{}
		for name, inner := range props {
			if inner != false {
				s.members[name] = r.read(inner, depth+1)
			}
		}
	}
	switch more := m["additionalProperties"].(type) {
	case bool:
		if more {
			s.rest = open()
		}
	case map[string]any:
		s.rest = r.read(more, depth+1)
	default:
		if s.members == nil {
			s.rest = open()
		}
	}
	if items, ok := m["items"]; ok {
		s.items = r.read(items, depth+1)
	}
	s.needs = texts(m["required"])
	slices.Sort(s.needs)
	for _, part := range list(m["allOf"]) {
		s = both(s, r.read(part, depth+1), m["properties"] != nil)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if parts := list(m[key]); len(parts) > 0 {
			one := r.read(parts[0], depth+1)
			for _, part := range parts[1:] {
				one = either(one, r.read(part, depth+1))
			}
			s = both(s, one, m["properties"] != nil)
		}
	}
	return s
}

// lookUp finds what a reference inside the document leads to.
func (r *reader) lookUp(ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	v := r.root
	for _, name := range pointer(path) {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func typesOf(m map[string]any) types {
	switch t := m["type"].(type) {
	case string:
		return typeOf(t)
	case []any:
		var out types
		for _, name := range texts(t) {
			out |= typeOf(name)
		}
		return out
	}
	values := list(m["enum"])
	if v, ok := m["const"]; ok {
		values = []any{v}
	}
	var out types
	for _, v := range values {
		out |= typeOfValue(v)
	}
	switch {
	case out != 0:
		return out
	case m["properties"] != nil:
		return object
	}
	return anything
}

func typeOfValue(v any) types {
	switch v.(type) {
	case string:
		return text
	case float64:
		return number | integer
	case bool:
		return boolean
	case nil:
		return null
	case []any:
		return array
	}
	return object
}

// both is what satisfies a and b. listed says that a lists its members.
func both(a, b *schema, listed bool) *schema {
	out := &schema{types: a.types & b.types, items: a.items, secret: a.secret || b.secret, rest: a.rest}
	if out.items == nil {
		out.items = b.items
	}
	if !listed {
		out.rest = b.rest
	}
	out.members = maps.Clone(a.members)
	for name, s := range b.members {
		if out.members == nil {
			out.members = map[string]*schema{}
		}
		if t, twice := out.members[name]; twice {
			s = both(t, s, t.members != nil)
		}
		out.members[name] = s
	}
	out.needs = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.needs, b.needs))))
	return out
}

// either is what satisfies a or b. What is a secret in one of them is one.
func either(a, b *schema) *schema {
	out := &schema{types: a.types | b.types, secret: a.secret || b.secret, rest: a.rest, members: maps.Clone(a.members), items: a.items}
	if out.rest == nil {
		out.rest = b.rest
	}
	if out.items == nil {
		out.items = b.items
	}
	for name, s := range b.members {
		if out.members == nil {
			out.members = map[string]*schema{}
		}
		if t, twice := out.members[name]; twice {
			s = either(t, s)
		}
		out.members[name] = s
	}
	for _, name := range a.needs {
		if slices.Contains(b.needs, name) {
			out.needs = append(out.needs, name)
		}
	}
	return out
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// texts are the strings of a list.
func texts(v any) []string {
	var out []string
	for _, x := range list(v) {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

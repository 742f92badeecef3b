package verifier

import (
	"maps"
	"slices"
	"strings"
)

// types is a set of JSON types.
type types uint8

const (
	object types = 1 << iota
	array
	text
	number
	integer
	boolean
	null
	anything = object | array | text | number | integer | boolean | null
)

// typeNames are in the order of the bits above.
func typeNames() []string {
	return []string{"object", "array", "string", "number", "integer", "boolean", "null"}
}

func typeOf(name string) types {
	if i := slices.Index(typeNames(), name); i >= 0 {
		return 1 << i
	}
	return anything
}

func (t types) String() string {
	var names []string
	for i, name := range typeNames() {
		if t&(1<<i) != 0 && 1<<i != null {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// fits reports whether a value of one of the types can be what want allows.
// Nothing is converted; an integer is a number.
func (t types) fits(want types) bool {
	if t&integer != 0 && want&number != 0 || t&^null == 0 {
		return true
	}
	return t&want&^null != 0
}

// schema is as much of a JSON Schema (draft 2020-12) as the shape of a value
// takes: types, members, which of them are required and which are secret.
type schema struct {
	types   types
	members map[string]*schema
	rest    *schema // of members that are not listed; nil: there are none
	items   *schema
	needs   []string // members that are required, sorted
	secret  bool     // a password
}

// open is the schema that allows everything, and everything inside.
func open() *schema {
	s := &schema{types: anything}
	s.rest = s
	return s
}

// at follows a path; nil when no value can be there.
func (s *schema) at(path []string) *schema {
	for _, name := range path {
		switch {
		case s == nil:
			return nil
		case s.members[name] != nil:
			s = s.members[name]
		case s.types&^null == array && s.items != nil:
			s = s.items
		case s.types&(object|array) == 0:
			return nil
		default:
			s = s.rest
		}
	}
	return s
}

// secrets lists where passwords lie in a value, by dotted path; "" is the value
// itself.
func (s *schema) secrets() []string {
	var out []string
	var look func(s *schema, at string, depth int)
	look = func(s *schema, at string, depth int) {
		if s == nil || depth > deepest {
			return
		}
		if s.secret {
			out = append(out, at)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(s.members)) {
			look(s.members[name], strings.TrimPrefix(at+"."+name, "."), depth+1)
		}
		look(s.items, at, depth+1)
	}
	look(s, "", 0)
	return out
}

// clash finds where a value of the schema cannot be what is wanted: the dotted
// path, and what is wrong there. Both are empty when nothing is.
func (s *schema) clash(want *schema, depth int) (at, wrong string) {
	if s == nil || want == nil || depth > deepest {
		return "", ""
	}
	if !s.types.fits(want.types) {
		return "", "is " + s.types.String() + " and should be " + want.types.String()
	}
	if s.types&^null != object {
		return "", ""
	}
	for _, name := range want.needs {
		if s.at([]string{name}) == nil {
			return name, "is required and never there"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.members)) {
		if inner, wrong := s.members[name].clash(want.members[name], depth+1); wrong != "" {
			return strings.TrimSuffix(name+"."+inner, "."), wrong
		}
	}
	return "", ""
}

// pointer splits a JSON Pointer. Source: RFC 6901.
func pointer(p string) []string {
	if p == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i, s := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	return parts
}

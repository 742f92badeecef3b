package placeholder

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/flow"
)

// maxDepth is how many objects and lists may lie inside each other.
const maxDepth = 32

// Fault is one thing that is wrong in a value.
type Fault struct {
	At      string // JSON pointer, "/user/id"; empty: the whole. Source: RFC 6901.
	Message string
}

// Faults is everything that is wrong in a value.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = strconv.Quote(x.At) + ": " + x.Message
	}
	return strings.Join(lines, "\n")
}

// Rules are the strings of a value that are more than text, by JSON pointer. What
// is put into them stays in its place.
type Rules struct {
	// Markup are HTML, in which values are escaped.
	Markup []string
	// Addresses are URLs, of which scheme, host and port are written out. A value
	// becomes one segment of the path, or a part of one, or the value of a
	// parameter; a URL in which it would be more, or no segment, comes to "". A
	// value that has any is sent somewhere: no text of it is left out for having
	// become too long, so that whoever sends it can refuse it.
	Addresses []string
	// Documents may be JSON, in which values are encoded. One that is a placeholder
	// and nothing else is.
	Documents []string
}

// Compile reads a decoded JSON value. rename, unless it is nil, says under which
// path a placeholder is found. The error is a Faults.
func Compile(value any, rename func(path []string) []string, rules Rules) (*Template, error) {
	c := compiler{rename: rename, rules: rules, keeps: len(rules.Addresses) > 0}
	t := &Template{root: c.node("", value, 1)}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	t.uses = c.uses
	return t, nil
}

type compiler struct {
	rename func([]string) []string
	rules  Rules
	keeps  bool // texts that become too long
	uses   []flow.Use
	faults Faults
}

// node compiles the value at a JSON pointer. What holds no placeholder stays the
// value that it is.
func (c *compiler) node(at string, value any, depth int) node {
	if depth > maxDepth {
		c.faults = append(c.faults, Fault{at, fmt.Sprintf("lies deeper than %d objects and lists", maxDepth)})
		return node{}
	}
	before := len(c.uses)
	var n node
	switch v := value.(type) {
	case string:
		return c.text(at, v)
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			n.members = append(n.members, member{name, c.node(at+"/"+escape(name), v[name], depth+1)})
		}
	case []any:
		for i, item := range v {
			n.items = append(n.items, c.node(at+"/"+strconv.Itoa(i), item, depth+1))
		}
	}
	if len(c.uses) == before {
		return node{literal: value}
	}
	return n
}

// escape is a name as an element of a JSON pointer. Source: RFC 6901 section 3.
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func (c *compiler) text(at, s string) node {
	parts, err := parse(s)
	if err == nil && slices.Contains(c.rules.Addresses, at) {
		err = writtenOut(parts)
	}
	if err != nil {
		return c.fault(at, err)
	}
	found := slices.ContainsFunc(parts, func(p part) bool { return p.path != nil })
	if found && slices.Contains(c.rules.Documents, at) {
		if n, is := c.document(at, s, parts); is {
			return n
		}
	}
	as := c.form(at)
	whole := len(parts) == 1 && found
	for i := range parts {
		if p := &parts[i]; p.path != nil {
			if c.rename != nil {
				p.path = c.rename(p.path)
			}
			c.uses = append(c.uses, flow.Use{At: at, Path: p.path, Whole: whole})
		}
	}
	switch {
	case !found:
		return node{literal: s}
	case whole && as == plain:
		return node{whole: parts[0].path}
	}
	return node{text: parts, as: as, kept: c.keeps}
}

func (c *compiler) form(at string) form {
	switch {
	case slices.Contains(c.rules.Markup, at):
		return markup
	case slices.Contains(c.rules.Addresses, at):
		return address
	}
	return plain
}

func (c *compiler) fault(at string, err error) node {
	c.faults = append(c.faults, Fault{at, err.Error()})
	return node{}
}

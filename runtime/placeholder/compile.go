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

// Compile reads a decoded JSON value. rename, unless it is nil, says under which
// path a placeholder is found. markup are JSON pointers to the strings that are
// HTML: what a placeholder puts in there is escaped. The error is a Faults.
func Compile(value any, rename func(path []string) []string, markup ...string) (*Template, error) {
	c := compiler{rename: rename, markup: markup}
	t := &Template{root: c.node("", value, 1)}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	t.uses = c.uses
	return t, nil
}

type compiler struct {
	rename func([]string) []string
	markup []string
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
	if err != nil {
		c.faults = append(c.faults, Fault{at, err.Error()})
		return node{}
	}
	whole := len(parts) == 1 && parts[0].path != nil
	found := false
	for i := range parts {
		if p := &parts[i]; p.path != nil {
			if c.rename != nil {
				p.path = c.rename(p.path)
			}
			found = true
			c.uses = append(c.uses, flow.Use{At: at, Path: p.path, Whole: whole})
		}
	}
	html := slices.Contains(c.markup, at)
	switch {
	case !found:
		return node{literal: s}
	case whole && !html:
		return node{whole: parts[0].path}
	}
	return node{text: parts, markup: html}
}

package placeholder

import (
	"html"

	"doorward/runtime/flow"
)

// maxText is how long a string may become that placeholders are put into, in
// bytes. One that would be longer comes to nothing; see Rules.Addresses.
const maxText = 64 << 10

// Template is a JSON value with placeholders. It is immutable and safe for
// concurrent use.
type Template struct {
	root node
	uses []flow.Use
}

// Value puts values in. find returns what a path stands for, nil for nothing.
// What comes to nothing is left out of its object or list. Parts without a
// placeholder are shared by all calls; nobody may change them.
func (t *Template) Value(find func(path []string) any) any { return t.root.value(find) }

// Resolve is Value of an object; nil of anything else.
func (t *Template) Resolve(find func(path []string) any) map[string]any {
	m, _ := t.root.value(find).(map[string]any)
	return m
}

// Uses lists every placeholder, in the order of the members' names.
func (t *Template) Uses() []flow.Use { return t.uses }

// node is one value of the template. Exactly one of its shapes is set; none is a
// literal.
type node struct {
	literal  any
	whole    []string // a placeholder that is the whole string
	text     []part   // a string with placeholders in it
	as       form     // what text is
	kept     bool     // text that has become too long comes to as much as there is of it
	document *node    // a string that is JSON with placeholders in it
	members  []member
	items    []node
}

// form is what a text is.
type form uint8

const (
	plain form = iota
	markup
	address
)

type member struct {
	name string
	node
}

func (n *node) value(find func([]string) any) any {
	switch {
	case n.whole != nil:
		return find(n.whole)
	case n.document != nil:
		return n.document.encoded(find)
	case n.text != nil && n.as == address:
		return n.address(find)
	case n.text != nil:
		return n.join(find)
	case n.members != nil:
		m := make(map[string]any, len(n.members))
		for i := range n.members {
			if v := n.members[i].value(find); v != nil {
				m[n.members[i].name] = v
			}
		}
		return m
	case n.items != nil:
		list := make([]any, 0, len(n.items))
		for i := range n.items {
			if v := n.items[i].value(find); v != nil {
				list = append(list, v)
			}
		}
		return list
	}
	return n.literal
}

// join is a string with its placeholders filled in. One that is too long is nil,
// or cut off behind what was too long.
func (n *node) join(find func([]string) any) any {
	var stack [256]byte
	b := stack[:0]
	for i := range n.text {
		p := &n.text[i]
		switch from := len(b); {
		case p.path == nil:
			b = append(b, p.text...)
		case n.as == markup:
			b = append(b, html.EscapeString(string(appendText(nil, find(p.path))))...)
		default:
			b = appendText(b[:from], find(p.path))
		}
		if len(b) > maxText {
			if n.kept {
				break
			}
			return nil
		}
	}
	return string(b)
}

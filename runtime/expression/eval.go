package expression

import (
	"maps"
	"slices"
)

// node is a part of an expression. this is the element at hand, or the root.
type node interface {
	eval(e *evaluation, this any) (any, error)
	position() int // in characters, from 1
}

type at int

func (a at) position() int { return int(a) }

type literal struct {
	at
	value any
}

func (n *literal) eval(*evaluation, any) (any, error) { return n.value, nil }

// this is the element that a selection or projection is at.
type this struct{ at }

func (n *this) eval(_ *evaluation, this any) (any, error) { return this, nil }

// group keeps a sum in brackets apart from the one around it.
type group struct {
	at
	node
}

func (n *group) position() int { return int(n.at) }

type property struct {
	at
	of   node
	name string
}

func (n *property) eval(e *evaluation, this any) (any, error) {
	v, err := e.eval(n.of, this)
	if err != nil {
		return nil, err
	}
	return member(int(n.at), v, n.name)
}

// member reads a member of an object. Of nothing it is nothing, and so is what a
// JSON object does not have; a map that the expression itself has written has what
// is asked, or it is an error. Source: reference/management.md 6.1.
func member(position int, v any, named string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v[named], nil
	case object:
		m, ok := v[named]
		if !ok {
			return nil, failed(position, "expected a property that the map has")
		}
		return m, nil
	}
	return nil, failed(position, "expected an object to read a property of, not %s", describe(v))
}

// element is what an index or a computed name reads.
type element struct {
	at
	of, key node
}

func (n *element) eval(e *evaluation, this any) (any, error) {
	v, err := e.eval(n.of, this)
	if err != nil || v == nil {
		return nil, err
	}
	key, err := e.eval(n.key, this)
	if err != nil {
		return nil, err
	}
	if m, ok := members(v); ok {
		if key == nil {
			return nil, nil
		}
		k, err := e.text(int(n.at), key)
		return m[k], err
	}
	i, ok := whole(norm(key))
	items, isList := elements(v)
	s, isText := v.(string)
	switch {
	case !isList && !isText:
		return nil, failed(int(n.at), "expected a list or an object to read an element of, not %s", describe(v))
	case !ok:
		return nil, failed(int(n.at), "expected a whole number between the brackets, not %s", describe(key))
	case isText:
		return e.character(int(n.at), s, i)
	case i < 0 || i >= int64(len(items)):
		return nil, failed(int(n.at), "expected an index from 0 to less than the %d elements of the list", len(items))
	}
	return items[i], nil
}

func (e *evaluation) character(position int, s string, i int64) (any, error) {
	if err := e.work(position, len(s)); err != nil {
		return nil, err
	}
	for _, r := range s {
		if i == 0 {
			return string(r), nil
		}
		i--
	}
	return nil, failed(position, "expected an index inside the string")
}

// which says what a selection makes of the elements.
type which uint8

const (
	all which = iota
	first
	last
	projected
)

type selection struct {
	at
	of    node
	each  node
	which which
}

func (n *selection) eval(e *evaluation, this any) (any, error) {
	v, err := e.eval(n.of, this)
	if err != nil || v == nil {
		return nil, err
	}
	items, ok := elements(v)
	m, isMap := members(v)
	if !ok && !isMap {
		return nil, failed(int(n.at), "expected a list or an object to go through, not %s", describe(v))
	}
	if isMap {
		if items, err = e.entries(int(n.at), m); err != nil {
			return nil, err
		}
	}
	chosen := make(list, 0, min(len(items), 16))
	for i := range items {
		v := items[i]
		if n.which == last {
			v = items[len(items)-1-i]
		}
		made, err := e.eval(n.each, v)
		if err != nil {
			return nil, err
		}
		if n.which == projected {
			v = made
		} else if is, ok := made.(bool); !ok {
			return nil, failed(n.each.position(), "expected true or false for each element, not %s", describe(made))
		} else if !is {
			continue
		}
		if err := e.hold(int(n.at), 1); err != nil {
			return nil, err
		}
		if chosen = append(chosen, v); n.which == first || n.which == last {
			break
		}
	}
	return n.outcome(chosen, isMap), nil
}

// outcome is a list, or of a map the map of the entries that were chosen. The first
// and the last are the element itself, or nothing.
func (n *selection) outcome(chosen list, isMap bool) any {
	switch {
	case n.which == projected || n.which == all && !isMap:
		return chosen
	case isMap:
		m := make(object, len(chosen))
		for _, v := range chosen {
			m[v.(object)["key"].(string)] = v.(object)["value"]
		}
		return m
	case len(chosen) == 0:
		return nil
	}
	return chosen[0]
}

// entries are the members of a map as elements with key and value, in the order of
// their names.
func (e *evaluation) entries(position int, m map[string]any) ([]any, error) {
	if err := e.hold(position, 3*len(m)); err != nil {
		return nil, err
	}
	items := make([]any, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		items = append(items, object{"key": k, "value": m[k]})
	}
	return items, nil
}

type listing struct {
	at
	items []node
}

func (n *listing) eval(e *evaluation, this any) (any, error) {
	if err := e.hold(int(n.at), len(n.items)); err != nil {
		return nil, err
	}
	l := make(list, len(n.items))
	for i, item := range n.items {
		v, err := e.eval(item, this)
		if err != nil {
			return nil, err
		}
		l[i] = v
	}
	return l, nil
}

type mapping struct {
	at
	keys, values []node
}

// eval leaves out what has nothing for a key.
func (n *mapping) eval(e *evaluation, this any) (any, error) {
	if err := e.hold(int(n.at), len(n.keys)); err != nil {
		return nil, err
	}
	m := make(object, len(n.keys))
	for i, key := range n.keys {
		k, err := e.eval(key, this)
		if err != nil {
			return nil, err
		}
		v, err := e.eval(n.values[i], this)
		if err != nil {
			return nil, err
		}
		if k == nil {
			continue
		}
		s, err := e.text(key.position(), k)
		if err != nil {
			return nil, err
		}
		m[s] = v
	}
	return m, nil
}

type calling struct {
	at
	name string
	run  func(*call) any
	args []node
}

func (n *calling) eval(e *evaluation, this any) (any, error) {
	c := call{e: e, at: int(n.at), name: n.name, args: make([]any, len(n.args))}
	for i, arg := range n.args {
		v, err := e.eval(arg, this)
		if err != nil {
			return nil, err
		}
		c.args[i] = norm(v)
	}
	v := n.run(&c)
	if c.err != nil {
		return nil, c.err
	}
	return v, nil
}

package management

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"doorward/wire"
)

// object is a JSON object whose members stay in their order.
type object []member

type member struct {
	name  string
	value any
}

// with appends a member.
func (o object) with(name string, value any) object { return append(o, member{name, value}) }

// text appends a member unless it is empty.
func (o object) text(name, value string) object {
	if value == "" {
		return o
	}
	return append(o, member{name, value})
}

// time appends a time unless it is zero, in UTC with milliseconds.
// Source: reference/flows.md 2.1.
func (o object) time(name string, t time.Time) object {
	if t.IsZero() {
		return o
	}
	return append(o, member{name, wire.Timestamp(t)})
}

// body appends the members of a JSON object, by name, but those named.
func (o object) body(raw []byte, but ...string) object {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m) // was checked when it was kept
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(but, name) {
			o = o.with(name, m[name])
		}
	}
	return o
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, encode(m.name)...), ':'), encode(m.value)...)
	}
	return append(b, '}'), nil
}

// encode writes text as it is, without escapes for HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // cannot fail: strings, numbers, flags, lists, objects and JSON that was checked
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// links is the member _links: relations and absolute addresses, in pairs.
func links(pairs ...string) object {
	var o object
	for pair := range slices.Chunk(pairs, 2) {
		o = o.link(pair[0], pair[1])
	}
	return o
}

// link appends a relation.
func (o object) link(rel, href string) object {
	return append(o, member{rel, object{{"href", href}}})
}

// relation is a member that names another resource. Source:
// reference/management.md 7.2.
func relation(id string) object { return object{{"id", id}} }

// base is the address of the environment. Addresses are built from what is
// configured, never from a request.
func (c *call) base() string {
	return c.bundle.Environment().APIBase + prefix + "/" + c.env
}

// self is the address that was asked for.
func (c *call) self() string { return c.bundle.Environment().APIBase + c.URL.Path }

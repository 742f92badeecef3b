package configs

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// entry is one document of an environment, as it is or as it is to be.
type entry struct {
	kind    *Kind
	id      string
	name    string
	place   string // its file, or what it is called; empty: it is what is being written
	body    []byte // canonical JSON, without secrets and without what is not kept
	doc     document
	alone   policy.Faults     // what is wrong with it by itself
	secrets map[string]string // by member, as far as there are any
	links   []link            // kept by tree.links
}

// parse reads a document of the kind. What cannot be read leaves an empty one and
// a fault.
func (k *Kind) parse(place string, raw []byte) *entry {
	e := &entry{kind: k, place: place, secrets: map[string]string{}}
	body, faults := canonical(raw)
	if body == nil {
		e.doc, _ = k.read([]byte("{}"), standIn)
		e.alone = faults
		return e
	}
	m := object{}
	whole := json.Unmarshal(body, &m) == nil && m != nil
	if whole {
		k.strip(m)
		if k.completes != nil {
			k.completes(m)
		}
		if k.seals != nil {
			e.secrets, faults = k.seals(m)
		}
		body = encode(m)
	}
	e.doc, e.alone = k.read(body, standIn)
	e.doc.check(&e.alone)
	e.alone = append(e.alone, faults...)
	if !k.borrows() {
		e.id, e.name = e.doc.key()
		say(&e.alone, root.Member("id"), uuidFault(e.id))
	}
	k.checkParts(m, root, &e.alone)
	for _, name := range k.secrets {
		var s string
		if json.Unmarshal(m[name], &s) == nil && s != "" {
			e.secrets[name] = s
		}
		delete(m, name)
	}
	if e.body = body; whole {
		e.body = encode(m)
	}
	return e
}

// stored is the entry of a resource that the store holds.
func (k *Kind) stored(r flow.Resource, secrets map[string][]byte) *entry {
	e := k.parse("", r.Body)
	e.id = r.ID
	e.place = k.Title + " " + r.ID
	if e.name != "" {
		e.place = k.Title + " " + quoted(e.name)
	}
	e.secrets = k.sealed(e.id, secrets)
	return e
}

// resource is what the store keeps of it.
func (e *entry) resource(env string) flow.Resource {
	return flow.Resource{Env: env, Kind: e.kind.Name, ID: e.id, Body: e.body}
}

// members are those of the body; none when it is no object.
func (e *entry) members() object {
	m := object{}
	_ = json.Unmarshal(e.body, &m) // what is no object has been reported
	return m
}

// standard reports whether it is the default one of its kind.
func (e *entry) standard() bool {
	s, ok := e.doc.(interface{ standard() bool })
	return ok && s.standard()
}

// borrows reports whether a document has no id but its environment's.
func (k *Kind) borrows() bool { return k.Singleton && k.Name != kindEnvironment }

// strip removes what is shown and not kept, in the parts too.
func (k *Kind) strip(m object) {
	for _, name := range k.own() {
		delete(m, name)
	}
	if k.omits != nil {
		k.omits(m)
	}
	for _, p := range k.Parts {
		if list, ok := parts(m, p.Collection); ok {
			for _, part := range list {
				p.strip(part)
			}
			m[p.Collection] = raw(list)
		}
	}
}

// shaped is a value with what fn makes of each scalar in it, walked along the
// type that it is read into. What that type takes as it is stays as it is.
func shaped(node any, t reflect.Type, fn func(node any, t reflect.Type) any) any {
	if t == reflect.TypeFor[json.RawMessage]() {
		return node
	}
	switch v := node.(type) {
	case map[string]any:
		for name, member := range v {
			if in := memberType(t, name); in != nil {
				v[name] = shaped(member, in, fn)
			}
		}
	case []any:
		for i, element := range v {
			if t.Kind() == reflect.Slice {
				v[i] = shaped(element, t.Elem(), fn)
			}
		}
	default:
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		return fn(node, t)
	}
	return node
}

// memberType is the type that a member of an object is read into; nil: none.
func memberType(t reflect.Type, name string) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("json") == name {
			return t.Field(i).Type
		}
	}
	return nil
}

// normal is a body in which what may be written in several ways is written in
// one, null is left out, and addresses are what fn makes of them.
func (k *Kind) normal(body []byte, fn func(address string) string) []byte {
	var node any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if k.shape == nil || dec.Decode(&node) != nil {
		return body
	}
	node = shaped(node, k.shape, func(node any, t reflect.Type) any {
		switch v := node.(type) {
		case string:
			if t == reflect.TypeFor[flag]() && (v == "true" || v == "false") {
				return v == "true"
			}
			if t == reflect.TypeFor[address]() {
				return fn(v)
			}
		case json.Number:
			if t == reflect.TypeFor[count]() {
				return truncated(v)
			}
		}
		return node
	})
	if m, ok := node.(map[string]any); ok {
		for name, v := range m {
			if v == nil {
				delete(m, name)
			}
		}
	}
	b, err := json.Marshal(node)
	if err != nil {
		return body
	}
	out, _ := canonical(b) // cannot fail: it was just written
	return out
}

// based are the addresses of a body that are written with "{base}", by what they
// are with base in its place.
func (k *Kind) based(body []byte, base string) map[string]string {
	out := map[string]string{}
	k.normal(body, func(a string) string {
		if strings.Contains(a, "{base}") {
			out[strings.ReplaceAll(a, "{base}", base)] = a
		}
		return a
	})
	return out
}

// encode is an object as canonical JSON.
func encode(m object) []byte {
	b, _ := json.Marshal(m) // cannot fail: the values were JSON
	out, _ := canonical(b)
	return out
}

// raw is a value as JSON. It is for what cannot fail.
func raw(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

func quoted(s string) string { return string(raw(s)) }

// text is a member of an object that is a string, or a number as it is written.
func text(m object, name string) string {
	var s string
	if json.Unmarshal(m[name], &s) != nil {
		return string(m[name])
	}
	return s
}

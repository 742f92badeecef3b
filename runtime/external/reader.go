package external

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"doorward/runtime/condition"
	"doorward/runtime/flow"
)

// object is a JSON object that is being read. A member that is null counts as
// left out. Each method adds a fault for what is not as it has to be, and returns
// the zero value then.
type object struct {
	at      condition.Path
	members map[string]json.RawMessage
	read    map[string]bool
	faults  *condition.Faults
}

// open reads the object at a path; not ok and a fault when it is none. raw is
// canonical.
func open(at condition.Path, raw json.RawMessage, faults *condition.Faults) (object, bool) {
	o := object{at: at, read: map[string]bool{}, faults: faults}
	if raw[0] != '{' || json.Unmarshal(raw, &o.members) != nil {
		faults.Add(at, "takes an object")
		return o, false
	}
	return o, true
}

func (o *object) wrong(name, message string) { o.faults.Add(o.at.Member(name), message) }

// take is a member that is there and not null.
func (o *object) take(name string) (json.RawMessage, bool) {
	o.read[name] = true
	raw, ok := o.members[name]
	return raw, ok && string(raw) != "null"
}

// ignore names members that may be there and say nothing to us.
func (o *object) ignore(names ...string) {
	for _, n := range names {
		o.read[n] = true
	}
}

// end reports the members that nobody asked for.
func (o *object) end(what string) {
	for _, name := range o.names() {
		if !o.read[name] {
			o.wrong(name, "is no member of "+what)
		}
	}
}

func (o *object) names() []string { return slices.Sorted(maps.Keys(o.members)) }

func (o *object) need(name string) bool {
	if raw, ok := o.take(name); !ok || string(raw) == `""` {
		o.faults.AddCode(o.at.Member(name), flow.RequiredValue, "is required")
		return false
	}
	return true
}

// text is a string of at most so many characters.
func (o *object) text(name string, most int) string {
	raw, ok := o.take(name)
	if !ok {
		return ""
	}
	var s string
	switch {
	case raw[0] != '"' || json.Unmarshal(raw, &s) != nil:
		o.wrong(name, "takes a string")
	case len([]rune(s)) > most:
		o.faults.AddCode(o.at.Member(name), flow.SizeLimitExceeded, "takes at most "+strconv.Itoa(most)+" characters")
	default:
		return s
	}
	return ""
}

// prose is a text of what a name may have in it. Source: reference/management.md
// 1.2, ^[\p{L}\p{M}\p{N}\p{Zs}\p{P}]+$.
func (o *object) prose(name string, most int) string {
	s := o.text(name, most)
	strange := func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Zs, unicode.P) }
	if strings.ContainsFunc(s, strange) {
		o.wrong(name, "takes letters, marks, digits, spaces and punctuation; symbols such as + and < are none")
		return ""
	}
	return s
}

// one is one of some words.
func (o *object) one(name string, of ...string) string {
	raw, ok := o.take(name)
	if !ok {
		return ""
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil || !slices.Contains(of, s) {
		o.wrong(name, "takes one of "+strings.Join(of, ", "))
		return ""
	}
	return s
}

// object is a member that is one.
func (o *object) object(name string) (object, bool) {
	raw, ok := o.take(name)
	if !ok {
		return object{}, false
	}
	return open(o.at.Member(name), raw, o.faults)
}

// list is a member of at most so many elements.
func (o *object) list(name string, most int) []json.RawMessage {
	raw, ok := o.take(name)
	if !ok {
		return nil
	}
	var list []json.RawMessage
	switch {
	case raw[0] != '[' || json.Unmarshal(raw, &list) != nil:
		o.wrong(name, "takes a list")
	case len(list) > most:
		o.faults.AddCode(o.at.Member(name), flow.SizeLimitExceeded, "takes at most "+strconv.Itoa(most))
	}
	return list
}

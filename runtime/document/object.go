package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/flow"
)

// Object is a JSON object that is being read. A member that is null counts as left
// out. Each method adds a fault for what is not as it has to be, and returns the
// zero value then.
type Object struct {
	At     Path
	Faults *Faults

	members map[string]json.RawMessage
	read    map[string]bool
}

// Open reads the object at a path; not ok and a fault when it is none. raw is valid
// JSON.
func Open(at Path, raw json.RawMessage, faults *Faults) (Object, bool) {
	o := Object{At: at, Faults: faults, members: map[string]json.RawMessage{}, read: map[string]bool{}}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, _ := dec.Token(); t != json.Delim('{') {
		faults.Add(at, "takes an object")
		return o, false
	}
	for dec.More() {
		t, _ := dec.Token() // cannot fail here or below: the document is valid
		name, _ := t.(string)
		var v json.RawMessage
		_ = dec.Decode(&v)
		if _, twice := o.members[name]; twice {
			faults.Add(at.Member(name), "is there twice")
		}
		o.members[name] = v
	}
	return o, true
}

// Wrong says what is wrong with a member.
func (o *Object) Wrong(name, message string) { o.Faults.Add(o.At.Member(name), message) }

// Take is a member that is there and not null.
func (o *Object) Take(name string) (json.RawMessage, bool) {
	o.read[name] = true
	raw, ok := o.members[name]
	return raw, ok && string(raw) != "null"
}

// Ignore names members that may be there and say nothing to us.
func (o *Object) Ignore(names ...string) {
	for _, n := range names {
		o.read[n] = true
	}
}

// End reports the members that nobody asked for.
func (o *Object) End(what string) {
	for _, name := range o.Names() {
		if !o.read[name] {
			o.Wrong(name, "is no member of "+what)
		}
	}
}

// Names are those of all members, sorted.
func (o *Object) Names() []string { return slices.Sorted(maps.Keys(o.members)) }

// Need reports whether a member is there and not empty.
func (o *Object) Need(name string) bool {
	if raw, ok := o.Take(name); !ok || string(raw) == `""` {
		o.Faults.AddCode(o.At.Member(name), flow.RequiredValue, "is required")
		return false
	}
	return true
}

// Text is a string of at most so many characters.
func (o *Object) Text(name string, most int) string {
	raw, ok := o.Take(name)
	if !ok {
		return ""
	}
	var s string
	switch {
	case raw[0] != '"' || json.Unmarshal(raw, &s) != nil:
		o.Wrong(name, "takes a string")
	case len([]rune(s)) > most:
		o.Faults.AddCode(o.At.Member(name), flow.SizeLimitExceeded, "takes at most "+strconv.Itoa(most)+" characters")
	default:
		return s
	}
	return ""
}

// Flag is true or false.
func (o *Object) Flag(name string) bool {
	raw, ok := o.Take(name)
	if !ok {
		return false
	}
	if s := string(raw); s != "true" && s != "false" {
		o.Wrong(name, "takes true or false")
	}
	return string(raw) == "true"
}

// Number is a whole number in a range; the least where it is not in it.
func (o *Object) Number(name string, least, most int) int {
	raw, ok := o.Take(name)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil || n < least || n > most {
		o.Wrong(name, fmt.Sprintf("takes a whole number from %d to %d", least, most))
		return least
	}
	return n
}

// One is one of some words.
func (o *Object) One(name string, of ...string) string {
	raw, ok := o.Take(name)
	if !ok {
		return ""
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil || !slices.Contains(of, s) {
		o.Wrong(name, "takes one of "+strings.Join(of, ", "))
		return ""
	}
	return s
}

// Object is a member that is one.
func (o *Object) Object(name string) (Object, bool) {
	raw, ok := o.Take(name)
	if !ok {
		return Object{}, false
	}
	return Open(o.At.Member(name), raw, o.Faults)
}

// List is a member of at most so many elements.
func (o *Object) List(name string, most int) []json.RawMessage {
	raw, ok := o.Take(name)
	if !ok {
		return nil
	}
	var list []json.RawMessage
	switch {
	case raw[0] != '[' || json.Unmarshal(raw, &list) != nil:
		o.Wrong(name, "takes a list")
	case len(list) > most:
		o.Faults.AddCode(o.At.Member(name), flow.SizeLimitExceeded, "takes at most "+strconv.Itoa(most))
	}
	return list
}

package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/condition"
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

// open reads the object at a path; not ok and a fault when it is none.
func open(at condition.Path, raw json.RawMessage, faults *condition.Faults) (object, bool) {
	o := object{at: at, members: map[string]json.RawMessage{}, read: map[string]bool{}, faults: faults}
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
	var strange []string
	for name := range o.members {
		if !o.read[name] {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	for _, name := range strange {
		o.wrong(name, "is no member of "+what)
	}
}

func (o *object) need(name string) bool {
	if raw, ok := o.take(name); !ok || string(raw) == `""` {
		o.faults.AddCode(o.at.Member(name), "REQUIRED_VALUE", "is required")
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
		o.wrong(name, "takes at most "+strconv.Itoa(most)+" characters")
	default:
		return s
	}
	return ""
}

func (o *object) flag(name string) bool {
	raw, ok := o.take(name)
	if !ok {
		return false
	}
	if s := string(raw); s != "true" && s != "false" {
		o.wrong(name, "takes true or false")
	}
	return string(raw) == "true"
}

func (o *object) number(name string, least, most int) int {
	raw, ok := o.take(name)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil || n < least || n > most {
		o.wrong(name, fmt.Sprintf("takes a whole number from %d to %d", least, most))
		return least
	}
	return n
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

func (o *object) list(name string) []json.RawMessage {
	raw, ok := o.take(name)
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		o.wrong(name, "takes a list")
	}
	return list
}

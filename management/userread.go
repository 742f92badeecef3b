package management

import (
	"maps"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// userEdit is what a document says that a user is to be.
type userEdit struct {
	set        map[string]string // attributes by path
	cleared    map[string]bool   // attributes that were sent as null
	population string            // id; empty: not said

	// Of an import only.
	password    string
	forceChange bool
	unverified  bool
	silent      bool // no verification code is sent
}

// manner is how a document about a user is sent.
type manner uint8

const (
	creating manner = iota
	importing
	replacing
	patching
)

// reader reads one document about a user and collects everything that is wrong.
type reader struct {
	manner manner
	edit   userEdit
	faults []flow.Detail
}

// readUser is the one decoder of a user document. It takes the members of 5.3,
// ignores those that a client has read and may send back, and refuses all others,
// so that nothing is ever set because it was sent. Source:
// reference/management.md 5.3.
func readUser(v flow.Values, m manner) (userEdit, []flow.Detail) {
	r := &reader{manner: m, edit: userEdit{set: map[string]string{}, cleared: map[string]bool{}}}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		r.member(name, v[name])
	}
	for _, a := range attributes() {
		r.attribute(a, v)
	}
	for _, group := range groups() {
		r.strangers(group, v[group])
	}
	return r.edit, r.faults
}

// ignored are members of an answer that may be sent back.
// Source: reference/management.md 5.3 (RO) and 10.
func ignored() []string {
	return []string{
		"_links", "_embedded", "id", "environment", "createdAt", "updatedAt", "enabled", "memberOfGroupIDs", "memberOfGroupNames",
		"lastSignOn", "account", "verifyStatus", "mfaEnabled",
	}
}

// member reads what is no text.
func (r *reader) member(name string, value any) {
	made := r.manner == creating || r.manner == importing
	switch {
	case slices.Contains(ignored(), name), !made && (name == "emailVerified" || name == "lifecycle" || name == "identityProvider"):
	case name == "population":
		r.population(value)
	case name == "emailVerified":
		if value != nil && value != false {
			r.fault(flow.InvalidValue, name, "emailVerified takes false; a person shows with a code that an address is theirs.")
		}
	case name == "identityProvider":
		if m, is := value.(map[string]any); value != nil && (!is || m["id"] != nil || m["type"] != nil && m["type"] != "PING_ONE") {
			r.fault(flow.InvalidValue, name, "There are no identity providers; leave identityProvider out.")
		}
	case name == "lifecycle" && r.manner == importing:
		r.lifecycle(value)
	case name == "password" && r.manner == importing:
		r.password(value)
	case name == "lifecycle" || name == "password":
		r.fault(flow.InvalidValue, name, name+" is taken by an import only; see the media type user.import+json, and password.set+json for a password.")
	case slices.Contains(groups(), name), !strings.Contains(name, ".") && slices.ContainsFunc(attributes(), func(a attribute) bool { return a.Name == name }):
	default:
		r.fault(flow.InvalidValue, printable(name), "A user has no such attribute.")
	}
}

func (r *reader) fault(code, target, message string) {
	r.faults = append(r.faults, flow.Detail{Code: code, Target: target, Pointer: pointer(target), Message: message})
}

// attribute reads a text. null clears it, also null for the whole group.
func (r *reader) attribute(a attribute, v flow.Values) {
	group, name, inside := strings.Cut(a.Name, ".")
	value, sent := v[group]
	if m, is := value.(map[string]any); inside && is {
		value, sent = m[name]
	} else if inside && value != nil {
		return // strangers says so
	}
	switch {
	case a.Name == "username" && value == nil && (sent || r.manner != patching):
		r.fault(flow.RequiredValue, a.Name, "A value for username is required.")
	case !sent:
	case value == nil:
		r.edit.cleared[a.Name] = true
	default:
		s, fault := a.judge(value)
		if fault != nil {
			r.faults = append(r.faults, *fault)
			return
		}
		r.edit.set[a.Name] = s
	}
}

// strangers refuses what is no member of a group.
func (r *reader) strangers(group string, value any) {
	m, is := value.(map[string]any)
	if !is {
		if value != nil {
			r.fault(flow.InvalidValue, group, group+" takes an object.")
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if path := group + "." + name; !slices.ContainsFunc(attributes(), func(a attribute) bool { return a.Name == path }) {
			r.fault(flow.InvalidValue, printable(path), group+" has no such attribute.")
		}
	}
}

func (r *reader) population(value any) {
	if value == nil {
		return
	}
	m, is := value.(map[string]any)
	id, text := m["id"].(string)
	if !is || !text || !isID(id) {
		r.fault(flow.InvalidValue, "population.id", "population takes the id of a population.")
		return
	}
	r.edit.population = id
}

// Source: reference/management.md 5.3 (lifecycle).
func (r *reader) lifecycle(value any) {
	v, is := value.(map[string]any)
	if !is {
		if value != nil {
			r.fault(flow.InvalidValue, "lifecycle", "lifecycle takes an object.")
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch at := "lifecycle." + name; {
		case v[name] == nil:
		case name == "status" && v[name] == "VERIFICATION_REQUIRED":
			r.edit.unverified = true
		case name == "status" && v[name] == "ACCOUNT_OK":
		case name == "status":
			r.fault(flow.InvalidValue, at, "lifecycle.status takes ACCOUNT_OK or VERIFICATION_REQUIRED.")
		case name == "suppressVerificationCode":
			silent, is := v[name].(bool)
			if r.edit.silent = silent; !is {
				r.fault(flow.InvalidValue, at, at+" takes true or false.")
			}
		default:
			r.fault(flow.InvalidValue, printable(at), "lifecycle has no such member.")
		}
	}
}

// passwordMost is the longest password in clear, or as another system has hashed
// it, in characters.
const passwordMost = 1024

// Source: reference/management.md 5.3 (password).
func (r *reader) password(value any) {
	v, is := value.(map[string]any)
	if !is {
		if value != nil {
			r.fault(flow.InvalidValue, "password", "password takes an object.")
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch at := "password." + name; {
		case v[name] == nil:
		case name == "value":
			text, is := v[name].(string)
			if r.edit.password = text; !is || text == "" || len(text) > passwordMost {
				r.fault(flow.InvalidValue, at, "password.value takes a password in clear or as it was hashed, of at most 1024 bytes.")
			}
		case name == "forceChange":
			force, is := v[name].(bool)
			if r.edit.forceChange = force; !is {
				r.fault(flow.InvalidValue, at, at+" takes true or false.")
			}
		case name == "external":
			r.fault(flow.InvalidValue, at, "There are no gateways; import the password itself, as it was hashed.")
		default:
			r.fault(flow.InvalidValue, printable(at), "password has no such member.")
		}
	}
}

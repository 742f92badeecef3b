package external

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// Seal takes out of a document what is kept apart from it: the credentials of
// authSchemes, and the values of secrets where it has any, as a file does. rest is
// the document without them, where secrets are their names. sealed is by the names
// that Secrets is asked with: "authSchemes/NAME/token", "secrets/NAME".
//
// faults are those of what was taken out; Compile has those of the rest, which it
// finds in either. What cannot be read stays as it is, for Compile to report. A
// credential that is left out is no fault: it may be kept already (Credentials).
func Seal(body json.RawMessage) (rest json.RawMessage, sealed map[string]string, faults document.Faults) {
	sealed = map[string]string{}
	canonical, err := document.Canonical(body)
	if err != nil {
		return body, sealed, nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(canonical, &members) != nil || members == nil {
		return body, sealed, nil
	}
	s := sealer{sealed, &faults}
	s.each(members, "authSchemes", s.scheme)
	s.each(members, "secrets", s.secret)
	rest, _ = json.Marshal(members) // cannot fail: it was JSON
	return rest, sealed, faults
}

// SealSecrets reads the body by which secrets are set: {"secrets": [{"name",
// "value"}]}. names are all of them; sealed has those with a value. One without is
// to be kept as it is, and is a fault if there is none. Source:
// reference/management.md 1.5.
func SealSecrets(body json.RawMessage) (names []string, sealed map[string]string, err error) {
	canonical, err := document.Canonical(body)
	if err != nil {
		return nil, nil, err
	}
	var faults document.Faults
	sealed = map[string]string{}
	o, ok := document.Open(document.Root, canonical, &faults)
	if ok && o.Need("secrets") {
		s := sealer{sealed, &faults}
		for i, raw := range o.List("secrets", maxSecrets) {
			at := o.At.Member("secrets").Index(i)
			if _, ok := document.Open(at, raw, &faults); !ok {
				continue
			}
			var name string
			_ = json.Unmarshal(s.secret(at, raw), &name) // stays an object where it has faults
			if slices.Contains(names, name) && name != "" {
				faults.AddCode(at.Member("name"), flow.UniquenessViolation, "is the name of another secret of this service")
			}
			names = append(names, name)
		}
		o.Ignore("_links", "environment", "externalService")
		o.End("secrets")
	}
	return names, sealed, faults.Err()
}

// sealer takes secrets out of members.
type sealer struct {
	sealed map[string]string
	faults *document.Faults
}

// each replaces the elements of a list by what take leaves of them.
func (s sealer) each(members map[string]json.RawMessage, name string, take func(document.Path, json.RawMessage) json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(members[name], &list) != nil || list == nil {
		return
	}
	for i, raw := range list {
		list[i] = take(document.Root.Member(name).Index(i), raw)
	}
	members[name], _ = json.Marshal(list)
}

// scheme leaves no member that may hold a credential, of whatever type it is.
func (s sealer) scheme(at document.Path, raw json.RawMessage) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		return raw
	}
	var name, kind string
	_, _ = json.Unmarshal(m["name"], &name), json.Unmarshal(m["type"], &kind) // else empty, which Compile reports
	for _, member := range []string{"key", "token", "password", "clientSecret"} {
		value, is := m[member]
		delete(m, member)
		switch {
		case !is || string(value) == "null":
		case member != credential(kind):
			if credential(kind) != "" {
				s.faults.Add(at.Member(member), "is no member of an authentication scheme of type "+kind)
			}
		default:
			s.keep(at.Member(member), sealedAs(name, kind), value, kind != oauth && kind != basic)
		}
	}
	rest, _ := json.Marshal(m)
	return rest
}

// secret leaves the name of a secret that has a value.
func (s sealer) secret(at document.Path, raw json.RawMessage) json.RawMessage {
	if raw[0] != '{' {
		return raw // a name, or wrong
	}
	before := len(*s.faults)
	o, _ := document.Open(at, raw, s.faults)
	name := ""
	if o.Need("name") {
		name = prose(&o, "name", maxName)
	}
	if value, is := o.Take("value"); is && name != "" {
		s.keep(at.Member("value"), "secrets/"+name, value, false)
	}
	o.End("a secret, which has name and value")
	if len(*s.faults) > before {
		name = ""
	}
	rest, _ := json.Marshal(name)
	return rest
}

// keep takes one value. One that is sent in a header as it is holds nothing that
// ends it.
func (s sealer) keep(at document.Path, name string, raw json.RawMessage, header bool) {
	var value string
	switch {
	case json.Unmarshal(raw, &value) != nil:
		s.faults.Add(at, "takes a string")
	case value == "":
		s.faults.AddCode(at, flow.RequiredValue, "is required")
	case len(value) > maxSecret:
		s.faults.AddCode(at, flow.SizeLimitExceeded, fmt.Sprintf("takes at most %d bytes", maxSecret))
	case header && (ValueFault(value) != "" || unicode.IsSpace(rune(value[0])) || unicode.IsSpace(rune(value[len(value)-1]))):
		s.faults.Add(at, "begins or ends with a space, or holds a line break or another control character")
	default:
		s.sealed[name] = value
	}
}

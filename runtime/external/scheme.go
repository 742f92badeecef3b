package external

import (
	"encoding/json"
	"slices"
	"strings"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// scheme is how a request says who is calling, without the credential. Source:
// reference/management.md 1.3.
type scheme struct {
	name, kind string
	header     string // that it is sent in
	user       string // of BASIC; the client's id of OAUTH_2
	endpoint   Address
	scope      string
	posted     bool // client_secret_post
}

// credential is the member that holds what is secret of a type; empty: no type.
func credential(kind string) string {
	switch kind {
	case apiKey:
		return "key"
	case bearer:
		return "token"
	case basic:
		return "password"
	case oauth:
		return "clientSecret"
	}
	return ""
}

// sealedAs is the name that a scheme's credential is kept under.
func sealedAs(name, kind string) string { return "authSchemes/" + name + "/" + credential(kind) }

func (c *compiler) schemes(o *document.Object) {
	at := o.At.Member("authSchemes")
	for i, raw := range o.List("authSchemes", maxSchemes) {
		one, ok := document.Open(at.Index(i), raw, &c.faults)
		if !ok {
			continue
		}
		s := c.scheme(&one)
		if slices.ContainsFunc(c.s.schemes, func(t scheme) bool { return t.name == s.name }) && s.name != "" {
			c.faults.AddCode(one.At.Member("name"), flow.UniquenessViolation, "is the name of another scheme of this service")
		}
		c.s.schemes = append(c.s.schemes, s)
	}
}

func (c *compiler) scheme(o *document.Object) scheme {
	s := scheme{header: "Authorization"}
	if o.Need("name") {
		s.name = prose(o, "name", maxName)
	}
	if o.Need("type") {
		s.kind = o.One("type", apiKey, bearer, basic, oauth)
	}
	o.Ignore("key", "token", "password", "clientSecret") // for Seal to judge
	switch s.kind {
	case apiKey:
		if name := o.Text("header", 100); name != "" {
			if s.header = name; HeaderFault(name) != "" {
				o.Wrong("header", HeaderFault(name))
			}
		}
	case basic:
		if o.Need("username") {
			if s.user = o.Text("username", maxName); strings.Contains(s.user, ":") || ValueFault(s.user) != "" {
				o.Wrong("username", "takes no colon and no control characters")
			}
		}
	case oauth:
		c.oauth(o, &s)
	case "":
		o.Ignore("header", "username", "tokenEndpointAuthType", "scope", "tokenEndpoint", "clientId")
	}
	o.End("an authentication scheme of type " + s.kind)
	return s
}

func (c *compiler) oauth(o *document.Object, s *scheme) {
	if o.Need("tokenEndpointAuthType") {
		s.posted = o.One("tokenEndpointAuthType", "client_secret_basic", "client_secret_post") == "client_secret_post"
	}
	if o.Need("tokenEndpoint") {
		if text := o.Text("tokenEndpoint", maxURL); text != "" {
			var complaint string
			if s.endpoint, complaint = ReadAddress(text); complaint != "" {
				o.Wrong("tokenEndpoint", strings.TrimSuffix(complaint, encode))
			}
		}
	}
	if o.Need("clientId") {
		s.user = o.Text("clientId", maxName)
	}
	var scope []string
	for i, raw := range o.List("scope", 100) {
		var one string
		// Source: RFC 6749 3.3.
		strange := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
		if json.Unmarshal(raw, &one) != nil || one == "" || len(one) > maxName || strings.ContainsFunc(one, strange) {
			c.faults.Add(o.At.Member("scope").Index(i), "takes a scope: printable characters without spaces, quotation marks and backslashes")
		}
		scope = append(scope, one)
	}
	s.scope = strings.Join(scope, " ")
}

// Credential is a member of a document that is kept apart from it.
type Credential struct {
	Name string        // that it is kept under: "authSchemes/partnerKey/key"
	Path document.Path // where a document has it
}

// Credentials are those that a document must have beside it, one for each scheme
// of a known type. Nothing else of the document needs to be right.
func Credentials(body json.RawMessage) []Credential {
	var d struct {
		Schemes []json.RawMessage `json:"authSchemes"`
	}
	_ = json.Unmarshal(body, &d) // what cannot be read needs none
	var out []Credential
	for i, raw := range d.Schemes {
		var s struct{ Name, Type string }
		if json.Unmarshal(raw, &s) == nil && s.Name != "" && credential(s.Type) != "" {
			at := document.Root.Member("authSchemes").Index(i).Member(credential(s.Type))
			out = append(out, Credential{sealedAs(s.Name, s.Type), at})
		}
	}
	return out
}

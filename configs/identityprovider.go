package configs

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"doorward/runtime/federation"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// identityProviderDocument is an external provider that people sign on at. Source:
// reference/management.md 5.6.
type identityProviderDocument struct {
	ID                      string              `json:"id" required:"true"`
	Name                    string              `json:"name" required:"true"`
	Description             string              `json:"description"`
	Enabled                 bool                `json:"enabled" required:"true"`
	Type                    string              `json:"type" required:"true"`
	Issuer                  address             `json:"issuer" required:"true"`
	AuthorizationEndpoint   address             `json:"authorizationEndpoint" required:"true"`
	TokenEndpoint           address             `json:"tokenEndpoint" required:"true"`
	JWKSEndpoint            address             `json:"jwksEndpoint" required:"true"`
	UserInfoEndpoint        address             `json:"userInfoEndpoint"`
	DiscoveryEndpoint       address             `json:"discoveryEndpoint"` // kept for clients and never read
	ClientID                string              `json:"clientId" required:"true"`
	ClientSecret            string              `json:"clientSecret"`
	TokenEndpointAuthMethod string              `json:"tokenEndpointAuthMethod"`
	PKCEMethod              string              `json:"pkceMethod"`
	Scopes                  []string            `json:"scopes" required:"true"`
	Registration            *joining            `json:"registration"`
	Attributes              []attributeDocument `json:"attributes"`
}

// joining is where people get an account who have none.
type joining struct {
	Population *reference `json:"population" required:"true"`
}

// attributeDocument says what a user gets of what the provider tells.
type attributeDocument struct {
	ID     string `json:"id"`
	Name   string `json:"name" required:"true"`
	Value  string `json:"value" required:"true"`
	Update string `json:"update" required:"true"`
}

func (d *identityProviderDocument) key() (string, string) { return d.ID, d.Name }

// stranger implements stranger for what the vendor's hosted pages show.
func (identityProviderDocument) stranger(name string) string {
	if name == "icon" || name == "loginButtonIcon" {
		return "is shown nowhere by this server; leave it out"
	}
	return ""
}

// The values of members. Source: reference/management.md 5.6.
const (
	pkceNone   = "NONE"
	pkceS256   = "S256"
	emptyOnly  = "EMPTY_ONLY"
	always     = "ALWAYS"
	coreName   = "username" // the attribute that every provider maps
	coreValue  = "${providerAttributes.sub}"
	scopesMost = 50
	clientMost = 1024 // characters of a clientId, a clientSecret or a scope
)

func (d *identityProviderDocument) check(f *policy.Faults) {
	oneOf(f, "type", d.Type, "", federation.OpenIDConnect) // that it is required has been said
	oneOf(f, "tokenEndpointAuthMethod", d.TokenEndpointAuthMethod, "", federation.SecretBasic, federation.SecretPost, federation.NoSecret)
	oneOf(f, "pkceMethod", d.PKCEMethod, "", pkceNone, pkceS256)
	for _, e := range []struct {
		member string
		at     address
	}{
		{"issuer", d.Issuer},
		{"authorizationEndpoint", d.AuthorizationEndpoint},
		{"tokenEndpoint", d.TokenEndpoint},
		{"jwksEndpoint", d.JWKSEndpoint},
		{"userInfoEndpoint", d.UserInfoEndpoint},
		{"discoveryEndpoint", d.DiscoveryEndpoint},
	} {
		if e.at != "" {
			say(f, root.Member(e.member), pageFault(string(e.at)))
		}
	}
	if strings.Contains(string(d.Issuer), "?") {
		f.Add(root.Member("issuer"), "takes no query") // RFC 8414 section 2
	}
	if d.ClientID != "" {
		say(f, root.Member("clientId"), clientFault(d.ClientID))
	}
	if d.ClientSecret != "" {
		say(f, root.Member("clientSecret"), clientFault(d.ClientSecret))
	}
	if n := len(d.Scopes); n > scopesMost {
		f.Add(root.Member("scopes"), fmt.Sprintf("takes at most %d scopes, not %d", scopesMost, n))
	}
	for i, s := range d.Scopes {
		say(f, root.Member("scopes").Index(i), scopeFault(s))
	}
	d.checkAttributes(f)
}

func (d *identityProviderDocument) checkAttributes(f *policy.Faults) {
	for i, a := range d.Attributes {
		at := root.Member("attributes").Index(i)
		switch _, known := flow.UserAttribute(a.Name); {
		case a.Name == "": // that it is required has been said
		case !known:
			f.Add(at.Member("name"), "is no attribute of users that can be mapped")
		case slices.ContainsFunc(d.Attributes[:i], func(b attributeDocument) bool { return b.Name == a.Name }):
			f.AddCode(at.Member("name"), flow.UniquenessViolation, "is that of another attribute too")
		}
		if a.Value != "" {
			if err := federation.CheckValue(a.Value); err != nil {
				f.Add(at.Member("value"), err.Error())
			}
		}
		if a.Update != "" && a.Update != emptyOnly && a.Update != always {
			f.Add(at.Member("update"), choice([]string{emptyOnly, always}))
		}
	}
}

// clientFault says what keeps s from being an id or a secret of a client. Source: RFC
// 6749 appendices A.1 and A.2.
func clientFault(s string) string {
	if utf8.RuneCountInString(s) > clientMost || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Sprintf("takes 1 to %d printable ASCII characters", clientMost)
	}
	return ""
}

// scopeFault says what keeps s from being a scope. Source: RFC 6749 appendix A.4.
func scopeFault(s string) string {
	if s == "" || clientFault(s) != "" || strings.ContainsAny(s, ` "\`) {
		return `takes one scope: visible ASCII characters without " and \`
	}
	return ""
}

// confidential reports whether this server has a secret at the provider.
func (d *identityProviderDocument) confidential() bool {
	return d.TokenEndpointAuthMethod != federation.NoSecret
}

// sparesProvider keeps the secret for as long as there is use for one.
func sparesProvider(e *entry, _ string) bool {
	d, ok := e.doc.(*identityProviderDocument)
	return ok && d.confidential()
}

// completeProvider adds the mapping that every provider has. Source:
// reference/management.md 5.6 (CORE).
func completeProvider(m object) {
	list, ok := parts(m, "attributes")
	if !ok && m["attributes"] != nil && string(m["attributes"]) != "null" {
		return // what is wrong with it is said where it is read
	}
	if slices.ContainsFunc(list, func(a object) bool { return text(a, "name") == coreName }) {
		return
	}
	core := object{"name": raw(coreName), "value": raw(coreValue), "update": raw(emptyOnly)}
	m["attributes"] = raw(append([]object{core}, list...))
}

// showsAttribute says which mapping comes with the provider.
func showsAttribute(body, _ object, _ time.Time) object {
	if text(body, "name") == coreName {
		return object{"mappingType": raw("CORE")}
	}
	return object{"mappingType": raw("CUSTOM")}
}

// leavesAttribute keeps the mapping that every provider has.
func leavesAttribute(part object, _ time.Time) string {
	if text(part, "name") == coreName {
		return "is the mapping of " + coreName + ", which every provider has; change its value instead"
	}
	return ""
}

// providerRefers is the population that people join.
func providerRefers(_ *tree, e *entry) []link {
	d, _ := e.doc.(*identityProviderDocument)
	if d.Registration == nil || d.Registration.Population.id() == "" {
		return nil
	}
	return []link{{root.Member("registration").Member("population").Member("id"), kindPopulation, d.Registration.Population.id()}}
}

// providerAcross holds that who has to prove itself has something to do it with.
func providerAcross(_ *tree, e *entry, f *policy.Faults) {
	if e.body == nil {
		return
	}
	d, _ := e.doc.(*identityProviderDocument)
	switch secret := e.secrets["clientSecret"]; {
	case d.confidential() && secret == "":
		f.AddCode(root.Member("clientSecret"), flow.RequiredValue, "is required unless tokenEndpointAuthMethod is "+federation.NoSecret)
	case !d.confidential() && secret != "":
		f.Add(root.Member("clientSecret"), "is of no use where tokenEndpointAuthMethod is "+federation.NoSecret)
	}
}

// switchedOff are the places in which a policy leads to providers that are not enabled.
func switchedOff(t *tree, e *entry) policy.Faults {
	var out policy.Faults
	d, _ := e.doc.(*signOnPolicyDocument)
	for _, r := range policy.Providers(d.Actions) {
		if other := t.find(kindIdentityProvider, r.ID); other != nil {
			if p, ok := other.doc.(*identityProviderDocument); ok && !p.Enabled {
				out.AddCode(r.Path, flow.ConstraintViolation, "is the identity provider "+quoted(p.Name)+", which is not enabled")
			}
		}
	}
	return out
}

// policyAcross holds that a policy which is being written leads to providers that are
// enabled. One that is there may have its provider switched off: its people sign on
// here then.
func policyAcross(t *tree, e *entry, f *policy.Faults) {
	if e.place == "" {
		*f = append(*f, switchedOff(t, e)...)
	}
}

// policyDoubts is the same of policies that are not being written.
func policyDoubts(t *tree, e *entry) []Fault {
	if e.place == "" {
		return nil
	}
	var out []Fault
	for _, fault := range switchedOff(t, e) {
		out = append(out, Fault{Fault: fault, Finding: ProviderDisabled})
	}
	return out
}

// ProviderDisabled is the finding about a discovery rule that leads to an identity
// provider which is not enabled.
const ProviderDisabled = "PROVIDER_DISABLED"

func (d *identityProviderDocument) provider(secret string) federation.Provider {
	p := federation.Provider{
		ID: d.ID, Name: d.Name, Type: d.Type, Enabled: d.Enabled, Issuer: string(d.Issuer),
		AuthorizationEndpoint: string(d.AuthorizationEndpoint), TokenEndpoint: string(d.TokenEndpoint),
		JWKSEndpoint: string(d.JWKSEndpoint), UserInfoEndpoint: string(d.UserInfoEndpoint),
		ClientID: d.ClientID, AuthMethod: d.TokenEndpointAuthMethod, PKCE: d.PKCEMethod == pkceS256, Scopes: d.Scopes,
	}
	if p.AuthMethod == "" {
		p.AuthMethod = federation.SecretBasic
	}
	if d.confidential() {
		p.ClientSecret = secret
	}
	if d.Registration != nil {
		p.Population = d.Registration.Population.id()
	}
	for _, a := range d.Attributes {
		p.Mappings = append(p.Mappings, federation.Mapping{Name: a.Name, Value: a.Value, Always: a.Update == always})
	}
	return p
}

// IdentityProvider returns an external provider, also when it is not enabled.
func (b *Bundle) IdentityProvider(id string) (federation.Provider, bool) {
	p, known := b.providers[id]
	return p, known
}

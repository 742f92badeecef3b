package configs

import (
	"slices"

	"doorward/runtime/policy"
)

// Application is a relying party, the client of OAuth 2.0.
// Source: reference/management.md 5.7; what is ours says so.
type Application struct {
	ID                      string // UUID, the client_id
	Name                    string
	Type                    string // WEB_APP, NATIVE_APP, SINGLE_PAGE_APP, WORKER, SERVICE, CUSTOM_APP
	Protocol                string // OPENID_CONNECT
	Enabled                 bool
	RedirectURIs            []string
	PostLogoutRedirectURIs  []string
	GrantTypes              []string // AUTHORIZATION_CODE, CLIENT_CREDENTIALS
	ResponseTypes           []string // CODE
	ResponseModes           []string // ours: query, pi.flow; ["query"] when not configured
	TokenEndpointAuthMethod string   // NONE, CLIENT_SECRET_BASIC, CLIENT_SECRET_POST
	PKCEEnforcement         string   // OPTIONAL, REQUIRED, S256_REQUIRED
	FlowTokenEnabled        bool     // ours: a client without a cookie jar may hold a Flow-Token
	CORSSettings            CORSSettings
	HomePageURL             string
	LoginPageURL            string
	SigningAlgorithm        string       // ours: RS256, ES256 or EdDSA
	Assignments             []Assignment // lowest priority first
	Roles                   []string     // ours: what it may do in the management API; see Roles
	Passkeys                Passkeys     // ours
	Secret                  string       // in memory only; empty for NONE
}

// The roles that a WORKER may have in the management API. Without one it has no
// access. They are ours; the names are the vendor's where it has one.
const (
	RoleEnvironmentAdmin      = "ENVIRONMENT_ADMIN"       // everything
	RoleIdentityDataAdmin     = "IDENTITY_DATA_ADMIN"     // users, and to read what they are in
	RoleConfigurationReadOnly = "CONFIGURATION_READ_ONLY" // configuration, to read
)

// CORSSettings says which pages of other origins may call on the application's
// behalf.
type CORSSettings struct {
	Behavior string   // ALLOW_NO_ORIGINS, ALLOW_SPECIFIC_ORIGINS
	Origins  []string // scheme://host[:port], at most 20
}

// Passkeys are what an application adds to whom the environment's passkeys may be
// used by.
type Passkeys struct {
	Origins          []string // of its pages, scheme://host[:port], at most 20
	AndroidKeyHashes []string // SHA-256 of what it is signed with, base64url without padding, at most 20
}

// Assignment lets an application use a sign-on policy.
type Assignment struct {
	Priority int // from 1, lower first
	Policy   string
}

type applicationDocument struct {
	ID                      string    `json:"id" required:"true"`
	Name                    string    `json:"name" required:"true"`
	Description             string    `json:"description"`
	Enabled                 bool      `json:"enabled" required:"true"`
	Type                    string    `json:"type" required:"true"`
	Protocol                string    `json:"protocol" required:"true"`
	GrantTypes              []string  `json:"grantTypes" required:"true"`
	ResponseTypes           []string  `json:"responseTypes"`
	ResponseModes           []string  `json:"responseModes"`
	RedirectURIs            []address `json:"redirectUris"`
	PostLogoutRedirectURIs  []address `json:"postLogoutRedirectUris"`
	TokenEndpointAuthMethod string    `json:"tokenEndpointAuthMethod" required:"true"`
	PKCEEnforcement         string    `json:"pkceEnforcement"`
	FlowTokenEnabled        bool      `json:"flowTokenEnabled"`
	SigningAlgorithm        string    `json:"signingAlgorithm"`
	HomePageURL             address   `json:"homePageUrl"`
	LoginPageURL            address   `json:"loginPageUrl"`
	CORSSettings            *struct {
		Behavior string    `json:"behavior" required:"true"`
		Origins  []address `json:"origins"`
	} `json:"corsSettings"`
	Assignments []struct {
		ID           string    `json:"id"`
		Priority     int       `json:"priority" required:"true"`
		SignOnPolicy reference `json:"signOnPolicy" required:"true"`
	} `json:"signOnPolicyAssignments"`
	Roles    []string          `json:"roles"`
	Passkeys *passkeysDocument `json:"passkeys"`
	Secret   string            `json:"secret"`
}

func (d *applicationDocument) key() (string, string) { return d.ID, d.Name }

func (d *applicationDocument) check(f *policy.Faults) {
	oneOf(f, "type", d.Type, "WEB_APP", "NATIVE_APP", "SINGLE_PAGE_APP", "WORKER", "SERVICE", "CUSTOM_APP")
	oneOf(f, "protocol", d.Protocol, "OPENID_CONNECT")
	oneOf(f, "tokenEndpointAuthMethod", d.TokenEndpointAuthMethod, "NONE", "CLIENT_SECRET_BASIC", "CLIENT_SECRET_POST")
	oneOf(f, "pkceEnforcement", d.PKCEEnforcement, "", "OPTIONAL", "REQUIRED", "S256_REQUIRED")
	oneOf(f, "signingAlgorithm", d.SigningAlgorithm, "", "RS256", "ES256", "EdDSA")
	allOf(f, "grantTypes", d.GrantTypes, "AUTHORIZATION_CODE", "CLIENT_CREDENTIALS")
	allOf(f, "responseTypes", d.ResponseTypes, "CODE")
	allOf(f, "responseModes", d.ResponseModes, "query", "pi.flow")
	allOf(f, "roles", d.Roles, RoleEnvironmentAdmin, RoleIdentityDataAdmin, RoleConfigurationReadOnly)
	if len(d.Roles) > 0 && d.Type != "WORKER" {
		f.Add(root.Member("roles"), "are for WORKER alone")
	}
	native := d.Type == "NATIVE_APP"
	for name, uris := range map[string][]address{"redirectUris": d.RedirectURIs, "postLogoutRedirectUris": d.PostLogoutRedirectURIs} {
		for i, u := range uris {
			say(f, root.Member(name).Index(i), redirectFault(string(u), native))
		}
	}
	for name, u := range map[string]address{"homePageUrl": d.HomePageURL, "loginPageUrl": d.LoginPageURL} {
		if u != "" {
			say(f, root.Member(name), pageFault(string(u)))
		}
	}
	d.checkOrigins(f)
	d.Passkeys.check(f, native)
	d.checkGrants(f)
	d.checkClient(f)
}

func (d *applicationDocument) checkOrigins(f *policy.Faults) {
	if d.CORSSettings == nil {
		return
	}
	at, origins := root.Member("corsSettings"), d.CORSSettings.Origins
	specific := d.CORSSettings.Behavior == "ALLOW_SPECIFIC_ORIGINS"
	switch {
	case !specific && d.CORSSettings.Behavior != "ALLOW_NO_ORIGINS":
		f.Add(at.Member("behavior"), choice([]string{"ALLOW_NO_ORIGINS", "ALLOW_SPECIFIC_ORIGINS"}))
	case specific && len(origins) == 0, !specific && len(origins) > 0, len(origins) > 20:
		f.Add(at.Member("origins"), "takes 1 to 20 origins with ALLOW_SPECIFIC_ORIGINS, none with ALLOW_NO_ORIGINS")
	}
	for i, o := range origins {
		say(f, at.Member("origins").Index(i), originFault(string(o)))
	}
}

// checkGrants holds the members that only make sense together.
func (d *applicationDocument) checkGrants(f *policy.Faults) {
	code := slices.Contains(d.GrantTypes, "AUTHORIZATION_CODE")
	inline := slices.Contains(d.ResponseModes, "pi.flow")
	elsewhere := len(d.ResponseModes) == 0 || slices.ContainsFunc(d.ResponseModes, func(m string) bool { return m != "pi.flow" })
	switch {
	case len(d.GrantTypes) == 0:
		f.Add(root.Member("grantTypes"), "is required")
	case code && elsewhere && len(d.RedirectURIs) == 0:
		f.Add(root.Member("redirectUris"), "takes at least one address with AUTHORIZATION_CODE")
	case code && !slices.Contains(d.ResponseTypes, "CODE"):
		f.Add(root.Member("responseTypes"), "takes CODE with AUTHORIZATION_CODE")
	case d.FlowTokenEnabled && !inline:
		f.Add(root.Member("flowTokenEnabled"), "needs pi.flow among responseModes")
	}
	for i, a := range d.Assignments {
		at := root.Member("signOnPolicyAssignments").Index(i).Member("priority")
		if a.Priority < 1 {
			f.Add(at, "takes a whole number from 1")
		}
		for _, b := range d.Assignments[:i] {
			if a.Priority == b.Priority {
				f.Add(at, "is that of another assignment, which leaves their order open")
			}
		}
	}
}

// checkClient holds how the application proves who it is. One that cannot keep a
// secret must use PKCE. Sources: reference/management.md 5.7, RFC 9700 section
// 2.1.1.
func (d *applicationDocument) checkClient(f *policy.Faults) {
	public := d.TokenEndpointAuthMethod == "NONE"
	switch {
	case public && slices.Contains(d.GrantTypes, "CLIENT_CREDENTIALS"):
		f.Add(root.Member("tokenEndpointAuthMethod"), "takes no NONE with CLIENT_CREDENTIALS")
	case public && d.PKCEEnforcement != "REQUIRED" && d.PKCEEnforcement != "S256_REQUIRED":
		f.Add(root.Member("pkceEnforcement"), "takes REQUIRED or S256_REQUIRED when tokenEndpointAuthMethod is NONE")
	}
}

// confidential reports whether the application has a secret.
func (d *applicationDocument) confidential() bool { return d.TokenEndpointAuthMethod != "NONE" }

// applicationAcross holds that who has to prove itself has something to do it with.
func applicationAcross(_ *tree, e *entry, f *policy.Faults) {
	if e.body == nil {
		return
	}
	d, _ := e.doc.(*applicationDocument)
	switch secret := e.secrets["secret"]; {
	case !d.confidential() && secret != "":
		f.Add(root.Member("secret"), "belongs to no application whose tokenEndpointAuthMethod is NONE")
	case d.confidential() && len(secret) < 8:
		f.Add(root.Member("secret"), "takes at least 8 characters")
	}
}

func (d *applicationDocument) application(secret string) *Application {
	a := &Application{
		ID: d.ID, Name: d.Name, Type: d.Type, Protocol: d.Protocol, Enabled: d.Enabled,
		RedirectURIs: texts(d.RedirectURIs), PostLogoutRedirectURIs: texts(d.PostLogoutRedirectURIs),
		GrantTypes: d.GrantTypes, ResponseTypes: d.ResponseTypes, ResponseModes: d.ResponseModes,
		TokenEndpointAuthMethod: d.TokenEndpointAuthMethod, PKCEEnforcement: d.PKCEEnforcement,
		FlowTokenEnabled: d.FlowTokenEnabled, HomePageURL: string(d.HomePageURL), LoginPageURL: string(d.LoginPageURL),
		SigningAlgorithm: d.SigningAlgorithm, Roles: d.Roles, CORSSettings: CORSSettings{Behavior: "ALLOW_NO_ORIGINS"},
	}
	if d.Passkeys != nil {
		a.Passkeys = Passkeys{Origins: texts(d.Passkeys.Origins), AndroidKeyHashes: d.Passkeys.AndroidKeyHashes}
	}
	if len(a.ResponseModes) == 0 {
		a.ResponseModes = []string{"query"}
	}
	if a.PKCEEnforcement == "" {
		a.PKCEEnforcement = "OPTIONAL"
	}
	if a.SigningAlgorithm == "" {
		a.SigningAlgorithm = "RS256"
	}
	if d.CORSSettings != nil {
		a.CORSSettings = CORSSettings{Behavior: d.CORSSettings.Behavior, Origins: texts(d.CORSSettings.Origins)}
	}
	for _, x := range d.Assignments {
		a.Assignments = append(a.Assignments, Assignment{x.Priority, x.SignOnPolicy.ID})
	}
	slices.SortFunc(a.Assignments, func(x, y Assignment) int { return x.Priority - y.Priority })
	if d.confidential() {
		a.Secret = secret
	}
	return a
}

func texts(as []address) []string {
	var out []string
	for _, a := range as {
		out = append(out, string(a))
	}
	return out
}

func allOf(f *policy.Faults, name string, values []string, allowed ...string) {
	for i, v := range values {
		if !slices.Contains(allowed, v) {
			f.Add(root.Member(name).Index(i), choice(allowed))
		}
	}
}

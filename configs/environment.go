package configs

import (
	"net/url"
	"strings"
)

// Environment is a tenant and its public addresses. They are built from what is
// configured, never from a request.
type Environment struct {
	ID       string // UUID, first segment of every path
	Name     string
	AuthBase string // scheme://host[:port] of sign-on, without a trailing slash
	APIBase  string // likewise of the management API
	Managed  bool   // files own its resources
	Demo     bool   // its secrets are known to everybody

	Languages []string // that its pages may be in, the first for whom none suits; none: all
	Theme     Theme    // of its pages
}

// PageLanguages are those that its pages may be in.
func (e Environment) PageLanguages() []string {
	if len(e.Languages) > 0 {
		return e.Languages
	}
	return pageLanguages()
}

// defaultLanguage is that of what people are told.
func (e Environment) defaultLanguage() string {
	if len(e.Languages) > 0 {
		return e.Languages[0]
	}
	return "en"
}

// Host is the host name, with the port when AuthBase has one, that a request
// must be sent to.
func (e Environment) Host() string { return hostOf(e.AuthBase) }

// hostOf is the host of a base address, with its port.
func hostOf(base string) string {
	_, host, _ := strings.Cut(base, "://")
	return host
}

// Issuer is the OpenID issuer. Source: reference/flows.md 0.
func (e Environment) Issuer() string { return e.AuthBase + "/" + e.ID + "/as" }

// AuthorizeURL is where applications send people.
func (e Environment) AuthorizeURL() string { return e.AuthBase + "/" + e.ID + "/as/authorize" }

// FlowURL is the flow resource, to which every action is posted.
func (e Environment) FlowURL(id string) string { return e.AuthBase + "/" + e.ID + "/flows/" + id }

// ResumeURL is where a browser goes when the flow is at its end.
func (e Environment) ResumeURL(id string) string {
	return e.AuthBase + "/" + e.ID + "/as/resume?flowId=" + id
}

// SignOnPage is the hosted page of the flow.
func (e Environment) SignOnPage(id string) string {
	return e.AuthBase + "/" + e.ID + "/signon/?flowId=" + id
}

// AccountURL is a page of the account that is signed on; rest is empty or begins with a
// slash.
func (e Environment) AccountURL(rest string) string {
	return e.AuthBase + "/" + e.ID + "/account" + rest
}

// DeviceAuthenticationURL is one of those that have no browser.
func (e Environment) DeviceAuthenticationURL(id string) string {
	return e.AuthBase + "/" + e.ID + "/deviceAuthentications/" + id
}

// SignOffURL ends a sign-on.
func (e Environment) SignOffURL() string { return e.AuthBase + "/" + e.ID + "/as/signoff" }

// CookiePath keeps the cookies of environments on one host apart.
func (e Environment) CookiePath() string { return "/" + e.ID }

// Secure reports whether people reach the environment over TLS.
func (e Environment) Secure() bool { return strings.HasPrefix(e.AuthBase, "https://") }

// FlowExecutionURL is the execution of a flow definition, to which every action is
// posted. Source: reference/flows.md 7.1.
func (e Environment) FlowExecutionURL(id string) string {
	return e.AuthBase + "/" + e.ID + "/flowExecutions/" + id
}

// ExperienceURL is where executions of a flow definition begin.
// Source: reference/flows.md 7.1.
func (e Environment) ExperienceURL(definition string) string {
	return e.AuthBase + "/" + e.ID + "/experiences/" + definition
}

// CallbackURL is where an execution of a flow definition comes back to the
// sign-on that led to it. Source: reference/flows.md 7.1.
func (e Environment) CallbackURL(flow string) string {
	return e.FlowURL(flow) + "/flowExecutionCallback"
}

// ProviderCallbackURL is where people come back from an external OpenID provider: the
// redirect URI to register there. Source: reference/flows.md 9.1.
func (e Environment) ProviderCallbackURL() string {
	return e.AuthBase + "/" + e.ID + "/rp/callback/openid_connect"
}

// AuthenticateURL leads a browser from the flow to an external provider.
// Source: reference/flows.md 9.1.
func (e Environment) AuthenticateURL(provider, flow string) string {
	return e.AuthBase + "/" + e.ID + "/rp/authenticate?providerId=" + url.QueryEscape(provider) + "&flowId=" + url.QueryEscape(flow)
}

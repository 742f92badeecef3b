package oidc

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"doorward/configs"
	"doorward/runtime/flow"
)

// target is where the answer to an authorization request goes. A target is made
// only of a known application and a redirect URI that is registered for it.
type target struct {
	app         *configs.Application
	redirectURI string // as sent; empty only for pi.flow
	piFlow      bool
	state       string
}

// authorization is a request that may be asked.
type authorization struct {
	target
	payload
	silent    bool // prompt=none
	fresh     bool // prompt=login
	maxAge    int64
	acr       []string
	loginHint string
	locales   string       // ui_locales, as Accept-Language
	named     flow.Subject // by a valid login_hint_token
}

const (
	piFlow    = "pi.flow"
	queryMode = "query"
)

// trust finds out whom to answer. Until it has, nothing may be redirected, so it
// fails with a fault for our own page. Source: RFC 9700 4.11.2.
func trust(b *configs.Bundle, v url.Values) (target, *flow.Fault) {
	id, once := single(v, "client_id")
	if !once || id == "" {
		return target{}, malformed("The application did not say who it is: client_id is needed, once.")
	}
	app, known := b.Application(id)
	if !known || !app.Enabled {
		return target{}, malformed("The application is not known here, or it is switched off.")
	}
	t := target{app: app}
	if mode, once := single(v, "response_mode"); once && mode == piFlow {
		t.piFlow = slices.Contains(app.ResponseModes, piFlow)
	}
	if state, once := single(v, "state"); once && len(state) <= maxLength("state") {
		t.state = state
	}
	uri, once := single(v, "redirect_uri")
	switch {
	case !once:
		return target{}, malformed("The application sent redirect_uri more than once.")
	case uri == "" && t.piFlow && len(v["redirect_uri"]) == 0:
		return t, nil
	case uri == "":
		return target{}, malformed("The application did not say where to go back to: redirect_uri is needed.")
	case !redirectMatches(app.RedirectURIs, uri):
		return target{}, malformed("The address to go back to (redirect_uri) is not registered for this application.")
	}
	t.redirectURI = uri
	return t, nil
}

// read judges everything else of an authorization request.
func read(t target, v url.Values) (*authorization, *oauthError) {
	if e := checkParams(v); e != nil {
		return nil, e
	}
	for _, name := range [...]string{"request", "request_uri", "registration"} {
		if v.Get(name) != "" {
			return nil, &oauthError{name + "_not_supported", "send the parameters themselves instead of " + name}
		}
	}
	if e := checkResponse(t, v.Get("response_type"), v.Get("response_mode")); e != nil {
		return nil, e
	}
	if e := checkPKCE(t.app, v.Get("code_challenge"), v.Get("code_challenge_method")); e != nil {
		return nil, e
	}
	a := &authorization{target: t, loginHint: v.Get("login_hint"), locales: locales(v.Get("ui_locales")), acr: strings.Fields(v.Get("acr_values"))}
	a.payload = payload{State: t.state, Nonce: v.Get("nonce"), Scope: grantedScope(v.Get("scope")), Challenge: v.Get("code_challenge")}
	if e := a.readPrompt(v.Get("prompt")); e != nil {
		return nil, e
	}
	return a, a.readMaxAge(v)
}

// checkResponse takes the code flow, in a mode that the application has.
func checkResponse(t target, responseType, mode string) *oauthError {
	switch {
	case responseType == "":
		return invalidRequest("response_type is needed")
	case responseType != "code":
		return &oauthError{"unsupported_response_type", "response_type must be code"}
	case !slices.ContainsFunc(t.app.ResponseTypes, func(s string) bool { return strings.EqualFold(s, "code") }):
		return &oauthError{"unauthorized_client", "the application is not registered for response_type code"}
	case mode == "" && !slices.Contains(t.app.ResponseModes, queryMode):
		return invalidRequest("response_mode is needed; the application is not registered for query")
	case mode != "" && mode != queryMode && mode != piFlow:
		return invalidRequest("response_mode is not supported")
	case mode != "" && !slices.Contains(t.app.ResponseModes, mode):
		return &oauthError{"unauthorized_client", "the application is not registered for this response_mode"}
	}
	return nil
}

// checkPKCE takes S256 only, which a public client must use.
// Source: RFC 7636 4.2, RFC 9700 2.1.1.
func checkPKCE(app *configs.Application, challenge, method string) *oauthError {
	needed := isPublic(app) || (app.PKCEEnforcement != "" && app.PKCEEnforcement != "OPTIONAL")
	switch {
	case challenge == "" && method == "" && !needed:
		return nil
	case challenge == "":
		return invalidRequest("code_challenge is needed")
	case method != "S256":
		return invalidRequest("code_challenge_method must be S256")
	}
	if sum, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(sum) != 32 {
		return invalidRequest("code_challenge must be the base64url of a SHA-256, 43 characters")
	}
	return nil
}

func isPublic(app *configs.Application) bool { return app.TokenEndpointAuthMethod == "NONE" }

// grantedScope is what of the asked scope we know, each value once, in the order
// asked. What is not known is ignored. Source: OpenID Connect Core 3.1.2.1.
func grantedScope(asked string) string {
	var granted []string
	for s := range strings.FieldsSeq(asked) {
		if slices.Contains(scopes(), s) && !slices.Contains(granted, s) {
			granted = append(granted, s)
		}
	}
	return strings.Join(granted, " ")
}

func scopes() []string { return []string{"openid", "profile", "email"} }

func hasScope(granted, scope string) bool { return slices.Contains(strings.Fields(granted), scope) }

// locales is ui_locales, a list of language tags divided by spaces, in the syntax
// of Accept-Language. What is no list of tags is left out: a language is a wish.
// Source: OpenID Connect Core 3.1.2.1.
func locales(asked string) string {
	tags := strings.Fields(asked)
	for _, tag := range tags {
		if len(tag) > 35 || strings.ContainsFunc(tag, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) {
			return ""
		}
	}
	return strings.Join(tags, ",")
}

// readPrompt follows OpenID Connect Core 3.1.2.1: none stands alone; choosing an
// account means signing on anew here; consent and unknown values are ignored.
func (a *authorization) readPrompt(prompt string) *oauthError {
	values := strings.Fields(prompt)
	a.silent = slices.Contains(values, "none")
	a.fresh = slices.Contains(values, "login") || slices.Contains(values, "select_account")
	if a.silent && len(values) > 1 {
		return invalidRequest("prompt none stands alone")
	}
	return nil
}

// readMaxAge reads whole seconds; a billion and more is no demand any more.
func (a *authorization) readMaxAge(v url.Values) *oauthError {
	a.maxAge = -1
	if v.Get("max_age") == "" {
		return nil
	}
	n, err := strconv.ParseUint(v.Get("max_age"), 10, 63)
	if err != nil {
		return invalidRequest("max_age takes whole seconds")
	}
	if n < 1e9 {
		a.maxAge = int64(n)
	}
	return nil
}

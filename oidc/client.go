package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"doorward/configs"
	"doorward/runtime/flow"
)

// VerifyClient authenticates the application by the one method registered for
// it. Every refusal is the same answer, and takes the same comparison.
// Source: RFC 6749 2.3, OpenID Connect Core 9.
func (s *server) VerifyClient(ctx context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	q := requestFrom(ctx)
	app, known := q.bundle.Application(r.Data.ClientID)
	if !known {
		app = &configs.Application{}
	}
	method := "NONE"
	switch {
	case r.Data.ClientAssertion != "":
		method = "assertion"
	case r.Header.Get("Authorization") != "":
		method = "CLIENT_SECRET_BASIC"
	case r.Data.ClientSecret != "":
		method = "CLIENT_SECRET_POST"
	}
	secret := sameSecret(app.Secret, r.Data.ClientSecret)
	if !known || !app.Enabled || method != app.TokenEndpointAuthMethod || (method != "NONE" && !secret) {
		id := ""
		if known {
			id = app.ID
		}
		s.p.record(q.http, q.bundle, flow.Event{Type: flow.ClientRefused, Application: id, Reason: "credentials"})
		return nil, invalidClient()
	}
	return client{app}, nil
}

func invalidClient() error {
	return op.NewStatusError(zoidc.ErrInvalidClient().WithDescription("the application is not known, or not authenticated the way it is registered"), http.StatusUnauthorized)
}

// sameSecret compares in a time that depends on neither. An empty secret matches
// nothing.
func sameSecret(ours, theirs string) bool {
	a, b := sha256.Sum256([]byte(ours)), sha256.Sum256([]byte(theirs))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && ours != ""
}

// client shows an application to the library. What the library would decide by
// itself (redirects, login address, development mode) is left empty.
type client struct{ app *configs.Application }

func (c client) GetID() string                       { return c.app.ID }
func (c client) RedirectURIs() []string              { return nil }
func (c client) PostLogoutRedirectURIs() []string    { return nil }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) ResponseTypes() []zoidc.ResponseType {
	return []zoidc.ResponseType{zoidc.ResponseTypeCode}
}
func (c client) LoginURL(string) string               { return "" }
func (c client) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeJWT }
func (c client) IDTokenLifetime() time.Duration       { return tokenLife }
func (c client) DevMode() bool                        { return false }
func (c client) IsScopeAllowed(string) bool           { return false }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return false }
func (c client) ClockSkew() time.Duration             { return 0 }

func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}

func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}

func (c client) AuthMethod() zoidc.AuthMethod {
	return zoidc.AuthMethod(strings.ToLower(c.app.TokenEndpointAuthMethod))
}

// GrantTypes are the registered ones by their names on the wire.
func (c client) GrantTypes() []zoidc.GrantType {
	var out []zoidc.GrantType
	for _, g := range c.app.GrantTypes {
		out = append(out, zoidc.GrantType(strings.ToLower(g)))
	}
	return out
}

package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/flow"
)

// userinfo checks the form of a userinfo request: one bearer token, in the
// header or in the body of a POST, never in the address.
// Source: OpenID Connect Core 5.3.1, RFC 6750 2.
func (p *Provider) userinfo(to http.ResponseWriter, r *http.Request, b *configs.Bundle) {
	w := &answering{ResponseWriter: to, challenge: challengeBearer}
	defer p.logRefusal(r, b, w)
	form := url.Values{}
	var e *oauthError
	if query, err := url.ParseQuery(r.URL.RawQuery); err != nil || query.Has("access_token") {
		e = invalidRequest("a token does not belong into the address")
	} else if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "" {
		form, e = tokenForm(r)
	}
	sent := r.Header.Values("Authorization")
	if e == nil && (len(sent) > 1 || (len(sent) == 1 && form.Has("access_token"))) {
		e = invalidRequest("the token was sent more than once")
	}
	if e != nil {
		writeOAuthError(w, http.StatusBadRequest, e)
		return
	}
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") { // the library minds the case
		r.Header.Set("Authorization", "Bearer "+token)
	}
	p.hand(w, r, b, form, "/userinfo")
}

// UserInfo answers with the live claims of the user whose grant the token names.
func (s *server) UserInfo(ctx context.Context, r *op.Request[zoidc.UserInfoRequest]) (*op.Response, error) {
	q := requestFrom(ctx)
	env := q.bundle.Environment()
	c, err := s.p.verify(ctx, q.bundle, r.Data.AccessToken)
	if errors.Is(err, errToken) {
		return nil, invalidToken()
	}
	if err != nil {
		return nil, s.p.unavailable(q, err)
	}
	if c.Grant == "" || !slices.Contains(c.Audience, env.Issuer()) || s.p.Now().Unix() >= c.Expires {
		return nil, invalidToken()
	}
	grant, err := s.p.Grants.Grant(ctx, env.ID, c.Grant)
	var user directory.User
	if err == nil {
		user, err = s.p.Users.Get(ctx, env.ID, grant.UserID)
	}
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return nil, invalidToken()
	case err != nil:
		return nil, s.p.unavailable(q, err)
	case !grant.Holds(s.p.Now()) || grant.UserID != c.Subject || !user.Enabled:
		return nil, invalidToken()
	case !hasScope(grant.Scope, "openid"):
		return nil, op.NewStatusError(&zoidc.Error{ErrorType: "insufficient_scope", Description: "the scope openid was not granted"}, http.StatusForbidden)
	}
	return op.NewResponse(claimsOf(user, grant.Scope)), nil
}

func invalidToken() error {
	return op.NewStatusError(&zoidc.Error{ErrorType: "invalid_token", Description: "the token is not valid here, has expired, or was revoked"}, http.StatusUnauthorized)
}

// claimsOf is what a scope shows of a user. Source: OpenID Connect Core 5.4.
func claimsOf(u directory.User, scope string) *zoidc.UserInfo {
	info := &zoidc.UserInfo{Subject: u.ID}
	if hasScope(scope, "profile") {
		info.PreferredUsername, info.GivenName, info.FamilyName = u.Username, u.Given, u.Family
		info.Name = strings.TrimSpace(u.Given + " " + u.Family)
		info.UpdatedAt = zoidc.FromTime(u.UpdatedAt)
		if tag, err := language.Parse(u.Locale); err == nil && u.Locale != "" {
			info.Locale = zoidc.NewLocale(tag)
		}
	}
	if hasScope(scope, "email") && u.Email != "" {
		info.Email, info.EmailVerified = u.Email, zoidc.Bool(u.EmailVerified)
	}
	return info
}

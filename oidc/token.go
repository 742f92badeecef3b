package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"doorward/directory"
	"doorward/runtime/flow"
)

// server answers what the library has parsed. What it does not override is
// refused by op.UnimplementedServer.
type server struct {
	op.UnimplementedServer
	p *Provider
}

// newLibrary is the library's own server for two paths, with its CORS and its
// log off: both are ours.
func (p *Provider) newLibrary() http.Handler {
	return op.RegisterServer(
		&server{p: p},
		op.Endpoints{Token: op.NewEndpoint("token"), Userinfo: op.NewEndpoint("userinfo")},
		op.WithServerCORSOptions(nil), op.WithFallbackLogger(slog.New(slog.DiscardHandler)),
	)
}

// CodeExchange redeems a code. The code is used up first, whatever comes of it;
// then everything it was issued for is compared, always. A second use and any
// mismatch end the grant. Source: RFC 6749 4.1.3, RFC 7636 4.6, RFC 9700 4.5.
func (s *server) CodeExchange(ctx context.Context, r *op.ClientRequest[zoidc.AccessTokenRequest]) (*op.Response, error) {
	q := requestFrom(ctx)
	env := q.bundle.Environment().ID
	code, found, err := s.p.Codes.Redeem(ctx, env, flow.Sum(r.Data.Code))
	if err != nil {
		return nil, s.p.unavailable(q, err)
	}
	e := flow.Event{Type: flow.CodeReplayed, Application: r.Client.GetID(), User: code.UserID, Session: code.SessionID}
	switch found {
	case directory.First:
	case directory.Again:
		s.p.record(q.http, q.bundle, e)
		return nil, invalidGrant()
	default:
		return nil, invalidGrant()
	}
	if wrong := mismatch(code, r); wrong != "" {
		e.Type, e.Reason = flow.CodeMismatch, wrong
		s.p.record(q.http, q.bundle, e)
		if err := s.p.Grants.Revoke(ctx, env, code.GrantID); err != nil {
			return nil, s.p.unavailable(q, err)
		}
		return nil, invalidGrant()
	}
	e.Type = flow.CodeRedeemed
	s.p.record(q.http, q.bundle, e)
	user, err := s.p.Users.Get(ctx, env, code.UserID)
	if errors.Is(err, flow.ErrUnknown) || (err == nil && !user.Enabled) {
		return nil, invalidGrant()
	}
	if err != nil {
		return nil, s.p.unavailable(q, err)
	}
	return s.tokens(ctx, q, r.Client, code)
}

// mismatch names what differs from what the code was issued for.
func mismatch(c directory.Code, r *op.ClientRequest[zoidc.AccessTokenRequest]) string {
	redirectURI := r.Data.RedirectURI
	if redirectURI == noRedirect {
		redirectURI = ""
	}
	switch {
	case c.Application != r.Client.GetID():
		return "client"
	case c.RedirectURI != redirectURI:
		return "redirect_uri"
	case !verified(c.Challenge, r.Data.CodeVerifier):
		return "verifier"
	}
	return ""
}

// verified compares a verifier with its challenge; without a challenge there is
// no right verifier. Source: RFC 7636 4.1, 4.6.
func verified(challenge, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return sameSecret(challenge, base64.RawURLEncoding.EncodeToString(sum[:]))
}

func (s *server) tokens(ctx context.Context, q *tokenRequest, c op.Client, code directory.Code) (*op.Response, error) {
	issuer := q.bundle.Environment().Issuer()
	app, _ := q.bundle.Application(code.Application)
	m, err := s.p.newMinter(ctx, q, app)
	if err != nil {
		return nil, s.p.unavailable(q, err)
	}
	m.claims["gid"], m.claims["sid"] = code.GrantID, code.SessionID
	scopes := strings.Fields(code.Scope)
	answer := &zoidc.AccessTokenResponse{TokenType: zoidc.BearerToken, ExpiresIn: uint64(tokenLife.Seconds()), Scope: scopes}
	answer.AccessToken, err = op.CreateJWT(ctx, issuer, access{code.UserID, issuer, scopes}, s.p.Now().Add(tokenLife), uuid.NewString(), c, m)
	if err != nil {
		return nil, s.p.unavailable(q, err)
	}
	if hasScope(code.Scope, "openid") {
		delete(m.claims, "gid")
		answer.IDToken, err = op.CreateIDToken(ctx, issuer, grantRequest{code}, tokenLife, answer.AccessToken, "", m, c)
		if err != nil {
			return nil, s.p.unavailable(q, err)
		}
	}
	s.p.record(q.http, q.bundle, flow.Event{Type: flow.TokenIssued, Application: app.ID, User: code.UserID, Session: code.SessionID})
	return op.NewResponse(answer), nil
}

// ClientCredentialsExchange gives a worker a token for itself. There are no
// scopes to grant it yet; what is asked is ignored. Source: RFC 6749 4.4.
func (s *server) ClientCredentialsExchange(ctx context.Context, r *op.ClientRequest[zoidc.ClientCredentialsRequest]) (*op.Response, error) {
	q := requestFrom(ctx)
	env := q.bundle.Environment()
	app, _ := q.bundle.Application(r.Client.GetID())
	m, err := s.p.newMinter(ctx, q, app)
	if err != nil {
		return nil, s.p.unavailable(q, err)
	}
	token, err := op.CreateJWT(ctx, env.Issuer(), access{app.ID, env.APIBase, nil}, s.p.Now().Add(tokenLife), uuid.NewString(), r.Client, m)
	if err != nil {
		return nil, s.p.unavailable(q, err)
	}
	s.p.record(q.http, q.bundle, flow.Event{Type: flow.TokenIssued, Application: app.ID, Reason: "client_credentials"})
	return op.NewResponse(&zoidc.AccessTokenResponse{AccessToken: token, TokenType: zoidc.BearerToken, ExpiresIn: uint64(tokenLife.Seconds())}), nil
}

func invalidGrant() error {
	return zoidc.ErrInvalidGrant().WithDescription("the code is not valid: unknown, expired, used before, or issued for another application, redirect_uri or verifier")
}

// unavailable logs our failure and answers without a word of it.
func (p *Provider) unavailable(q *tokenRequest, err error) error {
	p.logFailure(q.http, q.bundle, err)
	return op.NewStatusError(&zoidc.Error{ErrorType: "temporarily_unavailable", Description: "the service cannot answer now; try again shortly"}, http.StatusServiceUnavailable)
}

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// provider is the sign-on server as the demo sees it: whatever its discovery
// document says.
type provider struct {
	config Config

	mu    sync.Mutex
	found *discovered
}

type discovered struct {
	*oidc.Provider
	oauth      oauth2.Config
	endSession string
	needsIss   bool
}

// answer is what came back to the callback, with what it has to match.
type answer struct{ code, issuer, nonce, verifier string }

// problem is what is shown of a sign-on that did not finish; reason is for the
// log.
type problem struct {
	Code        string // of OAuth where there is one
	Description string
	Status      int // 0: 400
	reason      error
}

func (p *problem) Error() string {
	if p.reason == nil {
		return p.Code
	}
	return p.Code + ": " + p.reason.Error()
}

func (p *problem) Unwrap() error { return p.reason }

func unreachable(err error) *problem {
	return &problem{Code: "temporarily_unavailable", Description: "The sign-on server does not answer. Try again shortly.", Status: 502, reason: err}
}

func untrusted(err error) *problem {
	return &problem{Code: "invalid_token", Description: "What the sign-on server sent does not check out.", Status: 502, reason: err}
}

// discover reads the discovery document once; a failure is tried again at the
// next use.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	op, err := oidc.NewProvider(oidc.ClientContext(ctx, p.config.Client), p.config.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		EndSession string `json:"end_session_endpoint"`
		NeedsIss   bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := op.Claims(&more); err != nil {
		return nil, err
	}
	endpoint := op.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // client_secret_basic
	p.found = &discovered{Provider: op, endSession: more.EndSession, needsIss: more.NeedsIss, oauth: oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, RedirectURL: p.config.RedirectURI,
		Endpoint: endpoint, Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}}
	return p.found, nil
}

func (p *provider) authorizeURL(ctx context.Context, state, nonce, verifier string, ask map[string]string) (string, error) {
	op, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	for name, value := range ask {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	return op.oauth.AuthCodeURL(state, options...), nil
}

func (p *provider) endSessionURL(ctx context.Context, idToken string) (string, error) {
	op, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(op.endSession)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("end session endpoint %q", op.endSession)
	}
	q := u.Query()
	q.Set("id_token_hint", idToken)
	q.Set("post_logout_redirect_uri", p.config.AfterSignOut)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// exchange redeems the code and checks everything that comes back.
// Source: OpenID Connect Core 3.1.3.7, 5.3.4; RFC 9207 2.4.
func (p *provider) exchange(ctx context.Context, a answer) (session, error) {
	ctx = oidc.ClientContext(ctx, p.config.Client)
	op, err := p.discover(ctx)
	if err != nil {
		return session{}, unreachable(err)
	}
	if a.issuer != p.config.Issuer && (a.issuer != "" || op.needsIss) {
		return session{}, untrusted(fmt.Errorf("answer of issuer %q", a.issuer))
	}
	token, err := op.oauth.Exchange(ctx, a.code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return session{}, refused(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := op.Verifier(&oidc.Config{ClientID: p.config.ClientID, Now: p.config.Now}).Verify(ctx, raw)
	if err != nil {
		return session{}, untrusted(err)
	}
	if id.Nonce != a.nonce {
		return session{}, untrusted(errors.New("nonce of another request"))
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return session{}, untrusted(err)
		}
	}
	info, err := op.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return session{}, unreachable(err)
	}
	if info.Subject != id.Subject {
		return session{}, untrusted(errors.New("userinfo of another subject"))
	}
	s := session{raw: raw, IDToken: table{Title: "ID token", ID: "id-token"}, UserInfo: table{Title: "User info", ID: "userinfo"}}
	if s.IDToken.Rows, err = rows(id); err != nil {
		return session{}, untrusted(err)
	}
	if s.UserInfo.Rows, err = rows(info); err != nil {
		return session{}, untrusted(err)
	}
	return s, nil
}

// refused shows the token endpoint's own error code, when it sent one.
func refused(err error) *problem {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) && e.ErrorCode != "" {
		return &problem{Code: e.ErrorCode, Description: e.ErrorDescription, reason: err}
	}
	return unreachable(err)
}

// rows puts claims into the order of their names.
func rows(from interface{ Claims(v any) error }) ([]claim, error) {
	var claims map[string]json.RawMessage
	if err := from.Claims(&claims); err != nil {
		return nil, err
	}
	out := make([]claim, 0, len(claims))
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		out = append(out, claim{Name: name, Value: readable(name, claims[name])})
	}
	return out, nil
}

// readable shows strings without quotes and times as times.
func readable(name string, raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var unix int64
	if slices.Contains([]string{"exp", "iat", "nbf", "auth_time", "updated_at"}, name) && json.Unmarshal(raw, &unix) == nil {
		return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04:05 UTC") + " (" + string(raw) + ")"
	}
	return strings.TrimSpace(string(raw))
}

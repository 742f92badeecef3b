package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/flow"
)

// tokenLife is how long access and ID tokens are valid.
const tokenLife = time.Hour

// minter is the storage that the library's minting functions ask, for one
// request: the key of this application's algorithm and the claims of this grant.
// It answers nothing else; the embedded interface is nil.
type minter struct {
	op.Storage
	key    *keys.SigningKey
	claims map[string]any // beyond the standard ones
}

// newMinter takes the key that the application signs with. Keys are there before
// an environment is served; the first token by an algorithm that came with a
// later change of configuration makes its key.
func (p *Provider) newMinter(ctx context.Context, q *tokenRequest, app *configs.Application) (*minter, error) {
	env := q.bundle.Environment().ID
	key, err := p.SigningKeys.Active(ctx, env, app.SigningAlgorithm)
	if errors.Is(err, flow.ErrUnknown) {
		var made bool
		if made, err = p.SigningKeys.Ensure(ctx, env, app.SigningAlgorithm); err == nil {
			key, err = p.SigningKeys.Active(ctx, env, app.SigningAlgorithm)
		}
		if made {
			p.record(q.http, q.bundle, flow.Event{Type: flow.SigningKeyCreated, Application: app.ID})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("signing key of %s: %w", env, err)
	}
	return &minter{key: key, claims: map[string]any{"env": env}}, nil
}

// SigningKey implements op.AuthStorage.
func (m *minter) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{m.key}, nil }

// GetPrivateClaimsFromScopes implements op.OPStorage: claims of access tokens.
func (m *minter) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return m.claims, nil
}

// SetUserinfoFromScopes implements op.OPStorage; the library wants it beside
// SetUserinfoFromRequest.
func (m *minter) SetUserinfoFromScopes(context.Context, *zoidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest: claims of ID
// tokens. The library takes the subject from here too.
func (m *minter) SetUserinfoFromRequest(_ context.Context, u *zoidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	u.Subject, u.Claims = r.GetSubject(), m.claims
	return nil
}

type signingKey struct{ k *keys.SigningKey }

func (s signingKey) SignatureAlgorithm() jose.SignatureAlgorithm {
	return jose.SignatureAlgorithm(s.k.Algorithm)
}
func (s signingKey) Key() any   { return s.k.Private }
func (s signingKey) ID() string { return s.k.ID }

// grantRequest shows a redeemed code to the library as the request it mints for.
type grantRequest struct{ c directory.Code }

func (g grantRequest) GetID() string                          { return g.c.GrantID }
func (g grantRequest) GetACR() string                         { return g.c.ACR }
func (g grantRequest) GetAMR() []string                       { return g.c.AMR }
func (g grantRequest) GetAudience() []string                  { return []string{g.c.Application} }
func (g grantRequest) GetAuthTime() time.Time                 { return g.c.AuthTime }
func (g grantRequest) GetClientID() string                    { return g.c.Application }
func (g grantRequest) GetCodeChallenge() *zoidc.CodeChallenge { return nil }
func (g grantRequest) GetNonce() string                       { return g.c.Nonce }
func (g grantRequest) GetRedirectURI() string                 { return g.c.RedirectURI }
func (g grantRequest) GetResponseType() zoidc.ResponseType    { return zoidc.ResponseTypeCode }
func (g grantRequest) GetResponseMode() zoidc.ResponseMode    { return "" }
func (g grantRequest) GetScopes() []string                    { return strings.Fields(g.c.Scope) }
func (g grantRequest) GetState() string                       { return "" }
func (g grantRequest) GetSubject() string                     { return g.c.UserID }
func (g grantRequest) Done() bool                             { return true }

// access is the request for an access token: who, for whom, to do what.
type access struct {
	subject  string
	audience string
	scopes   []string
}

func (a access) GetSubject() string    { return a.subject }
func (a access) GetAudience() []string { return []string{a.audience} }
func (a access) GetScopes() []string   { return a.scopes }

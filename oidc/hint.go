package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorward/configs"
	"doorward/runtime/flow"
)

// The times of a login_hint_token.
const (
	hintAge  = 5 * time.Minute // how old it may be, whatever it says itself
	hintSkew = time.Minute     // how far the application's clock may be ahead
	// hintSecret is how long a secret has to be that signs one, in bytes: a token is seen
	// by browsers, and a short secret could be guessed from it. Source: RFC 7518 3.2.
	hintSecret = 32
)

// hint is what a login_hint_token says. Source: reference/flows.md 1.2.
type hint struct {
	Issuer   string   `json:"iss"` // the application
	Subject  string   `json:"sub"` // the user's id
	Audience audience `json:"aud"` // our issuer
	Issued   *int64   `json:"iat"` // seconds since 1970
	Expires  *int64   `json:"exp"`

	sum flow.Digest // of the signature's bytes: however it is written, a token has one
}

// readHintToken takes whom the application names, and answers for by its secret. It is
// good once, so that nobody who finds an address can name somebody by it. Nothing of it
// is a proof. The refusals repeat nothing of the token.
func (p *Provider) readHintToken(ctx context.Context, b *configs.Bundle, a *authorization, token string) error {
	if token == "" {
		return nil
	}
	h, e := verifyHint(b, a.app, token, p.Now())
	if e != nil {
		return e
	}
	if a.Subject != "" && a.Subject != h.Subject {
		return invalidRequest("login_hint_token and id_token_hint name two users")
	}
	env := b.Environment().ID
	u, err := p.Users.Get(ctx, env, h.Subject)
	locked := !u.LockedAt.IsZero() && (u.LockUntil.IsZero() || u.LockUntil.After(p.Now()))
	switch {
	case errors.Is(err, flow.ErrUnknown) || err == nil && (!u.Enabled || locked || u.ID != h.Subject):
		return invalidRequest("login_hint_token names a user who may not sign on here")
	case err != nil:
		return flow.Busy(err)
	}
	used := flow.Limit{Key: "hint:" + env + ":" + h.sum.String(), Max: 1, Window: hintAge + 2*hintSkew}
	var over *flow.LimitError
	switch err := p.Tries.Count(ctx, []flow.Limit{used}); {
	case errors.As(err, &over):
		return invalidRequest("login_hint_token was used before; make one for each request")
	case err != nil:
		return flow.Busy(err)
	}
	a.named, a.loginHint = u.Subject(), ""
	return nil
}

// verifyHint judges a token by itself: the one algorithm, the application's own secret,
// who it is from and for, and when it was made.
func verifyHint(b *configs.Bundle, app *configs.Application, token string, now time.Time) (hint, *oauthError) {
	switch {
	case isPublic(app) || app.Secret == "":
		return hint{}, invalidRequest("login_hint_token is taken from applications that have a secret")
	case len(app.Secret) < hintSecret:
		return hint{}, invalidRequest("login_hint_token needs a secret of %d bytes and more to be signed with; give the application a longer one", hintSecret)
	}
	const unsigned = "login_hint_token is not a JWT that is signed by HS256 with the application's secret"
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return hint{}, invalidRequest(unsigned)
	}
	payload, err := jws.Verify([]byte(app.Secret))
	if err != nil {
		return hint{}, invalidRequest(unsigned)
	}
	var h hint
	switch err := json.Unmarshal(payload, &h); {
	case err != nil || h.Issued == nil || h.Expires == nil || h.Subject == "":
		return hint{}, invalidRequest("login_hint_token needs iss, aud, sub, iat and exp")
	case h.Issuer != app.ID:
		return hint{}, invalidRequest("login_hint_token has an iss that is not client_id")
	case len(h.Audience) != 1 || h.Audience[0] != b.Environment().Issuer():
		return hint{}, invalidRequest("login_hint_token has an aud that is not this issuer alone")
	case now.Unix() >= *h.Expires || now.Add(-hintAge).Unix() >= *h.Issued:
		return hint{}, invalidRequest("login_hint_token has expired; it is good for %d minutes at most", int(hintAge.Minutes()))
	case *h.Issued > now.Add(hintSkew).Unix():
		return hint{}, invalidRequest("login_hint_token has an iat in the future")
	}
	h.sum = flow.Sum(string(jws.Signatures[0].Signature))
	return h, nil
}

package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"doorward/configs"
	"doorward/keys"
	"doorward/runtime/flow"
)

// errToken says that a JWT is not one that we signed for this environment.
var errToken = errors.New("not a token of this issuer")

// claims are what the provider reads of its own tokens.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"` // seconds since 1970
	Session  string   `json:"sid"`
	Grant    string   `json:"gid"` // access tokens of a user only
}

// audience is one text or a list of texts. Source: RFC 7519 4.1.3.
type audience []string

// UnmarshalJSON refuses everything else.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// algorithms are those that tokens of ours may be signed by.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA}
}

// verify returns the claims of a JWT that one of the environment's published
// keys signed, by that key's own algorithm. It judges no times: that is for the
// caller. Nothing in the token is decoded before its signature has held.
func (p *Provider) verify(ctx context.Context, b *configs.Bundle, token string) (claims, error) {
	jws, err := jose.ParseSignedCompact(token, algorithms())
	if err != nil {
		return claims{}, errToken
	}
	all, err := p.SigningKeys.All(ctx, b.Environment().ID)
	if err != nil {
		return claims{}, flow.Busy(err)
	}
	header := jws.Signatures[0].Header
	i := slices.IndexFunc(all, func(k *keys.SigningKey) bool { return k.ID == header.KeyID && k.Algorithm == header.Algorithm })
	if i < 0 {
		return claims{}, errToken
	}
	payload, err := jws.Verify(all[i].Private.Public())
	if err != nil {
		return claims{}, errToken
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer != b.Environment().Issuer() {
		return claims{}, errToken
	}
	return c, nil
}

// idToken returns the claims of an ID token of ours, expired or not.
func (p *Provider) idToken(ctx context.Context, b *configs.Bundle, token string) (claims, error) {
	c, err := p.verify(ctx, b, token)
	if err == nil && (c.Grant != "" || c.Session == "" || len(c.Audience) != 1) {
		return claims{}, errToken
	}
	return c, err
}

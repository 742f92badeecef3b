package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"doorward/configs"
	"doorward/runtime/flow"
)

// Environment is the environment that an access token says it is of, unverified:
// it tells whose keys to ask and nothing else. It is empty of what is no token.
func (p *Provider) Environment(token string) string {
	jws, err := jose.ParseSignedCompact(token, algorithms())
	var c struct {
		Env string `json:"env"`
	}
	if err != nil || json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &c) != nil {
		return ""
	}
	return c.Env
}

// Worker returns the application that an access token was minted for by itself
// (client_credentials), for the API at audience. The application must be one of
// b's workers still, and switched on. Whatever is wrong with the token is the
// same fault, an InvalidToken; any other error says that nothing was judged.
// Source: RFC 6749 4.4, RFC 9068 4.
func (p *Provider) Worker(ctx context.Context, b *configs.Bundle, audience, token string) (*configs.Application, error) {
	c, err := p.verify(ctx, b, token)
	if err != nil && !errors.Is(err, errToken) {
		return nil, err
	}
	app, known := b.Application(c.Subject)
	if err != nil || !known || !app.Enabled || app.Type != "WORKER" || !slices.Contains(app.GrantTypes, "CLIENT_CREDENTIALS") ||
		c.Grant != "" || c.Session != "" || !slices.Equal(c.Audience, []string{audience}) || p.Now().Unix() >= c.Expires {
		return nil, &flow.Fault{Code: flow.InvalidToken, Message: "The request could not be completed. The access token is not valid here, has expired, or its application is switched off."}
	}
	return app, nil
}

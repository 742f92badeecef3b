package federation

import (
	"context"
	"net/http"
	"time"

	"doorward/runtime/flow"
)

// Client asks external providers who has signed on there.
type Client struct {
	http func(env string, p Provider) *http.Client
	now  func() time.Time
	keys keyring
}

// NewClient makes a Client. http makes what it calls a provider with; that must guard
// where it goes.
func NewClient(http func(env string, p Provider) *http.Client, now func() time.Time) *Client {
	return &Client{http: http, now: now, keys: keyring{sets: map[source]*set{}}}
}

// Answer is what a provider sent a browser back with, whose state was that of the Leg.
type Answer struct {
	Code        string
	Issuer      string // RFC 9207; empty: it did not say
	Leg         Leg
	RedirectURI string    // that of Provider.Address
	Since       time.Time // the sign-on there must not be older; zero: it may be of any time
}

// Identity is who has signed on at a provider.
type Identity struct {
	ID            string          // sub: 1 to 255 characters
	Attributes    flow.Attributes // those mapped that have a value which a user can have
	Always        []string        // names of those that replace what a user has
	EmailVerified bool            // the provider says so of the "email" among Attributes
}

// Exchange has the code exchanged, and judges what the provider says. The error is a
// *Refusal where that is no good, or did not come within flow.CallTimeout; any other
// error is the caller's, who has gone, or the configuration's.
func (c *Client) Exchange(ctx context.Context, env string, p Provider, a Answer) (Identity, error) {
	if p.Type != OpenIDConnect || !p.Enabled {
		return Identity{}, refuse(UnknownProvider, "")
	}
	if a.Issuer != "" && a.Issuer != p.Issuer {
		return Identity{}, refuse(WrongIssuer, "the answer is of another provider")
	}
	ctx, cancel := context.WithTimeout(ctx, flow.CallTimeout)
	defer cancel()
	client := c.http(env, p)
	got, err := exchanged(ctx, client, &p, &a)
	if err != nil {
		return Identity{}, err
	}
	j := judge{provider: &p, answer: &a, access: got.access, now: c.now()}
	claims, err := j.judged(ctx, got.id, c.keys.of(env, &p, client, j.now)) //nolint:contextcheck // keys are fetched for whoever waits for them
	if err != nil {
		return Identity{}, err
	}
	subject, _ := claims["sub"].(string)
	if p.UserInfoEndpoint != "" {
		more, err := userInfo(ctx, client, &p, got.access, subject)
		if err != nil {
			return Identity{}, err
		}
		supplement(claims, more)
	}
	return p.identity(subject, claims), nil
}

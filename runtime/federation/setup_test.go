package federation_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorward/internal/optest"
	"doorward/runtime/federation"
	"doorward/runtime/flow"
)

const (
	envID  = "d0000000-0000-4000-8000-000000000001"
	flowID = "d0000000-0000-4000-8000-0000000000f1"
	back   = "https://auth.example/rp/callback/openid_connect"
)

// rig is a client beside a provider that really listens.
type rig struct {
	t  testing.TB
	op *optest.Provider
	p  federation.Provider
	c  *federation.Client

	challenge [32]byte
	request   flow.External
	since     time.Time
	ahead     time.Duration // of our clock
	last      url.Values    // what the browser came back with last
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	op := optest.Start(tb)
	r := &rig{t: tb, op: op, challenge: [32]byte{1}, request: flow.External{MaxAge: -1}, p: configured(op)}
	r.c = federation.NewClient(func(string, federation.Provider) *http.Client { return op.Client() }, func() time.Time { return time.Now().Add(r.ahead) })
	return r
}

// configured is a provider as somebody would configure it.
func configured(op *optest.Provider) federation.Provider {
	return federation.Provider{
		ID: "d0000000-0000-4000-8000-0000000000b1", Name: "Partner", Type: federation.OpenIDConnect, Enabled: true,
		Issuer: op.Issuer, AuthorizationEndpoint: op.AuthorizationEndpoint, TokenEndpoint: op.TokenEndpoint, JWKSEndpoint: op.JWKSEndpoint,
		ClientID: op.ClientID, ClientSecret: op.ClientSecret, AuthMethod: federation.SecretBasic, PKCE: true,
		Scopes:   []string{"openid", "email"},
		Mappings: []federation.Mapping{{Name: "username", Value: "${providerAttributes.sub}"}},
	}
}

// leg is that of the rig's execution.
func (r *rig) leg() federation.Leg { return federation.NewLeg(flowID, r.p.ID, r.challenge) }

// browse goes to the provider and comes back.
func (r *rig) browse() federation.Answer {
	r.t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.p.Address(r.leg(), back, r.request), http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	to, err := res.Location()
	if err != nil {
		r.t.Fatalf("status %d: %v", res.StatusCode, err)
	}
	r.last = to.Query()
	if state := r.last.Get("state"); state != r.leg().State {
		r.t.Fatalf("came back with state %q", state)
	}
	return federation.Answer{Code: r.last.Get("code"), Issuer: r.last.Get("iss"), Leg: r.leg(), RedirectURI: back, Since: r.since}
}

// signOn goes there, comes back, and has the code exchanged.
func (r *rig) signOn() (federation.Identity, error) {
	r.t.Helper()
	time.Sleep(5 * time.Millisecond) // the library hands keys out a moment before it keeps them
	return r.exchange(r.browse())
}

// exchange has a code exchanged, and holds what comes of it to what an error may say.
func (r *rig) exchange(a federation.Answer) (federation.Identity, error) {
	r.t.Helper()
	who, err := r.c.Exchange(r.t.Context(), envID, r.p, a)
	if err == nil {
		return who, nil
	}
	if who.ID != "" || len(who.Attributes) > 0 {
		r.t.Errorf("an error comes with %+v", who)
	}
	for name, secret := range map[string]string{
		"code": a.Code, "secret": r.p.ClientSecret, "verifier": a.Leg.Verifier, "nonce": a.Leg.Nonce, "state": a.Leg.State,
	} {
		for e := err; e != nil; e = errors.Unwrap(e) {
			if secret != "" && strings.Contains(e.Error(), secret) {
				r.t.Errorf("the error holds the %s: %v", name, e)
			}
		}
	}
	return who, err
}

// refused expects a Refusal for a reason.
func refused(t testing.TB, err error, reason string) {
	t.Helper()
	r := (*federation.Refusal)(nil)
	if !errors.As(err, &r) || r.Reason != reason {
		t.Errorf("%v, want a refusal for %s", err, reason)
	}
}

// with are claims of ada and more.
func with(more map[string]any) map[string]any {
	out := map[string]any{"sub": "ada"}
	maps.Copy(out, more)
	return out
}

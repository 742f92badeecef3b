package federation_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"doorward/internal/optest"
	"doorward/runtime/federation"
)

func TestKeysAreFetchedWhenTheyMustBe(t *testing.T) {
	for name, row := range map[string]struct {
		between func(r *rig)
		fetched int
	}{
		"once for two sign-ons":            {func(*rig) {}, 1},
		"again for a new key":              {func(r *rig) { r.rotate() }, 2},
		"again when they are old":          {func(r *rig) { r.ahead = 61 * time.Minute }, 2},
		"again when their address changes": {func(r *rig) { r.p.JWKSEndpoint += "?v=2" }, 2},
		"apart for each provider":          {func(r *rig) { r.p.ID = "d0000000-0000-4000-8000-0000000000b2" }, 2},
		"again when the key was replaced":  {func(r *rig) { r.rotate(); r.op.Withdraw() }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.op.Spoil(func(tok *optest.Token) { tok.Claims["exp"] = time.Now().Add(24 * time.Hour).Unix() })
			if _, err := r.signOn(); err != nil {
				t.Fatal(err)
			}
			row.between(r)
			if _, err := r.signOn(); err != nil {
				t.Fatal(err)
			}
			if n := len(r.op.Asked(optest.JWKS)); n != row.fetched {
				t.Errorf("keys were fetched %d times, want %d", n, row.fetched)
			}
		})
	}
}

// rotate gives the provider another key. The library hands keys out a moment before it
// keeps them, and gives those to whoever asks meanwhile.
func (r *rig) rotate() {
	time.Sleep(50 * time.Millisecond)
	r.op.Rotate()
}

// labelled tells by which client a request was made.
type labelled string

func (l labelled) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Client", string(l))
	return http.DefaultTransport.RoundTrip(req)
}

// TestKeysAreFetchedAsTheProviderIsConfiguredNow holds that kept keys keep no client.
func TestKeysAreFetchedAsTheProviderIsConfiguredNow(t *testing.T) {
	r := newRig(t)
	r.c = federation.NewClient(func(_ string, p federation.Provider) *http.Client {
		return &http.Client{Transport: labelled(p.Name)}
	}, time.Now)
	for _, name := range []string{"one", "two"} {
		r.p.Name = name
		r.rotate()
		if _, err := r.signOn(); err != nil {
			t.Fatal(err)
		}
		asked := r.op.Asked(optest.JWKS)
		if by := asked[len(asked)-1].Header.Get("Client"); by != name {
			t.Errorf("keys were fetched by the client of %q, want %q", by, name)
		}
	}
}

// TestAKeyThatIsWithdrawn is no longer good once the keys are an hour old.
func TestAKeyThatIsWithdrawn(t *testing.T) {
	r := newRig(t)
	old := r.op.Key()
	kid := ""
	r.op.Spoil(func(tok *optest.Token) { kid, _ = tok.Header["kid"].(string) })
	if _, err := r.signOn(); err != nil {
		t.Fatal(err)
	}
	r.rotate()
	r.op.Withdraw()
	r.op.Spoil(func(tok *optest.Token) {
		tok.Header["kid"], tok.Key, tok.Claims["exp"] = kid, old, time.Now().Add(24*time.Hour).Unix()
	})
	r.ahead = time.Hour
	_, err := r.signOn()
	refused(t, err, federation.BadSignature)
}

// TestProvidersHaveNoKeysInCommon holds that the key of one signs nothing of another,
// and that two environments share none.
func TestProvidersHaveNoKeysInCommon(t *testing.T) {
	r, other := newRig(t), optest.Start(t)
	if _, err := r.signOn(); err != nil {
		t.Fatal(err)
	}
	mine := r.op.Key()
	r.op, r.p = other, configured(other)
	r.op.Spoil(func(tok *optest.Token) { tok.Key = mine })
	_, err := r.signOn()
	refused(t, err, federation.BadSignature)
	if _, err := r.c.Exchange(t.Context(), "d0000000-0000-4000-8000-000000000002", r.p, r.browse()); err == nil {
		t.Error("the other environment took it")
	}
	if n := len(other.Asked(optest.JWKS)); n != 2 {
		t.Errorf("keys were fetched %d times, want 2", n)
	}
}

func TestManySignOnsAtOnce(t *testing.T) {
	r := newRig(t)
	var answers []federation.Answer
	for range 16 {
		answers = append(answers, r.browse())
	}
	var all sync.WaitGroup
	for _, a := range answers {
		all.Go(func() {
			if _, err := r.c.Exchange(t.Context(), envID, r.p, a); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestKeysOfManyProviders holds that what is kept has a bound, and that those used
// last are kept.
func TestKeysOfManyProviders(t *testing.T) {
	r := newRig(t)
	clock := time.Now()
	r.c = federation.NewClient(
		func(string, federation.Provider) *http.Client { return r.op.Client() },
		func() time.Time { clock = clock.Add(time.Millisecond); return clock },
	)
	sign := func(provider int) {
		t.Helper()
		r.p.ID = fmt.Sprintf("d0000000-0000-4000-8000-%012x", provider)
		if _, err := r.signOn(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1024 {
		sign(i)
	}
	sign(0)
	sign(1024) // makes 1 be forgotten, and not 0
	r.op.Forget()
	sign(0)
	if n := len(r.op.Asked(optest.JWKS)); n != 0 {
		t.Error("the keys used last were forgotten")
	}
	sign(1)
	if n := len(r.op.Asked(optest.JWKS)); n != 1 {
		t.Error("the keys used longest ago were kept")
	}
}

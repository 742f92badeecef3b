package engine_test

import (
	"errors"
	"testing"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// Who is present is whom the browser's session names, for as long as what was proven
// counts, in this environment.
func TestWhoIsPresent(t *testing.T) {
	changed := monday().Add(30 * time.Minute)
	for name, tt := range map[string]struct {
		standing flow.Standing
		err      error
		there    bool
	}{
		"nothing changed":                 {flow.Standing{Enabled: true}, nil, true},
		"the password was changed before": {flow.Standing{Enabled: true, Since: monday()}, nil, true},
		"the password was changed later":  {flow.Standing{Enabled: true, Since: changed}, nil, false},
		"disabled or deleted":             {flow.Standing{}, nil, false},
		"the directory is away":           {flow.Standing{}, errors.New("connection refused"), false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.signOn("ada")
			h.pass(time.Hour)
			h.standing = func(string) (flow.Standing, error) { return tt.standing, tt.err }
			s, err := h.Present(t.Context(), env, b.caller())
			if (err != nil) != (tt.err != nil) || (s != nil) != tt.there {
				t.Fatalf("present: %+v, error %v", s, err)
			}
			if s != nil && (s.User.ID != "ada" || s.ID != v.SessionID || len(s.Proofs) != 1 || !s.Proofs[0].At.Equal(monday())) {
				t.Errorf("present: %+v", s)
			}
		})
	}
}

// Nobody is present without a cookie, with one of no session, in another environment,
// or half way through a sign-on.
func TestWhoIsNotPresent(t *testing.T) {
	h := newHouse(t, knows("a"), knows("b"))
	whole := newHouse(t, knows("a"))
	b, half := whole.browser(), h.browser()
	b.signOn("ada")
	half.answer(half.start(), "ada", "right")
	for name, tt := range map[string]struct {
		*house
		env    string
		caller flow.Caller
	}{
		"no cookie":           {whole, env, flow.Caller{}},
		"a planted one":       {whole, env, flow.Caller{Cookie: "planted"}},
		"another environment": {whole, "elsewhere", b.caller()},
		"half a sign-on":      {h, env, half.caller()},
	} {
		if s, err := tt.Present(t.Context(), tt.env, tt.caller); s != nil || err != nil {
			t.Errorf("%s: %+v, error %v", name, s, err)
		}
	}
}

// Looking is limited, as starting and answering are.
func TestPresenceIsLimited(t *testing.T) {
	h := newHouse(t, knows("a"))
	h.rates = engine.Rates{Submits: 2}
	h.build()
	b := h.browser()
	for n := range 3 {
		_, err := h.Present(t.Context(), env, b.caller())
		if limited := err != nil && flow.AsFault(err).Code == flow.Limited; limited != (n == 2) {
			t.Errorf("the %d. look: %v", n+1, err)
		}
	}
}

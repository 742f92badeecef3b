package mfa_test

import (
	"testing"
	"time"

	"doorward/runtime/flow"
)

func TestABrowserIsTrustedForAsLongAsThePolicySays(t *testing.T) {
	r := newRig(t)
	r.policy.RememberMe.Enabled, r.policy.RememberMe.Life = true, time.Hour
	who, shown := r.who("f1"), flow.Sum("value")
	trusted := func() bool {
		t.Helper()
		ok, err := r.Trusted(t.Context(), who, "", shown)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if trusted() {
		t.Error("trusted before")
	}
	life, err := r.Trust(t.Context(), who, "", shown)
	if err != nil || life != time.Hour || !trusted() {
		t.Fatalf("%v, %v, trusted %t", life, err, trusted())
	}
	if ok, err := r.Trusted(t.Context(), who, "", flow.Digest{}); ok || err != nil {
		t.Error("what shows nothing is trusted", err)
	}
	nobody := who
	nobody.UserID = ""
	if ok, err := r.Trusted(t.Context(), nobody, "", shown); ok || err != nil {
		t.Error("nobody trusts a browser", err)
	}
	r.policy.RememberMe.Enabled = false
	if trusted() {
		t.Error("trusted although the policy forgets")
	}
	r.policy.RememberMe.Enabled = true
	r.clock = r.clock.Add(time.Hour)
	if trusted() {
		t.Error("trusted for longer")
	}
}

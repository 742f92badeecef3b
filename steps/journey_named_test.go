package steps_test

import (
	"slices"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// knocks starts a sign-on for ada, whom the application has named.
func (h *house) knocks() *browser {
	h.t.Helper()
	b := &browser{h: h}
	v, done, err := h.Start(h.t.Context(), flow.Start{
		Env: env, Plans: []flow.Digest{h.plan.Hash}, Caller: b.caller(), Request: flow.Request{MaxAge: -1, User: h.town.people["ada"].Subject},
	})
	if err != nil || done != nil {
		h.t.Fatalf("started with completion %v, error %v", done, err)
	}
	b.keep(v)
	return b
}

// Where a password is asked for it is that of whoever was named, by all doors, and again
// after a reset.
func TestWhoIsNamedSignsOnAndNobodyElse(t *testing.T) {
	const doors = `{"type":"LOGIN","priority":1,"recovery":{"enabled":true},"registration":{"enabled":true}}`
	for _, first := range []string{plain, doors, `{"type":"IDENTIFIER_FIRST","priority":1,"recovery":{"enabled":true},"registration":{"enabled":true}}`} {
		h, l := newVault(t, first)
		l.give("bea", device.FIDO2)
		b := h.knocks()
		for range 2 {
			if b.Status != "PASSWORD_REQUIRED" || b.User.Username != "ada" || slices.Contains(offered(b.View), "user.register") {
				t.Fatalf("%s for %q, with %v", b.Status, b.User.Username, offered(b.View))
			}
			b.fails("usernamePassword.check", flow.Values{"username": "bea", "password": "correct"}, flow.InvalidData)
			b.fails("assertion.check", flow.Values{"origin": "o", "assertion": "verified:of-bea-FIDO2"}, flow.InvalidData)
			if slices.Contains(offered(b.View), "password.forgot") {
				b.fails("password.forgot", flow.Values{"username": "bea"}, flow.InvalidData)
			}
			b.does(engine.ResetAction, nil, "PASSWORD_REQUIRED")
		}
		b.does("usernamePassword.check", flow.Values{"password": "correct"}, flow.Completed)
		b.signedOn("ada")
	}
}

// Where a device is asked for it is theirs, at once; and a device is no way to add one,
// nor is a name.
func TestWhoIsNamedIsAskedForTheirDevice(t *testing.T) {
	h, l := newVault(t, second)
	l.give("ada", device.SMS)
	l.give("ada", device.TOTP)
	b := h.knocks()
	if b.Status != "OTP_REQUIRED" || b.shown("selectedDevice") != `{"id":"of-ada-SMS"}` || l.asked != 1 {
		t.Fatalf("%s of %s, asked %d", b.Status, b.shown("selectedDevice"), l.asked)
	}
	b.fails("otp.check", flow.Values{"otp": "000000"}, flow.InvalidData)
	b.does("otp.check", flow.Values{"otp": "246810"}, flow.Completed)
	b.by("otp")
}

// Whoever is named and has no device is asked for the password before one is set up, as
// if nobody had named them, and passes where the action says so.
func TestWhoIsNamedAndHasNoDevice(t *testing.T) {
	h, _ := newVault(t, second)
	b := h.knocks()
	if b.Status != "PASSWORD_REQUIRED" {
		t.Fatal(b.Status)
	}
	b.does("usernamePassword.check", flow.Values{"password": "correct"}, enrolling)

	const bypass = `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":5,"noDevicesMode":"BYPASS"}`
	h, _ = newVault(t, plain, bypass)
	b = h.knocks()
	b.does("usernamePassword.check", flow.Values{"password": "correct"}, flow.Completed)
	b.by("pwd")
	b = h.open("")
	b.does("usernamePassword.check", adasWord(), enrolling)

	h, l := newVault(t, bypass)
	v, done, err := h.Start(t.Context(), flow.Start{
		Env: env, Plans: []flow.Digest{h.plan.Hash}, Request: flow.Request{MaxAge: -1, User: h.town.people["ada"].Subject},
	})
	if err != nil || done == nil || len(done.AMR) != 0 || done.ACR != "" || v.Cookie != "" {
		t.Errorf("%+v, %v", done, err)
	}
	l.give("ada", device.SMS)
	if b = h.knocks(); b.Status != "OTP_REQUIRED" {
		t.Errorf("who has a device is let pass: %s", b.Status)
	}
	if b = h.open(""); b.Status != "SIGN_ON_REQUIRED" {
		t.Errorf("who was not named is let pass: %s", b.Status)
	}
}

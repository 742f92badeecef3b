package steps_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/steps"
)

const (
	coding    = "OTP_REQUIRED"
	enrolling = "DEVICE_ENROLLMENT_REQUIRED"

	second = `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":5}`
)

// newVault is newHouse with devices.
func newVault(t *testing.T, actions ...string) (*house, *lockers) {
	t.Helper()
	h := &house{t: t, town: newTown()}
	l := &lockers{town: h.town, now: h.now}
	h.serve(h.offers(l, actions...))
	return h, l
}

// offers has whoever starts from now on sign on by a policy of these actions.
func (h *house) offers(l *lockers, actions ...string) []flow.Kind {
	h.t.Helper()
	kinds := steps.Builtin(l.parts())
	raw := make([]json.RawMessage, len(actions))
	for i, a := range actions {
		raw[i] = json.RawMessage(a)
	}
	src, _, err := policy.Source(json.RawMessage(`{"name":"P"}`), raw, nil, nil)
	h.must(err)
	h.plan, err = policy.Compile(src, kinds)
	h.must(err)
	return kinds
}

// back starts an execution in the session of a cookie, which must lead to a status.
func (h *house) back(cookie, status string) *browser {
	h.t.Helper()
	b := &browser{h: h, cookie: cookie}
	v, done, err := h.Start(h.t.Context(), flow.Start{Env: env, Plans: []flow.Digest{h.plan.Hash}, Caller: b.caller(), Request: flow.Request{MaxAge: -1}})
	if err != nil || done != nil || v.Status != status {
		h.t.Fatal(v.Status, done, err)
	}
	b.keep(v)
	return b
}

// by holds that the execution is complete, by these methods.
func (b *browser) by(amr ...string) {
	b.h.t.Helper()
	_, done, err := b.h.Resume(b.h.t.Context(), b.Ref, b.caller())
	if err != nil || done == nil {
		b.h.t.Fatalf("%s gives no completion: %v", b.Status, err)
	}
	if diff := cmp.Diff(amr, done.AMR); diff != "" {
		b.h.t.Error(diff)
	}
}

// shown is a member of the view; empty where there is none.
func (b *browser) shown(name string) string {
	for _, m := range b.Members {
		if m.Name == name {
			return string(m.JSON)
		}
	}
	return ""
}

func adasWord() flow.Values { return flow.Values{"username": "ada", "password": "correct"} }

func TestASecondFactorIsAskedFor(t *testing.T) {
	h, l := newVault(t, plain, second)
	l.give("ada", device.TOTP)
	b := h.open("")
	b.does("usernamePassword.check", adasWord(), coding)
	if _, done, _ := h.Resume(t.Context(), b.Ref, b.caller()); done != nil {
		t.Fatal("one factor is enough")
	}
	b.fails("otp.check", flow.Values{"otp": "000000"}, flow.InvalidData)
	if b.Status != coding || b.shown("selectedDevice") != `{"id":"of-ada-TOTP"}` || len(b.Embedded) != 1 {
		t.Errorf("%s shows %v", b.Status, b.Members)
	}
	token := b.Token
	b.does("otp.check", flow.Values{"otp": "246810"}, flow.Completed)
	v, err := h.Act(t.Context(), b.Ref, b.caller(), flow.Submit{Action: "otp.check", Values: flow.Values{"otp": "246810"}, Token: token})
	if err != nil || v.Status != flow.Completed {
		t.Error("a repeat is answered otherwise", v.Status, err)
	}
	b.by("pwd", "otp", "mfa")
}

func TestWhoHasNoDeviceSetsOneUp(t *testing.T) {
	h, _ := newVault(t, plain, second)
	b := h.open("")
	b.does("usernamePassword.check", adasWord(), enrolling)
	if slices.Contains(offered(b.View), "device.skipEnrollment") {
		t.Error("the second factor may be skipped")
	}
	b.does("device.create", flow.Values{"type": "TOTP"}, "ACTIVATION_REQUIRED")
	if b.shown("totp") == "" {
		t.Error("nothing is shown to set up an app with")
	}
	b.fails("device.activate", flow.Values{"otp": "000000"}, flow.InvalidData)
	b.does("device.delete", nil, enrolling)
	b.does("device.create", flow.Values{"type": "EMAIL", "email": "ada@example.com"}, "ACTIVATION_REQUIRED")
	b.does("device.activate", flow.Values{"otp": "246810"}, flow.Completed)
	b.by("pwd", "otp", "mfa")
}

func TestWhoHasNoDeviceIsKeptOut(t *testing.T) {
	h, _ := newVault(t, plain, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":5,"noDevicesMode":"BLOCK"}`)
	b := h.open("")
	b.does("usernamePassword.check", adasWord(), flow.Failed)
	if b.Failure.Code != "NO_USABLE_DEVICES" {
		t.Error(b.Failure)
	}
}

// A passkey that has verified the person is both factors; one that has not is the
// second, and the password the first.
func TestAPasskeyIsEnough(t *testing.T) {
	for _, first := range []string{plain, `{"type":"IDENTIFIER_FIRST","priority":1}`} {
		h, l := newVault(t, first, second)
		d := l.give("ada", device.FIDO2)
		b := h.open("")
		challenge := b.shown("publicKeyCredentialRequestOptionsJSON")
		if challenge == "" || !slices.Contains(offered(b.View), "assertion.check") {
			t.Fatal("there is no door for passkeys", b.Members)
		}
		b.fails("assertion.check", flow.Values{"origin": "o", "assertion": "forged"}, flow.InvalidData)
		if again := b.shown("publicKeyCredentialRequestOptionsJSON"); again == challenge || again == "" {
			t.Error("a challenge outlives its first verdict")
		}
		b.does("assertion.check", flow.Values{"origin": "o", "assertion": "verified:" + d.ID}, flow.Completed)
		b.by("hwk", "mfa")
		if l.asked > 0 {
			t.Error("the passkey is asked for once more")
		}
		b = h.open("")
		b.does("assertion.check", flow.Values{"origin": "o", "assertion": "had:" + d.ID}, bound)
		if b.User.ID != d.UserID {
			t.Error("the user is", b.User)
		}
		b.does("usernamePassword.check", flow.Values{"password": "correct"}, flow.Completed)
		b.by("hwk", "pwd", "mfa")
	}
}

func TestAnotherPasskeyIsRefusedOnceAUserIsKnown(t *testing.T) {
	h, l := newVault(t, `{"type":"IDENTIFIER_FIRST","priority":1}`)
	l.give("ada", device.FIDO2)
	b := h.open("")
	b.does("user.lookup", flow.Values{"username": "bea"}, bound)
	b.fails("assertion.check", flow.Values{"origin": "o", "assertion": "verified:of-ada-FIDO2"}, flow.InvalidData)
	if b.Status != bound || b.User.ID != "" || len(b.AMR) > 0 {
		t.Error(b.Status, b.User, b.AMR)
	}
	b.does("usernamePassword.check", flow.Values{"password": "correct"}, flow.Completed)
	b.by("pwd")
}

func TestADeviceAloneSignsOn(t *testing.T) {
	h, l := newVault(t, second)
	l.give("ada", device.Email)
	somebody, nobody := h.open(""), h.open("")
	somebody.does("user.lookup", flow.Values{"username": "ada"}, coding)
	nobody.does("user.lookup", flow.Values{"username": "zoe"}, coding)
	same(t, "asked", somebody.View, nobody.View)
	if diff := cmp.Diff([]string{"otp.check", "otp.resend", "session.reset"}, offered(somebody.View)); diff != "" || len(somebody.Embedded) > 0 {
		t.Error(diff, somebody.Embedded)
	}
	nobody.fails("otp.check", flow.Values{"otp": "246810"}, flow.InvalidData)
	somebody.fails("otp.check", flow.Values{"otp": "000000"}, flow.InvalidData)
	same(t, "refused", somebody.View, nobody.View)
	somebody.does("otp.resend", nil, coding)
	nobody.does("otp.resend", nil, coding)
	same(t, "asked again", somebody.View, nobody.View)
	somebody.does("otp.check", flow.Values{"otp": "246810"}, flow.Completed)
	somebody.by("otp")
}

// Who signed on long ago, and has no device, gives the password once more before one
// is set up.
func TestAnOldSessionSetsUpNoDevice(t *testing.T) {
	h, _ := newVault(t, `{"type":"LOGIN","priority":1,"condition":{"secondsSince":"${session.lastSignOn.withAuthenticator.pwd.at}","greater":28800}}`, second)
	b := h.open("")
	b.does("usernamePassword.check", adasWord(), enrolling)
	b.does("device.create", flow.Values{"type": "TOTP"}, "ACTIVATION_REQUIRED")
	h.at.Add(int64(14 * time.Minute))
	b.does("device.activate", flow.Values{"otp": "246810"}, flow.Completed)
	b.by("pwd", "otp", "mfa")

	h, l := newVault(t, plain)
	b = h.open("")
	b.does("usernamePassword.check", adasWord(), flow.Completed)
	cookie := b.cookie
	h.at.Add(int64(time.Hour))
	h.offers(l, second)
	b = h.back(cookie, bound)
	b.does("usernamePassword.check", flow.Values{"password": "correct"}, enrolling)
	b.does("device.create", flow.Values{"type": "TOTP"}, "ACTIVATION_REQUIRED")
	b.does("device.activate", flow.Values{"otp": "246810"}, flow.Completed)
}

func TestTheResetForgetsWhoAnsweredACode(t *testing.T) {
	h, l := newVault(t, plain, second)
	l.give("ada", device.TOTP)
	b := h.open("")
	b.does("usernamePassword.check", adasWord(), coding)
	b.does("session.reset", nil, anybody)
	b.fails("otp.check", flow.Values{"otp": "246810"}, flow.InvalidRequest)
}

// Whoever has recovered the password in this session, and confirms by a code to that same
// mailbox, types the new one first: the two codes would be one factor.
func TestARecoveredPasswordIsTypedBesideACodeToItsMailbox(t *testing.T) {
	const aged = `{"type":"LOGIN","priority":1,"recovery":{"enabled":true},"condition":{"secondsSince":"${session.lastSignOn.withAuthenticator.pwd.at}","greater":28800}}`
	for name, tt := range map[string]struct {
		kind    device.Type
		address string
		asked   bool
	}{
		"a device at the mailbox":      {device.Email, "ada@example.com", true},
		"a device at another mailbox":  {device.Email, "ada@home.example", false},
		"a device that has no address": {device.TOTP, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			h, l := newVault(t, aged)
			b := h.open("")
			b.does("password.forgot", flow.Values{"username": "ada"}, recovering)
			b.does("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "fresh"}, flow.Completed)

			l.give("ada", tt.kind)
			l.devices[0].Email = tt.address
			h.offers(l, aged, second)
			if tt.asked {
				b = h.back(b.cookie, bound)
				b.does("usernamePassword.check", flow.Values{"password": "fresh"}, coding)
			} else {
				b = h.back(b.cookie, coding)
			}
			b.does("otp.check", flow.Values{"otp": "246810"}, flow.Completed)
			b.by("pwd", "otp", "mfa")
			h.back(b.cookie, coding).does("otp.check", flow.Values{"otp": "246810"}, flow.Completed) // what was typed is remembered
		})
	}
}

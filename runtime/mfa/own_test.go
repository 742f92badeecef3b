package mfa_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// code is what an app with the seed shows at a time.
func code(t testing.TB, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAppsShowWhatTheStandardSays has its vectors, of which apps show the last six
// digits. Source: RFC 6238 appendix B.
func TestAppsShowWhatTheStandardSays(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"} {
		r := newRig(t)
		r.clock = time.Unix(at, 0)
		if v := r.otp("f1", r.challenge("f1", r.app()), want); !v.OK {
			t.Errorf("%s at %d: %+v", want, at, v)
		}
	}
}

func TestACodeOfAnAppIsGoodAroundItsTime(t *testing.T) {
	for grace, rows := range map[int]map[time.Duration]bool{
		1:  {-60 * time.Second: false, -30 * time.Second: true, 0: true, 30 * time.Second: true, 60 * time.Second: false},
		5:  {-150 * time.Second: true, 150 * time.Second: true, 180 * time.Second: false, -180 * time.Second: false},
		10: {300 * time.Second: true, 330 * time.Second: false},
	} {
		for off, ok := range rows {
			r := newRig(t)
			r.policy.TOTP.Grace = grace
			if v := r.otp("f1", r.challenge("f1", r.app()), code(t, r.clock.Add(off))); v.OK != ok {
				t.Errorf("with %d steps, %v off: %v", grace, off, v.OK)
			}
		}
	}
}

func TestACodeOfAnAppIsGoodOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second time.Duration // from now
		ok            bool
	}{
		"the same":                   {0, 0, false},
		"one before it, still valid": {0, -30 * time.Second, false},
		"the next":                   {0, 30 * time.Second, true},
		"one behind a fast clock's":  {60 * time.Second, 30 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d := r.app()
			if v := r.otp("f1", r.challenge("f1", d), code(t, r.clock.Add(tt.first))); !v.OK {
				t.Fatal("the first")
			}
			v := r.otp("f2", r.challenge("f2", d), code(t, r.clock.Add(tt.second)))
			if v.OK != tt.ok || slices.Contains(v.Events, flow.DeviceReplayed) == tt.ok {
				t.Errorf("%+v", v)
			}
			if !tt.ok && !strings.Contains(detail(t, v.Fault).Message, "used before") {
				t.Errorf("%v", v.Fault)
			}
		})
	}
}

// TestAClockThatWentBackRevivesNothing: the last step is in the store.
func TestAClockThatWentBackRevivesNothing(t *testing.T) {
	r := newRig(t)
	d := r.app()
	used := code(t, r.clock)
	r.otp("f1", r.challenge("f1", d), used)
	r.clock = r.clock.Add(-10 * time.Minute)
	for _, c := range []string{used, code(t, r.clock)} {
		if v := r.otp("f2", r.challenge("f2", d), c); v.OK {
			t.Error("a step that is over")
		}
	}
}

func TestWrongCodesOfAnAppLockIt(t *testing.T) {
	r := newRig(t)
	d := r.app()
	c := r.challenge("f1", d)
	for i, left := range []any{2, 1} {
		if v := r.otp("f1", c, "000000"); v.OK || detail(t, v.Fault).Inner["attemptsRemaining"] != left {
			t.Errorf("try %d: %v", i+1, v.Fault)
		}
	}
	v := r.otp("f1", c, "000000")
	if !v.DeviceLocked || !v.LockedUntil.Equal(r.clock.Add(2*time.Minute)) || detail(t, v.Fault).Inner["secondsUntilUnlock"] != 120 || !slices.Contains(v.Events, flow.DeviceLocked) {
		t.Errorf("%+v", v)
	}
	if v := r.otp("f1", c, code(t, r.clock)); v.OK || r.store.compared != 3 {
		t.Errorf("%d were compared while it is locked", r.store.compared)
	}
	choice, err := r.Choose(t.Context(), r.who("f1"), "", "")
	if err != nil || len(choice.Devices) != 0 || !choice.Held || choice.LockedUntil.IsZero() {
		t.Errorf("%+v, %v", choice, err)
	}
	r.clock = r.clock.Add(2 * time.Minute)
	if v := r.otp("f1", c, code(t, r.clock)); !v.OK {
		t.Errorf("after the cool-down: %+v", v)
	}
}

func TestATokenIsAsAnApp(t *testing.T) {
	r := newRig(t)
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who(""), Type: device.OathToken, Seed: seed()})
	if err != nil || made.Key != nil {
		t.Fatal(made, err)
	}
	v, err := r.Activate(t.Context(), mfa.Activation{Who: r.who(""), Device: made.Device.ID, OTP: code(t, r.clock)})
	if err != nil || !v.OK {
		t.Fatal(v, err)
	}
	r.clock = r.clock.Add(30 * time.Second)
	if v := r.otp("f1", r.challenge("f1", v.Device), code(t, r.clock)); !v.OK || v.Proof.Method != "oath" {
		t.Errorf("%+v", v)
	}
}

func TestRecoveryCodes(t *testing.T) {
	r := newRig(t)
	r.app()
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.Recovery})
	if err != nil || len(made.Codes) != 10 || made.Device.Status != device.Active {
		t.Fatal(made, err)
	}
	seen := map[string]bool{}
	for _, c := range made.Codes {
		if len(c) != 11 || c[5] != '-' || strings.Trim(c, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789-") != "" || seen[c] {
			t.Errorf("a code of %d characters, or twice", len(c))
		}
		seen[c] = true
	}
	c := r.challenge("f1", made.Device)
	for i, typed := range []string{made.Codes[0], strings.ToLower(made.Codes[1]), strings.ReplaceAll(made.Codes[2], "-", " ")} {
		if v := r.otp("f1", c, typed); !v.OK || v.Proof.Method != "recovery" || v.Proof.Factors != flow.Possession {
			t.Errorf("code %d: %+v", i, v)
		}
	}
	v := r.otp("f1", c, made.Codes[0])
	if v.OK || !strings.Contains(detail(t, v.Fault).Message, "used before") {
		t.Errorf("%+v", v)
	}
	again, err := r.Regenerate(t.Context(), mfa.Enrolment{Who: r.who("f1")})
	if err != nil {
		t.Fatal(err)
	}
	c = r.challenge("f1", again.Device)
	if v := r.otp("f1", c, made.Codes[5]); v.OK {
		t.Error("an old one is good")
	}
	if v := r.otp("f1", c, again.Codes[5]); !v.OK {
		t.Error("a new one is not")
	}
	if len(r.store.notices) != 2 || r.store.notices[1].Template != "device.added" || r.store.notices[1].Params["device"] != "RECOVERY_CODE" {
		t.Errorf("%v", r.store.notices)
	}
}

// TestRecoveryCodesAreShownAsTheyAreKept also where a submit is evaluated twice.
func TestRecoveryCodesAreShownAsTheyAreKept(t *testing.T) {
	r := newRig(t)
	in := mfa.Enrolment{Who: r.who("f1"), Type: device.Recovery}
	first, err := r.Enrol(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.Enrol(t.Context(), in)
	if err != nil || !slices.Equal(first.Codes, second.Codes) || first.Device.ID != second.Device.ID {
		t.Error("other codes", err)
	}
}

func TestAnAppMayShowCodesToo(t *testing.T) {
	r := newRig(t)
	r.policy.Mobile.Applications = []mfapolicy.MobileApplication{{ID: "a1", OTP: true}}
	d := r.add(device.Device{Type: device.Mobile, Application: "a1"}, seed())
	c := r.challenge("f1", d)
	if c.Status != mfa.OTPRequired || c.Push != "" {
		t.Fatalf("%+v", c)
	}
	if v := r.otp("f1", c, code(t, r.clock)); !v.OK {
		t.Errorf("%+v", v)
	}
	r.policy.Mobile.Applications[0] = mfapolicy.MobileApplication{ID: "a1", Push: true}
	r.clock = r.clock.Add(time.Minute)
	if v := r.otp("f1", c, code(t, r.clock)); v.OK {
		t.Error("though the application shows none")
	}
}

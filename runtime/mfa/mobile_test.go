package mfa_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// showing is a phone whose app answers pushes and shows codes.
func (r *rig) showing() device.Device {
	r.policy.Mobile.Enabled = true
	r.policy.Mobile.Applications = []mfapolicy.MobileApplication{{
		ID: "a1", Push: true, OTP: true, PushTimeout: 40 * time.Second, PushLimit: mfapolicy.PushLimit{Count: 2, Period: time.Hour, Lock: time.Hour},
	}}
	return r.add(device.Device{Type: device.Mobile, Application: "a1"}, seed())
}

// minutely is what an app shows whose steps are of a minute.
func minutely(t testing.TB, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCodeCustom("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at, totp.ValidateOpts{Period: 60, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPhoneThatIsAskedMayShowACodeInstead(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(r *rig, d *device.Device)
		offers bool
		ok     bool
	}{
		"while the push waits": {func(*rig, *device.Device) {}, true, true},
		"once it has timed out": {func(r *rig, _ *device.Device) {
			r.clock = r.clock.Add(time.Minute)
		}, true, true},
		"not where the application shows none": {func(r *rig, _ *device.Device) { r.policy.Mobile.Applications[0].OTP = false }, true, false},
		"not where it is locked": {func(r *rig, d *device.Device) {
			r.store.tally("device/" + d.ID).until = r.clock.Add(time.Hour)
		}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d := r.showing()
			c := r.challenge("f1", d)
			if c.Status != mfa.PushRequired || c.Push == "" || c.Codes != tt.offers {
				t.Fatalf("%+v", c)
			}
			tt.change(r, &d)
			v := r.otp("f1", c, code(t, r.clock))
			if v.OK != tt.ok {
				t.Fatalf("%+v", v)
			}
			if v.OK && (v.Proof.AMR != "otp" || v.Proof.Method != "mobile" || r.store.pushes[c.Push].State != device.PushGone) {
				t.Errorf("%+v, and the push is %s", v.Proof, r.store.pushes[c.Push].State)
			}
		})
	}
}

func TestAPhoneWithoutASeedShowsNoCode(t *testing.T) {
	r := newRig(t)
	r.showing()
	d := r.add(device.Device{Type: device.Mobile, Application: "a1"}, nil)
	c := r.challenge("f1", d)
	if c.Status != mfa.PushRequired || c.Codes {
		t.Errorf("%+v", c)
	}
	if v := r.otp("f1", c, code(t, r.clock)); v.OK || detail(t, v.Fault).Target != "device.id" {
		t.Errorf("%+v", v)
	}
	r.policy.Mobile.Applications[0].Push = false
	choice, err := r.Choose(t.Context(), r.who("f1"), "", "")
	if err != nil || slices.ContainsFunc(choice.Devices, func(o device.Device) bool { return o.ID == d.ID }) {
		t.Errorf("it is asked for a code: %+v, %v", choice, err)
	}
}

// TestAnApprovalIsNotWorthAnythingBesideACode: the push is called back, so that nothing
// is left to approve.
func TestAnApprovalIsNotWorthAnythingBesideACode(t *testing.T) {
	r := newRig(t)
	c := r.challenge("f1", r.showing())
	r.store.pushes[c.Push].State = device.PushApproved
	if v := r.otp("f1", c, code(t, r.clock)); !v.OK {
		t.Fatalf("%+v", v)
	}
	if state, v, err := r.Poll(t.Context(), r.who("f1"), c); err != nil || state != device.PushGone || v.OK {
		t.Errorf("%s, %+v, %v", state, v, err)
	}
}

// TestAPhoneThatWasAskedTooOftenStillShowsCodes: pushes that reach nobody must not lock
// an offline phone out.
func TestAPhoneThatWasAskedTooOftenStillShowsCodes(t *testing.T) {
	r := newRig(t)
	d := r.showing()
	for range 2 {
		if c := r.challenge("f1", d); c.Status != mfa.PushRequired {
			t.Fatalf("%+v", c)
		}
	}
	c := r.challenge("f1", d)
	if c.Status != mfa.OTPRequired || c.Push != "" {
		t.Fatalf("%+v", c)
	}
	if v := r.otp("f1", c, code(t, r.clock)); !v.OK {
		t.Errorf("%+v", v)
	}
	r.policy.Mobile.Applications[0].OTP = false
	if _, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f1"), Device: d}); flow.AsFault(err).Code != flow.Limited {
		t.Error(err)
	}
}

func TestWrongCodesOfAPhoneLockItAsThePolicySays(t *testing.T) {
	r := newRig(t)
	d := r.showing()
	r.policy.Mobile.Failure = mfapolicy.Failure{Count: 2, CoolDown: 5 * time.Minute}
	c := r.challenge("f1", d)
	if v := r.otp("f1", c, "000000"); v.DeviceLocked || detail(t, v.Fault).Inner["attemptsRemaining"] != 1 {
		t.Errorf("%+v", v)
	}
	if r.store.pushes[c.Push].State != device.PushPending {
		t.Error("a wrong code calls the push back")
	}
	v := r.otp("f1", c, "000000")
	if !v.DeviceLocked || !v.LockedUntil.Equal(r.clock.Add(5*time.Minute)) || !slices.Contains(v.Events, flow.DeviceLocked) {
		t.Errorf("%+v", v)
	}
	r.store.pushes[c.Push].State = device.PushApproved
	if _, v, err := r.Poll(t.Context(), r.who("f1"), c); err != nil || v.OK {
		t.Errorf("an approval of a locked device: %+v, %v", v, err)
	}
}

// TestAnotherPeriodRevivesNoCodeAndHoldsNoneBack: steps of both are counted alike.
func TestAnotherPeriodRevivesNoCodeAndHoldsNoneBack(t *testing.T) {
	r := newRig(t)
	d := r.showing()
	r.clock = r.clock.Truncate(time.Hour)
	try := func(execution, code string) bool { return r.otp(execution, r.challenge(execution, d), code).OK }
	r.policy.Mobile.Applications[0].PushLimit.Count, r.policy.Mobile.Failure, r.settings.Lockout = 50, mfapolicy.Failure{}, mfapolicy.Failure{}
	if r.policy.Mobile.Step = 30 * time.Second; !try("f1", code(t, r.clock)) {
		t.Fatal("the first")
	}
	r.policy.Mobile.Step = time.Minute
	r.clock = r.clock.Add(time.Minute)
	now := minutely(t, r.clock)
	for i, want := range []bool{true, false} {
		if try("f2", now) != want {
			t.Errorf("try %d of a minute's code: %v", i+1, !want)
		}
	}
	if try("f3", minutely(t, r.clock.Add(-time.Minute))) {
		t.Error("the one before it")
	}
	r.policy.Mobile.Step = 30 * time.Second
	if try("f4", code(t, r.clock)) {
		t.Error("a step that a minute's code has used up")
	}
	r.clock = r.clock.Add(time.Minute)
	if !try("f5", code(t, r.clock)) {
		t.Error("the next")
	}
}

// TestThePeriodIsThatOfThePolicyThatThePhoneWasPairedUnder: the app was told it then.
func TestThePeriodIsThatOfThePolicyThatThePhoneWasPairedUnder(t *testing.T) {
	r := newRig(t)
	r.showing()
	paired := *r.policy
	paired.Mobile.Step, r.policy.Mobile.Step = time.Minute, 30*time.Second
	r.others = map[string]*mfapolicy.Policy{"paired": &paired}
	d := r.add(device.Device{Type: device.Mobile, Application: "a1", Policy: "paired"}, seed())
	if v := r.otp("f1", r.challenge("f1", d), code(t, r.clock)); v.OK {
		t.Error("a code of another period")
	}
	if v := r.otp("f1", r.challenge("f1", d), minutely(t, r.clock)); !v.OK {
		t.Errorf("%+v", v)
	}
}

// TestOfTheCodesOfAPhoneAtOnceOneProves, and one of them beside its approval.
func TestOfTheCodesOfAPhoneAtOnceOneProves(t *testing.T) {
	for range 20 {
		r := newRig(t)
		c := r.challenge("f1", r.showing())
		var proven atomic.Int32
		r.atOnce(8, func(i int) {
			v, err := r.CheckOTP(t.Context(), mfa.OTP{Who: r.other("f1", i), Challenge: c, Code: code(t, r.clock)})
			if err != nil {
				t.Error(err)
			}
			if v.OK {
				proven.Add(1)
			}
		})
		if n := proven.Load(); n != 1 {
			t.Fatalf("%d have proven", n)
		}
	}
}

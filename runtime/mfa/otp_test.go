package mfa_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

func TestACodeThatWasSentIsGoodOnce(t *testing.T) {
	for name, d := range map[string]device.Device{
		"by SMS":  {Type: device.SMS, Phone: "+15550100"},
		"by mail": {Type: device.Email, Email: "ada@example.com"},
		"by call": {Type: device.Voice, Phone: "+15550100"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d := r.add(d, nil)
			c := r.challenge("f1", d)
			m := r.messages.all[0]
			if c.Status != mfa.OTPRequired || c.Address != d.Masked() || c.Until != r.clock.Add(10*time.Minute) || c.Tries != 3 {
				t.Errorf("%+v", c)
			}
			if m.To != d.Phone+d.Email || m.Channel != d.Type.Channel() || m.Template != "otp" || m.Locales != "de" || m.Flow != "" || m.ExpiresAt != c.Until {
				t.Errorf("%+v", m)
			}
			code := r.messages.last(t)
			if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
				t.Errorf("code of %d characters", len(code))
			}
			v := r.otp("f1", c, code[:3]+" - "+code[3:])
			want := d.Proof(false)
			want.At = r.clock
			if !v.OK || v.Proof != want || v.Fault != nil || v.Device.ID != d.ID || !slices.Equal(v.Events, []flow.EventType{flow.DeviceAccepted}) {
				t.Errorf("%+v", v)
			}
			if v := r.otp("f1", c, code); v.OK {
				t.Error("it is good twice")
			}
		})
	}
}

func TestACodeIsGoodWhereItWasSentForAndNowhereElse(t *testing.T) {
	r := newRig(t)
	d := r.phone()
	other := r.add(device.Device{Type: device.Email, Email: "ada@example.com"}, nil)
	r.settings.Lockout = mfapolicy.Failure{}
	c := r.challenge("f1", d)
	code := r.messages.last(t)
	elsewhere := r.challenge("f2", d)
	if v := r.otp("f2", elsewhere, code); v.OK {
		t.Error("in another execution")
	}
	changed := c
	changed.Device = other.ID
	if v := r.otp("f1", changed, code); v.OK {
		t.Error("for another device")
	}
	who := r.who("f1")
	who.UserID = "u2"
	if v, err := r.CheckOTP(t.Context(), mfa.OTP{Who: who, Challenge: c, Code: code}); err != nil || v.OK {
		t.Error("for another user", err)
	}
	if v := r.otp("f1", c, code); !v.OK {
		t.Error("not where it belongs")
	}
}

func TestACodeEndsInTime(t *testing.T) {
	for after, ok := range map[time.Duration]bool{299 * time.Second: true, 301 * time.Second: false} {
		r := newRig(t)
		r.policy.SMS.Life = 300 * time.Second
		c := r.challenge("f1", r.phone())
		r.clock = r.clock.Add(after)
		v := r.otp("f1", c, r.messages.last(t))
		if v.OK != ok {
			t.Errorf("after %v: %v", after, v.OK)
		}
		if d := v.Fault; !ok && !strings.Contains(detail(t, d).Message, "no longer valid") {
			t.Errorf("%v", d)
		}
	}
	r := newRig(t)
	r.policy.SMS.Life = 24 * time.Hour // of a policy that was read by nobody
	if c := r.challenge("f1", r.phone()); c.Until != r.clock.Add(30*time.Minute) {
		t.Errorf("it lives until %v", c.Until)
	}
}

func TestACodeHasFewTries(t *testing.T) {
	for name, tt := range map[string]struct{ count, compared int }{"as a policy says": {2, 2}, "and never more than five": {7, 5}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.policy.SMS.Failure = mfapolicy.Failure{Count: tt.count}
			c := r.challenge("f1", r.phone())
			code := r.messages.last(t)
			for i := range tt.compared {
				v := r.otp("f1", c, wrong(code))
				d := detail(t, v.Fault)
				if v.OK || d.Code != "INVALID_OTP" || d.Target != "otp" || d.Inner["attemptsRemaining"] != tt.compared-i-1 || v.Left != tt.compared-i-1 {
					t.Errorf("try %d: %+v, %v", i+1, v, d)
				}
			}
			if v := r.otp("f1", c, code); v.OK || r.secrets.compared != tt.compared {
				t.Errorf("%d were compared", r.secrets.compared)
			}
			c = r.challenge("f1", r.store.devices[0])
			if v := r.otp("f1", c, r.messages.last(t)); !v.OK {
				t.Error("the next code is not taken")
			}
		})
	}
}

func TestANewCodeVoidsTheOldOneAndNoCounter(t *testing.T) {
	r := newRig(t)
	r.policy.SMS.Failure = mfapolicy.Failure{Count: 5, CoolDown: 2 * time.Minute}
	d := r.phone()
	c := r.challenge("f1", d)
	old := r.messages.last(t)
	for range 4 {
		r.otp("f1", c, wrong(old))
	}
	c = r.challenge("f1", d)
	if fresh := r.messages.last(t); fresh != old {
		if v := r.otp("f1", c, old); v.OK || !v.DeviceLocked {
			t.Errorf("the old code: %+v", v)
		}
	}
	if v := r.otp("f1", c, r.messages.last(t)); v.OK || !strings.Contains(detail(t, v.Fault).Message, "locked for 2 minutes") {
		t.Errorf("a locked device: %+v", v)
	}
	same(t, []string{"device.locked to ada@example.com"}, r.messages.mail(), "mail")
}

func TestMessagesAreLimited(t *testing.T) {
	r := newRig(t)
	d := r.phone()
	again := r.add(device.Device{Type: device.Voice, Phone: "+15550100"}, nil)
	for i := range 5 {
		r.challenge("f"+string(rune('0'+i)), d)
	}
	for _, d := range []device.Device{d, again} {
		_, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f9"), Device: d})
		if f := flow.AsFault(err); f.Code != flow.Limited || f.RetryAfter <= 0 {
			t.Errorf("the sixth to one number: %v", err)
		}
	}
	mailed := r.add(device.Device{Type: device.Email, Email: "ada@example.com"}, nil)
	for range 5 {
		r.challenge("f1", mailed)
	}
	third := r.add(device.Device{Type: device.SMS, Phone: "+15550199"}, nil)
	if _, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f1"), Device: third}); flow.AsFault(err).Code != flow.Limited {
		t.Errorf("the eleventh to one user: %v", err)
	}
	r.clock = r.clock.Add(time.Hour)
	r.challenge("f1", d)
	if n := len(r.messages.all); n != 11 {
		t.Errorf("%d were sent", n)
	}
}

// TestNewExecutionsGiveNoNewGuesses: a hundred executions, each with wrong codes.
func TestNewExecutionsGiveNoNewGuesses(t *testing.T) {
	r := newRig(t)
	r.policy.TOTP.Failure = mfapolicy.Failure{Count: 3}
	d := r.app()
	var limited mfa.Verdict
	for i := range 100 {
		execution := "f" + string(rune(0x4e00+i))
		c := r.challenge(execution, d)
		for range 5 {
			limited = r.otp(execution, c, "000000")
		}
	}
	if r.store.compared != 10 {
		t.Errorf("%d were compared", r.store.compared)
	}
	if f := limited.Fault; limited.OK || f.Code != flow.Limited || f.RetryAfter <= 0 || !slices.Equal(limited.Events, []flow.EventType{flow.RequestLimited}) {
		t.Errorf("%+v", limited)
	}
	same(t, []string{"device.locked to ada@example.com"}, r.messages.mail(), "one alert")
	r.clock = r.clock.Add(15 * time.Minute)
	if v := r.otp("f", r.challenge("f", d), code(t, r.clock)); !v.OK {
		t.Errorf("a quarter of an hour later: %+v", v)
	}
}

func TestRightAnswersUseNothingUp(t *testing.T) {
	r := newRig(t)
	d := r.app()
	for range 40 {
		r.clock = r.clock.Add(30 * time.Second)
		c := r.challenge("f1", d)
		if v := r.otp("f1", c, "000000"); v.OK {
			t.Fatal("by chance")
		}
		r.tries.of = map[string]*count{} // the wrong one is not what is counted here
		if v := r.otp("f1", c, code(t, r.clock)); !v.OK {
			t.Fatalf("%+v", v)
		}
	}
	for key, n := range r.tries.of {
		if n.n != 0 {
			t.Errorf("%s is at %d", key, n.n)
		}
	}
}

func TestWrongAnswersLockTheAccount(t *testing.T) {
	for name, tt := range map[string]struct {
		lockout mfapolicy.Failure
		ignore  bool
		says    string
	}{
		"for a while":                   {mfapolicy.Failure{Count: 3, CoolDown: 10 * time.Minute}, false, "locked for 10 minutes"},
		"until somebody lifts it":       {mfapolicy.Failure{Count: 3}, false, "ask your administrator"},
		"not where a policy ignores it": {mfapolicy.Failure{Count: 3, CoolDown: 10 * time.Minute}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.settings.Lockout, r.policy.IgnoreUserLock = tt.lockout, tt.ignore
			r.policy.SMS.Failure, r.policy.TOTP.Failure = mfapolicy.Failure{Count: 5}, mfapolicy.Failure{Count: 5}
			phone, app := r.phone(), r.app()
			c := r.challenge("f1", phone)
			r.otp("f1", c, wrong(r.messages.last(t)))
			a := r.challenge("f2", app)
			r.otp("f2", a, "000000")
			v := r.otp("f1", c, wrong(r.messages.last(t)))
			if tt.says == "" {
				if v.AccountLocked || len(r.messages.mail()) != 0 {
					t.Errorf("%+v", v)
				}
				return
			}
			if !v.AccountLocked || !slices.Contains(v.Events, flow.AccountLockedByMFA) || !strings.Contains(detail(t, v.Fault).Message, tt.says) {
				t.Errorf("%+v %v", v, v.Fault)
			}
			if v := r.otp("f2", a, code(t, r.clock)); v.OK || !v.AccountLocked || slices.Contains(v.Events, flow.AccountLockedByMFA) {
				t.Errorf("another device: %+v", v)
			}
			same(t, []string{"device.locked to ada@example.com"}, r.messages.mail(), "one alert")
		})
	}
}

// TestASubmitThatIsEvaluatedTwiceHasOneEffect: the node that evaluated it first has
// died before it could save what came of it.
func TestASubmitThatIsEvaluatedTwiceHasOneEffect(t *testing.T) {
	r := newRig(t)
	d := r.phone()
	start := mfa.Start{Who: r.who("f1"), Device: d}
	for range 2 {
		if _, err := r.Challenge(t.Context(), start); err != nil {
			t.Fatal(err)
		}
	}
	c, _ := r.Challenge(t.Context(), start)
	if len(r.messages.all) != 1 {
		t.Errorf("%d messages", len(r.messages.all))
	}
	try := mfa.OTP{Who: r.who("f1"), Challenge: c, Code: r.messages.last(t)}
	for range 2 {
		if v, err := r.CheckOTP(t.Context(), try); err != nil || !v.OK {
			t.Errorf("%+v, %v", v, err)
		}
	}
	app := r.app()
	again := mfa.OTP{Who: r.who("f2"), Challenge: r.challenge("f2", app), Code: code(t, r.clock)}
	for range 2 {
		if v, err := r.CheckOTP(t.Context(), again); err != nil || !v.OK {
			t.Errorf("%+v, %v", v, err)
		}
	}
	again.Effect = "another"
	if v, _ := r.CheckOTP(t.Context(), again); v.OK {
		t.Error("another submit is taken with the same code")
	}
}

func TestADeviceThatIsNotThereOrBlockedProvesNothing(t *testing.T) {
	r := newRig(t)
	d := r.phone()
	c := r.challenge("f1", d)
	code := r.messages.last(t)
	blocked, _ := r.store.find(user, d.ID)
	blocked.BlockedAt = r.clock
	if v := r.otp("f1", c, code); v.OK || detail(t, v.Fault).Target != "device.id" {
		t.Errorf("blocked: %+v", v)
	}
	if _, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f1"), Device: d}); flow.AsFault(err).Code != flow.InvalidData {
		t.Errorf("blocked, and asked: %v", err)
	}
	blocked.BlockedAt = time.Time{}
	r.policy.SMS.Enabled = false
	if v := r.otp("f1", c, code); v.OK {
		t.Error("its type is switched off")
	}
	r.policy.SMS.Enabled = true
	if err := r.store.Delete(t.Context(), env, user, d.ID, nil, ""); err != nil {
		t.Fatal(err)
	}
	if v := r.otp("f1", c, code); v.OK {
		t.Error("it is removed")
	}
}

func TestWhatCannotBeDoneIsAnError(t *testing.T) {
	r := newRig(t)
	d := r.app()
	c := r.challenge("f1", d)
	r.store.away = errAway
	if _, err := r.CheckOTP(t.Context(), mfa.OTP{Who: r.who("f1"), Challenge: c, Code: "1"}); !errors.Is(err, errAway) {
		t.Error(err)
	}
	if _, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f1"), Device: d}); !errors.Is(err, errAway) {
		t.Error(err)
	}
	if _, err := r.Choose(t.Context(), r.who("f1"), "", ""); !errors.Is(err, errAway) {
		t.Error(err)
	}
}

// TestNothingThatAStepKeepsIsSecret looks for codes and numbers in what is kept.
func TestNothingThatAStepKeepsIsSecret(t *testing.T) {
	r := newRig(t)
	c := r.challenge("f1", r.phone())
	b, err := json.Marshal(c)
	if err != nil || strings.Contains(string(b), r.messages.last(t)) || strings.Contains(string(b), "5550100") {
		t.Errorf("%s, %v", b, err)
	}
	var back mfa.Challenge
	if err := json.Unmarshal(b, &back); err != nil || back.Status != c.Status || !back.Until.Equal(c.Until) {
		t.Errorf("%+v, %v", back, err)
	}
}

// TestCodesAreFair counts digits of many codes, made for effects and at random.
func TestCodesAreFair(t *testing.T) {
	for name, effect := range map[string]bool{"for a submit": true, "at random": false} {
		r := newRig(t)
		d := r.phone()
		r.policy.SMS.Length = 10
		var digits [10]int
		const codes = 2000
		for range codes {
			who := r.who("f1")
			if !effect {
				who.Effect = ""
			}
			r.messages.sent = map[string][]time.Time{}
			if _, err := r.Challenge(context.Background(), mfa.Start{Who: who, Device: d}); err != nil {
				t.Fatal(err)
			}
			for _, c := range r.messages.last(t) {
				digits[c-'0']++
			}
		}
		for digit, n := range digits { // 2000 expected, one in 10^6 is 5 deviations of 42
			if n < codes-220 || n > codes+220 {
				t.Errorf("%s: %d came %d times of %d", name, digit, n, codes*10)
			}
		}
	}
}

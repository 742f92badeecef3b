package mfa_test

import (
	"fmt"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

const shop = "a1"

// withApp is a rig whose policy has an application that is asked by push.
func withApp(t testing.TB) *rig {
	t.Helper()
	r := newRig(t)
	r.policy.Mobile.Enabled, r.policy.Mobile.Step = true, 30*time.Second
	r.policy.Mobile.Applications = []mfapolicy.MobileApplication{{
		ID: shop, Push: true, OTP: true, NumberMatching: true, PushTimeout: time.Minute,
		PushLimit: mfapolicy.PushLimit{Count: 5, Period: 10 * time.Minute, Lock: 10 * time.Minute},
	}}
	return r
}

func (r *rig) mobile() device.Device {
	return r.add(device.Device{Type: device.Mobile, Application: shop, Key: []byte("k")}, seed())
}

// unproven is somebody of whom nothing is proven; nobody, unless they are there.
func (r *rig) unproven(there bool) mfa.Who {
	w := r.who("f1")
	if w.Unproven = true; !there {
		w.UserID, w.Username = "", "mallory"
	}
	return w
}

func TestAPhoneIsAskedOfWhomNothingIsProven(t *testing.T) {
	var told []string
	var first string
	for name, prepare := range map[string]func(r *rig) *device.Device{
		"with an app":              func(r *rig) *device.Device { d := r.mobile(); return &d },
		"with what computes codes": func(r *rig) *device.Device { d := r.app(); return &d },
		"with a telephone alone":   func(r *rig) *device.Device { d := r.phone(); return &d },
		"without a device":         func(*rig) *device.Device { return &device.Device{} },
		"whose app is blocked": func(r *rig) *device.Device {
			d := r.mobile()
			x, _ := r.store.find(user, d.ID)
			x.BlockedAt = r.clock
			return &d
		},
		"whose app has refused":           func(r *rig) *device.Device { d := r.mobile(); return &d },
		"who asks for another's":          func(r *rig) *device.Device { r.mobile(); return &device.Device{ID: "another's"} },
		"who is nobody":                   nil,
		"who is nobody, and asks for one": func(*rig) *device.Device { return nil },
	} {
		r := withApp(t)
		in := mfa.Start{Who: r.unproven(prepare != nil)}
		if prepare != nil {
			if d := prepare(r); d != nil {
				in.Device = *d
			} else {
				in.Who = r.unproven(false)
			}
		}
		c, err := r.ChallengePhone(t.Context(), in)
		if err != nil {
			t.Fatal(name, err)
		}
		if name == "whose app has refused" {
			r.store.pushes[c.Push].State = device.PushRejected
		}
		if len(c.Number) != 2 {
			t.Errorf("%s: the number is %q", name, c.Number)
		}
		shown := c
		shown.Device, shown.Type, shown.Push, shown.Number = "", "", "", ""
		got := []string{fmt.Sprintf("%+v", shown)}
		for _, after := range []time.Duration{0, 59 * time.Second, time.Second, time.Hour} {
			r.clock = r.clock.Add(after)
			settled, err := r.Settled(t.Context(), in.Who, c)
			state, v, errPoll := r.Poll(t.Context(), in.Who, c)
			if err != nil || errPoll != nil {
				t.Fatal(name, err, errPoll)
			}
			v.Events = nil // for the log
			got = append(got, fmt.Sprint(settled, state, v))
		}
		for range 6 {
			v, err := r.CheckOTP(t.Context(), mfa.OTP{Who: in.Who, Challenge: c, Code: "000000"})
			if err != nil {
				t.Fatal(name, err)
			}
			in.Effect += "x"
			got = append(got, fmt.Sprintf("%v %v %+v", v.OK, v.Left, detail(t, v.Fault)))
		}
		if told == nil {
			told, first = got, name
		}
		for i := range got {
			same(t, told[i], got[i], fmt.Sprintf("somebody %s, as somebody %s, turn %d", name, first, i))
		}
	}
}

func TestAPhoneProvesItsOwner(t *testing.T) {
	approve := func(r *rig, c mfa.Challenge) mfa.Verdict {
		r.store.pushes[c.Push].State = device.PushApproved
		_, v, err := r.Poll(t.Context(), r.unproven(true), c)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	compute := func(r *rig, c mfa.Challenge) mfa.Verdict { return r.otp("f1", c, code(t, r.clock)) }
	for name, tt := range map[string]struct {
		add     func(r *rig) device.Device
		by      func(r *rig, c mfa.Challenge) mfa.Verdict
		chosen  bool
		without bool // pushes
	}{
		"by a push":                          {(*rig).mobile, approve, false, false},
		"by a code of the app":               {(*rig).mobile, compute, false, false},
		"by a code":                          {(*rig).app, compute, false, false},
		"by a code where another app is":     {func(r *rig) device.Device { r.mobile(); return r.app() }, compute, true, false},
		"by a code where nothing is pushed":  {(*rig).app, compute, false, true},
		"by a code of an app without pushes": {(*rig).mobile, compute, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := withApp(t)
			r.policy.Mobile.Applications[0].Push = !tt.without
			d := tt.add(r)
			in := mfa.Start{Who: r.unproven(true)}
			if tt.chosen {
				in.Device.ID = d.ID
			}
			c, err := r.ChallengePhone(t.Context(), in)
			if err != nil || !c.Unproven || (c.Status == mfa.PushRequired) == tt.without {
				t.Fatalf("%+v, %v", c, err)
			}
			if v := tt.by(r, c); !v.OK || v.Proof.Authenticator != d.ID || v.Proof.Subject != user {
				t.Errorf("%+v", v)
			}
			if p := r.store.pushes[c.Push]; p != nil && p.State == device.PushPending {
				t.Error("the app is still asked")
			}
			if v := tt.by(r, c); v.OK {
				t.Error("twice")
			}
		})
	}
}

// TestAskingAPhoneTooOftenIsNotTold: the limit of pushes holds, and looks like none.
func TestAskingAPhoneTooOftenIsNotTold(t *testing.T) {
	r := withApp(t)
	r.policy.Mobile.Applications[0].PushLimit.Count = 1
	r.mobile()
	var last *mfa.Challenge
	for range 9 {
		c, err := r.ChallengePhone(t.Context(), mfa.Start{Who: r.unproven(true), Instead: last})
		if err != nil || c.Status != mfa.PushRequired || c.Number == "" {
			t.Fatal(c, err)
		}
		last = &c
	}
	same(t, r.policy.Mobile.Applications[0].PushLimit.Count, len(r.store.pushes), "pushes that were sent")
}

package mfa_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// strangers are the people that somebody may claim to be, all of whom look the same.
func strangers() map[string]func(r *rig) {
	return map[string]func(r *rig){
		"with a telephone": func(r *rig) { r.phone() },
		"with an app":      func(r *rig) { r.app() },
		"with an address":  func(r *rig) { r.add(device.Device{Type: device.Email, Email: "ada@example.com"}, nil) },
		"with a passkey alone": func(r *rig) {
			r.add(device.Device{Type: device.FIDO2, Credential: &device.Credential{RPID: rpID}}, nil)
		},
		"with recovery codes":      func(r *rig) { r.add(device.Device{Type: device.Recovery}, nil) },
		"without a device":         func(*rig) {},
		"who is nobody":            nil,
		"whose telephone is gone":  func(r *rig) { d := r.phone(); x, _ := r.store.find(user, d.ID); x.BlockedAt = r.clock },
		"whose telephone is slow":  func(r *rig) { r.policy.SMS.Life = time.Minute; r.phone() },
		"whose app locks at once":  func(r *rig) { r.policy.TOTP.Failure.Count = 1; r.app() },
		"whose account locks soon": func(r *rig) { r.settings.Lockout.Count, r.settings.Lockout.CoolDown = 2, time.Hour; r.phone() },
	}
}

// TestNothingIsToldOfWhomNothingIsProven: what everybody is told in the same turns.
func TestNothingIsToldOfWhomNothingIsProven(t *testing.T) {
	var told []string
	var first string
	for name, prepare := range strangers() {
		r := newRig(t)
		who := func() mfa.Who {
			w := r.who("f1")
			w.Unproven = true
			if prepare == nil {
				w.UserID, w.Username = "", "mallory"
			}
			return w
		}
		if prepare != nil {
			prepare(r)
		}
		var got []string
		c, err := r.Challenge(t.Context(), mfa.Start{Who: who()})
		if err != nil {
			t.Fatal(name, err)
		}
		shown := c
		shown.Device, shown.Type = "", ""
		got = append(got, fmt.Sprintf("%+v", shown))
		for range 7 {
			v, err := r.CheckOTP(t.Context(), mfa.OTP{Who: who(), Challenge: c, Code: "no code"})
			if err != nil {
				t.Fatal(name, err)
			}
			details := detail(t, v.Fault)
			v.Events, v.Fault = nil, nil // the events are for the log
			got = append(got, fmt.Sprintf("%+v %+v", v, details))
		}
		if len(r.messages.all) == 0 || r.messages.all[0].Template != "otp" {
			t.Errorf("%s: nothing was written to the outbox", name)
		}
		for range 8 {
			_, err = r.Challenge(t.Context(), mfa.Start{Who: who()})
		}
		got = append(got, fmt.Sprint(flow.AsFault(err).Code))
		if told == nil {
			told, first = got, name
		}
		for i := range got {
			same(t, told[i], got[i], fmt.Sprintf("somebody %s, as somebody %s, turn %d", name, first, i))
		}
	}
}

func TestWhoIsUnprovenProvesByTheirDevice(t *testing.T) {
	for name, tt := range map[string]struct {
		add  func(r *rig) device.Device
		code func(r *rig) string
	}{
		"a telephone": {func(r *rig) device.Device { return r.phone() }, func(r *rig) string { return r.messages.last(t) }},
		"an app":      {func(r *rig) device.Device { return r.app() }, func(r *rig) string { return code(t, r.clock) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d := tt.add(r)
			who := r.who("f1")
			who.Unproven = true
			c, err := r.Challenge(t.Context(), mfa.Start{Who: who})
			if err != nil || !c.Unproven || c.Address != "" || c.Type != "" {
				t.Fatalf("%+v, %v", c, err)
			}
			if v := r.otp("f1", c, "000000"); v.OK || v.Device.ID != "" {
				t.Errorf("a wrong code: %+v", v)
			}
			if v := r.otp("f1", c, tt.code(r)); !v.OK || v.Proof.Authenticator != d.ID || v.Proof.Subject != user {
				t.Errorf("%+v", v)
			}
			if v := r.otp("f1", c, tt.code(r)); v.OK {
				t.Error("twice")
			}
		})
	}
}

// TestNobodysGuessesAreCounted as those for an account are, however the name is written.
func TestNobodysGuessesAreCounted(t *testing.T) {
	r := newRig(t)
	r.policy.Email.Failure = mfapolicy.Failure{Count: 5}
	limited := 0
	for i, name := range []string{"mallory", "MALLORY", " mallory", "Mallory "} {
		who := r.who(fmt.Sprintf("f%d", i))
		who.Unproven, who.UserID, who.Username = true, "", name
		c, err := r.Challenge(t.Context(), mfa.Start{Who: who})
		if err != nil {
			t.Fatal(err)
		}
		for j := range 5 {
			who.Effect = fmt.Sprintf("%d/%d", i, j)
			v, err := r.CheckOTP(t.Context(), mfa.OTP{Who: who, Challenge: c, Code: "000000"})
			if err != nil || v.OK {
				t.Fatal(v, err)
			}
			if v.Fault.Code == flow.Limited {
				limited++
			}
		}
	}
	kept := 0
	for key, n := range r.store.tallies {
		if strings.HasPrefix(key, "mfa/") {
			kept += n.count
		}
	}
	if kept != 10 {
		t.Errorf("%d are counted for good", kept)
	}
	if limited != 10 || len(r.messages.mail()) != 0 {
		t.Errorf("%d refused, mail %v", limited, r.messages.mail())
	}
}

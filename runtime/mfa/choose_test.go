package mfa_test

import (
	"slices"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// several puts one device of many types into the store.
func several(r *rig) {
	r.add(device.Device{Type: device.Recovery}, nil)
	r.phone()
	r.app()
	r.add(device.Device{Type: device.Platform, Credential: &device.Credential{RPID: rpID, Attachment: "platform"}}, nil)
	r.add(device.Device{Type: device.SecurityKey, Credential: &device.Credential{RPID: rpID, Attachment: "cross-platform"}}, nil)
	r.policy.Mobile.Applications = []mfapolicy.MobileApplication{{ID: "a1", Push: true, PairingKey: true, PushTimeout: 40 * time.Second, PushLimit: mfapolicy.PushLimit{Count: 3, Period: time.Minute}}}
	r.add(device.Device{Type: device.Mobile, Application: "a1"}, nil)
	r.add(device.Device{Type: device.Mobile, Application: "a9"}, nil) // of an application that the policy does not have
	r.add(device.Device{Type: device.SMS, Phone: "+15550199", UserID: "u2"}, nil)
}

func TestWhoMayBeAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		compatibility string
		prepare       func(r *rig)
		want          []device.Type
	}{
		"all that there are, the last resort last": {"", nil, []device.Type{"SMS", "TOTP", "PLATFORM", "SECURITY_KEY", "MOBILE", "RECOVERY_CODE"}},
		"by a client that can do all":              {mfa.Full, nil, []device.Type{"SMS", "TOTP", "PLATFORM", "SECURITY_KEY", "MOBILE", "RECOVERY_CODE"}},
		"by one that takes what is carried":        {mfa.SecurityKeyOnly, nil, []device.Type{"SMS", "TOTP", "SECURITY_KEY", "MOBILE", "RECOVERY_CODE"}},
		"by one without WebAuthn":                  {mfa.NoWebAuthn, nil, []device.Type{"SMS", "TOTP", "MOBILE", "RECOVERY_CODE"}},
		"by one that says what nobody knows":       {"SOME", nil, []device.Type{"SMS", "TOTP", "MOBILE", "RECOVERY_CODE"}},
		"but what a policy leaves out":             {"", func(r *rig) { r.policy.SMS.Enabled, r.policy.FIDO2.Platform = false, false }, []device.Type{"TOTP", "SECURITY_KEY", "MOBILE", "RECOVERY_CODE"}},
	} {
		r := newRig(t)
		several(r)
		if tt.prepare != nil {
			tt.prepare(r)
		}
		all, err := r.Usable(t.Context(), r.who("f1"), "", tt.compatibility)
		var got []device.Type
		for _, d := range all {
			got = append(got, d.Type)
		}
		slices.SortFunc(got[:len(got)-1], func(a, b device.Type) int { return slices.Index(tt.want, a) - slices.Index(tt.want, b) })
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestWhoChooses(t *testing.T) {
	for selection, want := range map[mfapolicy.Selection][3]bool{ // with no device, one, two
		mfapolicy.DefaultToFirst:       {false, false, false},
		mfapolicy.PromptToSelect:       {false, false, true},
		mfapolicy.AlwaysDisplayDevices: {false, true, true},
	} {
		r := newRig(t)
		r.policy.Selection = selection
		for n, asked := range want {
			choice, err := r.Choose(t.Context(), r.who("f1"), "", "")
			if err != nil || choice.Asked != asked || choice.Held != (n > 0) || len(choice.Devices) != n {
				t.Errorf("%s with %d: %+v, %v", selection, n, choice, err)
			}
			if n == 0 {
				r.phone()
			} else {
				r.app()
			}
		}
	}
}

func TestWhatMayBeAdded(t *testing.T) {
	r := newRig(t)
	want := []device.Type{"SMS", "EMAIL", "VOICE", "TOTP", "FIDO2", "PLATFORM", "SECURITY_KEY"}
	got, err := r.Types(t.Context(), r.who("f1"), "", "")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	several(r)
	want = []device.Type{"SMS", "EMAIL", "VOICE", "TOTP", "MOBILE", "FIDO2", "SECURITY_KEY", "RECOVERY_CODE"}
	if got, _ := r.Types(t.Context(), r.who("f1"), "", mfa.SecurityKeyOnly); !slices.Equal(got, want) {
		t.Errorf("beside others: %v", got)
	}
	r.policy.Email.PairingDisabled, r.policy.FIDO2.PairingDisabled = true, true
	want = []device.Type{"SMS", "VOICE", "TOTP", "MOBILE", "RECOVERY_CODE"}
	if got, _ := r.Types(t.Context(), r.who("f1"), "", ""); !slices.Equal(got, want) {
		t.Errorf("where some are not paired: %v", got)
	}
}

func TestWhoMayChangeDevices(t *testing.T) {
	r := newRig(t)
	password := flow.PasswordProof(user, r.clock)
	d := r.phone()
	proof := func(age time.Duration) flow.Proof {
		p := d.Proof(false)
		p.At = r.clock.Add(-age)
		return p
	}
	others := proof(0)
	others.Authenticator = "d9"
	asserted := proof(0)
	asserted.Origin = flow.FromIDP
	for name, tt := range map[string]struct {
		proofs flow.Ledger
		want   bool
	}{
		"with a password alone":        {flow.Ledger{password}, false},
		"with a device":                {flow.Ledger{password, proof(9 * time.Minute)}, true},
		"with one proven long ago":     {flow.Ledger{password, proof(11 * time.Minute)}, false},
		"with one that is not theirs":  {flow.Ledger{password, others}, false},
		"with what somebody else says": {flow.Ledger{asserted}, false},
		"with nothing":                 {nil, false},
	} {
		got, err := r.MayChange(t.Context(), r.who("f1"), tt.proofs)
		if err != nil || got != tt.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	r.store.devices = nil
	for name, tt := range map[string]struct {
		proofs flow.Ledger
		want   bool
	}{
		"a password": {flow.Ledger{password}, true},
		"an old one": {flow.Ledger{flow.PasswordProof(user, r.clock.Add(-11*time.Minute))}, false},
		"another's":  {flow.Ledger{flow.PasswordProof("u2", r.clock)}, false},
	} {
		if got, _ := r.MayChange(t.Context(), r.who("f1"), tt.proofs); got != tt.want {
			t.Errorf("the first device, with %s: %v", name, got)
		}
	}
}

// A device that was begun when there was none is taken only while there is no other, or
// beside a proof of it.
func TestWhatMayBeActivated(t *testing.T) {
	r := newRig(t)
	password := flow.PasswordProof(user, r.clock.Add(-time.Hour)) // how young it is was judged before
	d := r.phone()
	for name, tt := range map[string]struct {
		begun  string
		proofs flow.Ledger
		want   bool
	}{
		"itself alone":                  {d.ID, flow.Ledger{password}, true},
		"another one beside it":         {"d9", flow.Ledger{password}, false},
		"another one, which was proven": {"d9", flow.Ledger{password, d.Proof(false)}, true},
		"nothing was proven":            {d.ID, nil, false},
	} {
		if got, err := r.MayActivate(t.Context(), r.who("f1"), tt.proofs, tt.begun); err != nil || got != tt.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestAPush(t *testing.T) {
	r := newRig(t)
	several(r)
	r.policy.Mobile.Applications[0].NumberMatching = true
	i := slices.IndexFunc(r.store.devices, func(d device.Device) bool { return d.Application == "a1" })
	r.store.devices[i].Alert = "token"
	d := r.store.devices[i]
	c := r.challenge("f1", d)
	if c.Status != mfa.PushRequired || len(c.Number) != 2 || c.Until != r.clock.Add(40*time.Second) {
		t.Fatalf("%+v", c)
	}
	p := r.store.pushes[c.Push]
	if p.Number != c.Number || p.UserID != user || p.Device != d.ID || p.Flow != "f1" || p.Application != "Shop" || p.State != device.PushPending {
		t.Errorf("%+v", p)
	}
	if m := r.messages.all[0]; m.Channel != flow.Push || m.Template != flow.PushMessage || m.To != d.ID || len(m.Params) != 0 {
		t.Errorf("%+v", m)
	}
	poll := func(w mfa.Who, want device.PushState) mfa.Verdict {
		t.Helper()
		seen, err := r.State(t.Context(), w, c)
		if err != nil {
			t.Fatal(err)
		}
		state, v, err := r.Poll(t.Context(), w, c)
		if err != nil || state != want || v.OK != (want == device.PushApproved) || (seen == device.PushPending) != (want == device.PushPending) {
			t.Errorf("%s, seen as %s: %+v, %v", state, seen, v, err)
		}
		return v
	}
	poll(r.who("f1"), device.PushPending)
	p.State = device.PushApproved
	poll(r.who("f2"), device.PushGone) // not that execution's
	other := r.who("f1")
	other.UserID = "u2"
	poll(other, device.PushGone)
	who := r.who("f1")
	for range 2 { // the same submit
		if v := poll(who, device.PushApproved); v.Proof.Method != "mobile" || v.Proof.Authenticator != d.ID || !v.Proof.At.Equal(r.clock) {
			t.Errorf("%+v", v)
		}
	}
	if state, v, _ := r.Poll(t.Context(), r.who("f1"), c); v.OK || state != device.PushGone {
		t.Error("an approval proves twice")
	}
	c = r.challenge("f1", d)
	r.store.pushes[c.Push].State = device.PushRejected
	if v := poll(r.who("f1"), device.PushRejected); v.OK || v.Fault == nil || len(v.Events) > 0 { // who answered has said so
		t.Errorf("%+v", v)
	}
	c = r.challenge("f1", d)
	r.store.pushes[c.Push].State = device.PushApproved
	r.policy.Mobile.Enabled = false
	poll(r.who("f1"), device.PushGone) // meanwhile it was switched off
	r.policy.Mobile.Enabled = true
	r.store.pushes = map[string]*device.Push{}
	c = r.challenge("f1", d)
	r.clock = r.clock.Add(40 * time.Second)
	if v := poll(r.who("f1"), device.PushGone); !slices.Contains(v.Events, flow.PushTimedOut) {
		t.Errorf("%+v", v)
	}
}

func TestAnotherDeviceCallsAPushBack(t *testing.T) {
	r := newRig(t)
	several(r)
	i := slices.IndexFunc(r.store.devices, func(d device.Device) bool { return d.Application == "a1" })
	j := slices.IndexFunc(r.store.devices, func(d device.Device) bool { return d.Type == device.SMS })
	c := r.challenge("f1", r.store.devices[i])
	if _, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f1"), Device: r.store.devices[j], Instead: &c}); err != nil {
		t.Fatal(err)
	}
	if state := r.store.pushes[c.Push].State; state != device.PushGone {
		t.Errorf("the push is %s", state)
	}
	for range 2 {
		r.challenge("f1", r.store.devices[i])
	}
	if _, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f1"), Device: r.store.devices[i]}); flow.AsFault(err).Code != flow.Limited {
		t.Errorf("after three that nobody answered: %v", err)
	}
	if err := r.Cancel(t.Context(), r.who("f1"), mfa.Challenge{Push: "gone"}); err != nil {
		t.Error(err)
	}
}

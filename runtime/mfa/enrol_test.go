package mfa_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

func TestAnAddressIsAddedByTheCodeSentToIt(t *testing.T) {
	for name, tt := range map[string]struct {
		in    mfa.Enrolment
		phone string
		email string
	}{
		"SMS":   {mfa.Enrolment{Type: device.SMS, Phone: "+1 (555) 010-0100", Nickname: " mine "}, "+15550100100", ""},
		"VOICE": {mfa.Enrolment{Type: device.Voice, Phone: "+49.30.5550100"}, "+49305550100", ""},
		"EMAIL": {mfa.Enrolment{Type: device.Email, Email: "Ada@Example.com"}, "", "ada@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			tt.in.Who = r.who("f1")
			made, err := r.Enrol(t.Context(), tt.in)
			if err != nil || made.Device.Status != device.ActivationRequired || made.Device.Phone != tt.phone || made.Device.Email != tt.email || made.Until.IsZero() {
				t.Fatalf("%+v, %v", made, err)
			}
			if got := r.NormalAddress(tt.in.Type, tt.in.Phone+tt.in.Email); got != tt.phone+tt.email {
				t.Errorf("it is looked for as %q", got)
			}
			if len(r.store.notices) != 0 {
				t.Error("the user is told of what is not there yet")
			}
			if choice, _ := r.Choose(t.Context(), r.who("f1"), "", ""); choice.Held || len(choice.Devices) != 0 {
				t.Error("it proves before it is proven")
			}
			code := r.messages.last(t)
			activate := mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, OTP: wrong(code)}
			v, err := r.Activate(t.Context(), activate)
			if err != nil || v.OK || detail(t, v.Fault).Code != "INVALID_OTP" || v.Left != 2 {
				t.Fatalf("%+v, %v", v, err)
			}
			activate.Who, activate.OTP = r.who("f1"), code
			v, err = r.Activate(t.Context(), activate)
			if err != nil || !v.OK || v.Device.Status != device.Active || v.Proof.Authenticator != made.Device.ID || !slices.Equal(v.Events, []flow.EventType{flow.DeviceActivated}) {
				t.Fatalf("%+v, %v", v, err)
			}
			if n := r.store.notices; len(n) != 1 || n[0].Template != "device.added" || n[0].To != "ada@example.com" || n[0].Params["device"] != string(tt.in.Type) {
				t.Errorf("%v", n)
			}
			activate.Who = r.who("f1")
			if v, err := r.Activate(t.Context(), activate); err != nil || v.OK {
				t.Error("twice")
			}
		})
	}
}

func TestACodeOfAnEnrolmentProvesNothingAfterIt(t *testing.T) {
	r := newRig(t)
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.TOTP})
	if err != nil {
		t.Fatal(err)
	}
	r.store.seeds[made.Device.ID] = seed()
	first := code(t, r.clock)
	v, err := r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, OTP: first})
	if err != nil || !v.OK {
		t.Fatal(v, err)
	}
	if v := r.otp("f2", r.challenge("f2", v.Device), first); v.OK {
		t.Error("the code that activated it signs on")
	}
	sent, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.Email, Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	mailed := r.messages.last(t)
	v, err = r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: sent.Device.ID, OTP: mailed})
	if err != nil || !v.OK {
		t.Fatal(v, err)
	}
	if v := r.otp("f1", mfa.Challenge{Device: sent.Device.ID, Type: device.Email, Tries: 5}, mailed); v.OK {
		t.Error("the code that activated it signs on")
	}
}

func TestAnAppIsHandedItsSeed(t *testing.T) {
	r := newRig(t)
	r.policy.TOTP.URI = map[string]string{"image": "https://acme.example/a b.png"}
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.TOTP})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(made.Key.URI)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Acme Travel:ada" || strings.Contains(made.Key.URI, "+") {
		t.Fatal(made.Key.URI, err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"secret": made.Key.Secret, "issuer": "Acme Travel", "algorithm": "SHA1", "digits": "6", "period": "30", "image": "https://acme.example/a b.png",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q", name, q.Get(name))
		}
	}
	if len(made.Key.Secret) != 32 {
		t.Errorf("a seed of %d characters", len(made.Key.Secret))
	}
	again, err := r.Key(t.Context(), r.who("f1"), "", made.Device.ID)
	if err != nil || *again != *made.Key {
		t.Error(again, err)
	}
	r.store.seeds[made.Device.ID] = seed()
	if v, err := r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, OTP: code(t, r.clock)}); err != nil || !v.OK {
		t.Fatal(v, err)
	}
	if _, err := r.Key(t.Context(), r.who("f1"), "", made.Device.ID); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("the seed of an active device is shown: %v", err)
	}
}

func TestWhatCannotBeAddedIsToldAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		in      mfa.Enrolment
		targets []string
	}{
		"no number":                   {mfa.Enrolment{Type: device.SMS}, []string{"phone"}},
		"no country":                  {mfa.Enrolment{Type: device.SMS, Phone: "030 5550100"}, []string{"phone"}},
		"letters":                     {mfa.Enrolment{Type: device.Voice, Phone: "+1555CALLME"}, []string{"phone"}},
		"no address":                  {mfa.Enrolment{Type: device.Email}, []string{"email"}},
		"not an address":              {mfa.Enrolment{Type: device.Email, Email: "ada"}, []string{"email"}},
		"a type that is off":          {mfa.Enrolment{Type: "FAX"}, []string{"type"}},
		"a name that turns round":     {mfa.Enrolment{Type: device.TOTP, Nickname: "a\u202eb"}, []string{"nickname"}},
		"a long name and no number":   {mfa.Enrolment{Type: device.SMS, Nickname: strings.Repeat("a", 101)}, []string{"nickname", "phone"}},
		"an app that is not paired":   {mfa.Enrolment{Type: device.Mobile, Application: "a9"}, []string{"application.id"}},
		"a token without a seed":      {mfa.Enrolment{Type: device.OathToken}, []string{"secret"}},
		"a passkey without WebAuthn":  {mfa.Enrolment{Type: device.FIDO2, Compatibility: mfa.NoWebAuthn}, []string{"type"}},
		"a passkey for another party": {mfa.Enrolment{Type: device.FIDO2, RPID: "evil.example"}, []string{"rp.id"}},
		"what is there already":       {mfa.Enrolment{Type: device.SMS, Phone: "+15550100"}, []string{"phone"}},
	} {
		r := newRig(t)
		r.phone()
		tt.in.Who = r.who("f1")
		_, err := r.Enrol(t.Context(), tt.in)
		var f *flow.Fault
		if !errors.As(err, &f) || f.Code != flow.InvalidData {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var targets []string
		for _, d := range f.Details {
			targets = append(targets, d.Target)
		}
		if !slices.Equal(targets, tt.targets) || len(r.store.devices) != 1 || len(r.messages.all) != 0 {
			t.Errorf("%s: %v, %d devices", name, targets, len(r.store.devices))
		}
	}
	r := newRig(t)
	r.policy.SMS.PairingDisabled = true
	if _, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.SMS, Phone: "+15550100"}); detail(t, flow.AsFault(err)).Target != "type" {
		t.Error(err)
	}
	r.settings.MaxDevices = 1
	r.app()
	_, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.Email, Email: "ada@example.com"})
	if f := flow.AsFault(err); f.Code != flow.RequestFailed || detail(t, f).Code != flow.LimitExceeded {
		t.Error(err)
	}
}

func TestTheCodeOfAnEnrolmentIsSentAgain(t *testing.T) {
	r := newRig(t)
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.SMS, Phone: "+15550100"})
	if err != nil {
		t.Fatal(err)
	}
	old := r.messages.last(t)
	if _, err := r.Resend(t.Context(), mfa.Again{Who: r.who("f1"), Device: made.Device.ID}); err != nil {
		t.Fatal(err)
	}
	if fresh := r.messages.last(t); fresh != old {
		if v, _ := r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, OTP: old}); v.OK {
			t.Error("the old one is good")
		}
	}
	if v, _ := r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, OTP: r.messages.last(t)}); !v.OK {
		t.Error("the new one is not")
	}
	for _, id := range []string{made.Device.ID, r.app().ID, "d9"} {
		if _, err := r.Resend(t.Context(), mfa.Again{Who: r.who("f1"), Device: id}); flow.AsFault(err).Code != flow.RequestFailed {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestPairingThatIsSwitchedOffEndsEnrolments(t *testing.T) {
	r := newRig(t)
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.SMS, Phone: "+15550100"})
	if err != nil {
		t.Fatal(err)
	}
	r.policy.SMS.PairingDisabled = true
	if v, err := r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, OTP: r.messages.last(t)}); err != nil || v.OK || v.Fault.Code != flow.RequestFailed {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestAnAddressThatSomebodyElseAnswersForIsActiveAtOnce(t *testing.T) {
	r := newRig(t)
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.Email, Email: "ada@example.com", Active: true})
	if err != nil || made.Device.Status != device.Active || len(r.messages.all) != 0 || len(r.store.notices) != 1 {
		t.Errorf("%+v, %v", made, err)
	}
	made, err = r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.TOTP, Active: true})
	if err != nil || made.Device.Status == device.Active {
		t.Errorf("an app: %+v, %v", made, err)
	}
}

func TestAnAppIsPairedByAKey(t *testing.T) {
	r := newRig(t)
	r.policy.Mobile.Applications = []mfapolicy.MobileApplication{{ID: "a1", PairingKey: true, PairingKeyLife: 10 * time.Minute}}
	in := mfa.Enrolment{Who: r.who("f1"), Type: device.Mobile, Application: "a1", Nickname: "mine"}
	made, err := r.Enrol(t.Context(), in)
	if err != nil || made.Device.ID == "" || made.Until != r.clock.Add(10*time.Minute) {
		t.Fatal(made, err)
	}
	key, is := device.NormalPairingKey(made.Pairing)
	p := r.store.pairings[0]
	if !is || p.Hash != (keys{}).Derive(device.PairingPurpose, env, key) || p.ID != made.Device.ID || p.UserID != user || p.Application != "a1" || p.Nickname != "mine" {
		t.Errorf("%+v", p)
	}
	again, err := r.Enrol(t.Context(), in)
	if err != nil || again.Pairing != made.Pairing || again.Device.ID != made.Device.ID {
		t.Error("the same submit makes another key", err)
	}
	if _, is, err := r.Paired(t.Context(), r.who("f1"), made.Device.ID); is || err != nil {
		t.Error("it is paired", err)
	}
	paired := r.add(device.Device{Type: device.Mobile, Application: "a1"}, nil)
	if d, is, err := r.Paired(t.Context(), r.who("f1"), paired.ID); !is || err != nil || d.ID != paired.ID {
		t.Error("it is not paired", err)
	}
	if err := r.Delete(t.Context(), r.who("f1"), p.ID); !errors.Is(err, flow.ErrUnknown) || len(r.store.pairings) == 0 {
		t.Error("a key is deleted as a device", err)
	}
	if err := r.GiveUp(t.Context(), r.who("f1"), p.ID); err != nil || len(r.store.pairings) != 0 {
		t.Error("the key is not given up", err)
	}
	if err := r.GiveUp(t.Context(), r.who("f1"), paired.ID); err != nil {
		t.Error("the device is not given up", err)
	}
	if err := r.GiveUp(t.Context(), r.who("f1"), paired.ID); !errors.Is(err, flow.ErrUnknown) {
		t.Error("given up again", err)
	}
}

func TestADeviceIsRemovedAndTheUserTold(t *testing.T) {
	r := newRig(t)
	d := r.phone()
	if err := r.Delete(t.Context(), r.who("f1"), d.ID); err != nil {
		t.Fatal(err)
	}
	if n := r.store.notices; len(n) != 1 || n[0].Template != "device.removed" || n[0].Params["given"] != "Ada" {
		t.Errorf("%v", n)
	}
	if err := r.Delete(t.Context(), r.who("f1"), d.ID); !errors.Is(err, flow.ErrUnknown) {
		t.Error(err)
	}
	r.contact.Email = ""
	if err := r.Delete(t.Context(), r.who("f1"), r.app().ID); err != nil || len(r.store.notices) != 1 {
		t.Error("there is nowhere to tell them", err)
	}
}

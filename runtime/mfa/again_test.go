package mfa_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// A turn whose node died before it was kept is run again with the same effect. The
// device that it has made does not speak against it, nor does what it has replaced, nor
// the time that has passed; to any other turn it is a device like every other one.
func TestATurnThatIsRunAgainMayGoOnWithWhatItHasMade(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key := pkix(t, &private.PublicKey, err)
	for name, tt := range map[string]struct {
		held device.Type // and proven; empty: the password is
		make func(r *rig, w mfa.Who) (device.Device, error)
	}{
		"by an address": {"", func(r *rig, w mfa.Who) (device.Device, error) {
			made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: w, Type: device.Email, Email: "ada@example.com", Active: true})
			return made.Device, err
		}},
		"by an app": {"", func(r *rig, w mfa.Who) (device.Device, error) {
			d, _, err := r.EnrolApp(t.Context(), mfa.AppEnrolment{Who: w, Application: "app", Key: key})
			return d, err
		}},
		"by recovery codes in the place of those that proved": {device.Recovery, func(r *rig, w mfa.Who) (device.Device, error) {
			made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: w, Type: device.Recovery})
			return made.Device, err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.policy.Mobile.Applications = []mfapolicy.MobileApplication{{ID: "app", AutoEnrollment: true}}
			proofs := flow.Ledger{flow.PasswordProof(user, r.clock)}
			if tt.held != "" {
				held := r.add(device.Device{Type: tt.held}, nil)
				proof := held.Proof(false)
				proof.At = r.clock
				proofs = append(proofs, proof)
			}
			may := func(w mfa.Who) bool {
				t.Helper()
				may, err := r.MayChange(t.Context(), w, proofs)
				if err != nil {
					t.Fatal(err)
				}
				return may
			}
			who := r.who("f1")
			if !may(who) {
				t.Fatal("it may not be made")
			}
			first, err := tt.make(r, who)
			if err != nil {
				t.Fatal(err)
			}
			r.clock = r.clock.Add(time.Hour)
			if !may(who) || !r.Made(who, first) {
				t.Error("the turn stops short of what it has made")
			}
			if again, err := tt.make(r, who); err != nil || again.ID != first.ID {
				t.Errorf("made again as %+v: %v", again, err)
			}
			if other := r.who("f1"); may(other) || r.Made(other, first) {
				t.Error("another turn passes for the one that made it")
			}
			if none := (mfa.Who{Env: env, UserID: user}); may(none) || r.Made(none, first) {
				t.Error("what has no effect passes for the turn that made it")
			}
		})
	}
}

// The answer that has made a device one that proves is right when it is judged again,
// and proves as much; no other answer is.
func TestAnAnswerThatActivatedADeviceIsJudgedAgainAlike(t *testing.T) {
	for name, tt := range map[string]struct {
		of       device.Type
		verified bool
	}{
		"a code that was sent": {device.SMS, false}, "a code of an app": {device.TOTP, false},
		"a passkey": {device.FIDO2, false}, "a passkey that has verified the person": {device.FIDO2, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: tt.of, Phone: "+15550100"})
			if err != nil {
				t.Fatal(err)
			}
			in := mfa.Activation{Who: r.who("f1"), Device: made.Device.ID}
			switch tt.of {
			case device.SMS:
				in.OTP = r.messages.last(t)
			case device.TOTP:
				r.store.seeds[made.Device.ID] = seed()
				in.OTP = code(t, r.clock)
			default:
				k := &token{virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserNotVerified: !tt.verified}), newKey()}
				in.Origin, in.Bytes, in.Attestation = site, challengeBytes(0), k.attest(r, *made.Creation, challengeBytes(0))
			}
			first, err := r.Activate(t.Context(), in)
			if err != nil || !first.OK {
				t.Fatalf("%+v, %v", first, err)
			}
			again, err := r.Activate(t.Context(), in)
			if err != nil || !again.OK || again.Proof != first.Proof || len(r.store.notices) != 1 {
				t.Errorf("%+v, first %+v: %v", again, first, err)
			}
			in.Who = r.who("f1")
			if v, err := r.Activate(t.Context(), in); err != nil || v.OK || v.Fault == nil {
				t.Errorf("another answer: %+v, %v", v, err)
			}
		})
	}
}

// An authenticator that counts has its counter kept with the right answer: the same
// answer, judged again, is no copy of the key, and a copy is one all the same.
func TestAnAnswerOfAKeyThatCountsIsJudgedAgainAlike(t *testing.T) {
	for name, verified := range map[string]bool{"had": false, "had and verified": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			k, d := r.enrolled(device.SecurityKey, verified)
			c, bytes := r.challenge("f1", d), challengeBytes(1)
			in := mfa.Assertion{Who: r.who("f1"), Challenge: c, Bytes: bytes, Origin: site, Assertion: k.sign(r, c, bytes, 10)}
			first, err := r.CheckAssertion(t.Context(), in)
			if err != nil || !first.OK {
				t.Fatalf("%+v, %v", first, err)
			}
			again, err := r.CheckAssertion(t.Context(), in)
			if err != nil || !again.OK || again.Proof != first.Proof || !slices.Equal(again.Events, first.Events) {
				t.Errorf("%+v, first %+v: %v", again, first, err)
			}
			if kept, _ := r.store.find(user, d.ID); kept.Credential.Suspected || r.store.tally("device/"+d.ID).count > 0 || len(r.messages.mail()) > 0 {
				t.Errorf("%+v, %v", kept.Credential, r.messages.mail())
			}
			in.Who = r.who("f1")
			if v, err := r.CheckAssertion(t.Context(), in); err != nil || v.OK || !slices.Contains(v.Events, flow.CloneSuspected) {
				t.Errorf("a copy: %+v, %v", v, err)
			}
		})
	}
}

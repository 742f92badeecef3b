package mfa_test

import (
	"slices"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

func TestPasskeysAreOfferedAsThePolicySays(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(p *mfapolicy.Policy, f *mfapolicy.FIDO2Policy)
		on     bool
	}{
		"where nothing is said":                         {func(*mfapolicy.Policy, *mfapolicy.FIDO2Policy) {}, true},
		"where there are none":                          {func(p *mfapolicy.Policy, _ *mfapolicy.FIDO2Policy) { p.FIDO2.Enabled = false }, false},
		"where nobody adds one":                         {func(p *mfapolicy.Policy, _ *mfapolicy.FIDO2Policy) { p.FIDO2.PairingDisabled = true }, false},
		"where the operator has it off":                 {func(_ *mfapolicy.Policy, f *mfapolicy.FIDO2Policy) { f.OfferDisabled = true }, false},
		"where models are kept and none is refused":     {func(_ *mfapolicy.Policy, f *mfapolicy.FIDO2Policy) { f.Authenticators.Option = mfapolicy.AuditOnly }, true},
		"where some models alone are let in":            {func(_ *mfapolicy.Policy, f *mfapolicy.FIDO2Policy) { f.Authenticators.Option = mfapolicy.Specific }, false},
		"where keys are not to be found without a name": {func(_ *mfapolicy.Policy, f *mfapolicy.FIDO2Policy) { f.Discoverable = mfapolicy.Discouraged }, false},
	} {
		r := newRig(t)
		tt.change(r.policy, r.fido)
		if rp, on := r.Offers(env); on != tt.on || on && rp != rpID {
			t.Errorf("%s: %q %t", name, rp, on)
		}
	}
}

// TestAnOfferedPasskey is made as the person was asked, or as they were not; and neither
// answer passes for the other.
func TestAnOfferedPasskey(t *testing.T) {
	for name, tt := range map[string]struct {
		nobody bool // is touched by nobody
		quiet  bool // answers what nobody was asked
		said   bool // and says so
		ok     bool
	}{
		"that the person made":                       {false, false, false, true},
		"that the browser made":                      {true, true, true, true},
		"of the browser, given as the person's":      {true, true, false, false},
		"of nobody, for what the person was asked":   {true, false, false, false},
		"of the person's options, given as silent":   {false, false, true, false},
		"of nobody for those, and given as silent":   {true, false, true, false},
		"that the person made of the silent options": {false, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			who := r.who("")
			o, err := r.OfferPasskey(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			again, err := r.OfferPasskey(t.Context(), who)
			if err != nil || again.Device != o.Device || string(again.Asked.Standard) != string(o.Asked.Standard) || string(o.Asked.Standard) == string(o.Quiet.Standard) {
				t.Fatalf("shown again: %+v %v", again, err)
			}
			options := o.Asked.Standard
			if tt.quiet {
				options = o.Quiet.Standard
			}
			asked, err := virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + string(options) + `}`)
			if err != nil {
				t.Fatal(err)
			}
			k := token{virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserNotVerified: tt.nobody, UserNotPresent: tt.nobody}), newKey()}
			answer := mfa.Activation{
				Who: r.who(""), Device: o.Device, Origin: site, Conditional: tt.said,
				Attestation: virtualwebauthn.CreateAttestationResponse(party(), k.auth, k.key, *asked),
			}
			v, err := r.Activate(t.Context(), answer)
			if err != nil || v.OK != tt.ok {
				t.Fatalf("%+v %v", v, err)
			}
			if !tt.ok {
				return
			}
			if !v.Device.Credential.Verified || tt.said && v.Proof.Factors.Has(flow.Inherence) {
				t.Errorf("%+v, proof %+v", v.Device.Credential, v.Proof)
			}
			if n := r.store.notices; len(n) != 1 || n[0].Template != "device.added" || n[0].To != "ada@example.com" {
				t.Errorf("told: %+v", n)
			}
			again2 := answer
			again2.Who = r.who("")
			if v, err := r.Activate(t.Context(), again2); err != nil || v.OK {
				t.Errorf("a second time: %+v %v", v, err)
			}
		})
	}
}

func TestAnOfferIsGoodForAWhile(t *testing.T) {
	r := newRig(t)
	o, err := r.OfferPasskey(t.Context(), r.who(""))
	if err != nil {
		t.Fatal(err)
	}
	asked, err := virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + string(o.Quiet.Standard) + `}`)
	if err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(16 * time.Minute)
	k := token{virtualwebauthn.NewAuthenticator(), newKey()}
	v, err := r.Activate(t.Context(), mfa.Activation{
		Who: r.who(""), Device: o.Device, Origin: site, Conditional: true, Attestation: virtualwebauthn.CreateAttestationResponse(party(), k.auth, k.key, *asked),
	})
	if err != nil || v.OK {
		t.Errorf("%+v %v", v, err)
	}
}

// TestWhoIsNotKnownIsSaidOfNothingElse: a page learns that a passkey is nobody's, and not
// what else is wrong with one.
func TestWhoIsNotKnownIsSaidOfNothingElse(t *testing.T) {
	r := newRig(t)
	k, d := r.enrolled(device.FIDO2, true)
	stranger := &token{k.auth, newKey()}
	c := r.challenge("f1", d)
	for name, tt := range map[string]struct {
		answer  string
		user    string
		unknown []byte
	}{
		"nobody's":             {stranger.sign(r, c, challengeBytes(1), 1), "", stranger.key.ID},
		"of another challenge": {k.sign(r, c, challengeBytes(2), 1), "", nil},
		"of another user":      {k.sign(r, c, challengeBytes(1), 2), "u2", nil},
		"none":                 {`{}`, "", nil},
	} {
		who := r.who("f1")
		who.UserID = tt.user
		v, err := r.CheckDiscovered(t.Context(), mfa.Discovered{Who: who, Bytes: challengeBytes(1), Origin: site, Assertion: tt.answer})
		if err != nil || v.OK || !slices.Equal(v.Fault.Unknown, tt.unknown) {
			t.Errorf("%s: %+v %v", name, v.Fault, err)
		}
	}
}

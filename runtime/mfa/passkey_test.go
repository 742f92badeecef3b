package mfa_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// token is an authenticator with one key.
type token struct {
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

// newKey is a key as authenticators make them: the library writes coordinates that begin
// with a zero without it, which is no COSE_Key. Source: RFC 9053 7.1.1.
func newKey() virtualwebauthn.Credential {
	for {
		k := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(k.Key.AttestationData()) == 77 {
			return k
		}
	}
}

func party() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{Name: "Acme Travel", ID: rpID, Origin: site}
}

func challengeBytes(n byte) []byte { return []byte(strings.Repeat(string('a'+n), 32)) }

// enrolled is a token that has been added to the user. verified says that it verifies
// the person.
func (r *rig) enrolled(of device.Type, verified bool) (*token, device.Device) {
	r.t.Helper()
	k := &token{virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserNotVerified: !verified}), newKey()}
	made, err := r.Enrol(r.t.Context(), mfa.Enrolment{Who: r.who("f0"), Type: of})
	if err != nil {
		r.t.Fatal(err)
	}
	v, err := r.Activate(r.t.Context(), mfa.Activation{
		Who: r.who("f0"), Device: made.Device.ID, Bytes: challengeBytes(0), Origin: site, Attestation: k.attest(r, *made.Creation, challengeBytes(0)),
	})
	if err != nil || !v.OK {
		r.t.Fatalf("%+v, %v", v, err)
	}
	k.auth.Options.UserHandle = made.Creation.Handle
	k.auth.AddCredential(k.key)
	return k, v.Device
}

func (k *token) attest(r *rig, c mfa.Creation, bytes []byte) string {
	r.t.Helper()
	o, err := r.CreationOptions(env, c, bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	asked, err := virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + string(o.Standard) + `}`)
	if err != nil {
		r.t.Fatal(err)
	}
	return virtualwebauthn.CreateAttestationResponse(party(), k.auth, k.key, *asked)
}

// sign answers a challenge with a counter.
func (k *token) sign(r *rig, c mfa.Challenge, bytes []byte, counter uint32) string {
	r.t.Helper()
	o, err := r.RequestOptions(env, c, bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	return k.answer(r, string(o.Standard), counter)
}

func (k *token) answer(r *rig, options string, counter uint32) string {
	r.t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(`{"publicKey":` + options + `}`)
	if err != nil {
		r.t.Fatal(err)
	}
	k.key.Counter = counter
	return virtualwebauthn.CreateAssertionResponse(party(), k.auth, k.key, *asked)
}

func (r *rig) assertion(execution string, c mfa.Challenge, bytes []byte, answer string) mfa.Verdict {
	r.t.Helper()
	v, err := r.CheckAssertion(r.t.Context(), mfa.Assertion{Who: r.who(execution), Challenge: c, Bytes: bytes, Origin: site, Assertion: answer})
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

func TestAPasskeyProvesWhatItVerified(t *testing.T) {
	for name, tt := range map[string]struct {
		verified bool
		factors  flow.Factor
	}{
		"the person too": {true, flow.Possession | flow.Inherence},
		"its key alone":  {false, flow.Possession},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			k, d := r.enrolled(device.FIDO2, tt.verified)
			c := r.challenge("f1", d)
			if c.Status != mfa.AssertionRequired || len(c.Allowed) != 1 || c.Allowed[0].Device != d.ID {
				t.Fatalf("%+v", c)
			}
			v := r.assertion("f1", c, challengeBytes(1), k.sign(r, c, challengeBytes(1), 1))
			if !v.OK || v.Proof.Factors != tt.factors || !v.Proof.At.Equal(r.clock) || v.Device.Credential.SignCount != 1 {
				t.Errorf("%+v %v", v, v.Fault)
			}
		})
	}
}

func TestAnAssertionIsGoodOnce(t *testing.T) {
	r := newRig(t)
	k, d := r.enrolled(device.FIDO2, true)
	c := r.challenge("f1", d)
	answer := k.sign(r, c, challengeBytes(1), 0) // a counter that never moves
	if v := r.assertion("f1", c, challengeBytes(1), answer); !v.OK {
		t.Fatalf("%+v", v)
	}
	again := r.assertion("f1", c, challengeBytes(1), answer)
	if again.OK || !slices.Contains(again.Events, flow.DeviceReplayed) || again.Again == nil || r.store.tally("device/"+d.ID).count != 0 {
		t.Fatalf("again: %+v", again)
	}
	if v := r.assertion("f2", r.challenge("f2", d), challengeBytes(2), answer); v.OK {
		t.Error("to another challenge")
	}
	if v := r.assertion("f1", *again.Again, challengeBytes(1), answer); v.OK || v.Again != nil {
		t.Errorf("to the question that is asked from now on: %+v", v)
	}
	if v := r.assertion("f1", *again.Again, challengeBytes(2), k.sign(r, *again.Again, challengeBytes(2), 0)); !v.OK {
		t.Errorf("the question that is asked from now on takes no answer: %+v", v)
	}
}

// TestAQuestionThatTheStoreHasLostIsAskedAnew: nothing that was signed before is good for
// it, whatever the execution was thrown back to.
func TestAQuestionThatTheStoreHasLostIsAskedAnew(t *testing.T) {
	r := newRig(t)
	k, d := r.enrolled(device.FIDO2, true)
	c := r.challenge("f1", d)
	first, second := k.sign(r, c, challengeBytes(1), 0), k.sign(r, c, challengeBytes(2), 0)
	clear(r.secrets.of)
	v := r.assertion("f1", c, challengeBytes(1), first)
	if v.OK || v.Again == nil || v.Again.Status != c.Status || v.Again.Device != c.Device || len(v.Again.Allowed) != 1 {
		t.Fatalf("%+v", v)
	}
	if v := r.assertion("f1", *v.Again, challengeBytes(2), second); v.OK {
		t.Error("what was signed before is good")
	}
	if v := r.assertion("f1", *v.Again, challengeBytes(3), k.sign(r, *v.Again, challengeBytes(3), 0)); !v.OK {
		t.Errorf("%+v", v)
	}
}

// TestAnAssertionThatIsEvaluatedTwiceHasOneEffect: as TestASubmitThatIsEvaluatedTwiceHasOneEffect.
func TestAnAssertionThatIsEvaluatedTwiceHasOneEffect(t *testing.T) {
	r := newRig(t)
	k, d := r.enrolled(device.FIDO2, true)
	c := r.challenge("f1", d)
	in := mfa.Assertion{Who: r.who("f1"), Challenge: c, Bytes: challengeBytes(1), Origin: site, Assertion: k.sign(r, c, challengeBytes(1), 0)}
	for range 2 {
		if v, err := r.CheckAssertion(t.Context(), in); err != nil || !v.OK {
			t.Errorf("%+v, %v", v, err)
		}
	}
	in.Effect = "another"
	if v, _ := r.CheckAssertion(t.Context(), in); v.OK {
		t.Error("another submit is taken with the same assertion")
	}
}

func TestWrongAssertionsAreOneAnswerAndCount(t *testing.T) {
	r := newRig(t)
	r.policy.FIDO2.Failure = mfapolicy.Failure{Count: 7, CoolDown: 2 * time.Minute}
	k, d := r.enrolled(device.FIDO2, true)
	stranger := &token{virtualwebauthn.NewAuthenticator(), newKey()}
	forged := *k
	forged.key.Key = stranger.key.Key
	c := r.challenge("f1", d)
	good := k.sign(r, c, challengeBytes(1), 1)
	other := c
	other.Allowed = nil
	for name, tt := range map[string]struct {
		answer string
		bytes  []byte
		c      mfa.Challenge
	}{
		"of another challenge":         {good, challengeBytes(2), c},
		"with another key":             {forged.sign(r, c, challengeBytes(1), 1), challengeBytes(1), c},
		"of a stranger's credential":   {stranger.sign(r, c, challengeBytes(1), 1), challengeBytes(1), c},
		"that is none":                 {`{}`, challengeBytes(1), c},
		"of one that was not asked of": {good, challengeBytes(1), other},
	} {
		before := r.store.tally("device/" + d.ID).count
		v := r.assertion("f1", tt.c, tt.bytes, tt.answer)
		if f := detail(t, v.Fault); v.OK || f.Code != flow.InvalidValue || f.Target != "assertion" || !strings.Contains(f.Message, "another way") || f.Inner != nil {
			t.Errorf("%s: %+v %v", name, v, f)
		}
		if after := r.store.tally("device/" + d.ID).count; after != before+1 {
			t.Errorf("%s: counted %d", name, after-before)
		}
	}
}

func TestACopiedKeyIsRefusedFlaggedAndTold(t *testing.T) {
	r := newRig(t)
	k, d := r.enrolled(device.SecurityKey, true)
	for i, row := range []struct {
		counter uint32
		ok      bool
	}{{10, true}, {11, true}, {11, false}, {9, false}, {0, false}, {12, true}} {
		c, bytes := r.challenge("f1", d), challengeBytes(byte(i+1))
		r.store.tallies = map[string]*tally{}
		v := r.assertion("f1", c, bytes, k.sign(r, c, bytes, row.counter))
		if v.OK != row.ok || slices.Contains(v.Events, flow.CloneSuspected) == row.ok {
			t.Errorf("counter %d: %+v", row.counter, v)
		}
	}
	kept, _ := r.store.find(user, d.ID)
	if !kept.Credential.Suspected || kept.Credential.SignCount != 12 {
		t.Errorf("%+v", kept.Credential)
	}
	same(t, []string{"device.suspected to ada@example.com"}, r.messages.mail(), "mail")
}

func TestOneOfSeveralPasskeysMayAnswer(t *testing.T) {
	r := newRig(t)
	_, first := r.enrolled(device.FIDO2, true)
	k, second := r.enrolled(device.FIDO2, true)
	c := r.challenge("f1", first)
	if len(c.Allowed) != 2 || c.Allowed[0].Device != first.ID {
		t.Fatalf("%+v", c.Allowed)
	}
	v := r.assertion("f1", c, challengeBytes(1), k.sign(r, c, challengeBytes(1), 1))
	if !v.OK || v.Device.ID != second.ID || v.Proof.Authenticator != second.ID {
		t.Errorf("%+v", v)
	}
	late, _ := r.enrolled(device.FIDO2, true)
	if v := r.assertion("f1", c, challengeBytes(2), late.sign(r, c, challengeBytes(2), 1)); v.OK {
		t.Error("one that was added after it was asked")
	}
}

func TestWhoIsDiscovered(t *testing.T) {
	r := newRig(t)
	k, d := r.enrolled(device.FIDO2, true)
	nobody := mfa.Who{Env: env, Flow: "f1", Effect: "e1", Unproven: true}
	o, is, err := r.Discover(env, "", challengeBytes(1))
	if err != nil || !is || strings.Contains(string(o.Standard), `"allowCredentials":[{`) {
		t.Fatalf("%s, %v", o.Standard, err)
	}
	answer := k.answer(r, string(o.Standard), 1)
	try := func(w mfa.Who, answer string, bytes []byte) mfa.Verdict {
		t.Helper()
		w.Effect = r.who("f").Effect
		v, err := r.CheckDiscovered(t.Context(), mfa.Discovered{Who: w, Bytes: bytes, Origin: site, Assertion: answer})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	bound := nobody
	bound.UserID = "u2"
	if v := try(bound, answer, challengeBytes(1)); v.OK {
		t.Error("in somebody else's execution")
	}
	if v := try(nobody, answer, challengeBytes(2)); v.OK || detail(t, v.Fault).Target != "assertion" {
		t.Errorf("of another challenge: %+v", v)
	}
	if n := r.store.tally("device/" + d.ID).count; n != 0 {
		t.Errorf("whoever knows an id has %d wrong answers counted", n)
	}
	v := try(nobody, answer, challengeBytes(1))
	if !v.OK || v.Device.UserID != user || v.Device.ID != d.ID || v.Proof.Subject != user || !v.Proof.Factors.Has(flow.Possession|flow.Inherence) || !v.Proof.At.Equal(r.clock) {
		t.Errorf("%+v %v", v, v.Fault)
	}
	if v := try(nobody, answer, challengeBytes(1)); v.OK {
		t.Error("twice")
	}
	noHandle := *k
	noHandle.auth.Options.UserHandle = nil
	for name, answer := range map[string]string{"without a handle": noHandle.answer(r, string(o.Standard), 2), "that is none": "{}"} {
		if v := try(nobody, answer, challengeBytes(1)); v.OK {
			t.Error(name)
		}
	}
	r.policy.FIDO2.Enabled = false
	if _, is, _ := r.Discover(env, "", challengeBytes(1)); is {
		t.Error("passkeys are offered where there are none")
	}
}

func TestAPasskeyOfAnotherPartyIsNotAsked(t *testing.T) {
	r := newRig(t)
	_, d := r.enrolled(device.FIDO2, true)
	r.fido.RelyingPartyID = "other.example"
	if _, err := r.Challenge(t.Context(), mfa.Start{Who: r.who("f1"), Device: d}); flow.AsFault(err).Code != flow.InvalidData {
		t.Error(err)
	}
	if choice, err := r.Choose(t.Context(), r.who("f1"), "", ""); err != nil || len(choice.Devices) != 0 || !choice.Held {
		t.Errorf("%+v, %v", choice, err)
	}
}

// TestACopiedKeyMayLockToo: the user is told of both.
func TestACopiedKeyMayLockToo(t *testing.T) {
	r := newRig(t)
	r.policy.FIDO2.Failure = mfapolicy.Failure{Count: 1, CoolDown: 2 * time.Minute}
	k, d := r.enrolled(device.FIDO2, true)
	c := r.challenge("f1", d)
	for i, counter := range []uint32{5, 5} {
		bytes := challengeBytes(byte(i + 1))
		r.assertion("f1", c, bytes, k.sign(r, c, bytes, counter))
	}
	same(t, []string{"device.suspected to ada@example.com", "device.locked to ada@example.com"}, r.messages.mail(), "mail")
}

// TestVerifyingLateIsAFactorOnceAnotherStandsBesideIt: an authenticator that did not
// verify the person when it was added. Source: WebAuthn level 3, 4 (uvInitialized).
func TestVerifyingLateIsAFactorOnceAnotherStandsBesideIt(t *testing.T) {
	r := newRig(t)
	k, d := r.enrolled(device.FIDO2, false)
	k.auth.Options.UserNotVerified = false
	kept, _ := r.store.find(user, d.ID)
	o, _, err := r.Discover(env, "", challengeBytes(1))
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.CheckDiscovered(t.Context(), mfa.Discovered{
		Who: mfa.Who{Env: env, Flow: "f1"}, Bytes: challengeBytes(1), Origin: site, Assertion: k.answer(r, string(o.Standard), 1),
	})
	if err != nil || !v.OK || v.Proof.Factors != flow.Possession || kept.Credential.Verified {
		t.Errorf("alone: %+v, %v", v, err)
	}
	c := r.challenge("f2", d)
	if v := r.assertion("f2", c, challengeBytes(2), k.sign(r, c, challengeBytes(2), 2)); !v.OK || v.Proof.Factors != flow.Possession || !kept.Credential.Verified {
		t.Errorf("beside another factor: %+v", v)
	}
	c = r.challenge("f3", d)
	if v := r.assertion("f3", c, challengeBytes(3), k.sign(r, c, challengeBytes(3), 3)); !v.OK || !v.Proof.Factors.Has(flow.Inherence) {
		t.Errorf("from then on: %+v", v)
	}
}

func TestADeviceIsOfTheTypeThatItWasAddedAs(t *testing.T) {
	for of, attachment := range map[device.Type]string{device.Platform: "cross-platform", device.SecurityKey: "platform"} {
		r := newRig(t)
		made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: of})
		if err != nil {
			t.Fatal(err)
		}
		k := &token{virtualwebauthn.NewAuthenticator(), newKey()}
		answer := strings.Replace(k.attest(r, *made.Creation, challengeBytes(1)), "{", `{"authenticatorAttachment":"`+attachment+`",`, 1)
		v, err := r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, Bytes: challengeBytes(1), Origin: site, Attestation: answer})
		if err != nil || v.OK {
			t.Errorf("%s that is %s: %+v, %v", of, attachment, v, err)
		}
	}
}

func TestAPasskeyIsAddedOnce(t *testing.T) {
	r := newRig(t)
	k, _ := r.enrolled(device.FIDO2, true)
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.FIDO2})
	if err != nil || len(made.Creation.Exclude) != 1 {
		t.Fatal(made, err)
	}
	answer := k.attest(r, mfa.Creation{Handle: made.Creation.Handle, Name: "ada"}, challengeBytes(3)) // it does not mind what is excluded
	for name, in := range map[string]mfa.Activation{
		"the same key":     {Bytes: challengeBytes(3), Attestation: answer, Origin: site},
		"another question": {Bytes: challengeBytes(4), Attestation: answer, Origin: site},
		"another origin":   {Bytes: challengeBytes(3), Attestation: answer, Origin: "https://evil.example"},
		"no question":      {Attestation: answer, Origin: site},
		"nothing":          {Bytes: challengeBytes(3)},
	} {
		in.Who, in.Device = r.who("f1"), made.Device.ID
		v, err := r.Activate(t.Context(), in)
		if err != nil || v.OK || detail(t, v.Fault).Target != "attestation" {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

// TestAPasskeyIsAddedOutsideOfAnExecution: by the management API.
func TestAPasskeyIsAddedOutsideOfAnExecution(t *testing.T) {
	r := newRig(t)
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who(""), Type: device.FIDO2, RPID: rpID})
	if err != nil {
		t.Fatal(err)
	}
	k := &token{virtualwebauthn.NewAuthenticator(), newKey()}
	in := mfa.Activation{Device: made.Device.ID, Origin: site, Attestation: k.attest(r, *made.Creation, r.CreationBytes(r.who(""), made.Device.ID))}
	bad := in
	bad.Who, bad.Attestation = r.who(""), "{}"
	if v, err := r.Activate(t.Context(), bad); err != nil || v.OK {
		t.Fatal(v, err)
	}
	in.Who = r.who("")
	if v, err := r.Activate(t.Context(), in); err != nil || v.OK {
		t.Error("the question did not end with its first answer", err)
	}
	again, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who(""), Type: device.FIDO2})
	if err != nil {
		t.Fatal(err)
	}
	in.Who, in.Device, in.Attestation = r.who(""), again.Device.ID, k.attest(r, *again.Creation, r.CreationBytes(r.who(""), again.Device.ID))
	if v, err := r.Activate(t.Context(), in); err != nil || !v.OK {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who(""), Type: device.FIDO2, RPID: "evil.example"}); detail(t, flow.AsFault(err)).Target != "rp.id" {
		t.Error(err)
	}
}

package mfa

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// CheckAssertion judges an answer to an ASSERTION_REQUIRED challenge.
func (s *Service) CheckAssertion(ctx context.Context, in Assertion) (Verdict, error) {
	policy, with, err := s.rules(in.Env, in.Challenge.Policy)
	if err != nil {
		return Verdict{}, err
	}
	if v, over, err := s.spend(ctx, in.Who); over || err != nil {
		return v, err
	}
	d, _, err := s.names(ctx, in.Env, in.Assertion)
	if err != nil {
		return Verdict{}, err
	}
	var may []device.Device
	asked := func(a Allowed) bool { return a.Device == d.ID }
	if d != nil && d.UserID == in.UserID && slices.ContainsFunc(in.Challenge.Allowed, asked) && d.Status == device.Active && d.BlockedAt.IsZero() &&
		s.fits(policy, d, in.Compatibility) {
		may = []device.Device{*d}
	}
	v, err := s.assert(ctx, asserting{
		Who: in.Who, policy: policy, may: may, asked: &in.Challenge, counted: true, Assertion: passkey.Assertion{
			Metadata: s.o.Metadata, Party: with.party, Policy: with.policy, Challenge: in.Challenge.signs(in.Bytes), Origin: in.Origin, Assertion: in.Assertion,
		},
	})
	if err != nil {
		return Verdict{}, err
	}
	return s.settle(ctx, in.Who, v)
}

// CheckDiscovered judges an answer to Discover: whose it is, Verdict.Device.UserID
// says. Where the execution is somebody's already, nobody else's is right. An answer
// that is wrong counts against nobody but that somebody: whoever knows the id of a
// credential could lock its owner out.
func (s *Service) CheckDiscovered(ctx context.Context, in Discovered) (Verdict, error) {
	policy, with, err := s.rules(in.Env, in.Policy)
	if err != nil {
		return Verdict{}, err
	}
	bound := in.UserID != ""
	if bound {
		if v, over, err := s.spend(ctx, in.Who); over || err != nil {
			return v, err
		}
	}
	may, unknown, err := s.discovered(ctx, in, policy)
	if err != nil {
		return Verdict{}, err
	}
	a := asserting{Who: in.Who, policy: policy, may: may, counted: bound, Assertion: passkey.Assertion{
		Metadata: s.o.Metadata, Party: with.party, Policy: with.policy, Challenge: in.Bytes, Origin: in.Origin, Assertion: in.Assertion, Discoverable: true,
	}}
	a.Unproven = a.Unproven || !bound // what nobody has said before stands beside nothing
	v, err := s.assert(ctx, a)
	if err != nil {
		return Verdict{}, err
	}
	if v.Fault != nil {
		v.Fault.Unknown = unknown
	}
	if bound {
		return s.settle(ctx, in.Who, v)
	}
	if v.OK {
		v.Proof.At = s.o.Now()
	}
	return v, nil
}

// discovered is the device that an assertion names, if it may answer; or the id that it
// names and nobody has.
func (s *Service) discovered(ctx context.Context, in Discovered, p *mfapolicy.Policy) (may []device.Device, unknown []byte, err error) {
	d, unknown, err := s.names(ctx, in.Env, in.Assertion)
	if d == nil || !s.askable(p, d, Full) || in.UserID != "" && in.UserID != d.UserID {
		return nil, unknown, err
	}
	return []device.Device{*d}, nil, nil
}

// names is the device whose credential an assertion names, which is not judged yet; nil
// when it names none, or one that nobody has, which is then told.
func (s *Service) names(ctx context.Context, env, assertion string) (d *device.Device, unknown []byte, err error) {
	id, _, err := passkey.Named(assertion)
	if err != nil {
		return nil, nil, nil //nolint:nilerr // it names nobody
	}
	found, err := s.o.Store.AnsweringCredential(ctx, env, id)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return nil, id, nil
	case err != nil:
		return nil, nil, err
	}
	return &found, nil, nil
}

// asserting is an assertion that is being judged.
type asserting struct {
	Who
	passkey.Assertion
	policy  *mfapolicy.Policy
	may     []device.Device // that may answer
	asked   *Challenge      // that is answered; nil: none was kept
	counted bool            // a wrong answer counts
}

// assert judges an assertion of one of some devices.
func (s *Service) assert(ctx context.Context, a asserting) (Verdict, error) {
	for i := range a.may {
		a.Credentials = append(a.Credentials, *a.may[i].Credential)
	}
	got, err := passkey.Assert(a.Assertion)
	wrong := (*passkey.Error)(nil)
	if err != nil && (!errors.As(err, &wrong) || wrong.Reason == passkey.ReasonSetup) {
		return Verdict{}, err
	}
	d := a.named(got.Credential.ID)
	if wrong != nil || d == nil {
		return s.refuseAssertion(ctx, a, d, got)
	}
	a.UserID = d.UserID
	if got.Claimed && !a.Unproven { // another factor stands beside it
		got.Credential.Verified = true
	}
	right := Success{Judged: s.against(a.Who, a.policy, d), Seen: *d, Credential: &got.Credential}
	if a.asked == nil {
		right.Challenge = sha256.Sum256(a.Challenge)
	} else {
		used, err := s.answer(ctx, a.Who, a.asked)
		if err != nil {
			return Verdict{}, err
		}
		if !used {
			return s.askAgain(ctx, a, d)
		}
	}
	standing, err := s.o.Store.Succeed(ctx, right)
	v, err := s.judged(Verdict{Device: *d, Events: []flow.EventType{flow.DeviceRefused}, Fault: wrongAssertion()}, standing, err, "assertion")
	if v.OK {
		v.Device.Credential = &got.Credential
		v.Proof = v.Device.Proof(got.Verified)
	}
	return v, err
}

// named is the device of a credential, by its id or by what the assertion says it is.
func (a *asserting) named(id []byte) *device.Device {
	if len(id) == 0 {
		id, _, _ = passkey.Named(a.Assertion.Assertion)
	}
	for i := range a.may {
		if len(id) > 0 && string(a.may[i].Credential.ID) == string(id) {
			return &a.may[i]
		}
	}
	return nil
}

// refuseAssertion counts one, against the device that it names or else the one that was
// asked for, and keeps and tells the suspicion that there are two of a credential: that
// was signed by the key.
func (s *Service) refuseAssertion(ctx context.Context, a asserting, d *device.Device, got passkey.Verdict) (Verdict, error) {
	v := Verdict{Events: []flow.EventType{flow.DeviceRefused}, Fault: wrongAssertion()}
	cloned := got.Cloned && d != nil
	if d == nil {
		d = &device.Device{Type: device.FIDO2}
		if a.asked != nil {
			d.ID = a.asked.Device
		}
	}
	v.Device = *d
	if !cloned && (!a.counted || d.ID == "") {
		return v, nil
	}
	if d.UserID != "" {
		a.UserID = d.UserID
	}
	standing, err := s.o.Store.Fail(ctx, Failing{Judged: s.against(a.Who, a.policy, d), Suspect: cloned})
	if err == nil && standing.OK { // this very answer has moved the counter
		v, err = s.judged(v, standing, nil, "assertion")
		v.Proof = d.Proof(got.Verified)
		return v, err
	}
	if cloned {
		v.Events = append(v.Events, flow.CloneSuspected)
	}
	if v, err = s.refused(v, standing, err, "assertion"); err != nil || !cloned {
		return v, err
	}
	return v, s.alert(ctx, a.Who, suspectedMessage, d)
}

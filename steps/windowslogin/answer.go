package windowslogin

import (
	"context"
	"errors"
	"fmt"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

var _ flow.Poller = (*Kind)(nil)

// Due reports whether a push has been answered, or is not to be answered any more.
func (k *Kind) Due(ctx context.Context, t *flow.Turn) (bool, error) {
	if t.Status != pushing {
		return false, nil
	}
	s, who, err := k.asked(t)
	if err != nil {
		return false, err
	}
	settled, err := k.phones.Settled(ctx, who, *s.Asked)
	if err != nil {
		return false, flow.Unserved(fmt.Errorf("look at push: %w", err))
	}
	return settled, nil
}

// poll goes on with what has become of the push.
func (k *Kind) poll(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	s, who, err := k.asked(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	state, v, err := k.phones.Poll(ctx, who, *s.Asked)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("use push: %w", err))
	}
	var out flow.Outcome
	switch {
	case state == device.PushApproved && v.OK:
		if out, err = k.accepted(ctx, t, s, who, v); err != nil {
			return flow.Outcome{}, err
		}
	case state == device.PushRejected:
		out = flow.Fail("PUSH_REJECTED", "The sign-on was refused on the phone. If it was not you, change your password.")
	case state == device.PushPending:
		out = flow.Wait(pushing)
	default:
		out = flow.Wait(pushed)
	}
	return with(out, v.Events), nil
}

func with(out flow.Outcome, events []flow.EventType) flow.Outcome {
	for _, e := range events {
		out = out.WithEvent(e)
	}
	return out
}

type code struct {
	OTP string `json:"otp" required:"true" max:"32" type:"code" autocomplete:"one-time-code" label:"otp.code.label=Code"`
}

// check judges a code that a device shows, also one that nobody can reach.
func (k *Kind) check(ctx context.Context, t *flow.Turn, in code) (flow.Outcome, error) {
	s, who, err := k.asked(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	v, err := k.phones.CheckOTP(ctx, mfa.OTP{Who: who, Challenge: *s.Asked, Code: in.OTP})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("check code: %w", err))
	}
	if !v.OK {
		out, err := k.refused(ctx, t, s, v)
		return with(out, v.Events), err
	}
	out, err := k.accepted(ctx, t, s, who, v)
	return with(out, v.Events), err
}

// refused goes on waiting. A device that is locked now is not asked any more.
func (k *Kind) refused(ctx context.Context, t *flow.Turn, s state, v mfa.Verdict) (flow.Outcome, error) {
	fault := v.Fault
	if fault == nil {
		fault = flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "otp", Message: "This is not right, or not any more. Try again."})
	}
	switch {
	case !s.Blind && v.AccountLocked:
		return flow.Fail("MFA_LOCKED_OUT", "There were too many wrong answers. Wait a while, then start again from the application."), nil
	case s.Blind || !v.DeviceLocked:
		return flow.Reject(t.Status, fault), t.Keep(s)
	}
	found, err := k.list(ctx, t, &s)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case len(found.Devices) == 0:
		return flow.Fail("DEVICE_LOCKED", "There were too many wrong answers, and this way is locked for now. Use another way, or try again later."), nil
	}
	s.Asked, s.Trouble = nil, &trouble{"DEVICE_LOCKED", "There were too many wrong answers, and this way is locked for now. Use another way, or try again later."}
	return flow.Reject(selecting, fault), t.Keep(s)
}

// accepted takes the proof. One of nobody, of somebody else, or of nothing that the
// person has, is refused here, whoever made it.
func (k *Kind) accepted(ctx context.Context, t *flow.Turn, s state, who mfa.Who, v mfa.Verdict) (flow.Outcome, error) {
	if who.UserID == "" || v.Proof.Subject != who.UserID || !v.Proof.Factors.Has(flow.Possession) || v.Proof.Authenticator == "" {
		return flow.Outcome{}, fmt.Errorf("device of user %q accepted for user %q", v.Proof.Subject, who.UserID)
	}
	a, err := k.users.Account(ctx, t.Ref.Env, who.UserID)
	switch {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read account: %w", err))
	case a.Disabled:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	case a.Subject.ID != who.UserID:
		return flow.Outcome{}, fmt.Errorf("account %q read for user %q", a.Subject.ID, who.UserID)
	case a.Unverified:
		return flow.Fail("VERIFICATION_REQUIRED", "The email address of this account is yet to be verified. Verify it to sign on."), nil
	}
	if s.PINs, err = k.certs.HasPIN(ctx, t.Ref.Env, who.UserID); err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("look for PINs: %w", err))
	}
	s.Proven, s.Asked, s.Devices = v.Proof.Authenticator, nil, nil
	out := flow.Wait(resuming).WithProof(v.Proof)
	if t.User.ID == "" {
		out = out.WithUser(a.Subject)
	}
	return out, t.Keep(s)
}

// proven is the state of a step whose user has proven themselves in it. It fails for
// anybody else, whatever was offered.
func proven(t *flow.Turn) (state, error) {
	s, err := flow.State[state](t)
	if err != nil {
		return s, err
	}
	for _, p := range t.Proofs {
		if s.Proven != "" && p.Authenticator == s.Proven && p.Subject == t.User.ID && t.User.ID != "" && p.Origin == flow.FromFlow {
			return s, nil
		}
	}
	return s, errors.New("a certificate is asked for by somebody who was not proven")
}

// resume leaves the step.
func (*Kind) resume(_ context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	s, err := proven(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	return flow.Result(succeeded).WithOutputs(map[string]any{"pingIdDevice": map[string]any{"id": s.Proven}}), nil
}

package mfachallenge

import (
	"context"
	"errors"
	"fmt"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

type code struct {
	OTP      string `json:"otp" required:"true" max:"32" type:"code" autocomplete:"one-time-code" label:"otp.code.label=Code"`
	Remember bool   `json:"rememberBrowser" label:"rememberBrowser.label=Do not ask again on this browser"`
}

func (k *Kind) check(ctx context.Context, t *flow.Turn, in code) (flow.Outcome, error) {
	s, err := asked(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	v, err := k.mfa.CheckOTP(ctx, mfa.OTP{Who: k.who(t), Challenge: *s.Asked, Code: in.OTP})
	out, err := k.judged(ctx, t, s, v, "otp", err)
	return k.remembered(ctx, t, out, in.Remember && v.OK, err)
}

type signed struct {
	Origin        string `json:"origin" required:"true" max:"2048" label:"assertion.origin.label=Origin"`
	Assertion     string `json:"assertion" required:"true" max:"16384" type:"credential" label:"assertion.assertion.label=Assertion"`
	Compatibility string `json:"compatibility" max:"32" label:"mfa.compatibility.label=What the browser can do"`
	Remember      bool   `json:"rememberBrowser" label:"rememberBrowser.label=Do not ask again on this browser"`
}

func (k *Kind) assert(ctx context.Context, t *flow.Turn, in signed) (flow.Outcome, error) {
	if d := incompatible("compatibility", in.Compatibility); d != nil {
		return flow.Outcome{}, flow.Invalid(*d)
	}
	s, err := asked(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	v, err := k.mfa.CheckAssertion(ctx, mfa.Assertion{
		Who: k.who(t), Challenge: *s.Asked, Bytes: t.Challenge(), Origin: in.Origin, Assertion: in.Assertion, Compatibility: in.Compatibility,
	})
	out, err := k.judged(ctx, t, s, v, "assertion", err)
	return k.remembered(ctx, t, out, in.Remember && v.OK, err)
}

func asked(t *flow.Turn) (state, error) {
	s, err := flow.State[state](t)
	if err == nil && s.Asked == nil {
		err = errors.New("MFA_CHALLENGE has an answer, and has asked nothing")
	}
	return s, err
}

// judged is what an answer to target leads to.
func (k *Kind) judged(ctx context.Context, t *flow.Turn, s state, v mfa.Verdict, target string, err error) (flow.Outcome, error) {
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("check %s: %w", target, err))
	}
	var out flow.Outcome
	if v.OK {
		out, err = k.accepted(ctx, t, v)
	} else {
		out, err = k.refused(ctx, t, s, v, target)
	}
	for _, e := range v.Events {
		out = out.WithEvent(e)
	}
	return out, err
}

// accepted takes the proof. One of nobody, of somebody else, or of nothing that the
// person has, is refused here, whoever made it.
func (k *Kind) accepted(ctx context.Context, t *flow.Turn, v mfa.Verdict) (flow.Outcome, error) {
	id := k.who(t).UserID
	if id == "" || v.Proof.Subject != id || !v.Proof.Factors.Has(flow.Possession) || v.Proof.Authenticator == "" {
		return flow.Outcome{}, fmt.Errorf("device of user %q accepted for user %q", v.Proof.Subject, id)
	}
	if t.User.ID != "" {
		return k.done(t, v.Proof, v.Device).WithProof(v.Proof), nil
	}
	a, err := k.users.Account(ctx, t.Ref.Env, id)
	c, _ := t.Config.(Config)
	switch {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read account: %w", err))
	case a.Disabled:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	case a.Subject.ID != id:
		return flow.Outcome{}, fmt.Errorf("account %q read for user %q", a.Subject.ID, id)
	case a.Unverified && !c.leads(verification):
		return flow.Fail("VERIFICATION_REQUIRED", "The email address of this account is yet to be verified. Verify it to sign on."), nil
	}
	out := k.done(t, v.Proof, v.Device).WithUser(a.Subject).WithProof(v.Proof)
	if a.Unverified {
		out.Name = verification
	}
	return out, nil
}

// done leaves with the device that has proven the user.
func (*Kind) done(t *flow.Turn, p flow.Proof, d device.Device) flow.Outcome {
	if t.Input == nil {
		return flow.Result(succeeded)
	}
	told := map[string]any{"id": p.Authenticator, "type": string(d.Type)}
	if d.Nickname != "" {
		told["nickname"] = d.Nickname
	}
	return flow.Result(succeeded).WithOutputs(map[string]any{"device": told, "amr": []any{p.AMR}})
}

// refused goes on waiting. A device that is locked now is not asked any more: another
// one may be chosen, if there is one.
func (k *Kind) refused(ctx context.Context, t *flow.Turn, s state, v mfa.Verdict, target string) (flow.Outcome, error) {
	fault := v.Fault
	if fault == nil {
		fault = flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: target, Message: "This is not right, or not any more. Try again."})
	}
	if v.Again != nil {
		s.Asked = v.Again
	}
	switch {
	case s.blind():
		return flow.Reject(coding, fault), t.Keep(s)
	case v.AccountLocked:
		return flow.Fail("MFA_LOCKED_OUT", "There were too many wrong answers. Wait a while, then start again from the application."), nil
	case !v.DeviceLocked:
		return flow.Reject(t.Status, fault), t.Keep(s)
	}
	c, _ := t.Config.(Config)
	found, err := k.list(ctx, t, c, &s)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case len(found.Devices) == 0:
		return locked(), nil
	}
	s.Asked, s.Trouble = nil, &trouble{"DEVICE_LOCKED", fault.Message}
	if len(fault.Details) > 0 {
		s.Trouble.Message = fault.Details[0].Message
	}
	return flow.Reject(selecting, fault), t.Keep(s)
}

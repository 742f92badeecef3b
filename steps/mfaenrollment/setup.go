package mfaenrollment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

type wanted struct {
	Type        string `json:"type" required:"true" max:"32" label:"device.type.label=Type"`
	Nickname    string `json:"nickname" max:"100" label:"device.nickname.label=Name of the device"`
	Email       string `json:"email" max:"254" type:"email" autocomplete:"email" label:"device.email.label=Email address"`
	Phone       string `json:"phone" max:"32" autocomplete:"tel" label:"device.phone.label=Phone number"`
	Application string `json:"application.id" max:"64" label:"device.application.label=App"`
	RPID        string `json:"rp.id" max:"253" label:"device.rp.id.label=Domain of the passkey"`
	RPName      string `json:"rp.name" max:"256" label:"device.rp.name.label=Name of the site"`
}

// create begins to set up a device.
func (k *Kind) create(ctx context.Context, t *flow.Turn, in wanted) (flow.Outcome, error) {
	c, _ := t.Config.(Config)
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if out, may, err := k.mayChange(ctx, t, c, s); !may || err != nil {
		return out, err
	}
	kind := device.Type(in.Type)
	if !slices.Contains(s.Types, kind) {
		return flow.Outcome{}, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "type", Inner: map[string]any{"allowedValues": s.Types},
			Message: "Devices of this type cannot be added here. Choose another type.",
		})
	}
	who := k.who(t)
	made, err := k.mfa.Enrol(ctx, mfa.Enrolment{
		Who: who, Policy: c.Policy, Type: kind, Email: in.Email, Phone: in.Phone, Nickname: in.Nickname,
		Application: in.Application, RPID: in.RPID, Compatibility: s.Compatibility,
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("add device: %w", err))
	}
	shown := made.Device.Shown(t.Now)
	s = s.empty()
	s.Device, s.Creation, s.Until = &shown, made.Creation, made.Until
	out := flow.Wait(activating).WithEvent(flow.DeviceCreated)
	if kind == device.Mobile {
		s.Application, s.Effect = in.Application, who.Effect
		out.Status = pairing
	}
	if len(made.Codes) > 0 {
		b, err := json.Marshal(made.Codes)
		if err != nil {
			return flow.Outcome{}, err
		}
		out = out.WithOnce("recoveryCodes", b).WithEvent(flow.DeviceActivated)
	}
	return out, t.Keep(s)
}

type answer struct {
	OTP         string `json:"otp" max:"32" type:"code" autocomplete:"one-time-code" label:"otp.code.label=Code"`
	Attestation string `json:"attestation" max:"16384" type:"credential" label:"device.attestation.label=Attestation"`
	Origin      string `json:"origin" max:"2048" label:"assertion.origin.label=Origin"`
	Nickname    string `json:"nickname" max:"100" label:"device.nickname.label=Name of the device"`
}

// activate judges the first answer of the device. Recovery codes have none: the
// person says that they are kept.
func (k *Kind) activate(ctx context.Context, t *flow.Turn, in answer) (flow.Outcome, error) {
	c, _ := t.Config.(Config)
	s, err := setUp(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if s.Device.Type == device.Recovery {
		return k.done(t, s.Device.ID, s.Device.Type), nil
	}
	if f := lacks(s.Device.Type, in); f != nil {
		return flow.Outcome{}, f
	}
	if out, may, err := k.mayActivate(ctx, t, s); !may || err != nil {
		return out, err
	}
	v, err := k.mfa.Activate(ctx, mfa.Activation{
		Who: k.who(t), Policy: c.Policy, Device: s.Device.ID, OTP: in.OTP, Origin: in.Origin, Attestation: in.Attestation,
		Creation: s.Creation, Nickname: in.Nickname, Bytes: t.Challenge(),
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("activate device: %w", err))
	}
	var out flow.Outcome
	if v.OK {
		out, err = k.proven(t, s, v.Proof)
	} else {
		out, err = refused(t, s, v, in)
	}
	for _, e := range v.Events {
		out = out.WithEvent(e)
	}
	return out, err
}

// lacks is what is missing from an answer; nil for nothing.
func lacks(kind device.Type, in answer) *flow.Fault {
	required := func(name string) flow.Detail {
		return flow.Detail{Code: flow.RequiredValue, Target: name, Message: "A value for " + name + " is required."}
	}
	var out []flow.Detail
	switch {
	case !kind.IsFIDO2() && in.OTP == "":
		out = append(out, required("otp"))
	case kind.IsFIDO2() && in.Attestation == "":
		out = append(out, required("attestation"))
	}
	if kind.IsFIDO2() && in.Origin == "" {
		out = append(out, required("origin"))
	}
	if len(out) == 0 {
		return nil
	}
	return flow.Invalid(out...)
}

// setUp is the state of a node that waits for a device.
func setUp(t *flow.Turn) (state, error) {
	s, err := flow.State[state](t)
	if err == nil && s.Device == nil {
		err = errors.New("MFA_ENROLLMENT waits for a device, and there is none")
	}
	return s, err
}

// proven takes the proof of the new device. One of somebody else, or of another
// device, is refused here, whoever made it.
func (k *Kind) proven(t *flow.Turn, s state, p flow.Proof) (flow.Outcome, error) {
	if t.User.ID == "" || p.Subject != t.User.ID || !p.Factors.Has(flow.Possession) || p.Authenticator != s.Device.ID {
		return flow.Outcome{}, fmt.Errorf("device %q of user %q set up for user %q", p.Authenticator, p.Subject, t.User.ID)
	}
	return k.done(t, s.Device.ID, s.Device.Type).WithProof(p), nil
}

func (*Kind) done(t *flow.Turn, id string, kind device.Type) flow.Outcome {
	out := flow.Result(enrolled)
	if t.Input != nil {
		out = out.WithOutputs(map[string]any{"device": map[string]any{"id": id, "type": string(kind)}})
	}
	return out
}

// refused goes on waiting for a better answer.
func refused(t *flow.Turn, s state, v mfa.Verdict, in answer) (flow.Outcome, error) {
	fault := v.Fault
	if fault == nil {
		target := "otp"
		if in.OTP == "" {
			target = "attestation"
		}
		fault = flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: target, Message: "This is not right, or not any more. Try again."})
	}
	if v.AccountLocked {
		return flow.Fail("MFA_LOCKED_OUT", "There were too many wrong answers. Wait a while, then start again from the application."), nil
	}
	return flow.Reject(activating, fault), t.Keep(s)
}

// resend sends a new code to the address of the device.
func (k *Kind) resend(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	c, _ := t.Config.(Config)
	s, err := setUp(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if _, err := k.mfa.Resend(ctx, mfa.Again{Who: k.who(t), Policy: c.Policy, Device: s.Device.ID}); err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("send code again: %w", err))
	}
	return flow.Wait(activating).WithEvent(flow.DeviceChallenged), t.Keep(s)
}

// remove gives up the device that is being set up, and no other.
func (k *Kind) remove(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	c, _ := t.Config.(Config)
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if s.Device != nil {
		if err := k.mfa.GiveUp(ctx, k.who(t), s.Device.ID); err != nil && !errors.Is(err, flow.ErrUnknown) {
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("give up device: %w", err))
		}
	}
	out, err := k.offer(ctx, t, c, s)
	return out.WithEvent(flow.DeviceDeleted), err
}

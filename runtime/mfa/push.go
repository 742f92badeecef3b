package mfa

import (
	"context"
	"errors"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// State is how a push stands. It changes nothing.
func (s *Service) State(ctx context.Context, w Who, c Challenge) (device.PushState, error) {
	p, err := s.asked(ctx, w, c)
	return p.State, err
}

// Settled reports whether Poll has something to say: the device has answered, or no
// longer may. It changes nothing.
func (s *Service) Settled(ctx context.Context, w Who, c Challenge) (bool, error) {
	state, err := s.State(ctx, w, c)
	return err == nil && state != device.PushPending, err
}

// asked is the push of a challenge as it stands now. One of somebody else, or of
// another execution, is gone.
func (s *Service) asked(ctx context.Context, w Who, c Challenge) (device.Push, error) {
	if c.Push == "" {
		return device.Push{State: s.waits(c, device.PushGone)}, nil
	}
	p, err := s.o.Store.Push(ctx, w.Env, c.Push)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return device.Push{State: s.waits(c, device.PushGone)}, nil
	case err != nil:
		return device.Push{}, err
	case p.UserID != w.UserID || p.Flow != w.Flow || p.Device != c.Device || w.UserID == "":
		p.State = device.PushGone
	case p.State == device.PushPending && !s.o.Now().Before(p.ExpiresAt):
		p.State = device.PushGone
	}
	p.State = s.waits(c, p.State)
	return p, nil
}

// Poll says what has become of a push, and uses an approval up: it proves once, and
// only while the push could be answered.
func (s *Service) Poll(ctx context.Context, w Who, c Challenge) (device.PushState, Verdict, error) {
	p, err := s.asked(ctx, w, c)
	if err != nil {
		return "", Verdict{}, err
	}
	switch p.State {
	case device.PushPending:
		return p.State, Verdict{}, nil
	case device.PushRejected:
		return p.State, Verdict{Fault: pushRejected()}, nil
	case device.PushGone:
		return p.State, Verdict{Events: []flow.EventType{flow.PushTimedOut}, Fault: pushTimedOut()}, nil
	case device.PushApproved:
	}
	v, err := s.approved(ctx, w, c, &p)
	if err != nil {
		return "", Verdict{}, err
	}
	if !v.OK {
		return device.PushGone, v, nil
	}
	return device.PushApproved, v, nil
}

// approved turns an approval into a proof, if the device may still give one.
func (s *Service) approved(ctx context.Context, w Who, c Challenge, p *device.Push) (Verdict, error) {
	v := Verdict{Events: []flow.EventType{flow.DeviceRefused}, Fault: pushTimedOut()}
	policy, err := s.o.Policies.Policy(w.Env, c.Policy)
	if err != nil {
		return Verdict{}, err
	}
	d, err := s.o.Store.Answering(ctx, w.Env, w.UserID, p.Device)
	if errors.Is(err, flow.ErrUnknown) || err == nil && !s.askable(policy, &d, NoWebAuthn) {
		return v, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	v.Device = d
	if first, err := s.o.Store.UsePush(ctx, w.Env, p.ID, w.Effect); err != nil || !first {
		return v, err
	}
	standing, err := s.o.Store.Succeed(ctx, Success{Judged: s.against(w, policy, &d), Seen: d})
	if v, err = s.judged(v, standing, err, "device.id"); v.OK {
		v.Proof.At = s.o.Now()
	}
	return v, err
}

// Cancel calls a push back. What was answered before stays answered, and proves nothing
// any more.
func (s *Service) Cancel(ctx context.Context, w Who, c Challenge) error {
	p, err := s.asked(ctx, w, c)
	if err != nil || p.ID == "" || p.UserID != w.UserID || p.Flow != w.Flow {
		return err
	}
	if err := s.o.Store.CancelPush(ctx, w.Env, p.ID); !errors.Is(err, flow.ErrUnknown) {
		return err
	}
	return nil
}

func pushRejected() *flow.Fault {
	return flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: "device.id",
		Message: "The request was refused on the device. If that was you by mistake, ask again or use another device.",
	})
}

func pushTimedOut() *flow.Fault {
	return flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: "device.id",
		Message: "The device did not answer in time. Ask again, or use another device.",
	})
}

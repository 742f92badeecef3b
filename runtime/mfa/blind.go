package mfa

import (
	"context"
	"errors"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// blind asks somebody of whom nothing is proven for a code: the same of whoever they
// are. Where there is a device that takes one, it is that one's; else none is right.
func (s *Service) blind(ctx context.Context, in Start, policy *mfapolicy.Policy) (Challenge, error) {
	choice, err := s.Choose(ctx, in.Who, in.Policy, NoWebAuthn)
	if err != nil {
		return Challenge{}, err
	}
	c := Challenge{Status: OTPRequired, Unproven: true, Policy: in.Policy}
	d := device.Device{Type: device.Email, ID: s.account(in.Who)}
	for _, candidate := range choice.Devices {
		if candidate.Type != device.Mobile && candidate.Type != device.Recovery {
			d, c.Device = candidate, candidate.ID
			break
		}
	}
	return s.send(ctx, in.Who, policy, c, &d)
}

// checkBlind judges a code of somebody of whom nothing is told. What they hear follows
// from the secret that was made for everybody alike, and from nothing else.
func (s *Service) checkBlind(ctx context.Context, in OTP, p *mfapolicy.Policy) (Verdict, error) {
	d := device.Device{ID: s.account(in.Who), Type: device.Email}
	if in.Challenge.Device != "" && in.UserID != "" {
		found, err := s.o.Store.Answering(ctx, in.Env, in.UserID, in.Challenge.Device)
		switch {
		case err == nil && found.Status == device.Active && p.Enabled(found.Type):
			d = found
		case err != nil && !errors.Is(err, flow.ErrUnknown):
			return Verdict{}, err
		}
	}
	used, err := s.o.Secrets.UseSecret(ctx, secretName(in.Env, in.Flow, s.account(in.Who)), s.hash(in.Who, d.ID, address(&d), in.Code), in.Effect)
	if err != nil {
		return Verdict{}, err
	}
	said := s.wrongSent(in.Challenge, used)
	v := said
	switch v.Device = d; {
	case used.OK && d.UserID != "":
		standing, err := s.o.Store.Succeed(ctx, Success{Judged: s.against(in.Who, p, &d), Seen: d})
		if v, err = s.judged(v, standing, err, "otp"); err != nil {
			return Verdict{}, err
		}
	case used.Wrong && (d.UserID == "" || d.Type.IsSent()):
		standing, err := s.o.Store.Fail(ctx, Failing{Judged: s.against(in.Who, p, &d)})
		if v, err = s.refused(v, standing, err, "otp"); err != nil {
			return Verdict{}, err
		}
	case used.Wrong:
		if v, err = s.checkOwn(ctx, in, p, &d); err != nil {
			return Verdict{}, err
		}
	}
	if v, err = s.settle(ctx, in.Who, v); err != nil || v.OK {
		return v, err
	}
	said.Events = v.Events // for the log; what is known of the device stays here
	return said, nil
}

// wrongSent is what is told of a code that was sent and is not right: how many more
// are compared, or that it is void.
func (s *Service) wrongSent(c Challenge, used SecretVerdict) Verdict {
	most := max(1, c.Tries)
	v := Verdict{Events: []flow.EventType{flow.DeviceRefused}, Wrong: max(0, most-used.Left), Left: used.Left}
	v.Fault = wrongCode(v.Wrong, most)
	if !used.OK && !used.Wrong && c.expired(s.o.Now()) {
		v.Fault.Details[0].Message = "The code is no longer valid. Ask for a new one."
	}
	return v
}

// expired reports whether the code of a challenge has ended by itself.
func (c *Challenge) expired(now time.Time) bool { return !c.Until.IsZero() && !now.Before(c.Until) }

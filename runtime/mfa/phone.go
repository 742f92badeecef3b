package mfa

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// ChallengePhone is Challenge for whoever signs on without a password: of somebody of
// whom nothing is proven it asks the app, or takes a code that a device computes, and
// says the same of everybody. Nobody's phone is a stand-in: its push waits as long as
// any, with a number, and cannot be answered; no code is right. Start.Device, if it has
// an id, is which of the devices is asked.
//
// Whether the person has refused a push is not told before it has expired.
func (s *Service) ChallengePhone(ctx context.Context, in Start) (Challenge, error) {
	if !in.Unproven {
		return s.Challenge(ctx, in)
	}
	policy, err := s.o.Policies.Policy(in.Env, in.Policy)
	if err != nil {
		return Challenge{}, err
	}
	if err := s.callBack(ctx, in); err != nil {
		return Challenge{}, err
	}
	d, err := s.phone(ctx, in)
	if err != nil {
		return Challenge{}, err
	}
	c := Challenge{Status: OTPRequired, Unproven: true, Policy: in.Policy, Device: d.ID, Tries: mostTries}
	if app, pushes := pushing(policy); pushes {
		if c, err = s.pushBlindly(ctx, in, policy, app, c, d); err != nil {
			return Challenge{}, err
		}
	}
	c.Codes = true
	// The tries of codes are counted by a code of which nobody was told.
	var none [32]byte
	if _, err := io.ReadFull(s.o.Random, none[:]); err != nil {
		return Challenge{}, err
	}
	return c, s.o.Secrets.PutSecret(ctx, secretName(in.Env, in.Flow, s.account(in.Who)), none, mostTries, flow.Life)
}

// IsPhone reports whether a device is one that ChallengePhone asks: an app, or what
// computes codes.
func IsPhone(t device.Type) bool {
	return t == device.Mobile || t == device.TOTP || t == device.OathToken
}

// phone is the device that somebody is asked for, apps first; the zero Device where they
// have none.
func (s *Service) phone(ctx context.Context, in Start) (device.Device, error) {
	choice, err := s.Choose(ctx, in.Who, in.Policy, NoWebAuthn)
	if err != nil {
		return device.Device{}, err
	}
	found := slices.DeleteFunc(choice.Devices, func(d device.Device) bool {
		return !IsPhone(d.Type) || in.Device.ID != "" && d.ID != in.Device.ID
	})
	if len(found) == 0 {
		return device.Device{}, nil
	}
	return found[max(0, slices.IndexFunc(found, func(d device.Device) bool { return d.Type == device.Mobile }))], nil
}

// pushing is the application by which a stand-in is asked: the first that takes pushes.
func pushing(p *mfapolicy.Policy) (mfapolicy.MobileApplication, bool) {
	i := slices.IndexFunc(p.Mobile.Applications, func(a mfapolicy.MobileApplication) bool { return a.Push })
	if i < 0 || !p.Enabled(device.Mobile) {
		return mfapolicy.MobileApplication{}, false
	}
	return p.Mobile.Applications[i], true
}

// pushBlindly sends a push, or pretends to: where there is no app that takes one, and
// where the app gets none for a while.
func (s *Service) pushBlindly(ctx context.Context, in Start, p *mfapolicy.Policy, app mfapolicy.MobileApplication, c Challenge, d device.Device) (Challenge, error) {
	own, known := p.Mobile.Application(d.Application)
	if d.Type != device.Mobile || !known || !own.Push {
		d = device.Device{Env: in.Env, ID: uuid.NewString(), Type: device.Mobile, Application: app.ID}
	} else {
		app = own
	}
	asked, err := s.push(ctx, in, p, c, &d)
	switch f := (*flow.Fault)(nil); {
	case err == nil && asked.Push != "":
		return asked, nil
	case err != nil && (!errors.As(err, &f) || f.Code == flow.Unavailable):
		return c, err
	}
	if app.NumberMatching {
		if c.Number, err = draw(s.source(s.making(in.Who, d.ID)), "0123456789", 2); err != nil {
			return c, err
		}
	}
	c.Status, c.Until = PushRequired, s.o.Now().Add(app.PushTimeout).Truncate(time.Millisecond) // as those that are kept
	stand := device.Push{CreatedAt: s.o.Now(), ExpiresAt: c.Until}
	return c, s.wake(ctx, in.Who, &device.Device{}, &stand)
}

// waits is what is told of a push of somebody of whom nothing is: that it waits, until
// it has expired or they have approved it.
func (s *Service) waits(c Challenge, state device.PushState) device.PushState {
	switch {
	case !c.Unproven || state == device.PushApproved:
		return state
	case c.expired(s.o.Now()):
		return device.PushGone
	}
	return device.PushPending
}

package mfa

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// Challenge asks a device: it sends a code or a push, or says who may sign. The code
// before it is void. The error is a *flow.Fault where the person is to be told, such as
// that there were too many messages.
func (s *Service) Challenge(ctx context.Context, in Start) (Challenge, error) {
	policy, err := s.o.Policies.Policy(in.Env, in.Policy)
	if err != nil {
		return Challenge{}, err
	}
	if err := s.callBack(ctx, in); err != nil {
		return Challenge{}, err
	}
	if in.Unproven {
		return s.blind(ctx, in, policy)
	}
	d, err := s.o.Store.Get(ctx, in.Env, in.UserID, in.Device.ID)
	if errors.Is(err, flow.ErrUnknown) || err == nil && !s.askable(policy, &d, in.Compatibility) {
		return Challenge{}, gone()
	}
	if err != nil {
		return Challenge{}, err
	}
	c := Challenge{Status: OTPRequired, Device: d.ID, Type: d.Type, Policy: in.Policy}
	switch {
	case d.Type.IsSent():
		return s.send(ctx, in.Who, policy, c, &d)
	case d.Type.IsFIDO2():
		c.Status = AssertionRequired
		if c.Allowed, err = s.allowed(ctx, in, policy, &d); err != nil {
			return Challenge{}, err
		}
		return s.open(ctx, in.Who, c)
	case d.Type == device.Mobile:
		return s.push(ctx, in, policy, c, &d)
	}
	return c, nil
}

// askable reports whether a device can be asked now.
func (s *Service) askable(p *mfapolicy.Policy, d *device.Device, c Compatibility) bool {
	return d.Usable(s.o.Now()) && s.fits(p, d, c)
}

// send makes a code and sends it. In a blind challenge one is made for devices that
// compute their own and for nobody, too: it counts their tries, and is never right.
func (s *Service) send(ctx context.Context, w Who, p *mfapolicy.Policy, c Challenge, d *device.Device) (Challenge, error) {
	rule := p.Sent(d.Type)
	if c.Unproven { // the same for everybody
		rule.Life, rule.Failure = p.Email.Life, p.Email.Failure
	}
	ttl := min(rule.Life, mfapolicy.MostLife)
	code, err := s.digits(max(6, min(rule.Length, 10)), s.making(w, d.ID))
	if err != nil {
		return c, err
	}
	hash := s.hash(w, d.ID, address(d), code)
	m := Message{Effect: w.Effect, Limits: []Most{
		{Kind: "mfa.to", Of: s.destination(w, d), Number: destinationMost}, {Kind: "mfa.user", Of: s.account(w), Number: userMost},
	}}
	now := s.o.Now()
	m.Message = flow.Message{
		Env: w.Env, Channel: d.Type.Channel(), Template: codeMessage, Locales: w.Locales, To: address(d),
		Params: map[string]string{"code": code}, CreatedAt: now, ExpiresAt: now.Add(ttl),
	}
	if !d.Type.IsSent() {
		m.Channel = flow.Email
	}
	if address(d) == "" { // nobody's: not even by chance is it right
		if _, err := io.ReadFull(s.o.Random, hash[:]); err != nil {
			return c, err
		}
	}
	id, err := s.o.Messages.Post(ctx, m)
	if err != nil {
		return c, err
	}
	if id == "" {
		return c, tooManyMessages()
	}
	c.Tries, c.Until = tries(rule.Failure), now.Add(ttl)
	if !c.Unproven {
		c.Address = d.Masked()
	}
	return c, s.o.Secrets.PutSecret(ctx, secretName(w.Env, w.Flow, s.secretOf(w, c)), hash, c.Tries, ttl)
}

// making is what a code is drawn by: the effect, and where it goes.
func (s *Service) making(w Who, id string) string {
	if w.Effect == "" {
		return ""
	}
	return w.Env + "/" + w.Effect + "/" + id
}

// secretOf is the part of a secret's name that says whose code it is.
func (s *Service) secretOf(w Who, c Challenge) string {
	if c.Unproven {
		return s.account(w)
	}
	return c.Device
}

// destination is by what messages to one place are counted, whatever sort of device
// and whose it is.
func (s *Service) destination(w Who, d *device.Device) string {
	if a := address(d); a != "" {
		return a
	}
	return s.account(w)
}

// address is where codes of a device go.
func address(d *device.Device) string {
	if d.Phone != "" {
		return d.Phone
	}
	return d.Email
}

// callBack ends a push that is no longer to be answered.
func (s *Service) callBack(ctx context.Context, in Start) error {
	if in.Instead == nil || in.Instead.Push == "" {
		return nil
	}
	return s.Cancel(ctx, in.Who, *in.Instead)
}

// push asks a device that has an app. One that takes no pushes is asked for a code.
func (s *Service) push(ctx context.Context, in Start, p *mfapolicy.Policy, c Challenge, d *device.Device) (Challenge, error) {
	app, _ := p.Mobile.Application(d.Application)
	if !app.Push {
		return c, nil
	}
	now := s.o.Now()
	q := device.Push{
		Env: in.Env, ID: uuid.NewString(), UserID: in.UserID, Device: d.ID, Flow: in.Flow,
		Client: device.ClientOf(in.Client.RemoteIP, in.Client.UserAgent), Application: in.Application,
		State: device.PushPending, CreatedAt: now, ExpiresAt: now.Add(app.PushTimeout),
	}
	if app.NumberMatching {
		n, err := draw(s.source(s.making(in.Who, d.ID)), "0123456789", 2)
		if err != nil {
			return c, err
		}
		q.Number = n
	}
	kept, err := s.o.Store.CreatePush(ctx, NewPush{Push: q, Limit: app.PushLimit, Effect: in.Effect})
	switch limit, fault := (*PushLimitError)(nil), (*flow.Fault)(nil); {
	case computes(&app, d) && (errors.As(err, &limit) || errors.As(err, &fault) && fault.Code == flow.Limited):
		return c, nil // it is asked for a code, and not asked too often
	case errors.As(err, &limit):
		return c, tooManyPushes(limit.Until.Sub(now))
	case errors.Is(err, flow.ErrUnknown):
		return c, gone()
	case err != nil:
		return c, err
	}
	c.Status, c.Push, c.Number, c.Until, c.Codes = PushRequired, kept.ID, kept.Number, kept.ExpiresAt, computes(&app, d)
	return c, s.wake(ctx, in.Who, d, &kept)
}

// wake tells an app by way of others that something waits, and not what. One that they
// do not reach asks by itself.
func (s *Service) wake(ctx context.Context, w Who, d *device.Device, p *device.Push) error {
	_, err := s.o.Messages.Post(ctx, Message{Effect: w.Effect, Message: flow.Message{
		Env: w.Env, Channel: flow.Push, Template: flow.PushMessage, Locales: w.Locales, To: d.ID, CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt,
	}})
	return err
}

package mfa

import (
	"context"
	"errors"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// The templates of messages.
const (
	codeMessage      = "otp"
	addedMessage     = "device.added"
	removedMessage   = "device.removed"
	lockedMessage    = "device.locked"
	suspectedMessage = "device.suspected"
)

// noticeLife is how long a notice is worth sending.
const noticeLife = 72 * time.Hour

// notice is a message to the address of a user; nil where nobody is to be told: there
// is no such user, or no address.
func (s *Service) notice(ctx context.Context, w Who, template string, d *device.Device) (*flow.Message, error) {
	if w.UserID == "" {
		return nil, nil //nolint:nilnil // there may be nobody to tell
	}
	c, err := s.o.People.Contact(ctx, w.Env, w.UserID)
	if err != nil && !errors.Is(err, flow.ErrUnknown) {
		return nil, err
	}
	channel, to := flow.Email, c.Email
	if template == addedMessage && d != nil {
		channel, to = s.newDeviceNotice(w.Env, d).reaches(c)
	}
	if to == "" {
		return nil, nil //nolint:nilnil // likewise
	}
	params := map[string]string{"given": c.Given, "username": c.Username}
	if d != nil {
		params["device"] = string(d.Type)
	}
	now, locales := s.o.Now(), w.Locales
	if c.Locales != "" {
		locales = c.Locales
	}
	return &flow.Message{
		Env: w.Env, Channel: channel, Template: template, Locales: locales, To: to, Params: params,
		CreatedAt: now, ExpiresAt: now.Add(noticeLife),
	}, nil
}

// told is by which channels a person is told of a new device, the first that reaches
// them.
type told []flow.Channel

// newDeviceNotice is what the policy says under which a device was added. Where it says
// NONE, or is gone, there is a mail all the same: whoever adds a device to the account of
// somebody else is not to go unseen. Source: reference/management.md 5.10; that is ours.
func (s *Service) newDeviceNotice(env string, d *device.Device) told {
	p, err := s.o.Policies.Policy(env, d.Policy)
	switch {
	case err != nil:
	case p.NewDeviceNotice == mfapolicy.EmailThenSMS:
		return told{flow.Email, flow.SMS}
	case p.NewDeviceNotice == mfapolicy.SMSThenEmail:
		return told{flow.SMS, flow.Email}
	}
	return told{flow.Email}
}

// reaches is the first channel by which there is somewhere to reach a user, and where.
func (t told) reaches(c Contact) (channel flow.Channel, to string) {
	for _, channel = range t {
		if to = c.Email; channel == flow.SMS {
			to = dialled(c.Phone)
		}
		if to != "" {
			return channel, to
		}
	}
	return channel, ""
}

// Notice is what a user is told of a device that was added, or removed, by itself and
// not through here; nil where nobody is to be told.
func (s *Service) Notice(ctx context.Context, w Who, d *device.Device, added bool) (*flow.Message, error) {
	template := removedMessage
	if added {
		template = addedMessage
	}
	return s.notice(ctx, w, template, d)
}

// alert mails a user about what somebody did to their devices, once an hour. Who is
// attacked is not kept from signing on because no mail could be written: it is told of
// the next time.
func (s *Service) alert(ctx context.Context, w Who, template string, d *device.Device) error {
	m, err := s.notice(ctx, w, template, d)
	if err != nil || m == nil {
		return err
	}
	effect := w.Effect
	if effect != "" {
		effect += "/" + template
	}
	_, err = s.o.Messages.Post(ctx, Message{
		Message: *m, Limits: []Most{{Kind: "mfa." + template, Of: w.UserID, Number: alertMost}}, Effect: effect,
	})
	return err
}

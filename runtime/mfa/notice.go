package mfa

import (
	"context"
	"errors"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
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
	if errors.Is(err, flow.ErrUnknown) || err == nil && c.Email == "" {
		return nil, nil //nolint:nilnil // likewise
	}
	if err != nil {
		return nil, err
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
		Env: w.Env, Channel: flow.Email, Template: template, Locales: locales, To: c.Email, Params: params,
		CreatedAt: now, ExpiresAt: now.Add(noticeLife),
	}, nil
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

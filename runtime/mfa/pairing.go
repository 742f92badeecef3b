package mfa

import (
	"context"
	"errors"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// pair makes a key by which an app becomes a device: the app has the key shown to it,
// and says its own.
func (s *Service) pair(ctx context.Context, in Enrolment, p *mfapolicy.Policy, n NewDevice) (Enrolling, error) {
	app, _ := p.Mobile.Application(in.Application)
	secret, err := device.NewPairingKey(s.source(s.making(in.Who, in.Application)), string(s.o.Policies.Settings(in.Env).PairingKeyFormat))
	if err != nil {
		return Enrolling{}, err
	}
	now := s.o.Now()
	pairing := device.Pairing{
		Env: in.Env, UserID: in.UserID, Application: in.Application, Policy: in.Policy, Nickname: n.Device.Nickname,
		Hash: s.o.Keys.Derive(device.PairingPurpose, in.Env, secret), CreatedAt: now, ExpiresAt: now.Add(app.PairingKeyLife),
	}
	if pairing.ID, err = s.identity(in.Who, "pairing"); err != nil {
		return Enrolling{}, err
	}
	if err := s.o.Store.CreatePairing(ctx, pairing); err != nil {
		return Enrolling{}, err
	}
	n.Device.ID = pairing.ID
	return Enrolling{Device: n.Device, Pairing: secret, Until: pairing.ExpiresAt}, nil
}

// Paired reports whether an app has shown the key of a pairing, by the id of the device
// to be.
func (s *Service) Paired(ctx context.Context, w Who, id string) (device.Device, bool, error) {
	d, err := s.o.Store.Get(ctx, w.Env, w.UserID, id)
	if errors.Is(err, flow.ErrUnknown) {
		return device.Device{}, false, nil
	}
	return d, err == nil && d.Status == device.Active, err
}

// PairingKey is the key of a pairing once more, by the effect that made it, and as its
// QR code says it: it is kept nowhere, and a page that waits for the app is read again.
func (s *Service) PairingKey(w Who, application string) (code, uri string, err error) {
	code, err = device.NewPairingKey(s.source(s.making(w, application)), string(s.o.Policies.Settings(w.Env).PairingKeyFormat))
	if origins := s.o.Policies.Party(w.Env).Origins; err == nil && len(origins) > 0 { // the first is ours
		uri = device.PairingURI(origins[0]+"/"+w.Env, code)
	}
	return code, uri, err
}

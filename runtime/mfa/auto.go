package mfa

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// Devices are all devices of a user, in the order in which they are tried.
func (s *Service) Devices(ctx context.Context, w Who) ([]device.Device, error) {
	return s.devices(ctx, w)
}

// AppEnrolment adds the app by which somebody is signing on as one of their devices.
type AppEnrolment struct {
	Who
	Policy      string
	Application string // UUID
	Key         []byte // public key of the device, PKIX
	Name, Alert string
}

// EnrolApp adds an app that says its own key, without asking the person: they have
// signed on in it. Not ok: the policy does not let the application do that.
func (s *Service) EnrolApp(ctx context.Context, in AppEnrolment) (d device.Device, ok bool, err error) {
	policy, err := s.o.Policies.Policy(in.Env, in.Policy)
	if err != nil {
		return device.Device{}, false, err
	}
	app, known := policy.Mobile.Application(in.Application)
	if !known || !app.AutoEnrollment || !policy.Pairs(device.Mobile) {
		return device.Device{}, false, nil
	}
	if !isDeviceKey(in.Key) || !calm(in.Name) {
		return device.Device{}, false, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "mobile.payload", Message: "The payload takes publicKey, of P-256 or Ed25519 in PKIX, and a name of at most 100 letters.",
		})
	}
	n := NewDevice{
		Device: device.Device{
			Env: in.Env, UserID: in.UserID, Type: device.Mobile, Status: device.Active, Policy: in.Policy,
			Application: in.Application, Key: in.Key, Name: in.Name, Alert: in.Alert,
		},
		Most: s.o.Policies.Settings(in.Env).MaxDevices, MFAEnabled: true,
	}
	if n.Notice, err = s.notice(ctx, in.Who, addedMessage, &n.Device); err != nil {
		return device.Device{}, false, err
	}
	d, err = s.create(ctx, in.Who, n)
	return d, err == nil, err
}

// isDeviceKey reports whether a device may sign with the key. Source: docs/devices.md.
func isDeviceKey(pkix []byte) bool {
	k, err := x509.ParsePKIXPublicKey(pkix)
	if err != nil {
		return false
	}
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return true
	}
	return false
}

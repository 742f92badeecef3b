package management_test

import (
	"context"
	"crypto/rand"
	"errors"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
	"doorward/session"
	"doorward/steps/mfaenrollment"
)

// factors is the real thing over a real directory, as far as devices are added and
// taken away here.
func (h *house) factors(devices *directory.Devices, ring *keys.Ring) *mfa.Service {
	memory := session.NewMemory(1<<20, h.now)
	return mfa.New(mfa.Options{
		Store: deviceStore{Devices: devices}, Secrets: oneTime{memory}, Tries: memory, Messages: postbox{h.outbox}, People: contacts{h.users},
		Policies: devicePolicies{h.registry}, Keys: ring, NormalEmail: directory.NormalEmail, NormalName: directory.NormalName, Random: rand.Reader, Now: h.now,
	})
}

// deviceStore is devices in the words of runtime/mfa. What nothing here asks for is
// not there.
type deviceStore struct{ *directory.Devices }

func (s deviceStore) Create(ctx context.Context, n mfa.NewDevice) (device.Device, error) {
	d, err := s.Devices.Create(ctx, directory.NewDevice(n))
	return d, storeError(err)
}

func (s deviceStore) Activate(ctx context.Context, a mfa.Activated) (device.Device, error) {
	d, err := s.Devices.Activate(ctx, directory.Activation{
		Env: a.Env, UserID: a.UserID, ID: a.ID, Step: a.Step, Credential: a.Credential, Key: a.Key, Name: a.Name, MFAEnabled: a.MFAEnabled, Notice: a.Notice, Effect: a.Effect,
	})
	return d, storeError(err)
}

func (s deviceStore) CreatePairing(ctx context.Context, p device.Pairing) error {
	return s.Devices.CreatePairing(ctx, directory.Pairing{
		Env: p.Env, UserID: p.UserID, ID: p.ID, Application: p.Application, Policy: p.Policy, Hash: p.Hash, ExpiresAt: p.ExpiresAt,
	})
}

func (s deviceStore) CreatePush(context.Context, mfa.NewPush) (device.Push, error) {
	return device.Push{}, errors.ErrUnsupported
}

func (s deviceStore) Trust(context.Context, mfa.Browser) error { return errors.ErrUnsupported }

func (s deviceStore) Fail(context.Context, mfa.Failing) (mfa.Standing, error) {
	return mfa.Standing{}, errors.ErrUnsupported
}

func (s deviceStore) Succeed(context.Context, mfa.Success) (mfa.Standing, error) {
	return mfa.Standing{}, errors.ErrUnsupported
}

func (s deviceStore) Try(context.Context, mfa.Try) (mfa.Standing, error) {
	return mfa.Standing{}, errors.ErrUnsupported
}

func (s deviceStore) TryRecovery(context.Context, mfa.RecoveryTry) (mfa.Standing, error) {
	return mfa.Standing{}, errors.ErrUnsupported
}

func storeError(err error) error {
	for ours, theirs := range map[error]error{directory.ErrTooManyDevices: mfa.ErrTooMany, directory.ErrDuplicateDevice: mfa.ErrDuplicate, directory.ErrActivated: mfa.ErrActivated} {
		if errors.Is(err, ours) {
			return theirs
		}
	}
	return err
}

// oneTime is the codes of a session store.
type oneTime struct{ *session.Memory }

func (o oneTime) UseSecret(ctx context.Context, name string, hash [32]byte, effect string) (mfa.SecretVerdict, error) {
	v, err := o.Memory.UseSecret(ctx, name, hash, effect)
	return mfa.SecretVerdict{OK: v.Outcome == session.OK, Wrong: v.Outcome == session.Wrong, Left: v.Left}, err
}

// postbox is the outbox.
type postbox struct{ *directory.Outbox }

func (p postbox) Post(ctx context.Context, m mfa.Message) (string, error) {
	posting := directory.Posting{Message: m.Message, Effect: m.Effect}
	for _, l := range m.Limits {
		posting.Limits = append(posting.Limits, directory.Most(l))
	}
	return p.Outbox.Post(ctx, posting)
}

// contacts are users.
type contacts struct{ *directory.Users }

func (c contacts) Attributes(ctx context.Context, env, id string) (map[string]any, error) {
	u, err := c.Get(ctx, env, id)
	return map[string]any{"username": u.Username}, err
}

func (c contacts) Contact(ctx context.Context, env, id string) (mfa.Contact, error) {
	u, err := c.Get(ctx, env, id)
	return mfa.Contact{Email: u.Email, Given: u.Given, Username: u.Username, Locales: u.PreferredLanguage}, err
}

// unaware sets passkeys up, as a server does that was given no file of models.
type unaware struct{ mfaenrollment.Service }

func (unaware) KnowsModels() bool { return false }

// devicePolicies are those that are configured.
type devicePolicies struct{ *configs.Registry }

func (p devicePolicies) bundle(env string) *configs.Bundle {
	b, _ := p.Bundle(env)
	return b
}

func (p devicePolicies) Policy(env, id string) (*mfapolicy.Policy, error) {
	if policy, known := p.bundle(env).MFAPolicy(id); known {
		return policy, nil
	}
	return nil, flow.ErrUnknown
}

func (p devicePolicies) FIDO2(env, id string) (*mfapolicy.FIDO2Policy, error) {
	if policy, known := p.bundle(env).FIDO2Policy(id); known {
		return policy, nil
	}
	return nil, flow.ErrUnknown
}

func (p devicePolicies) Settings(env string) *mfapolicy.Settings { return p.bundle(env).MFASettings() }

func (p devicePolicies) Party(env string) passkey.Party {
	return passkey.Party(p.bundle(env).Party())
}

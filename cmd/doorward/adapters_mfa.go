package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
	"doorward/session"
	"doorward/steps/mfachallenge"
	door "doorward/steps/passkey"
)

// expiring is what the session store does beside executions and sessions.
type expiring interface {
	Count(ctx context.Context, limits []flow.Limit) error
	Uncount(ctx context.Context, limits []flow.Limit) error
	PutSecret(ctx context.Context, name string, hash [32]byte, tries int, ttl time.Duration) error
	UseSecret(ctx context.Context, name string, hash [32]byte, effect string) (session.Verdict, error)
}

// newFactors needs directory, sessions and registry to be there.
func (h *house) newFactors(registry func() *configs.Registry) *mfa.Service {
	h.devices = directory.NewDevices(h.db, h.ring, h.now)
	return mfa.New(mfa.Options{
		Store: deviceStore{h.devices, h.ringDevice, registry}, Secrets: secrets{h.expiring}, Tries: h.expiring,
		Messages: factorMessages{h}, People: contacts{h}, Policies: factorPolicies{registry}, Keys: h.ring,
		NormalEmail: directory.NormalEmail, NormalName: directory.NormalName, Random: rand.Reader, Now: h.now, Metadata: h.models,
	})
}

// ringDevice tells a device that waits on this node that it is asked something.
func (h *house) ringDevice(env, id string) {
	if h.mobiles != nil {
		h.mobiles.Ring(env, id)
	}
}

// deviceStore fills mfa.Store.
type deviceStore struct {
	*directory.Devices
	ring   func(env, device string)
	served func() *configs.Registry
}

// refusedDevice says in the service's words why a device was not taken.
func refusedDevice(err error) error {
	for ours, theirs := range map[error]error{
		directory.ErrTooManyDevices: mfa.ErrTooMany, directory.ErrDuplicateDevice: mfa.ErrDuplicate, directory.ErrActivated: mfa.ErrActivated,
	} {
		if errors.Is(err, ours) {
			return fmt.Errorf("%w: %w", theirs, err)
		}
	}
	return err
}

func (s deviceStore) Create(ctx context.Context, n mfa.NewDevice) (device.Device, error) {
	d, err := s.Devices.Create(ctx, directory.NewDevice(n))
	return d, refusedDevice(err)
}

func (s deviceStore) Activate(ctx context.Context, a mfa.Activated) (device.Device, error) {
	d, err := s.Devices.Activate(ctx, directory.Activation{
		Env: a.Env, UserID: a.UserID, ID: a.ID, Step: a.Step, Credential: a.Credential, Key: a.Key, Name: a.Name, Nickname: a.Nickname,
		Most: a.Most, MFAEnabled: a.MFAEnabled, Notice: a.Notice, Effect: a.Effect,
	})
	return d, refusedDevice(err)
}

func (s deviceStore) Try(ctx context.Context, t mfa.Try) (mfa.Standing, error) {
	st, err := s.Devices.Try(ctx, directory.Try{Judged: judged(t.Judged), Compare: t.Compare})
	return mfa.Standing(st), err
}

func (s deviceStore) TryRecovery(ctx context.Context, t mfa.RecoveryTry) (mfa.Standing, error) {
	st, err := s.Devices.TryRecovery(ctx, directory.RecoveryTry{Judged: judged(t.Judged), Hash: t.Hash})
	return mfa.Standing(st), err
}

func (s deviceStore) Fail(ctx context.Context, f mfa.Failing) (mfa.Standing, error) {
	st, err := s.Devices.Fail(ctx, directory.Failing{Judged: judged(f.Judged), Suspect: f.Suspect})
	return mfa.Standing(st), err
}

func (s deviceStore) Succeed(ctx context.Context, a mfa.Success) (mfa.Standing, error) {
	st, err := s.Devices.Succeed(ctx, directory.Success{Judged: judged(a.Judged), Seen: a.Seen, Credential: a.Credential, Challenge: a.Challenge})
	return mfa.Standing(st), err
}

func judged(j mfa.Judged) directory.Judged {
	return directory.Judged{
		Env: j.Env, UserID: j.UserID, ID: j.ID, Effect: j.Effect, IgnoreLock: j.IgnoreLock,
		Failure: directory.Failure(j.Failure), Account: directory.Failure(j.Account),
	}
}

// CreatePush also tells a device that waits on this node.
func (s deviceStore) CreatePush(ctx context.Context, n mfa.NewPush) (device.Push, error) {
	n.Push.Application = factorPolicies{s.served}.ApplicationName(n.Push.Env, n.Push.Application) // which the person is shown
	p, err := s.Devices.CreatePush(ctx, directory.NewPush{Push: n.Push, Limit: directory.PushLimit(n.Limit), Effect: n.Effect})
	var many *directory.TooManyPushesError
	if errors.As(err, &many) {
		return p, &flow.Fault{
			Code: flow.Limited, RetryAfter: time.Until(many.Until), Err: err,
			Message: "The phone was asked too often without an approval. Use another way, or wait before you ask it again.",
		}
	}
	if err == nil {
		s.ring(p.Env, p.Device)
	}
	return p, err
}

func (s deviceStore) CreatePairing(ctx context.Context, p device.Pairing) error {
	return refusedDevice(s.Devices.CreatePairing(ctx, directory.Pairing{
		Env: p.Env, UserID: p.UserID, ID: p.ID, Application: p.Application, Policy: p.Policy, Nickname: p.Nickname, Hash: p.Hash, ExpiresAt: p.ExpiresAt,
	}))
}

// secrets fill mfa.Secrets.
type secrets struct{ expiring }

func (s secrets) UseSecret(ctx context.Context, name string, hash [32]byte, effect string) (mfa.SecretVerdict, error) {
	v, err := s.expiring.UseSecret(ctx, name, hash, effect)
	return mfa.SecretVerdict{OK: v.Outcome == session.OK, Wrong: v.Outcome == session.Wrong, Left: v.Left}, err
}

// factorMessages fill mfa.Messages.
type factorMessages struct{ h *house }

// Post leaves out what only wakes an app, where the environment has no way to do so.
func (m factorMessages) Post(ctx context.Context, p mfa.Message) (string, error) {
	if p.Channel == flow.Push && !m.h.phones.Reaches(p.Env, flow.Push) {
		return "", nil
	}
	defer m.h.wakeMail()
	limits := make([]directory.Most, 0, len(p.Limits))
	for _, most := range p.Limits {
		limits = append(limits, directory.Most(most))
	}
	return m.h.outgoing.Post(ctx, directory.Posting{Message: p.Message, Limits: limits, Effect: p.Effect})
}

// contacts fill mfa.People.
type contacts struct{ h *house }

// Contact leaves out the number of somebody whom an SMS cannot reach: the environment
// sends none.
func (c contacts) Contact(ctx context.Context, env, userID string) (mfa.Contact, error) {
	u, err := c.h.users.Get(ctx, env, userID)
	if err != nil {
		return mfa.Contact{}, err
	}
	to := mfa.Contact{Email: u.Email, Given: u.Given, Username: u.Username, Locales: u.PreferredLanguage}
	var profile struct {
		Mobile string `json:"mobilePhone"`
	}
	if json.Unmarshal(u.Profile, &profile) == nil && c.h.phones.Reaches(env, flow.SMS) {
		to.Phone = profile.Mobile
	}
	return to, nil
}

// Attributes implements mfa.People. What has no name among the facts that conditions ask
// for, the profile has.
func (c contacts) Attributes(ctx context.Context, env, userID string) (map[string]any, error) {
	u, err := c.h.users.Get(ctx, env, userID)
	if err != nil {
		return nil, err
	}
	facts, err := userFacts{c.h.users}.Facts(ctx, env, userID)
	if err != nil {
		return nil, err
	}
	var profile map[string]any
	more := map[string]any{}
	_ = json.Unmarshal(u.Profile, &profile) // it was read when it was kept
	for name, v := range profile {
		parts, _ := v.(map[string]any)
		for part, v := range parts {
			more[name+"."+part] = v
		}
		more[name] = v
	}
	maps.Copy(more, facts)
	return more, nil
}

// factorPolicies fill mfa.Policies, and the policies of steps.
type factorPolicies struct{ registry func() *configs.Registry }

func (p factorPolicies) bundle(env string) (*configs.Bundle, error) {
	b, served := p.registry().Bundle(env)
	if !served {
		return nil, fmt.Errorf("environment %s is not served", env)
	}
	return b, nil
}

func (p factorPolicies) Policy(env, id string) (*mfapolicy.Policy, error) {
	b, err := p.bundle(env)
	if err != nil {
		return nil, err
	}
	policy, known := b.MFAPolicy(id)
	if !known {
		return nil, fmt.Errorf("environment %s has no MFA policy %s", env, id)
	}
	return policy, nil
}

func (p factorPolicies) FIDO2(env, id string) (*mfapolicy.FIDO2Policy, error) {
	b, err := p.bundle(env)
	if err != nil {
		return nil, err
	}
	policy, known := b.FIDO2Policy(id)
	if !known {
		return nil, fmt.Errorf("environment %s has no FIDO2 policy %s", env, id)
	}
	return policy, nil
}

func (p factorPolicies) Settings(env string) *mfapolicy.Settings {
	b, err := p.bundle(env)
	if err != nil {
		return mfapolicy.DefaultSettings()
	}
	return b.MFASettings()
}

// ApplicationName implements mfaenrollment.Policies.
func (p factorPolicies) ApplicationName(env, id string) string {
	b, err := p.bundle(env)
	if err != nil {
		return ""
	}
	app, known := b.Application(id)
	if !known {
		return ""
	}
	return app.Name
}

func (p factorPolicies) Party(env string) passkey.Party {
	b, err := p.bundle(env)
	if err != nil {
		return passkey.Party{} // which no ceremony takes
	}
	return passkey.Party(b.Party())
}

// owners are accounts as those see them who sign on by a device. They fill
// mfachallenge.Users and the passkey door's Users.
type owners struct{ catalogue }

// Find implements mfachallenge.Users.
func (o owners) Find(ctx context.Context, env, username string) (string, error) {
	u, err := o.users.Find(ctx, env, "username", username)
	if errors.Is(err, flow.ErrUnknown) {
		return "", nil
	}
	return u.ID, err
}

// Account implements mfachallenge.Users.
func (o owners) Account(ctx context.Context, env, userID string) (mfachallenge.Account, error) {
	a, err := o.stands(ctx, env, userID)
	return mfachallenge.Account{Subject: a.Subject, Disabled: a.Disabled || a.Locked, Unverified: a.Unverified}, err
}

func (o owners) stands(ctx context.Context, env, userID string) (door.Account, error) {
	u, err := o.users.Get(ctx, env, userID)
	if errors.Is(err, flow.ErrUnknown) {
		return door.Account{Disabled: true}, nil
	}
	if err != nil {
		return door.Account{}, err
	}
	a := door.Account{Subject: u.Subject(), Disabled: !u.Enabled, MustChange: u.MustChange, Unverified: u.Unverified}
	if now := o.now(); !u.LockedAt.IsZero() && (u.LockUntil.IsZero() || u.LockUntil.After(now)) {
		a.Locked = true
		if !u.LockUntil.IsZero() {
			a.UnlockIn = u.LockUntil.Sub(now)
		}
	}
	return a, nil
}

// passkeyOwners fill the passkey door's Users.
type passkeyOwners struct{ owners }

// Account implements door.Users.
func (o passkeyOwners) Account(ctx context.Context, env, userID string) (door.Account, error) {
	return o.stands(ctx, env, userID)
}

// Trust implements mfa.Browsers.
func (s deviceStore) Trust(ctx context.Context, b mfa.Browser) error {
	return s.Devices.Trust(ctx, directory.Browser{
		Env: b.Env, UserID: b.UserID, Hash: b.Hash, Name: b.Name, RemoteIP: b.RemoteIP, ExpiresAt: b.ExpiresAt,
	}, b.Proven)
}

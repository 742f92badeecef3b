package mfa

import (
	"context"
	"errors"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// Activate judges the first answer of a device, by which it becomes one that proves. A
// person who has just activated one has proven it, too.
func (s *Service) Activate(ctx context.Context, in Activation) (Verdict, error) {
	policy, err := s.o.Policies.Policy(in.Env, in.Policy)
	if err != nil {
		return Verdict{}, err
	}
	nickname, is := Nickname(in.Nickname)
	if !is {
		return Verdict{Fault: flow.Invalid(wrongNickname())}, nil
	}
	if v, over, err := s.spend(ctx, in.Who); over || err != nil {
		return v, err
	}
	d, err := s.o.Store.Get(ctx, in.Env, in.UserID, in.Device)
	if err != nil && !errors.Is(err, flow.ErrUnknown) {
		return Verdict{}, err
	}
	if d.UserID == "" || !policy.Pairs(d.Type) {
		return Verdict{Fault: notWaiting()}, nil
	}
	a := Activated{Env: in.Env, UserID: in.UserID, ID: d.ID, Nickname: nickname, Most: s.o.Policies.Settings(in.Env).MaxDevices, MFAEnabled: true}
	if in.Effect != "" {
		a.Effect = in.Effect + "/" + d.ID
	}
	if d.Status == device.Active { // by this very answer, or there is nothing to activate: the store knows
		return s.activate(ctx, in.Who, d, a, d.Credential != nil && d.Credential.Verified && !in.Conditional)
	}
	v := Verdict{Device: d, Events: []flow.EventType{flow.DeviceRefused}}
	verified := false
	switch {
	case d.Type.IsFIDO2():
		v.Fault, verified, err = s.register(ctx, in, policy, &d, &a)
	case d.Type.IsSent():
		v, err = s.provenSent(ctx, in, policy, v)
	case d.Type == device.TOTP || d.Type == device.OathToken:
		v.Fault, err = s.provenSeed(ctx, in, policy, &a)
	default:
		v.Fault = notWaiting()
	}
	if err != nil || v.Fault != nil {
		return v, err
	}
	return s.activate(ctx, in.Who, d, a, verified)
}

// activate makes a device one that proves, and tells the user by mail.
func (s *Service) activate(ctx context.Context, w Who, d device.Device, a Activated, verified bool) (Verdict, error) {
	var err error
	if a.Notice, err = s.notice(ctx, w, addedMessage, &d); err != nil {
		return Verdict{}, err
	}
	made, err := s.o.Store.Activate(ctx, a)
	v := Verdict{Device: d, Events: []flow.EventType{flow.DeviceRefused}}
	switch {
	case errors.Is(err, ErrActivated) || errors.Is(err, flow.ErrUnknown):
		v.Fault = notWaiting()
		return v, nil
	case errors.Is(err, ErrDuplicate):
		v.Fault = wrongAttestation()
		return v, nil
	case errors.Is(err, ErrTooMany):
		v.Fault = tooManyDevices(a.Most)
		return v, nil
	case err != nil:
		return Verdict{}, err
	}
	return s.settle(ctx, w, Verdict{OK: true, Device: made, Proof: made.Proof(verified), Events: []flow.EventType{flow.DeviceActivated}})
}

// provenSent judges the code that was sent to a new address or number.
func (s *Service) provenSent(ctx context.Context, in Activation, p *mfapolicy.Policy, v Verdict) (Verdict, error) {
	d := &v.Device
	used, err := s.o.Secrets.UseSecret(ctx, secretName(in.Env, in.Flow, d.ID), s.hash(in.Who, d.ID, address(d), typed(in.OTP)), in.Effect)
	if err != nil || used.OK {
		return v, err
	}
	most := tries(p.Failure(d.Type))
	v.Wrong, v.Left, v.Fault = most-used.Left, used.Left, wrongCode(most-used.Left, most)
	return v, nil
}

// provenSeed judges the first code of a seed, and uses its step up.
func (s *Service) provenSeed(ctx context.Context, in Activation, p *mfapolicy.Policy, a *Activated) (*flow.Fault, error) {
	seed, err := s.o.Store.Seed(ctx, in.Env, in.UserID, in.Device)
	if errors.Is(err, flow.ErrUnknown) {
		return notWaiting(), nil
	}
	if err != nil {
		return nil, err
	}
	step, found := matching(seed, typed(in.OTP), s.o.Now(), totpPeriod, grace(p))
	if !found {
		return wrongComputed(0, "The code is wrong. Check that the clock of your device is right, then enter the next code."), nil
	}
	a.Step = step
	return nil, nil //nolint:nilnil // nothing is wrong
}

// register judges the credential that an authenticator has made.
func (s *Service) register(ctx context.Context, in Activation, p *mfapolicy.Policy, d *device.Device, a *Activated) (fault *flow.Fault, verified bool, err error) {
	with, err := s.ceremony(in.Env, p)
	if err != nil {
		return nil, false, err
	}
	bytes, known, err := s.bytes(ctx, in, d.ID)
	if err != nil || !known {
		return wrongAttestation(), false, err
	}
	handle, err := s.o.Store.Handle(ctx, in.Env, in.UserID)
	if err != nil {
		return nil, false, err
	}
	held, err := s.held(ctx, in.Who, with.party.ID)
	if err != nil {
		return nil, false, err
	}
	c := Creation{Handle: handle, Name: in.Username, Display: in.DisplayName}
	made, err := passkey.Register(passkey.Registration{
		Metadata: s.o.Metadata,
		Party:    with.party, Policy: with.policy, Challenge: bytes, Origin: in.Origin, Attestation: in.Attestation, User: c.user(), Exclude: credentials(held, with.party.ID),
		Conditional: in.Conditional,
	})
	wrong := (*passkey.Error)(nil)
	switch {
	case errors.As(err, &wrong) && wrong.Reason != passkey.ReasonSetup:
		return wrongAttestation(), false, nil
	case err != nil:
		return nil, false, err
	case d.Type == device.Platform && made.Attachment == "cross-platform", d.Type == device.SecurityKey && made.Attachment == "platform":
		return wrongAttestation(), false, nil
	}
	a.Credential = &made
	return nil, made.Verified && !in.Conditional, nil
}

// bytesLife is how long somebody outside of an execution has to make a credential.
const bytesLife = 15 * time.Minute

// CreationBytes are what an authenticator signs that is added outside of an execution.
// They are good once: the hash of them is used up.
func (s *Service) CreationBytes(w Who, id string) []byte {
	sum := s.o.Keys.Derive("mfa.creation", w.Env, w.UserID, id)
	return sum[:]
}

// keepBytes keeps the hash of CreationBytes outside of an execution.
func (s *Service) keepBytes(ctx context.Context, w Who, id string) error {
	if w.Flow != "" {
		return nil
	}
	return s.o.Secrets.PutSecret(ctx, secretName(w.Env, w.Flow, id), s.bytesHash(w, id), 1, bytesLife)
}

func (s *Service) bytesHash(w Who, id string) [32]byte {
	return s.o.Keys.Derive("mfa.creation.hash", w.Env, w.UserID, id)
}

// bytes are what was to be signed. Within an execution the turn has made them.
func (s *Service) bytes(ctx context.Context, in Activation, id string) ([]byte, bool, error) {
	w := in.Who
	switch {
	case in.Conditional:
		return s.useQuiet(ctx, w, id)
	case len(in.Bytes) > 0 || w.Flow != "":
		return in.Bytes, len(in.Bytes) > 0, nil
	}
	used, err := s.o.Secrets.UseSecret(ctx, secretName(w.Env, w.Flow, id), s.bytesHash(w, id), w.Effect)
	return s.CreationBytes(w, id), used.OK, err
}

// GiveUp ends an enrolment: it removes the device that was being set up, or takes back
// the pairing key of one that is yet to be. An error is flow.ErrUnknown when there is
// neither.
func (s *Service) GiveUp(ctx context.Context, w Who, id string) error {
	err := s.Delete(ctx, w, id)
	if errors.Is(err, flow.ErrUnknown) {
		err = s.o.Store.DropPairing(ctx, w.Env, w.UserID, id)
	}
	return err
}

// Delete removes a device and tells the user by mail. An error is flow.ErrUnknown when
// there is none. Whether it may be the last one is for the caller to know.
func (s *Service) Delete(ctx context.Context, w Who, id string) error {
	d, err := s.o.Store.Get(ctx, w.Env, w.UserID, id)
	if err != nil {
		return err
	}
	var notice *flow.Message
	if d.Status == device.Active { // an enrolment that is given up is no news
		if notice, err = s.notice(ctx, w, removedMessage, &d); err != nil {
			return err
		}
	}
	return s.o.Store.Delete(ctx, w.Env, w.UserID, id, notice, w.Effect)
}

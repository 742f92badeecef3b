package mfa

import (
	"context"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// Offering is a passkey that somebody may make beside a sign-on, and need not.
type Offering struct {
	Device string          // id that it is going to have
	Asked  passkey.Options // for the person who wants one
	// Quiet is for a browser that makes one without asking, where the person's passwords
	// are kept with it. Activate takes the answer as Activation.Conditional alone.
	// Source: WebAuthn level 3, 5.1.3 (conditional mediation).
	Quiet passkey.Options
}

// Offers reports whether the default policies of an environment let people be offered
// passkeys, and for which relying party. Where some models alone are let in they do not:
// what a browser makes by itself would seldom be one of them. It is read from memory.
func (s *Service) Offers(env string) (rpID string, ok bool) {
	policy, with, err := s.rules(env, "")
	if err != nil || !policy.Pairs(device.FIDO2) {
		return "", false
	}
	p := with.policy
	if p.OfferDisabled || p.Discoverable == mfapolicy.Discouraged || p.Authenticators.Option.Models() {
		return "", false
	}
	return with.party.ID, true
}

// OfferPasskey begins one. It is the same for the same Who.Effect, so that a page may be
// shown again. Whether the person may add a device is for the caller to know: MayChange.
func (s *Service) OfferPasskey(ctx context.Context, w Who) (Offering, error) {
	made, err := s.Enrol(ctx, Enrolment{Who: w, Type: device.FIDO2})
	if err != nil {
		return Offering{}, err
	}
	o := Offering{Device: made.Device.ID}
	if o.Asked, err = s.CreationOptions(w.Env, *made.Creation, s.CreationBytes(w, o.Device)); err != nil {
		return Offering{}, err
	}
	if o.Quiet, err = s.CreationOptions(w.Env, *made.Creation, s.quietBytes(w, o.Device)); err != nil {
		return Offering{}, err
	}
	return o, s.o.Secrets.PutSecret(ctx, quietName(w, o.Device), s.quietHash(w, o.Device), 1, bytesLife)
}

// quietBytes are what an authenticator signs that nobody is asked about: others than
// CreationBytes, so that neither answer can be given for the other.
func (s *Service) quietBytes(w Who, id string) []byte {
	sum := s.o.Keys.Derive("mfa.creation.quiet", w.Env, w.UserID, id)
	return sum[:]
}

func (s *Service) quietHash(w Who, id string) [32]byte {
	return s.o.Keys.Derive("mfa.creation.quiet.hash", w.Env, w.UserID, id)
}

func quietName(w Who, id string) string { return secretName(w.Env, "", id) + "/quiet" }

// useQuiet uses up what OfferPasskey has kept.
func (s *Service) useQuiet(ctx context.Context, w Who, id string) ([]byte, bool, error) {
	effect := w.Effect
	if effect != "" {
		effect += "/quiet"
	}
	used, err := s.o.Secrets.UseSecret(ctx, quietName(w, id), s.quietHash(w, id), effect)
	return s.quietBytes(w, id), used.OK, err
}

// Party is whom the passkeys of an environment's default policy are for, and by which
// handle they know a user; no handle where none is wanted, or there are no passkeys.
func (s *Service) Party(ctx context.Context, env, userID string, handle bool) (rpID string, known []byte, err error) {
	policy, with, err := s.rules(env, "")
	if err != nil || !handle || !policy.Enabled(device.FIDO2) {
		return "", nil, err
	}
	known, err = s.o.Store.Handle(ctx, env, userID)
	return with.party.ID, known, err
}

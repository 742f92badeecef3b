package mfa

import (
	"context"
	"slices"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// ceremony is what passkeys go by in an environment under a policy.
type ceremony struct {
	party  passkey.Party
	policy *mfapolicy.FIDO2Policy
}

func (s *Service) ceremony(env string, p *mfapolicy.Policy) (ceremony, error) {
	f, err := s.o.Policies.FIDO2(env, p.FIDO2.Policy)
	if err != nil {
		return ceremony{}, err
	}
	party := s.o.Policies.Party(env)
	if f.RelyingPartyID != "" {
		party.ID = f.RelyingPartyID
	}
	for _, o := range f.RelatedOrigins {
		if !slices.Contains(party.Origins, o) {
			party.Origins = append(slices.Clip(party.Origins), o)
		}
	}
	return ceremony{party, f}, nil
}

// rules are those of an environment under a policy.
func (s *Service) rules(env, policyID string) (*mfapolicy.Policy, ceremony, error) {
	policy, err := s.o.Policies.Policy(env, policyID)
	if err != nil {
		return nil, ceremony{}, err
	}
	with, err := s.ceremony(env, policy)
	return policy, with, err
}

// rpID is whom credentials are for; empty: there is no such policy, and none is.
func (s *Service) rpID(env string, p *mfapolicy.Policy) string {
	c, err := s.ceremony(env, p)
	if err != nil {
		return ""
	}
	return c.party.ID
}

// allowedBytes is how much of credentials a challenge keeps: a record takes 16 KiB.
const allowedBytes = 3 << 10

// allowed are the credentials that may answer a challenge: that of the device, and
// those of the person's others, as one of them is perhaps at hand.
func (s *Service) allowed(ctx context.Context, in Start, p *mfapolicy.Policy, chosen *device.Device) ([]Allowed, error) {
	all, err := s.o.Store.List(ctx, in.Env, in.UserID)
	if err != nil {
		return nil, err
	}
	out := []Allowed{allow(chosen)}
	size := len(chosen.Credential.ID)
	for _, d := range all {
		if d.ID == chosen.ID || !d.Type.IsFIDO2() || !s.askable(p, &d, in.Compatibility) || size+len(d.Credential.ID) > allowedBytes {
			continue
		}
		size += len(d.Credential.ID)
		out = append(out, allow(&d))
	}
	return out, nil
}

func allow(d *device.Device) Allowed {
	return Allowed{Device: d.ID, ID: d.Credential.ID, Transports: d.Credential.Transports}
}

// credentials are those of a relying party, as far as its options name them.
func credentials(of []Allowed, rpID string) []device.Credential {
	out := make([]device.Credential, len(of))
	for i, a := range of {
		out[i] = device.Credential{ID: a.ID, Transports: a.Transports, RPID: rpID}
	}
	return out
}

// RequestOptions is what a browser needs to answer an ASSERTION_REQUIRED challenge.
// bytes are those of the turn that shows it. It asks nobody.
func (s *Service) RequestOptions(env string, c Challenge, bytes []byte) (passkey.Options, error) {
	_, with, err := s.rules(env, c.Policy)
	if err != nil {
		return passkey.Options{}, err
	}
	return passkey.Request(with.party, with.policy, credentials(c.Allowed, with.party.ID), c.signs(bytes))
}

// Discovers reports whether somebody may sign on by a passkey that their browser knows of.
func (s *Service) Discovers(env, policyID string) bool {
	policy, _, err := s.rules(env, policyID)
	return err == nil && policy.Enabled(device.FIDO2)
}

// Discover is what a browser needs to offer the passkeys that it knows of. They are the
// same for everybody. No options: the policy has no passkeys.
func (s *Service) Discover(env, policyID string, bytes []byte) (passkey.Options, bool, error) {
	policy, with, err := s.rules(env, policyID)
	if err != nil || !policy.Enabled(device.FIDO2) {
		return passkey.Options{}, false, err
	}
	options, err := passkey.Request(with.party, with.policy, nil, bytes)
	return options, err == nil, err
}

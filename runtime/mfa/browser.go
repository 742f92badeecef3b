package mfa

import (
	"context"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// Browsers are those that people trust not to need a second factor.
type Browsers interface {
	// Trust keeps a browser, unless the password was changed since b.Proven: then it
	// fails with flow.ErrUnknown.
	Trust(ctx context.Context, b Browser) error
	Trusted(ctx context.Context, env, userID string, hash flow.Digest) (bool, error)
}

// Browser is one that a user trusts, by the digest of what it shows.
type Browser struct {
	Env, UserID string
	Hash        flow.Digest
	Name        string // what the browser calls itself
	RemoteIP    string
	Proven      time.Time // when the person has shown who they are
	ExpiresAt   time.Time
}

// Remembers reports whether a policy lets people trust their browsers. It is read from
// memory.
func (s *Service) Remembers(env, policyID string) bool {
	p, err := s.o.Policies.Policy(env, policyID)
	return err == nil && p.RememberMe.Enabled
}

// Trusted reports whether the user trusts the browser, and the policy does now.
func (s *Service) Trusted(ctx context.Context, w Who, policyID string, hash flow.Digest) (bool, error) {
	if hash.IsZero() || w.UserID == "" || !s.Remembers(w.Env, policyID) {
		return false, nil
	}
	return s.o.Store.Trusted(ctx, w.Env, w.UserID, hash)
}

// Trust has the user trust the browser for as long as the policy says, which it
// returns.
func (s *Service) Trust(ctx context.Context, w Who, policyID string, hash flow.Digest) (time.Duration, error) {
	p, err := s.o.Policies.Policy(w.Env, policyID)
	if err != nil {
		return 0, err
	}
	now := s.o.Now()
	b := Browser{
		Env: w.Env, UserID: w.UserID, Hash: hash, Name: device.ClientOf(w.Client.RemoteIP, w.Client.UserAgent),
		Proven: now, ExpiresAt: now.Add(p.RememberMe.Life),
	}
	if w.Client.RemoteIP.IsValid() {
		b.RemoteIP = w.Client.RemoteIP.String()
	}
	return p.RememberMe.Life, s.o.Store.Trust(ctx, b)
}

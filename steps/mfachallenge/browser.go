package mfachallenge

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"doorward/runtime/flow"
)

// remembers reports whether the person may trust the browser: in a sign-on policy,
// after a first factor, where the MFA policy lets them. That somebody has named the
// user is none. What is confirmed by a flow definition is confirmed each time.
func (k *Kind) remembers(t *flow.Turn) bool {
	c, ok := t.Config.(Config)
	return ok && t.Input == nil && !c.Transaction && t.User.ID != "" && (!t.Named || len(t.Proofs) > 0) && k.mfa.Remembers(t.Ref.Env, c.Policy)
}

// trusted is the proof of a browser that the user trusts. It is something that they
// have, and nothing else: it has no name in amr, and no condition counts it.
func (k *Kind) trusted(ctx context.Context, t *flow.Turn, c Config) (flow.Proof, bool, error) {
	if t.Browser.IsZero() || !t.SignedOn() || !k.remembers(t) {
		return flow.Proof{}, false, nil
	}
	trusted, err := k.mfa.Trusted(ctx, k.who(t), c.Policy, t.Browser)
	if err != nil {
		return flow.Proof{}, false, flow.Unserved(fmt.Errorf("trusted browser: %w", err))
	}
	return flow.Proof{Subject: t.User.ID, Factors: flow.Possession, Authenticator: "browser:" + t.Browser.String()[:16]}, trusted, nil
}

// remembered has the browser trusted from now on, where the person wants it to be and
// has just proven a device.
func (k *Kind) remembered(ctx context.Context, t *flow.Turn, out flow.Outcome, wanted bool, err error) (flow.Outcome, error) {
	if err != nil || !wanted || out.Verdict != flow.Results || !t.SignedOn() || !k.remembers(t) {
		return out, err
	}
	sum := t.Derive("mfa.browser", t.Ref.Env, t.Effect())
	value := base64.RawURLEncoding.EncodeToString(sum[:])
	c, _ := t.Config.(Config)
	life, err := k.mfa.Trust(ctx, k.who(t), c.Policy, flow.Sum(value))
	switch {
	case errors.Is(err, flow.ErrUnknown): // the password was changed meanwhile
		return out, nil
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("trust browser: %w", err))
	}
	return out.WithTrust(flow.Trust{Value: value, Life: life}).WithEvent(flow.BrowserTrusted), nil
}

package mfaenrollment

import (
	"context"
	"fmt"

	"doorward/runtime/flow"
)

var _ flow.Poller = (*Kind)(nil)

// Due reports whether an app has shown the pairing key, or the key has run out.
func (k *Kind) Due(ctx context.Context, t *flow.Turn) (bool, error) {
	if t.Status != pairing {
		return false, nil
	}
	s, err := setUp(t)
	switch {
	case err != nil:
		return false, err
	case !t.Now.Before(s.Until):
		return true, nil
	}
	_, paired, err := k.mfa.Paired(ctx, k.who(t), s.Device.ID)
	if err != nil {
		return false, flow.Unserved(fmt.Errorf("look at pairing: %w", err))
	}
	return paired, nil
}

// poll goes on with the device that has been paired. Its app has shown the key that
// was shown to the person here, and has signed with its own.
func (k *Kind) poll(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	s, err := setUp(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	d, paired, err := k.mfa.Paired(ctx, k.who(t), s.Device.ID)
	switch {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("look at pairing: %w", err))
	case paired:
		if out, may, err := k.mayActivate(ctx, t, s); !may || err != nil {
			return out, err
		}
		return k.proven(t, s, d.Proof(false))
	case t.Now.Before(s.Until):
		return flow.Wait(pairing), t.Keep(s)
	}
	return flow.Wait(unpaired), t.Keep(s)
}

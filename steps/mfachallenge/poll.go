package mfachallenge

import (
	"context"
	"fmt"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

var _ flow.Poller = (*Kind)(nil)

// Due reports whether a push has been answered, or is not to be answered any more.
func (k *Kind) Due(ctx context.Context, t *flow.Turn) (bool, error) {
	if t.Status != pushing {
		return false, nil
	}
	s, err := asked(t)
	if err != nil {
		return false, err
	}
	w := k.who(t)
	w.Unproven = s.Asked.Unproven // a read does not know what is proven
	settled, err := k.mfa.Settled(ctx, w, *s.Asked)
	if err != nil {
		return false, flow.Unserved(fmt.Errorf("look at push: %w", err))
	}
	return settled, nil
}

// poll goes on with what has become of the push. One that has timed out may be sent
// again; one that the person has refused ends the sign-on, which is not theirs.
func (k *Kind) poll(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	s, err := asked(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	state, v, err := k.mfa.Poll(ctx, k.who(t), *s.Asked)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("use push: %w", err))
	}
	var out flow.Outcome
	switch {
	case state == device.PushApproved && v.OK:
		if out, err = k.accepted(ctx, t, v); err != nil {
			return flow.Outcome{}, err
		}
	case state == device.PushRejected:
		out = flow.Fail("PUSH_REJECTED", "The sign-on was refused on the phone. If it was not you, change your password.")
	case state == device.PushPending:
		out = flow.Wait(pushing)
	default:
		out = flow.Wait(pushed)
	}
	for _, e := range v.Events {
		out = out.WithEvent(e)
	}
	return out, nil
}

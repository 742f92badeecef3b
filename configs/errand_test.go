package configs_test

import (
	"context"
	"errors"
	"testing"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// contended is a store that somebody else is faster at changing, some times.
type contended struct {
	*memory
	lost  int
	edits int
}

func (c *contended) Edit(ctx context.Context, e flow.Edit) (flow.Edited, error) {
	if c.edits++; c.lost > 0 {
		c.lost--
		c.revision++
		return flow.Edited{}, flow.ErrLost
	}
	if e.Expected != c.revision {
		return flow.Edited{}, errors.New("it does not say what it expects")
	}
	return c.memory.Edit(ctx, e)
}

// TestErrandsArePublishedFirst: the plan of an errand is kept before it is named, once,
// with nothing else changed; then another node finds it.
func TestErrandsArePublishedFirst(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	c := &contended{memory: m, lost: 2}
	r := configs.NewRegistry(c, kinds(), "https://auth.example")
	before := len(m.resources)
	var first flow.Digest
	for range 3 {
		hash, err := r.Errand(t.Context(), env, policy.ChangePassword)
		if err != nil {
			t.Fatal(err)
		}
		if first = hash; m.plans[hash] == nil {
			t.Fatal("it is named before it is kept")
		}
	}
	if c.edits != 3 || len(m.resources) != before {
		t.Errorf("%d edits, %d resources more", c.edits, len(m.resources)-before)
	}
	node := configs.NewRegistry(m, kinds(), "https://auth.example")
	if plan, err := node.Plan(t.Context(), env, first); err != nil || plan.Name != "account" {
		t.Errorf("another node has %+v, error %v", plan, err)
	}
}

// TestErrandsOfABrokenStore: what cannot be kept is not named.
func TestErrandsOfABrokenStore(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	never := &contended{memory: m, lost: 100}
	if _, err := configs.NewRegistry(never, kinds(), "https://auth.example").Errand(t.Context(), env, policy.StepUp); !errors.Is(err, flow.ErrLost) {
		t.Errorf("never in time: %v", err)
	}
	m.err = errors.New("disk")
	if _, err := configs.NewRegistry(m, kinds(), "https://auth.example").Errand(t.Context(), env, policy.StepUp); !errors.Is(err, m.err) {
		t.Errorf("away: %v", err)
	}
}

// TestADeviceAuthenticationIsPublished: once, and as a plan of its own.
func TestADeviceAuthenticationIsPublished(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	r := configs.NewRegistry(m, kinds(), "https://auth.example")
	for range 2 {
		hash, err := r.DeviceAuthentication(t.Context(), env, policy.DeviceAuthentication{Choose: true})
		if err != nil {
			t.Fatal(err)
		}
		if plan, err := r.Plan(t.Context(), env, hash); err != nil || plan.Hash != hash || len(plan.Nodes) != 1 {
			t.Errorf("%+v, %v", plan, err)
		}
	}
}

package configs

import (
	"context"
	"errors"
	"fmt"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// Errand names the plan of an errand of the account's pages. It is published in the
// environment before it is named, when it is not yet, so that an execution may be
// pinned to it whatever is served next.
func (r *Registry) Errand(ctx context.Context, env string, e policy.Errand) (flow.Digest, error) {
	src, hash, err := e.Source()
	if err != nil {
		return hash, err
	}
	return r.builtin(ctx, env, src, hash)
}

// DeviceAuthentication names the plan of one, as Errand does.
func (r *Registry) DeviceAuthentication(ctx context.Context, env string, d policy.DeviceAuthentication) (flow.Digest, error) {
	src, hash, err := d.Source()
	if err != nil {
		return hash, err
	}
	return r.builtin(ctx, env, src, hash)
}

// builtin publishes a plan of ours where it is not yet.
func (r *Registry) builtin(ctx context.Context, env string, src []byte, hash flow.Digest) (_ flow.Digest, err error) {
	for range tries {
		_, err = r.Plan(ctx, env, hash)
		if !errors.Is(err, flow.ErrUnknown) {
			return hash, err
		}
		if err = r.publish(ctx, env, hash, src); !errors.Is(err, flow.ErrLost) {
			return hash, err
		}
	}
	return hash, fmt.Errorf("publish plan %s: %w", hash, err)
}

// publish keeps a source, with nothing else changed.
func (r *Registry) publish(ctx context.Context, env string, hash flow.Digest, src []byte) error {
	revision, err := r.store.Revision(ctx)
	if err != nil {
		return fmt.Errorf("configuration revision: %w", err)
	}
	_, err = r.store.Edit(ctx, flow.Edit{Env: env, Plans: map[flow.Digest][]byte{hash: src}, Expected: revision})
	return err
}

package engine_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"doorward/runtime/flow"
)

// store keeps executions and sessions in memory, as the real stores do: one
// method is one atomic batch, leases end by themselves, and what goes in or out
// is a copy.
type store struct {
	now func() time.Time
	// gate runs the batch, or does something worse; nil runs it.
	gate func(ctx context.Context, batch string, run func() error) error

	mu         sync.Mutex
	executions map[flow.Ref]*cell
	sessions   map[place]*flow.Session
	counts     map[string]int
	batches    []string
}

type cell struct {
	record  *flow.Execution
	expires time.Time
	resumed bool
	savedBy string
	lease   flow.Claim
	until   time.Time // of the lease
	history []saved
	claims  []flow.Claim // all that were granted
}

// saved is one version as it was written, and the request that wrote it.
type saved struct {
	*flow.Execution
	by any
}

// requestKey is where a context names its request.
type requestKey struct{}

type place struct {
	env string
	st  flow.Digest
}

func newStore(now func() time.Time) *store {
	return &store{now: now, executions: map[flow.Ref]*cell{}, sessions: map[place]*flow.Session{}, counts: map[string]int{}}
}

func (s *store) batch(ctx context.Context, name string, run func() error) error {
	atomic := func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.batches = append(s.batches, name)
		return run()
	}
	if s.gate == nil {
		return atomic()
	}
	return s.gate(ctx, name, atomic)
}

// move counts; the window never ends here.
func (s *store) move(limits []flow.Limit) error {
	for _, l := range limits {
		if s.counts[l.Key]++; s.counts[l.Key] > l.Max {
			return &flow.LimitError{Limit: l, RetryAfter: 30}
		}
	}
	return nil
}

func (s *store) find(ref flow.Ref) (*cell, error) {
	c, ok := s.executions[ref]
	if !ok || !s.now().Before(c.expires) {
		return nil, flow.ErrUnknown
	}
	return c, nil
}

func (s *store) session(env string, st flow.Digest) *flow.Session {
	found, ok := s.sessions[place{env, st}]
	if !ok || st.IsZero() || !s.now().Before(found.ExpiresAt) {
		return nil
	}
	out := *found
	out.Proofs, out.Replaced = slices.Clone(found.Proofs), slices.Clone(found.Replaced)
	return &out
}

func (s *store) Create(ctx context.Context, x *flow.Execution, limits []flow.Limit) error {
	return s.batch(ctx, "create", func() error {
		if err := s.move(limits); err != nil {
			return err
		}
		c := &cell{record: clone(x), expires: x.ExpiresAt, history: []saved{{clone(x), ctx.Value(requestKey{})}}}
		s.executions[x.Ref] = c
		return nil
	})
}

func (s *store) Load(ctx context.Context, ref flow.Ref, st flow.Digest) (x *flow.Execution, session *flow.Session, err error) {
	err = s.batch(ctx, "load", func() error {
		c, err := s.find(ref)
		if err != nil {
			return err
		}
		x, session = clone(c.record), s.session(ref.Env, st)
		return nil
	})
	return answered(x, session, err)
}

func (s *store) Acquire(ctx context.Context, ref flow.Ref, claim flow.Claim, limits []flow.Limit) (x *flow.Execution, session *flow.Session, err error) {
	err = s.batch(ctx, "acquire", func() error {
		if err := s.move(limits); err != nil {
			return err
		}
		c, err := s.find(ref)
		if err != nil {
			return err
		}
		if s.now().Before(c.until) {
			return &flow.HeldError{Submit: c.lease.Submit}
		}
		c.lease, c.until, c.claims = claim, s.now().Add(flow.LeaseTime), append(c.claims, claim)
		x, session = clone(c.record), s.session(ref.Env, claim.Session)
		return nil
	})
	return answered(x, session, err)
}

func (s *store) Save(ctx context.Context, x *flow.Execution, holder string) error {
	return s.batch(ctx, "save", func() error {
		c, err := s.find(x.Ref)
		if err != nil {
			return flow.ErrLost
		}
		if c.savedBy == holder && c.record.Version == x.Version {
			return nil // already mine
		}
		if c.record.Version != x.Version-1 {
			return flow.ErrLost
		}
		if c.lease.Holder != holder || !s.now().Before(c.until) {
			return flow.ErrLost
		}
		c.record, c.expires, c.savedBy, c.until = clone(x), x.ExpiresAt, holder, time.Time{}
		c.history = append(c.history, saved{clone(x), ctx.Value(requestKey{})})
		return nil
	})
}

func (s *store) Release(ctx context.Context, ref flow.Ref, holder string) error {
	return s.batch(ctx, "release", func() error {
		if c, err := s.find(ref); err == nil && c.lease.Holder == holder {
			c.until = time.Time{}
		}
		return nil
	})
}

func (s *store) Resume(ctx context.Context, ref flow.Ref, binding, st flow.Digest) (x *flow.Execution, session *flow.Session, err error) {
	err = s.batch(ctx, "resume", func() error {
		c, err := s.find(ref)
		if err != nil {
			return err
		}
		if c.record.Terminal() && binding == c.record.Binding && !c.resumed {
			c.resumed, c.expires = true, s.now().Add(flow.ResumedLife)
		}
		x, session = clone(c.record), s.session(ref.Env, st)
		return nil
	})
	return answered(x, session, err)
}

func (s *store) Session(ctx context.Context, env string, st flow.Digest, limits []flow.Limit) (found *flow.Session, err error) {
	err = s.batch(ctx, "session", func() error {
		found = s.session(env, st)
		return s.move(limits)
	})
	_, found, err = answered(nil, found, err)
	return found, err
}

func (s *store) PutSession(ctx context.Context, env string, st flow.Digest, put *flow.Session) error {
	return s.batch(ctx, "put session", func() error {
		kept := *put
		kept.Proofs, kept.Replaced = slices.Clone(put.Proofs), slices.Clone(put.Replaced)
		s.sessions[place{env, st}] = &kept
		return nil
	})
}

func (s *store) SessionKey(ctx context.Context, env, session string) (st flow.Digest, err error) {
	err = s.batch(ctx, "session key", func() error {
		for at, found := range s.sessions {
			if at.env == env && found.ID == session {
				st = at.st
			}
		}
		return nil
	})
	return st, err
}

func (s *store) EndSession(ctx context.Context, env string, st flow.Digest) (ended *flow.Session, err error) {
	err = s.batch(ctx, "end session", func() error {
		ended = s.session(env, st)
		delete(s.sessions, place{env, st})
		return nil
	})
	_, ended, err = answered(nil, ended, err)
	return ended, err
}

// answered drops what a caller who got an error cannot have got.
func answered(x *flow.Execution, session *flow.Session, err error) (*flow.Execution, *flow.Session, error) {
	if err != nil {
		return nil, nil, err
	}
	return x, session, nil
}

func clone(x *flow.Execution) *flow.Execution {
	out := *x
	out.Steps, out.Proofs, out.Demand.Needs = maps.Clone(x.Steps), slices.Clone(x.Proofs), slices.Clone(x.Demand.Needs)
	return &out
}

// execution is what is kept of one; nil when there is none.
func (s *store) execution(ref flow.Ref) *flow.Execution {
	c, err := s.find(ref)
	if err != nil {
		return nil
	}
	return c.record
}

package session_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
)

func sessions(t *testing.T, r *rig) {
	t.Helper()
	put := func(t *testing.T) (env string, st flow.Digest, s *flow.Session) {
		t.Helper()
		env, st, s = newRef().Env, digest(), signOn(r.clock.round())
		must(t, r.store.PutSession(t.Context(), env, st, s))
		return env, st, s
	}
	find := func(t *testing.T, env string, st flow.Digest) *flow.Session {
		t.Helper()
		s, err := r.store.Session(t.Context(), env, st, nil)
		must(t, err)
		return s
	}
	is := func(t *testing.T, want, got *flow.Session) {
		t.Helper()
		if diff := cmp.Diff(want, got, same()); diff != "" {
			t.Error(diff)
		}
	}
	t.Run("what was put is found, also by every call on an execution", func(t *testing.T) {
		env, st, s := put(t)
		is(t, s, find(t, env, st))
		is(t, s, find(t, env, st))
		x := fresh(flow.Ref{Env: env, ID: newRef().ID}, r.clock.round())
		must(t, r.store.Create(t.Context(), x, nil))
		_, got, err := r.store.Load(t.Context(), x.Ref, st)
		must(t, err)
		is(t, s, got)
		_, got, err = r.store.Acquire(t.Context(), x.Ref, flow.Claim{Holder: "a", Session: st}, nil)
		must(t, err)
		is(t, s, got)
		_, got, err = r.store.Resume(t.Context(), x.Ref, x.Binding, st)
		must(t, err)
		is(t, s, got)
	})
	t.Run("it is found beside an unknown execution", func(t *testing.T) {
		env, st, s := put(t)
		_, got, err := r.store.Load(t.Context(), flow.Ref{Env: env, ID: newRef().ID}, st)
		wants(t, err, flow.ErrUnknown)
		is(t, s, got)
	})
	t.Run("no cookie, an unknown cookie and another environment find none", func(t *testing.T) {
		env, st, _ := put(t)
		is(t, nil, find(t, env, flow.Digest{}))
		is(t, nil, find(t, env, digest()))
		is(t, nil, find(t, newRef().Env, st))
	})
	t.Run("a caller's copy is its own", func(t *testing.T) {
		env, st, s := put(t)
		got := find(t, env, st)
		got.Proofs[0].Subject, got.Replaced[0].Hash = "", flow.Digest{}
		is(t, s, find(t, env, st))
	})
	t.Run("its id leads to where it was put last", func(t *testing.T) {
		env, st, s := put(t)
		lies := func(env string, want flow.Digest) {
			t.Helper()
			key, err := r.store.SessionKey(t.Context(), env, s.ID)
			must(t, err)
			if key != want {
				t.Errorf("found at %v, not %v", key, want)
			}
		}
		lies(env, st)
		lies(newRef().Env, flow.Digest{})
		next := digest()
		r.pass(time.Second)
		must(t, r.store.PutSession(t.Context(), env, next, s))
		lies(env, next)
		_, err := r.store.EndSession(t.Context(), env, st)
		must(t, err)
		lies(env, next)
		is(t, s, find(t, env, next))
	})
	t.Run("put again under its own cookie it is changed", func(t *testing.T) {
		env, st, s := put(t)
		find(t, env, st)
		s.RemoteIP = "192.0.2.8"
		must(t, r.store.PutSession(t.Context(), env, st, s))
		is(t, s, find(t, env, st))
	})
	t.Run("those of a user are found, each once, and nobody else's", func(t *testing.T) {
		env, st, s := put(t)
		found := func(env, user string, want ...*flow.Session) {
			t.Helper()
			got, err := r.store.SessionsOf(t.Context(), env, user)
			must(t, err)
			if len(got) != len(want) {
				t.Fatalf("found %d, not %d", len(got), len(want))
			}
			for _, w := range want {
				i := slices.IndexFunc(got, func(s flow.Session) bool { return s.ID == w.ID })
				if i < 0 {
					t.Fatalf("%s is not found", w.ID)
				}
				is(t, w, &got[i])
			}
		}
		found(env, s.User.ID, s)
		found(newRef().Env, s.User.ID)
		found(env, newRef().ID)
		found(env, "")
		next := digest()
		r.pass(time.Second)
		must(t, r.store.PutSession(t.Context(), env, next, s))
		found(env, s.User.ID, s)
		_, err := r.store.EndSession(t.Context(), env, st)
		must(t, err)
		found(env, s.User.ID, s)

		other := signOn(r.clock.round())
		other.ID, other.User = newRef().ID, s.User
		there := digest()
		must(t, r.store.PutSession(t.Context(), env, there, other))
		nobody := signOn(r.clock.round())
		nobody.ID, nobody.User, nobody.Proofs = newRef().ID, flow.Subject{}, nil
		must(t, r.store.PutSession(t.Context(), env, digest(), nobody))
		found(env, s.User.ID, s, other)
		_, err = r.store.EndSession(t.Context(), env, next)
		must(t, err)
		found(env, s.User.ID, other)
		found(env, s.User.ID, other)
		r.pass(other.ExpiresAt.Sub(r.clock.now()))
		found(env, s.User.ID)
	})
	t.Run("that of a user is found behind many that have ended", func(t *testing.T) {
		env, _, s := put(t)
		var ends []flow.Digest
		for range 210 {
			other := signOn(r.clock.round())
			other.ID, other.User, other.ExpiresAt = newRef().ID, s.User, s.ExpiresAt.Add(time.Minute)
			ends = append(ends, digest())
			must(t, r.store.PutSession(t.Context(), env, ends[len(ends)-1], other))
		}
		for _, st := range ends {
			_, err := r.store.EndSession(t.Context(), env, st)
			must(t, err)
		}
		for range 2 {
			got, err := r.store.SessionsOf(t.Context(), env, s.User.ID)
			must(t, err)
			if len(got) != 1 || got[0].ID != s.ID {
				t.Fatalf("found %d", len(got))
			}
		}
	})
	t.Run("of many that end it one gets it", func(t *testing.T) {
		env, st, s := put(t)
		find(t, env, st)
		var got atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				ended, err := r.store.EndSession(t.Context(), env, st)
				if err != nil {
					t.Error(err)
				}
				if ended != nil {
					got.Add(1)
					is(t, s, ended)
				}
			})
		}
		wg.Wait()
		if got.Load() != 1 {
			t.Errorf("%d got it", got.Load())
		}
		is(t, nil, find(t, env, st))
	})
	t.Run("it is gone at its end", func(t *testing.T) {
		env, st, _ := put(t)
		find(t, env, st)
		r.pass(8*time.Hour - time.Second)
		if find(t, env, st) == nil {
			t.Error("gone before")
		}
		r.pass(time.Second)
		is(t, nil, find(t, env, st))
		ended, err := r.store.EndSession(t.Context(), env, st)
		must(t, err)
		is(t, nil, ended)
	})
	t.Run("one over 16 KiB is refused", func(t *testing.T) {
		s := signOn(r.clock.round())
		s.UserAgent = string(make([]byte, 17<<10))
		wants(t, r.store.PutSession(t.Context(), newRef().Env, digest(), s), flow.ErrTooLarge)
	})
}

package session_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/session"
)

// wantsPassed fails unless l was passed, to be tried again within its window.
func wantsPassed(tb testing.TB, err error, l flow.Limit) {
	tb.Helper()
	var passed *flow.LimitError
	if !errors.As(err, &passed) || passed.Limit != l {
		tb.Fatalf("got %v, want limit %s passed", err, l.Key)
	}
	if passed.RetryAfter < 1 || passed.RetryAfter > int(l.Window/time.Second) {
		tb.Fatalf("try again after %d s of a window of %v", passed.RetryAfter, l.Window)
	}
}

func limits(t *testing.T, r *rig) {
	env := newRef().Env
	hit := func(t *testing.T, l ...flow.Limit) error {
		t.Helper()
		_, err := r.store.Session(t.Context(), env, digest(), l)
		return err
	}
	t.Run("the count above the most is refused", func(t *testing.T) {
		l := limit(3)
		for range 3 {
			must(t, hit(t, l))
		}
		wantsPassed(t, hit(t, l), l)
		must(t, hit(t, limit(3))) // and nobody else's
	})
	t.Run("a limit of none refuses at once", func(t *testing.T) {
		l := limit(0)
		wantsPassed(t, hit(t, l), l)
	})
	t.Run("the window is fixed and ends", func(t *testing.T) {
		l := limit(1)
		must(t, hit(t, l))
		r.pass(40 * time.Second)
		wantsPassed(t, hit(t, l), l)
		r.pass(20 * time.Second)
		must(t, hit(t, l))
		wantsPassed(t, hit(t, l), l)
	})
	t.Run("of several the first that is passed is named and all are counted", func(t *testing.T) {
		a, b := limit(5), limit(1)
		must(t, hit(t, a, b))
		wantsPassed(t, hit(t, a, b), b)
		for range 3 {
			must(t, hit(t, a))
		}
		wantsPassed(t, hit(t, a), a)
	})
	t.Run("a creation over its limit leaves nothing", func(t *testing.T) {
		l := limit(1)
		must(t, r.store.Create(t.Context(), fresh(newRef(), r.clock.round()), []flow.Limit{l}))
		x := fresh(newRef(), r.clock.round())
		wantsPassed(t, r.store.Create(t.Context(), x, []flow.Limit{l}), l)
		_, _, err := r.store.Load(t.Context(), x.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("a submit over its limit gives the lease back", func(t *testing.T) {
		l := limit(0)
		x := created(t, r)
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("a"), []flow.Limit{l})
		wantsPassed(t, err, l)
		take(t, r, x, "b")
	})
	t.Run("a submit over its limit leaves another's lease alone", func(t *testing.T) {
		l := limit(0)
		x := acquired(t, r, "a")
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("b"), []flow.Limit{l})
		wantsPassed(t, err, l)
		_, _, err = r.store.Acquire(t.Context(), x.Ref, claim("b"), nil)
		wantsHeld(t, err, claim("a").Submit)
	})
	if r.uncount == nil {
		return
	}
	t.Run("one that cannot be counted refuses", func(t *testing.T) {
		l := limit(1000)
		r.uncount(t, l)
		if err := hit(t, l); err == nil {
			t.Error("a session was read")
		}
		x := fresh(newRef(), r.clock.round())
		if err := r.store.Create(t.Context(), x, []flow.Limit{l}); err == nil {
			t.Error("created")
		}
		_, _, err := r.store.Load(t.Context(), x.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		x = created(t, r)
		if _, _, err := r.store.Acquire(t.Context(), x.Ref, claim("a"), []flow.Limit{l}); err == nil {
			t.Error("acquired")
		}
		take(t, r, x, "b")
	})
}

func sessions(t *testing.T, r *rig) {
	put := func(t *testing.T) (env string, st flow.Digest, s *flow.Session) {
		t.Helper()
		env, st, s = newRef().Env, digest(), signOn(r.clock.round())
		must(t, r.store.PutSession(t.Context(), env, st, s, flow.Digest{}))
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
	t.Run("put under a new cookie it is no longer found under the old", func(t *testing.T) {
		env, st, s := put(t)
		find(t, env, st)
		next := digest()
		s.ActiveAt = s.ActiveAt.Add(time.Second)
		must(t, r.store.PutSession(t.Context(), env, next, s, st))
		is(t, nil, find(t, env, st))
		is(t, s, find(t, env, next))
	})
	t.Run("put again under its own cookie it is changed", func(t *testing.T) {
		env, st, s := put(t)
		find(t, env, st)
		s.RemoteIP = "192.0.2.8"
		must(t, r.store.PutSession(t.Context(), env, st, s, st))
		is(t, s, find(t, env, st))
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
		wants(t, r.store.PutSession(t.Context(), newRef().Env, digest(), s, flow.Digest{}), flow.ErrTooLarge)
	})
}

func secrets(t *testing.T, r *rig) {
	kept := func(t *testing.T, tries int) (name string, hash [32]byte) {
		t.Helper()
		name, hash = newRef().ID, digest()
		must(t, r.store.PutSecret(t.Context(), name, hash, tries, 5*time.Minute))
		return name, hash
	}
	use := func(t *testing.T, name string, hash [32]byte, effect string, want session.Verdict) {
		t.Helper()
		got, err := r.store.UseSecret(t.Context(), name, hash, effect)
		must(t, err)
		if got != want {
			t.Errorf("use %s: got %+v, want %+v", effect, got, want)
		}
	}
	var (
		ok    = session.Verdict{Outcome: session.OK}
		void  = session.Verdict{}
		wrong = func(left int) session.Verdict { return session.Verdict{Outcome: session.Wrong, Left: left} }
	)
	t.Run("it is used once, and the same use gets the same answer", func(t *testing.T) {
		name, hash := kept(t, 5)
		use(t, name, hash, "1", ok)
		use(t, name, hash, "1", ok)
		use(t, name, hash, "2", void)
		use(t, name, digest(), "1", void)
		use(t, name, hash, "1", ok)
	})
	t.Run("a used one is forgotten after a minute", func(t *testing.T) {
		name, hash := kept(t, 5)
		use(t, name, hash, "1", ok)
		r.pass(time.Minute)
		use(t, name, hash, "1", void)
	})
	t.Run("wrong tries are counted, their repeats are not", func(t *testing.T) {
		name, hash := kept(t, 3)
		guess := digest()
		use(t, name, guess, "1", wrong(2))
		use(t, name, guess, "1", wrong(2))
		use(t, name, digest(), "1", wrong(1)) // another guess is no repeat
		use(t, name, hash, "2", ok)
	})
	t.Run("after the last try the right one is void", func(t *testing.T) {
		name, hash := kept(t, 2)
		use(t, name, digest(), "1", wrong(1))
		use(t, name, digest(), "2", wrong(0))
		use(t, name, hash, "3", void)
	})
	t.Run("it is void at its end, before it was put and under another name", func(t *testing.T) {
		name, hash := kept(t, 5)
		use(t, newRef().ID, hash, "1", void)
		r.pass(5 * time.Minute)
		use(t, name, hash, "1", void)
	})
	t.Run("a new one voids the old and begins to count again", func(t *testing.T) {
		name, old := kept(t, 2)
		use(t, name, digest(), "1", wrong(1))
		hash := digest()
		must(t, r.store.PutSecret(t.Context(), name, hash, 2, time.Minute))
		use(t, name, old, "2", wrong(1))
		use(t, name, hash, "3", ok)
	})
	t.Run("of many uses at once one wins", func(t *testing.T) {
		for range 20 {
			name, hash := kept(t, 100)
			var won atomic.Int32
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					v, err := r.store.UseSecret(t.Context(), name, hash, fmt.Sprint(i))
					if err != nil {
						t.Error(err)
					}
					if v.Outcome == session.OK {
						won.Add(1)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Fatalf("%d won", won.Load())
			}
		}
	})
	t.Run("many guesses at once get no more than the tries", func(t *testing.T) {
		name, _ := kept(t, 5)
		var compared atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				v, err := r.store.UseSecret(t.Context(), name, digest(), fmt.Sprint(i))
				if err != nil {
					t.Error(err)
				}
				if v.Outcome == session.Wrong {
					compared.Add(1)
				}
			})
		}
		wg.Wait()
		if compared.Load() != 5 {
			t.Errorf("%d guesses were compared", compared.Load())
		}
	})
}

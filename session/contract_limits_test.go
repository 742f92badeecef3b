package session_test

import (
	"errors"
	"testing"
	"time"

	"doorward/runtime/flow"
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
	t.Helper()
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
	t.Run("counted for nothing else", func(t *testing.T) {
		a, b := limit(2), limit(1)
		must(t, r.store.Count(t.Context(), []flow.Limit{a, b}))
		wantsPassed(t, r.store.Count(t.Context(), []flow.Limit{a, b}), b)
		wantsPassed(t, r.store.Count(t.Context(), []flow.Limit{a}), a)
	})
	t.Run("taken back", func(t *testing.T) {
		a, never := limit(2), limit(1)
		for range 2 {
			must(t, r.store.Count(t.Context(), []flow.Limit{a}))
		}
		must(t, r.store.Uncount(t.Context(), []flow.Limit{a, never}))
		must(t, r.store.Count(t.Context(), []flow.Limit{a, never}))
		wantsPassed(t, r.store.Count(t.Context(), []flow.Limit{a}), a)
		wantsPassed(t, r.store.Count(t.Context(), []flow.Limit{never}), never)
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
		x := acquired(t, r)
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
		if err := r.store.Count(t.Context(), []flow.Limit{l}); err == nil {
			t.Error("counted")
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

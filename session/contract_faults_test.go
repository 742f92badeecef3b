package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"doorward/runtime/flow"
	"doorward/session"
)

// lostReplies: the server runs the script, and the connection ends before its
// answer.
func lostReplies(t *testing.T, r *rig) {
	t.Helper()
	lose := func(t *testing.T, n int) {
		t.Helper()
		lost := r.link.Lost.Load()
		r.link.Lose(n)
		t.Cleanup(func() {
			r.link.Lose(0)
			if got := r.link.Lost.Load() - lost; got != int32(n) {
				t.Errorf("%d replies were lost, want %d", got, n)
			}
		})
	}
	t.Run("a save asks again and finds it is already mine", func(t *testing.T) {
		x := acquired(t, r)
		x.Version = 2
		lose(t, 1)
		must(t, r.store.Save(t.Context(), x, "a"))
		if got := load(t, r, x.Ref); got.Version != 2 {
			t.Errorf("version %d", got.Version)
		}
	})
	t.Run("a save that loses two replies is an error, and the caller's repeat is already mine", func(t *testing.T) {
		x := acquired(t, r)
		x.Version = 2
		lose(t, 2)
		if err := r.store.Save(t.Context(), x, "a"); err == nil || errors.Is(err, flow.ErrLost) {
			t.Fatalf("got %v", err)
		}
		must(t, r.store.Save(t.Context(), x, "a"))
	})
	t.Run("a save that is lost stays lost", func(t *testing.T) {
		x := created(t, r)
		x.Version = 2
		lose(t, 1)
		wants(t, r.store.Save(t.Context(), x, "a"), flow.ErrLost)
	})
	t.Run("a secret's use asks again and gets its own answer", func(t *testing.T) {
		name, hash := uuid.NewString(), digest()
		must(t, r.store.PutSecret(t.Context(), name, hash, 3, time.Minute))
		lose(t, 1)
		v, err := r.store.UseSecret(t.Context(), name, digest(), "1")
		must(t, err)
		if v != (session.Verdict{Outcome: session.Wrong, Left: 2}) {
			t.Errorf("a wrong try was counted twice: %+v", v)
		}
		r.link.Lose(1)
		lost := r.link.Lost.Load()
		v, err = r.store.UseSecret(t.Context(), name, hash, "2")
		must(t, err)
		if v.Outcome != session.OK || r.link.Lost.Load() != lost+1 {
			t.Errorf("the rightful user got %+v", v)
		}
		r.link.Lost.Store(lost) // as the cleanup counts
	})
	t.Run("a limit is counted once and refuses", func(t *testing.T) {
		l := limit(2)
		lose(t, 1)
		if _, err := r.store.Session(t.Context(), uuid.NewString(), digest(), []flow.Limit{l}); err == nil {
			t.Fatal("an answer from nowhere")
		}
		_, err := r.store.Session(t.Context(), uuid.NewString(), digest(), []flow.Limit{l})
		must(t, err) // the second of two: nothing was tried again in secret
		_, err = r.store.Session(t.Context(), uuid.NewString(), digest(), []flow.Limit{l})
		wantsPassed(t, err, l)
	})
	t.Run("an acquire is an error and gives the lease back", func(t *testing.T) {
		x := created(t, r)
		lose(t, 1)
		if _, _, err := r.store.Acquire(t.Context(), x.Ref, claim("a"), nil); err == nil {
			t.Fatal("an answer from nowhere")
		}
		take(t, r, x, "b")
	})
	t.Run("a resume is an error, and the repeat gets the same", func(t *testing.T) {
		x := fresh(newRef(), r.clock.round())
		x.Status = flow.Completed
		must(t, r.store.Create(t.Context(), x, nil))
		lose(t, 1)
		if _, _, err := r.store.Resume(t.Context(), x.Ref, x.Binding, flow.Digest{}); err == nil {
			t.Fatal("an answer from nowhere")
		}
		got, _, err := r.store.Resume(t.Context(), x.Ref, x.Binding, flow.Digest{})
		must(t, err)
		if diff := cmp.Diff(x, got, same()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a release is an error, and the repeat is none", func(t *testing.T) {
		x := acquired(t, r)
		lose(t, 1)
		if err := r.store.Release(t.Context(), x.Ref, "a"); err == nil {
			t.Fatal("an answer from nowhere")
		}
		must(t, r.store.Release(t.Context(), x.Ref, "a"))
		take(t, r, x, "b")
	})
}

// countBatches: round trips are the budget, and each call is one.
func countBatches(t *testing.T, r *rig) {
	t.Helper()
	x := fresh(newRef(), r.clock.round())
	st, s := digest(), signOn(r.clock.round())
	two := []flow.Limit{limit(10), limit(10)}
	done := fresh(newRef(), r.clock.round())
	done.Status = flow.Completed
	must(t, r.store.Create(t.Context(), done, nil))
	for _, tc := range []struct {
		name string
		call func() error
	}{
		{"Create", func() error { return r.store.Create(t.Context(), x, two) }},
		{"PutSession", func() error { return r.store.PutSession(t.Context(), x.Ref.Env, st, s) }},
		{"SessionKey", func() error { _, err := r.store.SessionKey(t.Context(), x.Ref.Env, s.ID); return err }},
		{"Session", func() error { _, err := r.store.Session(t.Context(), x.Ref.Env, st, two); return err }},
		{"Load", func() error { _, _, err := r.store.Load(t.Context(), x.Ref, st); return err }},
		{"Acquire", func() error {
			_, _, err := r.store.Acquire(t.Context(), x.Ref, flow.Claim{Holder: "a", Session: st}, two)
			return err
		}},
		{"Save", func() error { x.Version = 2; return r.store.Save(t.Context(), x, "a") }},
		{"Release", func() error { return r.store.Release(t.Context(), x.Ref, "a") }},
		{"Resume", func() error {
			_, _, err := r.store.Resume(t.Context(), done.Ref, done.Binding, st)
			return err
		}},
		{"EndSession", func() error { _, err := r.store.EndSession(t.Context(), x.Ref.Env, st); return err }},
		{"PutSecret", func() error { return r.store.PutSecret(t.Context(), x.Ref.ID, digest(), 1, time.Minute) }},
		{"UseSecret", func() error { _, err := r.store.UseSecret(t.Context(), x.Ref.ID, digest(), "1"); return err }},
	} {
		t.Run(tc.name+" is one batch", func(t *testing.T) {
			before := r.batches.n.Load()
			must(t, tc.call())
			if n := r.batches.n.Load() - before; n != 1 {
				t.Errorf("%d batches", n)
			}
		})
	}
}

// failover: executions and sessions are there afterwards, secrets are void.
func failover(t *testing.T, r *rig) {
	t.Helper()
	x := created(t, r)
	st, s := digest(), signOn(r.clock.round())
	must(t, r.store.PutSession(t.Context(), x.Ref.Env, st, s))
	l := limit(1)
	_, err := r.store.Session(t.Context(), x.Ref.Env, st, []flow.Limit{l})
	must(t, err)
	used, unused, hash := uuid.NewString(), uuid.NewString(), digest()
	for _, name := range []string{used, unused} {
		must(t, r.store.PutSecret(t.Context(), name, hash, 5, time.Hour))
	}
	_, err = r.store.UseSecret(t.Context(), used, hash, "1")
	must(t, err)
	if r.link != nil {
		time.Sleep(1100 * time.Millisecond) // the append-only file is synced every second
	}

	r.failover(t)
	began := time.Now()
	for {
		if _, _, err = r.store.Load(t.Context(), x.Ref, st); err == nil || time.Since(began) > 5*time.Second {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("first good answer after %v", time.Since(began).Round(time.Millisecond))
	got, gotSession, err := r.store.Load(t.Context(), x.Ref, st)
	must(t, err)
	if diff := cmp.Diff(x, got, same()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(s, gotSession, same()); diff != "" {
		t.Error(diff)
	}
	t.Run("a step can be taken", func(t *testing.T) {
		take(t, r, x, "a")
		x.Version = 2
		must(t, r.store.Save(t.Context(), x, "a"))
	})
	t.Run("a window goes on", func(t *testing.T) {
		_, err := r.store.Session(t.Context(), x.Ref.Env, st, []flow.Limit{l})
		wantsPassed(t, err, l)
	})
	t.Run("no secret can be used, spent or not", func(t *testing.T) {
		for _, name := range []string{used, unused} {
			v, err := r.store.UseSecret(t.Context(), name, hash, "2")
			must(t, err)
			if v.Outcome != session.Void {
				t.Errorf("got %+v", v)
			}
		}
	})
	t.Run("a new secret can", func(t *testing.T) {
		must(t, r.store.PutSecret(t.Context(), unused, hash, 5, time.Hour))
		v, err := r.store.UseSecret(t.Context(), unused, hash, "3")
		must(t, err)
		if v.Outcome != session.OK {
			t.Errorf("got %+v", v)
		}
	})
}

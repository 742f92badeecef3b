package session_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
)

func leases(t *testing.T, r *rig) {
	t.Helper()
	t.Run("one holder excludes others, who learn what it submits", func(t *testing.T) {
		x := acquired(t, r)
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("b"), nil)
		wantsHeld(t, err, claim("a").Submit)
	})
	t.Run("the holder may take it again", func(t *testing.T) {
		x := acquired(t, r)
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("a"), nil)
		must(t, err)
	})
	t.Run("a load needs none", func(t *testing.T) {
		load(t, r, acquired(t, r).Ref)
	})
	t.Run("it ends by itself", func(t *testing.T) {
		x := acquired(t, r)
		r.pass(flow.LeaseTime - time.Second)
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("b"), nil)
		wantsHeld(t, err, claim("a").Submit)
		r.pass(time.Second)
		_, _, err = r.store.Acquire(t.Context(), x.Ref, claim("b"), nil)
		must(t, err)
	})
	t.Run("its holder gives it back", func(t *testing.T) {
		x := acquired(t, r)
		must(t, r.store.Release(t.Context(), x.Ref, "a"))
		must(t, r.store.Release(t.Context(), x.Ref, "a"))
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("b"), nil)
		must(t, err)
	})
	t.Run("nobody else gives it back", func(t *testing.T) {
		x := acquired(t, r)
		must(t, r.store.Release(t.Context(), x.Ref, "b"))
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("b"), nil)
		wantsHeld(t, err, claim("a").Submit)
	})
}

func saves(t *testing.T, r *rig) {
	t.Helper()
	t.Run("a save is loaded and gives the lease back", func(t *testing.T) {
		x := acquired(t, r)
		x.Version, x.Node = 2, "2.otp"
		must(t, r.store.Save(t.Context(), x, "a"))
		got, _, err := r.store.Acquire(t.Context(), x.Ref, claim("b"), nil)
		must(t, err)
		if diff := cmp.Diff(x, got, same()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a save needs the version before", func(t *testing.T) {
		for _, version := range []uint64{0, 1, 3, 1 << 32} {
			x := acquired(t, r)
			x.Version = version
			wants(t, r.store.Save(t.Context(), x, "a"), flow.ErrLost)
			if got := load(t, r, x.Ref); got.Version != 1 {
				t.Errorf("saved version %d over 1", version)
			}
		}
	})
	t.Run("a save needs the lease", func(t *testing.T) {
		for name, take := range map[string]func(x *flow.Execution){
			"never taken":  func(*flow.Execution) {},
			"given back":   func(x *flow.Execution) { take(t, r, x, "a"); must(t, r.store.Release(t.Context(), x.Ref, "a")) },
			"another's":    func(x *flow.Execution) { take(t, r, x, "b") },
			"timed out":    func(x *flow.Execution) { take(t, r, x, "a"); r.pass(flow.LeaseTime) },
			"taken over":   func(x *flow.Execution) { take(t, r, x, "a"); r.pass(flow.LeaseTime); take(t, r, x, "b") },
			"used already": func(x *flow.Execution) { take(t, r, x, "b"); x.Version = 2; must(t, r.store.Save(t.Context(), x, "b")) },
		} {
			x := created(t, r)
			take(x)
			before := load(t, r, x.Ref).Version
			x.Version, x.Node = before+1, "unproven"
			wants(t, r.store.Save(t.Context(), x, "a"), flow.ErrLost)
			if got := load(t, r, x.Ref); got.Node == "unproven" {
				t.Errorf("saved with a lease %s", name)
			}
		}
	})
	t.Run("the same save again is already mine", func(t *testing.T) {
		x := acquired(t, r)
		x.Version = 2
		must(t, r.store.Save(t.Context(), x, "a"))
		must(t, r.store.Save(t.Context(), x, "a"))
		take(t, r, x, "b") // also while another works on what follows
		must(t, r.store.Save(t.Context(), x, "a"))
		_, _, err := r.store.Acquire(t.Context(), x.Ref, claim("c"), nil)
		wantsHeld(t, err, claim("b").Submit)
	})
	t.Run("another's save of the same version is lost", func(t *testing.T) {
		x := acquired(t, r)
		x.Version = 2
		must(t, r.store.Save(t.Context(), x, "a"))
		wants(t, r.store.Save(t.Context(), x, "b"), flow.ErrLost)
	})
}

func take(tb testing.TB, r *rig, x *flow.Execution, holder string) {
	tb.Helper()
	_, _, err := r.store.Acquire(tb.Context(), x.Ref, claim(holder), nil)
	must(tb, err)
}

func resumes(t *testing.T, r *rig) {
	t.Helper()
	terminal := func(t *testing.T) *flow.Execution {
		t.Helper()
		x := fresh(newRef(), r.clock.round())
		x.Status = flow.Completed
		must(t, r.store.Create(t.Context(), x, nil))
		return x
	}
	resume := func(t *testing.T, x *flow.Execution, binding flow.Digest) {
		t.Helper()
		got, _, err := r.store.Resume(t.Context(), x.Ref, binding, flow.Digest{})
		must(t, err)
		if diff := cmp.Diff(x, got, same()); diff != "" {
			t.Error(diff)
		}
	}
	t.Run("the same browser may resume again for five minutes, and no longer", func(t *testing.T) {
		x := terminal(t)
		resume(t, x, x.Binding)
		r.pass(flow.ResumedLife - time.Second)
		resume(t, x, x.Binding)
		r.pass(time.Second)
		_, _, err := r.store.Resume(t.Context(), x.Ref, x.Binding, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		_, _, err = r.store.Load(t.Context(), x.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("another binding marks nothing", func(t *testing.T) {
		x := terminal(t)
		resume(t, x, digest())
		resume(t, x, flow.Digest{})
		r.pass(flow.ResumedLife)
		resume(t, x, x.Binding)
	})
	t.Run("no binding is not the zero binding", func(t *testing.T) {
		x := fresh(newRef(), r.clock.round())
		x.Status, x.Binding = flow.Completed, flow.Digest{}
		must(t, r.store.Create(t.Context(), x, nil))
		resume(t, x, flow.Digest{})
		r.pass(flow.ResumedLife)
		resume(t, x, flow.Digest{})
	})
	t.Run("one that waits is returned as it is", func(t *testing.T) {
		x := created(t, r)
		resume(t, x, x.Binding)
		r.pass(flow.ResumedLife)
		resume(t, x, x.Binding)
	})
	t.Run("a failed one can be resumed as well", func(t *testing.T) {
		x := fresh(newRef(), r.clock.round())
		x.Status = flow.Failed
		must(t, r.store.Create(t.Context(), x, nil))
		resume(t, x, x.Binding)
		r.pass(flow.ResumedLife)
		_, _, err := r.store.Load(t.Context(), x.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("a resume never lengthens a life", func(t *testing.T) {
		x := terminal(t)
		r.pass(flow.Idle - 3*time.Second)
		resume(t, x, x.Binding)
		r.pass(3 * time.Second)
		_, _, err := r.store.Resume(t.Context(), x.Ref, x.Binding, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
}

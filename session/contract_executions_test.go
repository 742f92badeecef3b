package session_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
)

// created stores a new execution.
func created(tb testing.TB, r *rig) *flow.Execution {
	tb.Helper()
	x := fresh(newRef(), r.clock.round())
	must(tb, r.store.Create(tb.Context(), x, nil))
	return x
}

// acquired stores one and takes its lease, as "a".
func acquired(tb testing.TB, r *rig) *flow.Execution {
	tb.Helper()
	x := created(tb, r)
	x, _, err := r.store.Acquire(tb.Context(), x.Ref, claim("a"), nil)
	must(tb, err)
	return x
}

func load(tb testing.TB, r *rig, ref flow.Ref) *flow.Execution {
	tb.Helper()
	x, _, err := r.store.Load(tb.Context(), ref, flow.Digest{})
	must(tb, err)
	return x
}

// wants fails unless err is want.
func wants(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Fatalf("got %v, want %v", err, want)
	}
}

// wantsHeld fails unless the lease is held for submit.
func wantsHeld(tb testing.TB, err error, submit flow.Digest) {
	tb.Helper()
	var held *flow.HeldError
	if !errors.As(err, &held) || held.Submit != submit {
		tb.Fatalf("got %v, want it held for %s", err, submit)
	}
}

func executions(t *testing.T, r *rig) {
	t.Helper()
	t.Run("what was created is loaded, in every field", func(t *testing.T) {
		x := full(newRef(), r.clock.round())
		must(t, r.store.Create(t.Context(), x, nil))
		if diff := cmp.Diff(x, load(t, r, x.Ref), same()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("one that exists is not created again", func(t *testing.T) {
		x := created(t, r)
		y := fresh(x.Ref, r.clock.round())
		if err := r.store.Create(t.Context(), y, nil); err == nil {
			t.Error("created twice")
		}
		if got := load(t, r, x.Ref); got.Binding != x.Binding {
			t.Error("the first was replaced")
		}
	})
	t.Run("an id is unknown in another environment", func(t *testing.T) {
		x := created(t, r)
		_, _, err := r.store.Load(t.Context(), flow.Ref{Env: newRef().Env, ID: x.Ref.ID}, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("an unknown one is unknown to every call", func(t *testing.T) {
		ref := newRef()
		_, _, err := r.store.Load(t.Context(), ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		_, _, err = r.store.Acquire(t.Context(), ref, claim("a"), nil)
		wants(t, err, flow.ErrUnknown)
		_, _, err = r.store.Resume(t.Context(), ref, digest(), flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		wants(t, r.store.Save(t.Context(), fresh(ref, r.clock.round()), "a"), flow.ErrLost)
		must(t, r.store.Release(t.Context(), ref, "a"))
	})
	t.Run("it is gone at its end", func(t *testing.T) {
		x := created(t, r)
		r.pass(flow.Idle - time.Second)
		load(t, r, x.Ref)
		r.pass(time.Second)
		_, _, err := r.store.Load(t.Context(), x.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("a save moves its end and a load does not", func(t *testing.T) {
		x := acquired(t, r)
		r.pass(10 * time.Second)
		x.Version++
		x.ExpiresAt = r.clock.round().Add(flow.Idle)
		must(t, r.store.Save(t.Context(), x, "a"))
		r.pass(flow.Idle - time.Second)
		load(t, r, x.Ref)
		r.pass(time.Second)
		_, _, err := r.store.Load(t.Context(), x.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("one over 16 KiB is refused and changes nothing", func(t *testing.T) {
		big := fresh(newRef(), r.clock.round())
		big.Steps["big"] = make([]byte, 16<<10)
		wants(t, r.store.Create(t.Context(), big, nil), flow.ErrTooLarge)
		_, _, err := r.store.Load(t.Context(), big.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)

		x := acquired(t, r)
		x.Version++
		x.Steps["big"] = make([]byte, 16<<10)
		wants(t, r.store.Save(t.Context(), x, "a"), flow.ErrTooLarge)
		if got := load(t, r, x.Ref); got.Version != 1 || len(got.Steps) != 0 {
			t.Error("something was saved")
		}
	})
	for _, tc := range []struct {
		name string
		edit func(record []byte) []byte
		want error
	}{
		{"one of a newer format is left to newer nodes", func(b []byte) []byte { b[60]++; return b }, flow.ErrNewer},
		{"one of a format that is no longer read says so", func(b []byte) []byte { b[60] = flow.Format - 2; return b }, flow.ErrOlder},
		{"one that is cut off is unknown", func(b []byte) []byte { return b[:len(b)-1] }, flow.ErrUnknown},
		{"one that is garbage is unknown", func([]byte) []byte { return bytes.Repeat([]byte("garbage"), 20) }, flow.ErrUnknown},
		{"one of 1 MiB is unknown", func([]byte) []byte { return make([]byte, 1<<20) }, flow.ErrUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := created(t, r)
			r.plant(t, x.Ref, tc.edit(bytes.Clone(r.value(t, x.Ref))))
			_, _, err := r.store.Load(t.Context(), x.Ref, flow.Digest{})
			wants(t, err, tc.want)
			for range 2 { // the lease was given back
				_, _, err = r.store.Acquire(t.Context(), x.Ref, claim(newRef().ID), nil)
				wants(t, err, tc.want)
			}
			_, _, err = r.store.Resume(t.Context(), x.Ref, x.Binding, flow.Digest{})
			wants(t, err, tc.want)
		})
	}
}

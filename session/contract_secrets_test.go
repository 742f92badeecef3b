package session_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/session"
)

func secrets(t *testing.T, r *rig) {
	t.Helper()
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
		must(t, r.store.PutSecret(t.Context(), name, hash, 2, time.Minute))
		use(t, name, hash, "4", ok) // also after a use
		must(t, r.store.PutSecret(t.Context(), name, hash, 2, time.Minute))
		use(t, name, old, "2", wrong(1)) // and a try of the old is none of the new
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

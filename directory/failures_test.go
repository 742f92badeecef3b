package directory_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/passwordpolicy"
)

func testLocks(t *testing.T, open opener) {
	t.Run("a lock says how long, holds for the right password, and ends", func(t *testing.T) {
		h := newHouse(t, open)
		for range 5 {
			h.try("known", "wrong")
		}
		h.now.Move(5 * time.Minute)
		v := h.check(directory.Check{Username: "known", Password: "right"})
		if v.Result != locked || v.UnlockIn != 10*time.Minute {
			t.Errorf("%+v", v)
		}
		h.now.Move(10 * time.Minute)
		if got := h.try("known", "right"); got != accepted {
			t.Errorf("after the lock: %v", got)
		}
	})
	t.Run("nothing counts while locked", func(t *testing.T) {
		h := newHouse(t, open)
		for _, name := range sorts() {
			for range 25 {
				h.try(name, "wrong")
			}
			h.now.Move(15 * time.Minute)
			for n := range 5 {
				if got, want := h.try(name, "wrong"), n == 4; (got == locked) != want {
					t.Errorf("%q: attempt %d after the lock: %v", name, n+1, got)
				}
			}
		}
	})
	t.Run("acceptance starts the count again", func(t *testing.T) {
		h := newHouse(t, open)
		for range 20 {
			for range 4 {
				h.try("known", "wrong")
			}
			if got := h.try("known", "right"); got != accepted {
				t.Fatal(got)
			}
		}
	})
	t.Run("disabled does not start it again", func(t *testing.T) {
		h := newHouse(t, open)
		for range 4 {
			h.try("disabled", "wrong")
		}
		h.try("disabled", "right")
		if got := h.try("disabled", "wrong"); got != locked {
			t.Error(got)
		}
	})
	testLongLocks(t, open)
	testLockRaces(t, open)
}

func testLongLocks(t *testing.T, open opener) {
	t.Run("the hundredth failure in a row locks for a day", func(t *testing.T) {
		for _, policy := range []passwordpolicy.Policy{{}, lockAfter(5, time.Minute), lockAfter(3, time.Minute)} {
			h := newHouse(t, open)
			h.policy = policy
			for n := 1; n <= 100; n++ {
				v := h.check(directory.Check{Username: "nobody", Password: "wrong"})
				if (v.UnlockIn == 24*time.Hour) != (n == 100) {
					t.Fatalf("policy %v, attempt %d: %+v", policy.Lockout, n, v)
				}
				h.now.Move(time.Minute)
			}
			h.now.Move(24 * time.Hour)
			if v := h.check(directory.Check{Username: "nobody", Password: "wrong"}); v.UnlockIn != 24*time.Hour {
				t.Errorf("after the day: %+v", v)
			}
		}
	})
	t.Run("one failure is enough where the policy says so", func(t *testing.T) {
		h := newHouse(t, open)
		h.policy = lockAfter(1, time.Minute)
		if got := h.try("known", "wrong"); got != locked {
			t.Error(got)
		}
	})
}

func testLockRaces(t *testing.T, open opener) {
	t.Run("a lock that comes while the password is hashed holds", func(t *testing.T) {
		for _, password := range []string{"right", "wrong"} {
			h := newHouse(t, open)
			h.try("known", "wrong")
			meanwhile := func() {}
			hasher := directory.NewHasher(cheap(), 1, func() time.Time { meanwhile(); return h.now.Now() })
			p := directory.NewPasswords(h.db, hasher, newRing(), lock5, h.now.Now)
			meanwhile = func() { // as another process would
				err := h.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, `UPDATE failures SET count = 5, locked_until = $1`, h.now.Now().Add(time.Minute).UnixMilli())
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
			v, err := p.Check(t.Context(), directory.Check{Env: env, Username: "known", Password: password})
			if err != nil || v.Result != locked || v.UnlockIn != time.Minute {
				t.Errorf("%s: %+v %v", password, v, err)
			}
			var count int
			if err := h.db.Reader().QueryRow(`SELECT count FROM failures`).Scan(&count); err != nil || count != 5 {
				t.Errorf("%s: the count became %d, %v", password, count, err)
			}
		}
	})
	t.Run("guesses at once are judged one after the other", func(t *testing.T) {
		h := newHouse(t, open)
		s := &stage{step: time.Microsecond}
		hasher := directory.NewHasher(cheap(), 8, s.Now)
		p := directory.NewPasswords(h.db, hasher, newRing(), lock5, h.now.Now)
		held := make(chan struct{})
		s.held = held
		var wg sync.WaitGroup
		guess := func(name string, times int) {
			for range times {
				wg.Go(func() {
					if _, err := p.Check(t.Context(), directory.Check{Env: env, Username: name, Password: "wrong"}); err != nil {
						t.Error(err)
					}
				})
			}
		}
		guess("known", 8)
		waitFor(t, func() bool { return s.stood.Load() == 1 })
		time.Sleep(30 * time.Millisecond)
		if n := s.stood.Load(); n != 1 {
			t.Errorf("%d guesses for one name are under way", n)
		}
		guess("nobody", 4)
		waitFor(t, func() bool { return s.stood.Load() == 2 })
		waitFor(t, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := p.Check(ctx, directory.Check{Env: env, Username: "known", Password: "wrong"})
			return errors.Is(err, directory.ErrBusy) // nine are too many
		})
		close(held)
		wg.Wait()
	})
}

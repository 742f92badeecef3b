package directory_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/directory"
)

func TestHasherAtItsRealCost(t *testing.T) {
	h := directory.NewHasher(directory.DefaultParams(), 2, time.Now)
	stored, err := h.Hash(t.Context(), "Correct-Horse-9")
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q %v", stored, err)
	}
	for password, want := range map[string]bool{"Correct-Horse-9": true, "correct-horse-9": false, "": false} {
		if match, outdated, err := h.Verify(t.Context(), password, stored); err != nil || outdated || match != want {
			t.Errorf("%q: %v %v %v", password, match, outdated, err)
		}
	}
	if !strings.HasPrefix(h.Dummy(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the dummy costs something else: %s", h.Dummy())
	}
}

func TestHasherComposesPasswords(t *testing.T) {
	h := directory.NewHasher(cheap(), 1, time.Now)
	stored, err := h.Hash(t.Context(), "\u00fcber")
	if err != nil {
		t.Fatal(err)
	}
	if match, _, err := h.Verify(t.Context(), "u\u0308ber", stored); err != nil || !match {
		t.Error("the decomposed form of a password is refused", err)
	}
}

func TestHasherTellsAnOutdatedCost(t *testing.T) {
	stored, err := directory.NewHasher(cheap(), 1, time.Now).Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	h := directory.NewHasher(directory.Params{Memory: 128, Time: 1, Threads: 1}, 1, time.Now)
	if match, outdated, err := h.Verify(t.Context(), "x", stored); !match || !outdated || err != nil {
		t.Error(match, outdated, err)
	}
}

func TestHasherRefusesToRead(t *testing.T) {
	h := directory.NewHasher(cheap(), 1, time.Now)
	good, err := h.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for name, stored := range map[string]string{
		"nothing": "", "plain text": "x", "costly bcrypt": "$2a$15$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"argon2i":         strings.Replace(good, "argon2id", "argon2i", 1),
		"another version": strings.Replace(good, "v=19", "v=16", 1),
		"too much memory": strings.Replace(good, "m=64", "m=65537", 1),
		"too many passes": strings.Replace(good, "t=1", "t=11", 1),
		"no passes":       strings.Replace(good, "t=1", "t=0", 1),
		"no lanes":        strings.Replace(good, "p=1", "p=0", 1),
		"too many lanes":  strings.Replace(good, "p=1", "p=5", 1),
		"lanes overflow":  strings.Replace(good, "p=1", "p=257", 1),
		"short hash":      good[:len(good)-4],
		"more behind":     good + "$",
		"spaces":          strings.Replace(good, "m=64", "m= 64", 1),
		"leading zero":    strings.Replace(good, "m=64", "m=064", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if match, _, err := h.Verify(t.Context(), "x", stored); err == nil || match {
				t.Error("accepted")
			}
			if err := h.Import(stored); err == nil {
				t.Error("may be stored")
			}
		})
	}
}

// The hashes are of "U*U" and "password", as published.
const (
	foreignBcrypt = "{BCRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	foreignSSHA   = "{SSHA256}x1tymSTVjozxQ2PtT46ysrzhZxbcskK0o2f8hEFx7fAQQmhtDSEkJA=="
)

func TestHasherVerifiesWhatOthersHashed(t *testing.T) {
	h := directory.NewHasher(cheap(), 1, time.Now)
	for name, row := range map[string]struct {
		password, stored string
		match            bool
	}{
		"dearer, the right password":  {"U*U", foreignBcrypt, true},
		"dearer, a wrong one":         {"U*V", foreignBcrypt, false},
		"cheaper, the right password": {"password", foreignSSHA, true},
		"cheaper, a wrong one":        {"Password", foreignSSHA, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := h.Import(row.stored); err != nil {
				t.Error(err)
			}
			match, outdated, err := h.Verify(t.Context(), row.password, row.stored)
			if match != row.match || !outdated || err != nil {
				t.Error(match, outdated, err)
			}
		})
	}
}

// Whoever has a cheap hash must not be known by the time of the answer, so the
// memory of a hash at today's cost is used for it too.
func TestHasherVerifiesACheapHashBesideTheDummy(t *testing.T) {
	const memory = 8 << 20
	h := directory.NewHasher(directory.Params{Memory: memory / 1024, Time: 1, Threads: 1}, 1, time.Now)
	cheaper, err := directory.NewHasher(cheap(), 1, time.Now).Hash(t.Context(), "password")
	if err != nil {
		t.Fatal(err)
	}
	for name, stored := range map[string]string{"of another system": foreignSSHA, "at a lower cost": cheaper, "the dummy": h.Dummy()} {
		t.Run(name, func(t *testing.T) {
			for _, password := range []string{"password", "wrong"} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if _, _, err := h.Verify(t.Context(), password, stored); err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				if used := after.TotalAlloc - before.TotalAlloc; used < memory || used > 2*memory {
					t.Errorf("%s: %d bytes were used", password, used)
				}
			}
		})
	}
}

// stage is a clock on which a hash stands still as it starts, and whose every
// look costs some time.
type stage struct {
	mu    sync.Mutex
	at    time.Time
	step  time.Duration
	held  chan struct{} // nil: nobody is held
	stood atomic.Int64
}

func (s *stage) Now() time.Time {
	s.mu.Lock()
	s.at = s.at.Add(s.step)
	at, held := s.at, s.held
	s.mu.Unlock()
	if held != nil {
		s.stood.Add(1)
		<-held
	}
	return at
}

// seasoned is a hasher of one worker that has hashed so much that it knows the cost.
func seasoned(t *testing.T, s *stage) *directory.Hasher {
	t.Helper()
	h := directory.NewHasher(cheap(), 1, s.Now)
	for range 50 {
		if _, err := h.Hash(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// TestHasherTakesOneSlowHashForWhatItIs: the first is timed while everything starts.
func TestHasherTakesOneSlowHashForWhatItIs(t *testing.T) {
	s := &stage{step: 3 * time.Second}
	h := directory.NewHasher(cheap(), 1, s.Now)
	if _, err := h.Hash(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	held := make(chan struct{})
	s.held = held
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = h.Hash(t.Context(), "x") })
	waitFor(t, func() bool { return s.stood.Load() == 1 })
	refused := make(chan error, 1)
	wg.Go(func() {
		_, err := h.Hash(t.Context(), "x")
		refused <- err
	})
	close(held)
	wg.Wait()
	if err := <-refused; err != nil {
		t.Errorf("beside another, after a slow one: %v", err)
	}
}

func TestHasherRefusesMoreThanASecondOfWork(t *testing.T) {
	s := &stage{step: 300 * time.Millisecond} // so every hash seems to take 300 ms
	h := seasoned(t, s)
	held := make(chan struct{})
	s.held = held
	var wg sync.WaitGroup
	var done, busy atomic.Int64
	for range 20 {
		wg.Go(func() {
			switch _, err := h.Hash(t.Context(), "x"); {
			case err == nil:
				done.Add(1)
			case errors.Is(err, directory.ErrBusy):
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return busy.Load() == 16 }) // while the first still runs
	close(held)
	wg.Wait()
	if done.Load() != 4 { // one runs, three wait at most 900 ms
		t.Errorf("%d were hashed", done.Load())
	}
	if _, err := h.Hash(t.Context(), "x"); err != nil {
		t.Errorf("after the rush: %v", err)
	}
}

// A hash counts as what it costs: at 300 ms for one of ours, a bcrypt hash that
// is many times dearer leaves room for nothing beside it, and a salted digest
// with its decoy for as many as one of ours does.
func TestHasherCountsAForeignHashAsWhatItCosts(t *testing.T) {
	for name, row := range map[string]struct {
		stored string
		beside int64
	}{
		"dearer":  {foreignBcrypt, 0},
		"cheaper": {foreignSSHA, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{step: 300 * time.Millisecond}
			h := seasoned(t, s)
			held := make(chan struct{})
			s.held = held
			var wg sync.WaitGroup
			wg.Go(func() { _, _, _ = h.Verify(t.Context(), "x", row.stored) })
			waitFor(t, func() bool { return s.stood.Load() == 1 })
			var done, busy atomic.Int64
			for range 8 {
				wg.Go(func() {
					if _, err := h.Hash(t.Context(), "x"); errors.Is(err, directory.ErrBusy) {
						busy.Add(1)
					} else if err == nil {
						done.Add(1)
					}
				})
			}
			waitFor(t, func() bool { return busy.Load() == 8-row.beside })
			close(held)
			wg.Wait()
			if done.Load() != row.beside {
				t.Errorf("%d were hashed", done.Load())
			}
		})
	}
}

func TestHasherRunsNoMoreThanItsWorkers(t *testing.T) {
	s := &stage{step: time.Microsecond}
	h := directory.NewHasher(cheap(), 2, s.Now)
	held := make(chan struct{})
	s.held = held
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := h.Hash(t.Context(), "x"); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return s.stood.Load() == 2 })
	time.Sleep(20 * time.Millisecond)
	if n := s.stood.Load(); n != 2 {
		t.Errorf("%d run at once", n)
	}
	close(held)
	wg.Wait()
}

func TestHasherForgetsCallersThatLeave(t *testing.T) {
	s := &stage{step: 300 * time.Millisecond}
	h := directory.NewHasher(cheap(), 1, s.Now)
	held := make(chan struct{})
	s.held = held
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = h.Hash(t.Context(), "x") })
	waitFor(t, func() bool { return s.stood.Load() == 1 })
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
	}
	close(held)
	wg.Wait()
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}

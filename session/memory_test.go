package session_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/session"
)

func TestFullMemoryRefusesAndEvictsNothing(t *testing.T) {
	c := &clock{}
	s := newEmbedded(t, 64<<10, c.now)
	var kept []*flow.Execution
	var err error
	for err == nil && len(kept) < 1000 {
		x := fresh(newRef(), c.round())
		if err = s.Create(t.Context(), x, nil); err == nil {
			kept = append(kept, x)
		}
	}
	wants(t, err, flow.ErrFull)
	if len(kept) < 30 || s.Used() > 64<<10 {
		t.Errorf("%d kept in %d bytes", len(kept), s.Used())
	}
	for _, x := range kept {
		got, _, err := s.Load(t.Context(), x.Ref, flow.Digest{})
		must(t, err)
		if diff := cmp.Diff(x, got, same()); diff != "" {
			t.Fatal(diff)
		}
	}
	for err == nil { // what little is left
		_, err = s.Session(t.Context(), newRef().Env, digest(), []flow.Limit{limit(9)})
	}
	for range 1000 {
		if _, err = s.Session(t.Context(), newRef().Env, digest(), []flow.Limit{limit(9)}); err != nil {
			break
		}
	}
	wants(t, err, flow.ErrFull) // a limit that cannot be counted refuses
	wants(t, s.PutSecret(t.Context(), "x", digest(), 1, time.Minute), flow.ErrFull)

	t.Run("and takes more once the old have ended and were swept", func(t *testing.T) {
		c.pass(time.Hour)
		deadline := time.Now().Add(20 * time.Second)
		for s.Used() > 0 && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		if s.Used() != 0 {
			t.Errorf("%d bytes are left", s.Used())
		}
		must(t, s.Create(t.Context(), fresh(newRef(), c.round()), nil))
	})
}

func TestSnapshot(t *testing.T) {
	c, ring := &clock{}, newRing(t)
	path := filepath.Join(t.TempDir(), "snapshot")
	s := newEmbedded(t, 0, c.now)
	x, ended, l := full(newRef(), c.round()), fresh(newRef(), c.round()), limit(1)
	ended.ExpiresAt = c.round().Add(time.Second)
	must(t, s.Create(t.Context(), x, []flow.Limit{l}))
	must(t, s.Create(t.Context(), ended, nil))
	must(t, s.Close())
	must(t, s.Close())
	c.pass(2 * time.Second)
	must(t, s.Snapshot(path, ring))
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	whole, err := os.ReadFile(path)
	must(t, err)
	for _, secret := range []string{x.User.Family, x.Request.LoginHint, x.Request.ReturnTo} {
		if bytes.Contains(whole, []byte(secret)) {
			t.Errorf("%q can be read in it", secret)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}

	damaged := func(name string, b []byte) {
		t.Run("refused whole: "+name, func(t *testing.T) {
			must(t, os.WriteFile(path, b, 0o600))
			s := newEmbedded(t, 0, c.now)
			wants(t, s.Restore(path, ring), session.ErrSnapshot)
			if s.Used() != 0 {
				t.Errorf("%d bytes were restored", s.Used())
			}
			if left, _ := os.ReadFile(path); !bytes.Equal(left, b) {
				t.Error("the file was changed")
			}
		})
	}
	damaged("empty", nil)
	damaged("another file", []byte("hello, world; I am not a snapshot at all"))
	damaged("cut in the name", whole[:25])
	damaged("cut in the middle", whole[:len(whole)/2])
	damaged("cut before the last part", whole[:len(whole)-40])
	damaged("one byte short", whole[:len(whole)-1])
	damaged("one byte long", append(bytes.Clone(whole), 0))
	for _, at := range []int{0, 22, 37, 50, len(whole) / 2, len(whole) - 1} {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1
		damaged("one bit flipped", flipped)
	}
	must(t, s.Snapshot(path, ring))
	second, err := os.ReadFile(path)
	must(t, err)
	damaged("the head of one on the body of another", append(bytes.Clone(second[:36]), whole[36:]...))

	must(t, os.WriteFile(path, whole, 0o600))
	t.Run("refused under another ring", func(t *testing.T) {
		wants(t, newEmbedded(t, 0, c.now).Restore(path, newRing(t)), session.ErrSnapshot)
	})
	t.Run("refused when it does not fit", func(t *testing.T) {
		wants(t, newEmbedded(t, 100, c.now).Restore(path, ring), flow.ErrFull)
	})
	t.Run("restored once, also after a rotation, without what has ended", func(t *testing.T) {
		ring, err := ring.Rotate()
		must(t, err)
		s := newEmbedded(t, 0, c.now)
		must(t, s.Restore(path, ring))
		got, _, err := s.Load(t.Context(), x.Ref, flow.Digest{})
		must(t, err)
		if diff := cmp.Diff(x, got, same()); diff != "" {
			t.Error(diff)
		}
		_, _, err = s.Load(t.Context(), ended.Ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		_, err = s.Session(t.Context(), x.Ref.Env, digest(), []flow.Limit{l})
		wantsPassed(t, err, l)
		if s.Used() == 0 {
			t.Error("what was restored is not counted")
		}
		again := newEmbedded(t, 0, c.now)
		must(t, again.Restore(path, ring))
		if again.Used() != 0 {
			t.Error("restored twice")
		}
	})
}

func TestEmbeddedWithoutItsDatabaseRefuses(t *testing.T) {
	c := &clock{}
	m := session.NewMemory(0, c.now)
	t.Cleanup(func() { _ = m.Close() })
	db := newDatabase(t)
	s := session.NewEmbedded(m, session.NewSQLSessions(db, c.now))
	x := fresh(newRef(), c.round())
	must(t, s.Create(t.Context(), x, nil))
	must(t, db.Close())
	st := digest()
	_, _, loaded := s.Load(t.Context(), x.Ref, st)
	_, _, taken := s.Acquire(t.Context(), x.Ref, flow.Claim{Holder: "a", Session: st}, nil)
	_, _, resumed := s.Resume(t.Context(), x.Ref, x.Binding, st)
	_, found := s.Session(t.Context(), x.Ref.Env, st, nil)
	_, ended := s.EndSession(t.Context(), x.Ref.Env, st)
	put := s.PutSession(t.Context(), x.Ref.Env, st, signOn(c.round()))
	for name, err := range map[string]error{"Load": loaded, "Acquire": taken, "Resume": resumed, "Session": found, "EndSession": ended, "PutSession": put} {
		if err == nil || errors.Is(err, flow.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := s.Acquire(t.Context(), x.Ref, claim("b"), nil) // the lease is free
	must(t, err)
}

// A read that overlaps with the end of a session must not leave it in the cache.
func TestEndedSessionIsNotRevivedByTheCache(t *testing.T) {
	c := &clock{}
	s := newEmbedded(t, 0, c.now)
	for range 300 {
		env, st := newRef().Env, digest()
		must(t, s.PutSession(t.Context(), env, st, signOn(c.round())))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := s.Session(t.Context(), env, st, nil); err != nil {
					t.Error(err)
				}
			})
		}
		_, err := s.EndSession(t.Context(), env, st)
		must(t, err)
		wg.Wait()
		if got, err := s.Session(t.Context(), env, st, nil); got != nil || err != nil {
			t.Fatalf("it is back: %v, %v", got, err)
		}
	}
}

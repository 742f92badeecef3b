package directory_test

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

func testSigningKeys(t *testing.T, open opener) {
	ctx := t.Context()
	now := newClock()
	db := open(t, directory.Options{Now: now.Now})
	s := directory.NewSigningKeys(db, newRing(), now.Now)
	active := func(s *directory.SigningKeys) string {
		t.Helper()
		k, err := s.Active(ctx, env, "ES256")
		if err != nil {
			t.Fatal(err)
		}
		return k.ID
	}
	published := func(s *directory.SigningKeys) int {
		t.Helper()
		all, err := s.All(ctx, env)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if _, err := s.Active(ctx, env, "ES256"); !errors.Is(err, flow.ErrUnknown) {
		t.Error(err)
	}
	var wg sync.WaitGroup
	made := make([]bool, 8)
	for i := range made {
		wg.Go(func() {
			var err error
			if made[i], err = s.Ensure(ctx, env, "ES256"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(fmt.Sprint(made), "true"); n != 1 {
		t.Errorf("%d first keys", n)
	}
	first := active(s)
	k, err := s.Active(ctx, env, "ES256")
	if _, ok := k.Private.(*ecdsa.PrivateKey); err != nil || !ok || len(k.Certificate) == 0 {
		t.Errorf("%+v %v", k, err)
	}
	if _, err := s.Ensure(ctx, env, "HS256"); err == nil {
		t.Error("made a key of an unknown algorithm")
	}

	// Another process, so without what the first has read.
	other := directory.NewSigningKeys(db, newRing(), now.Now)
	if active(other) != first {
		t.Error("two processes sign with two keys")
	}
	if _, err := s.Rotate(ctx, env, "ES256", time.Second, time.Hour); err == nil {
		t.Error("a key may sign before all have read it")
	}
	if ok, err := s.Rotate(ctx, env, "ES256", time.Minute, time.Hour); !ok || err != nil {
		t.Fatal(ok, err)
	}
	now.Move(6 * time.Second)
	if published(s) != 2 || published(other) != 2 || active(s) != first || active(other) != first {
		t.Error("a new key is not published by everybody before it signs")
	}
	now.Move(time.Minute)
	second := active(s)
	if second == first || active(other) != second || published(s) != 2 {
		t.Error("the new key does not sign in time")
	}
	now.Move(time.Hour)
	if published(s) != 1 || active(s) != second {
		t.Error("the old key is published for ever")
	}
	if n, err := db.Sweep(ctx); n != 1 || err != nil {
		t.Error(n, err)
	}
}

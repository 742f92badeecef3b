package directory_test

import (
	"context"
	"crypto/ecdsa"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func testCodes(t *testing.T, open opener) {
	fresh := func(t *testing.T) (*directory.Codes, *clock, directory.Code) {
		t.Helper()
		now := newClock()
		codes := directory.NewCodes(open(t, directory.Options{Now: now.Now}), now.Now)
		c := newCode(0, now.Now())
		if err := codes.Issue(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		return codes, now, c
	}
	redeem := func(t *testing.T, codes *directory.Codes, c directory.Code) directory.Redemption {
		t.Helper()
		_, r, err := codes.Redeem(t.Context(), c.Env, c.Hash)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	holds := func(t *testing.T, codes *directory.Codes, now *clock) bool {
		t.Helper()
		g, err := codes.Grant(t.Context(), env, "grant0")
		if err != nil {
			t.Fatal(err)
		}
		return g.Holds(now.Now())
	}
	t.Run("a code brings back what was issued", func(t *testing.T) {
		codes, now, c := fresh(t)
		got, r, err := codes.Redeem(t.Context(), env, c.Hash)
		if err != nil || r != directory.First {
			t.Fatal(r, err)
		}
		if d := cmp.Diff(c, got); d != "" {
			t.Error(d)
		}
		g, err := codes.Grant(t.Context(), env, c.GrantID)
		want := directory.Grant{
			ID: c.GrantID, Env: env, Application: "app", Scope: "openid", UserID: "u", SessionID: "s", ACR: "Single_Factor",
			AMR: c.AMR, AuthTime: c.AuthTime, IssuedAt: c.IssuedAt, EndsAt: c.EndsAt,
		}
		if d := cmp.Diff(want, g); d != "" || err != nil || !g.Holds(now.Now()) || g.Holds(c.EndsAt) {
			t.Error(err, d)
		}
	})
	t.Run("the second redemption revokes the grant", func(t *testing.T) {
		codes, now, c := fresh(t)
		if r := redeem(t, codes, c); r != directory.First || !holds(t, codes, now) {
			t.Fatal(r)
		}
		now.Move(10 * time.Minute) // also long after the code has expired
		if r := redeem(t, codes, c); r != directory.Again || holds(t, codes, now) {
			t.Error(r)
		}
		if r := redeem(t, codes, c); r != directory.Again {
			t.Error(r)
		}
	})
	t.Run("issuing again changes nothing", func(t *testing.T) {
		codes, _, c := fresh(t)
		redeem(t, codes, c)
		if err := codes.Issue(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if r := redeem(t, codes, c); r != directory.Again {
			t.Error(r)
		}
		c.Hash = flow.Sum("another")
		if err := codes.Issue(t.Context(), c); err == nil {
			t.Error("one grant took two codes")
		}
	})
	t.Run("a code lives 60 seconds", func(t *testing.T) {
		for after, want := range map[time.Duration]directory.Redemption{
			0: directory.First, 59 * time.Second: directory.First, 60 * time.Second: directory.Unknown, 599 * time.Second: directory.Unknown,
		} {
			codes, now, c := fresh(t)
			now.Move(after)
			if r := redeem(t, codes, c); r != want {
				t.Errorf("after %v: %v", after, r)
			}
		}
	})
	t.Run("no code is longer lived, and one may be shorter", func(t *testing.T) {
		for life, want := range map[time.Duration]directory.Redemption{time.Hour: directory.Unknown, 5 * time.Second: directory.Unknown} {
			codes, now, c := fresh(t)
			c.Hash, c.GrantID, c.ExpiresAt = flow.Sum("x"), "x", c.IssuedAt.Add(life)
			if err := codes.Issue(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			now.Move(min(life, directory.CodeLife))
			if r := redeem(t, codes, c); r != want {
				t.Errorf("life %v: %v", life, r)
			}
		}
	})
	t.Run("unknown elsewhere", func(t *testing.T) {
		codes, _, c := fresh(t)
		c.Env = "other"
		if r := redeem(t, codes, c); r != directory.Unknown {
			t.Error(r)
		}
		if _, err := codes.Grant(t.Context(), "other", c.GrantID); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("a revoked grant cannot be redeemed", func(t *testing.T) {
		for name, revoke := range map[string]func(*directory.Codes) error{
			"by id":      func(s *directory.Codes) error { return s.Revoke(t.Context(), env, "grant0") },
			"by session": func(s *directory.Codes) error { return s.RevokeBySession(t.Context(), env, "s") },
		} {
			codes, now, c := fresh(t)
			if err := revoke(codes); err != nil {
				t.Fatal(err)
			}
			if r := redeem(t, codes, c); r != directory.Unknown || holds(t, codes, now) {
				t.Errorf("%s: %v", name, r)
			}
		}
	})
	t.Run("of 16 racers one is first", func(t *testing.T) {
		codes, now, _ := fresh(t)
		for n := 1; n <= 20; n++ {
			c := newCode(n, now.Now())
			if err := codes.Issue(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			var got [16]directory.Redemption
			var wg sync.WaitGroup
			for i := range got {
				wg.Go(func() { _, got[i], _ = codes.Redeem(t.Context(), env, c.Hash) })
			}
			wg.Wait()
			times := map[directory.Redemption]int{}
			for _, r := range got {
				times[r]++
			}
			if times[directory.First] != 1 || times[directory.Again] != 15 {
				t.Errorf("round %d: %v", n, times)
			}
		}
	})
}

func testResources(t *testing.T, open opener) {
	ctx := t.Context()
	db := open(t, directory.Options{})
	r := directory.NewResources(db, newRing())
	app := flow.Resource{Env: env, Kind: "application", ID: "a1", Body: []byte(`{"name":"web"}`)}
	own := flow.Resource{Env: env, Kind: directory.EnvironmentKind, ID: env, Body: []byte(`{}`)}
	plan := []byte(`{"name":"Single_Factor"}`)
	hash := flow.Sum(string(plan))
	first, err := r.Apply(ctx, env, []flow.Resource{app, own}, nil,
		map[string][]byte{"application/a1/secret": []byte("s3cret"), "application/a1/old": []byte("older")}, map[flow.Digest][]byte{hash: plan})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("documents, secrets and plans are kept", func(t *testing.T) {
		list, err := r.List(ctx, env)
		if d := cmp.Diff([]flow.Resource{app, own}, list); d != "" || err != nil {
			t.Error(err, d)
		}
		if envs, err := r.Environments(ctx); err != nil || len(envs) != 1 || envs[0].ID != env {
			t.Error(envs, err)
		}
		if s, err := r.Secret(ctx, env, "application", "a1", "secret"); err != nil || string(s) != "s3cret" {
			t.Errorf("%q %v", s, err)
		}
		all, err := r.Secrets(ctx, env)
		if d := cmp.Diff(map[string][]byte{"application/a1/secret": []byte("s3cret"), "application/a1/old": []byte("older")}, all); d != "" || err != nil {
			t.Error(err, d)
		}
		if got, err := r.Plan(ctx, env, hash); err != nil || string(got) != string(plan) {
			t.Errorf("%q %v", got, err)
		}
	})
	t.Run("what is not there is unknown", func(t *testing.T) {
		if _, err := r.Secret(ctx, env, "application", "a1", "none"); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
		if _, err := r.Plan(ctx, "other", hash); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("the revision grows with a change in any environment", func(t *testing.T) {
		last := first
		for _, e := range []string{"other", env, "other", "third"} {
			n, err := r.Apply(ctx, e, nil, nil, nil, nil)
			if seen, _ := r.Revision(ctx); err != nil || n <= last || seen != n {
				t.Errorf("%s: %d after %d, seen %d, %v", e, n, last, seen, err)
			}
			last = n
		}
	})
	t.Run("a change that fails changes nothing", func(t *testing.T) {
		before, _ := r.Revision(ctx)
		bad := flow.Resource{Env: "other", Kind: "application", ID: "a2", Body: []byte(`{}`)}
		if _, err := r.Apply(ctx, env, []flow.Resource{bad}, []flow.Resource{app}, nil, nil); err == nil {
			t.Error("took a document of another environment")
		}
		if _, err := r.Apply(ctx, env, nil, nil, map[string][]byte{"a1/secret": {1}}, nil); err == nil {
			t.Error("took a secret without a kind")
		}
		list, _ := r.List(ctx, env)
		if after, _ := r.Revision(ctx); after != before || len(list) != 2 {
			t.Errorf("revision %d after %d, %d documents", after, before, len(list))
		}
	})
	t.Run("a sealed secret opens in its own row only", func(t *testing.T) {
		if err := db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO secrets SELECT env, kind, 'a9', name, sealed FROM secrets WHERE name = 'old'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if s, err := r.Secret(ctx, env, "application", "a9", "old"); err == nil {
			t.Errorf("opened %q", s)
		}
		if _, err := r.Apply(ctx, env, nil, []flow.Resource{{Kind: "application", ID: "a9"}}, nil, nil); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("an empty secret is removed, a removed document takes its secrets along", func(t *testing.T) {
		if _, err := r.Apply(ctx, env, nil, nil, map[string][]byte{"application/a1/old": nil}, nil); err != nil {
			t.Fatal(err)
		}
		if all, err := r.Secrets(ctx, env); err != nil || len(all) != 1 {
			t.Error(all, err)
		}
		if _, err := r.Apply(ctx, env, nil, []flow.Resource{app}, nil, nil); err != nil {
			t.Fatal(err)
		}
		all, _ := r.Secrets(ctx, env)
		if list, err := r.List(ctx, env); err != nil || len(list) != 1 || len(all) != 0 {
			t.Error(list, all, err)
		}
		if _, err := r.Plan(ctx, env, hash); err != nil {
			t.Errorf("the plan went along: %v", err)
		}
	})
}

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

func testAudit(t *testing.T, open opener) {
	log := directory.NewAuditLog(open(t, directory.Options{}))
	e := flow.Event{
		Type: flow.PasswordRefused, Env: env, Flow: "f", Application: "a", User: "u", Session: "s", RemoteIP: "::1", Reason: "r",
		At: newClock().Now(),
	}
	later := e
	later.Type = flow.PasswordAccepted
	if err := log.Append(t.Context(), []flow.Event{e, later, {Env: "other"}}); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int][]flow.Event{10: {later, e}, 1: {later}} {
		got, err := log.List(t.Context(), env, limit)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Error(err, d)
		}
	}
}

func testSweep(t *testing.T, open opener) {
	now := newClock()
	db := open(t, directory.Options{Now: now.Now, KeepEvents: 48 * time.Hour})
	ctx := context.Background()
	p := directory.NewPasswords(db, directory.NewHasher(cheap(), 2, now.Now), newRing(), lock5, now.Now)
	fill := func(n int) {
		t.Helper()
		_, err := p.Check(ctx, directory.Check{Env: env, Username: fmt.Sprint("name", n), Effect: fmt.Sprint("effect", n)})
		err = errors.Join(err, directory.NewCodes(db, now.Now).Issue(ctx, newCode(n, now.Now())),
			putRow(db, fmt.Sprint("session", n), now.Now().Add(8*time.Hour), 1),
			directory.NewAuditLog(db).Append(ctx, []flow.Event{{Env: env, At: now.Now()}}))
		if err != nil {
			t.Fatal(err)
		}
	}
	fill(0)
	for _, step := range []struct {
		after time.Duration
		left  string
	}{
		{59 * time.Minute, "effects 1 failures 1 grants 1 sessions 1 events 1"},
		{2 * time.Minute, "effects 1 failures 1 grants 0 sessions 1 events 1"},
		{time.Hour, "effects 0 failures 1 grants 0 sessions 1 events 1"},
		{7 * time.Hour, "effects 0 failures 1 grants 0 sessions 0 events 1"},
		{48 * time.Hour, "effects 0 failures 1 grants 0 sessions 0 events 0"},
		{30 * 24 * time.Hour, "effects 0 failures 0 grants 0 sessions 0 events 0"},
	} {
		now.Move(step.after)
		if _, err := db.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, table := range []string{"effects", "failures", "grants", "sessions", "events"} {
			got = append(got, fmt.Sprint(table, " ", rows(t, db, table)))
		}
		if s := strings.Join(got, " "); s != step.left {
			t.Errorf("after another %v: %s", step.after, s)
		}
	}
	if err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO effects WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700) SELECT 'k' || i, '', 1 FROM n`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Sweep(ctx); n != 1700 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
}

package directory_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func testResources(t *testing.T, open opener) {
	ctx := t.Context()
	db := open(t, directory.Options{})
	r := directory.NewResources(db, newRing())
	app := flow.Resource{Env: env, Kind: "application", ID: "a1", Body: []byte(`{"name":"web"}`)}
	own := flow.Resource{Env: env, Kind: directory.EnvironmentKind, ID: env, Body: []byte(`{}`)}
	plan := []byte(`{"name":"Single_Factor"}`)
	hash := flow.Sum(string(plan))
	first, err := r.Apply(ctx, env, []flow.Resource{app, own}, nil,
		map[string][]byte{"application/a1/secret": []byte("s3cret"), "application/a1/old": []byte("older")}, map[flow.Digest][]byte{hash: plan}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("documents, secrets and plans are kept", func(t *testing.T) {
		list, err := r.List(ctx, env)
		for i := range list {
			if list[i].CreatedAt.IsZero() || list[i].UpdatedAt.Before(list[i].CreatedAt) {
				t.Errorf("made at %v, changed at %v", list[i].CreatedAt, list[i].UpdatedAt)
			}
			list[i].CreatedAt, list[i].UpdatedAt = time.Time{}, time.Time{}
		}
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
			n, err := r.Apply(ctx, e, nil, nil, nil, nil, 0)
			if seen, _ := r.Revision(ctx); err != nil || n <= last || seen != n {
				t.Errorf("%s: %d after %d, seen %d, %v", e, n, last, seen, err)
			}
			last = n
		}
	})
	testChanges(t, db, r, app)
}

func testChanges(t *testing.T, db *directory.DB, r *directory.Resources, app flow.Resource) {
	t.Helper()
	ctx := t.Context()
	t.Run("a change that fails changes nothing", func(t *testing.T) {
		before, _ := r.Revision(ctx)
		bad := flow.Resource{Env: "other", Kind: "application", ID: "a2", Body: []byte(`{}`)}
		if _, err := r.Apply(ctx, env, []flow.Resource{bad}, []flow.Resource{app}, nil, nil, 0); err == nil {
			t.Error("took a document of another environment")
		}
		if _, err := r.Apply(ctx, env, nil, nil, map[string][]byte{"a1/secret": {1}}, nil, 0); err == nil {
			t.Error("took a secret without a kind")
		}
		list, _ := r.List(ctx, env)
		if after, _ := r.Revision(ctx); after != before || len(list) != 2 {
			t.Errorf("revision %d after %d, %d documents", after, before, len(list))
		}
	})
	t.Run("a sealed secret opens in its own row only", func(t *testing.T) {
		if err := db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO secrets SELECT env, kind, 'a9', name, sealed FROM secrets WHERE name = 'old'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if s, err := r.Secret(ctx, env, "application", "a9", "old"); err == nil {
			t.Errorf("opened %q", s)
		}
		if _, err := r.Apply(ctx, env, nil, []flow.Resource{{Kind: "application", ID: "a9"}}, nil, nil, 0); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("an empty secret is removed, a removed document takes its secrets along", func(t *testing.T) {
		if _, err := r.Apply(ctx, env, nil, nil, map[string][]byte{"application/a1/old": nil}, nil, 0); err != nil {
			t.Fatal(err)
		}
		if all, err := r.Secrets(ctx, env); err != nil || len(all) != 1 {
			t.Error(all, err)
		}
		if _, err := r.Apply(ctx, env, nil, []flow.Resource{app}, nil, nil, 0); err != nil {
			t.Fatal(err)
		}
		all, _ := r.Secrets(ctx, env)
		if list, err := r.List(ctx, env); err != nil || len(list) != 1 || len(all) != 0 {
			t.Error(list, all, err)
		}
		if rows(t, db, "plans") != 1 {
			t.Error("the plan went along")
		}
	})
}

// meddling opens values, the first of them while somebody else is at it.
type meddling struct {
	directory.Resealer
	first func()
}

func (m *meddling) Open(sealed []byte, env, column string) ([]byte, error) {
	if f := m.first; f != nil {
		m.first = nil
		f()
	}
	return m.Resealer.Open(sealed, env, column)
}

// What is changed or removed while everything is sealed anew stays so.
func TestPostgresResealUndoesNothing(t *testing.T) {
	ctx := t.Context()
	db := onServer(t, directory.Options{Now: time.Now})
	old := newRing()
	next, err := old.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	put := func(r *directory.Resources, value string) {
		t.Helper()
		if _, err := r.Apply(ctx, env, nil, nil, map[string][]byte{"application/a1/secret": []byte(value)}, nil, 0); err != nil {
			t.Error(err)
		}
	}
	node := directory.NewResources(db, next)
	for _, now := range []string{"rotated", ""} {
		put(directory.NewResources(db, old), "leaked")
		if _, err := directory.Reseal(ctx, db, &meddling{next, func() { put(node, now) }}); err != nil {
			t.Fatal(err)
		}
		if got, err := node.Secret(ctx, env, "application", "a1", "secret"); string(got) != now {
			t.Errorf("the secret is %q, want %q: %v", got, now, err)
		}
	}
}

func testReseal(t *testing.T, open opener) {
	ctx := t.Context()
	db := open(t, directory.Options{})
	first, now := newRing(), newClock()
	r, signing := directory.NewResources(db, first), directory.NewSigningKeys(db, first, now.Now)
	own := flow.Resource{Env: env, Kind: directory.EnvironmentKind, ID: env, Body: []byte(`{}`)}
	if _, err := r.Apply(ctx, env, []flow.Resource{own}, nil, map[string][]byte{"application/a1/secret": []byte("s3cret"), "x/y/z": []byte("other")}, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := signing.Ensure(ctx, env, "ES256"); err != nil {
		t.Fatal(err)
	}
	if n, err := directory.Reseal(ctx, db, first); n != 0 || err != nil {
		t.Errorf("%d values were not fresh: %v", n, err)
	}
	second, err := first.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := directory.Reseal(ctx, db, second); n != 3 || err != nil {
		t.Errorf("%d values were sealed anew: %v", n, err)
	}
	third, err := second.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	s, err := directory.NewResources(db, third).Secret(ctx, env, "application", "a1", "secret")
	if string(s) != "s3cret" || err != nil {
		t.Errorf("after two rotations: %q %v", s, err)
	}
	if _, err := directory.NewSigningKeys(db, third, now.Now).Active(ctx, env, "ES256"); err != nil {
		t.Error(err)
	}
	if fourth, _ := third.Rotate(); fourth != nil {
		if n, err := directory.Reseal(ctx, db, fourth); n != 0 || !errors.Is(err, keys.ErrSealed) {
			t.Errorf("%d values were sealed anew that cannot be read: %v", n, err)
		}
	}
}

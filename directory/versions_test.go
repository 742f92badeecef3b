package directory_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func testVersions(t *testing.T, open opener) {
	now := newClock()
	db := open(t, directory.Options{Now: now.Now})
	r := directory.NewResources(db, newRing())
	ctx := t.Context()
	version := func(id, body string) directory.Version {
		return directory.Version{Kind: "form", ID: id, Hash: flow.Sum(body), Body: []byte(body), Author: "ada", Note: "of " + body}
	}
	t.Run("are numbered by document, newest first, and stay", func(t *testing.T) {
		for _, row := range []struct {
			ids  []string
			want string
		}{{[]string{"f1"}, "[1]"}, {[]string{"f1", "f2", "f1"}, "[2 1 3]"}, {nil, "[]"}, {[]string{"f1"}, "[4]"}} {
			var all []directory.Version
			for n, id := range row.ids {
				all = append(all, version(id, fmt.Sprint(id, row.want, n)))
			}
			done, err := r.Edit(ctx, directory.Edit{Env: env, Remove: []flow.Resource{{Kind: "form", ID: "f1"}}, Versions: all})
			if rev, _ := r.Revision(ctx); err != nil || fmt.Sprint(done.Numbers) != row.want || done.Revision != rev {
				t.Errorf("%+v %v", done, err)
			}
			now.Move(time.Second)
		}
		if p, err := r.Versions(ctx, env, "form", "f1", "", 0); err != nil || p.Count != 4 || p.Next != "" || p.Versions[0].Number != 4 || p.Versions[3].Number != 1 || p.Versions[0].Body != nil {
			t.Errorf("%+v %v", p, err)
		}
		if p, err := r.Versions(ctx, "other", "form", "f1", "", 0); err != nil || p.Count != 0 || len(p.Versions) != 0 {
			t.Errorf("%+v %v", p, err)
		}
	})
	t.Run("are read by number and by hash", func(t *testing.T) {
		again := version("f1", "f1[1]0")
		again.Note = "again"
		if _, err := r.Edit(ctx, directory.Edit{Env: env, Versions: []directory.Version{again}}); err != nil {
			t.Fatal(err)
		}
		want := version("f1", "f1[1]0")
		want.Env, want.Number, want.At = env, 1, newClock().Now()
		if got, err := r.Version(ctx, env, "form", "f1", 1); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		want.Number, want.At, want.Note = 5, now.Now(), "again"
		if got, err := r.VersionOf(ctx, env, "form", "f1", want.Hash); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		_, byNumber := r.Version(ctx, env, "form", "f1", 6)
		_, byHash := r.VersionOf(ctx, env, "form", "f2", want.Hash)
		if !errors.Is(byNumber, flow.ErrUnknown) || !errors.Is(byHash, flow.ErrUnknown) {
			t.Error(byNumber, byHash)
		}
	})
	t.Run("come in pages that new ones do not move", func(t *testing.T) {
		var got []int64
		for after := ""; ; {
			p, err := r.Versions(ctx, env, "form", "f1", after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range p.Versions {
				got = append(got, v.Number)
			}
			if after = p.Next; after == "" {
				break
			}
			if _, err := r.Versions(ctx, env, "form", "f2", after, 2); !errors.Is(err, directory.ErrCursor) {
				t.Errorf("of another document: %v", err)
			}
			if _, err := r.Edit(ctx, directory.Edit{Env: env, Versions: []directory.Version{version("f1", "new")}}); err != nil {
				t.Fatal(err)
			}
		}
		if fmt.Sprint(got) != "[5 4 3 2 1]" {
			t.Error(got)
		}
	})
	t.Run("are added with the change or not at all", func(t *testing.T) {
		before := rows(t, db, "versions")
		bad := flow.Resource{Env: "other", Kind: "form", ID: "f1", Body: []byte(`{}`)}
		strange := version("f1", "x")
		strange.Env = "other"
		for _, e := range []directory.Edit{{Env: env, Put: []flow.Resource{bad}, Versions: []directory.Version{version("f1", "x")}}, {Env: env, Versions: []directory.Version{strange}}} {
			if done, err := r.Edit(ctx, e); err == nil || done.Numbers != nil {
				t.Errorf("%+v", done)
			}
		}
		if n := rows(t, db, "versions"); n != before {
			t.Errorf("%d more", n-before)
		}
	})
	testExpectedRevision(t, r)
}

func testExpectedRevision(t *testing.T, r *directory.Resources) {
	t.Helper()
	ctx := t.Context()
	t.Run("a change that rests on an older revision changes nothing", func(t *testing.T) {
		seen, err := r.Revision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		form := flow.Resource{Kind: "form", ID: "late", Body: []byte(`{}`)}
		next, err := r.Apply(ctx, "other", nil, nil, nil, nil, seen)
		if err != nil || next != seen+1 {
			t.Fatal(next, err)
		}
		for _, stale := range []int64{seen, next + 1, -1} {
			_, err := r.Edit(ctx, directory.Edit{Env: env, Put: []flow.Resource{form}, Versions: []directory.Version{{Kind: "form", ID: "late"}}, Expected: stale})
			if !errors.Is(err, flow.ErrLost) {
				t.Errorf("after %d: %v", stale, err)
			}
		}
		list, _ := r.List(ctx, env)
		p, _ := r.Versions(ctx, env, "form", "late", "", 0)
		if now, err := r.Revision(ctx); err != nil || now != next || len(list) != 0 || p.Count != 0 {
			t.Errorf("revision %d, %d documents, %d versions, %v", now, len(list), p.Count, err)
		}
	})
	t.Run("of many changes at once that rest on one revision one is made", func(t *testing.T) {
		seen, err := r.Revision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for n := range 8 {
			wg.Go(func() {
				_, err := r.Apply(ctx, fmt.Sprint("env", n), nil, nil, nil, nil, seen)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					made++
				case !errors.Is(err, flow.ErrLost):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if now, err := r.Revision(ctx); err != nil || made != 1 || now != seen+1 {
			t.Errorf("%d made, revision %d after %d, %v", made, now, seen, err)
		}
	})
}

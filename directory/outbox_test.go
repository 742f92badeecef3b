package directory_test

import (
	"slices"
	"testing"
	"time"

	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/flow"
)

func testOutbox(t *testing.T, open opener) {
	// filled has messages to nobody and to ada, one a second.
	filled := func(t *testing.T, n int) *estate {
		t.Helper()
		e := newEstate(t, open)
		for i := range n {
			name := []string{"ada", "nobody"}[i%2]
			if _, err := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: name, Flow: "f", Locales: "en"}); err != nil {
				t.Fatal(err)
			}
			e.now.Move(time.Second)
		}
		return e
	}
	claim := func(e *estate, n int) []flow.Message {
		e.t.Helper()
		out, err := e.outbox.Claim(e.t.Context(), n, time.Minute, nil)
		if err != nil {
			e.t.Fatal(err)
		}
		return out
	}
	waiting := func(e *estate) int {
		e.t.Helper()
		n, err := e.outbox.Waiting(e.t.Context())
		if err != nil {
			e.t.Fatal(err)
		}
		return n
	}
	t.Run("hands out the oldest first, each once", func(t *testing.T) {
		e := filled(t, 6)
		e.now.Move(-time.Hour) // by another node's clock
		if _, err := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: "bea"}); err != nil {
			t.Fatal(err)
		}
		e.now.Move(time.Hour)
		if got := claim(e, 1); len(got) != 1 || got[0].To != "bea@example.com" {
			t.Errorf("%+v", got)
		}
		var all []flow.Message
		for _, want := range []int{4, 2, 0} {
			got := claim(e, 4)
			if len(got) != want {
				t.Errorf("claimed %d, want %d", len(got), want)
			}
			all = append(all, got...)
		}
		if !slices.IsSortedFunc(all, func(a, b flow.Message) int { return a.CreatedAt.Compare(b.CreatedAt) }) || waiting(e) != 7 {
			t.Error("not the oldest first", waiting(e))
		}
		for i, m := range all {
			if to := []string{"ada@example.com", ""}[i%2]; m.To != to || m.Attempt != 0 || m.Env != env || m.Flow != "f" || m.Template != "recovery" || len(m.Params["code"]) != 8 {
				t.Errorf("%+v", m)
			}
		}
	})
	t.Run("hands out again what was not done in time", func(t *testing.T) {
		e := filled(t, 1)
		first := claim(e, 1)[0]
		e.now.Move(59 * time.Second)
		if got := claim(e, 1); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		e.now.Move(time.Second)
		got := claim(e, 1)
		if len(got) != 1 || got[0].ID != first.ID || got[0].Attempt != 1 {
			t.Fatalf("%+v", got)
		}
		at := e.now.Now().Add(10 * time.Second)
		if err := e.outbox.Later(t.Context(), first.ID, at, "BUSY"); err != nil {
			t.Fatal(err)
		}
		e.now.Move(9 * time.Second)
		if got := claim(e, 1); len(got) != 0 {
			t.Errorf("before its time: %+v", got)
		}
		e.now.Move(time.Second)
		if got := claim(e, 1); len(got) != 1 || got[0].Attempt != 2 || got[0].Params["code"] != first.Params["code"] {
			t.Errorf("%+v", got)
		}
	})
	t.Run("hands out what is new before what is tried again", func(t *testing.T) {
		e := filled(t, 1)
		old := claim(e, 1)[0]
		if err := e.outbox.Later(t.Context(), old.ID, e.now.Now().Add(2*time.Second), "BUSY"); err != nil {
			t.Fatal(err)
		}
		if _, err := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: "bea"}); err != nil {
			t.Fatal(err)
		}
		e.now.Move(time.Minute)
		for _, to := range []string{"bea@example.com", "ada@example.com"} {
			if got := claim(e, 1); len(got) != 1 || got[0].To != to {
				t.Errorf("%+v, want the one to %s", got, to)
			}
		}
	})
	t.Run("forgets what is done, and does not begin again", func(t *testing.T) {
		e := filled(t, 2)
		all := claim(e, 2)
		if err := e.outbox.Sent(t.Context(), all[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := e.outbox.Dropped(t.Context(), all[1].ID, "NOBODY"); err != nil {
			t.Fatal(err)
		}
		if n := e.number(`SELECT COUNT(*) FROM outbox WHERE length(sealed) > 0`); n != 0 || waiting(e) != 0 {
			t.Errorf("%d still say something, %d wait", n, waiting(e))
		}
		for _, m := range all {
			if err := e.outbox.Later(t.Context(), m.ID, e.now.Now(), "BUSY"); err != nil {
				t.Fatal(err)
			}
		}
		e.now.Move(time.Hour)
		if got := claim(e, 9); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		if err := e.outbox.Sent(t.Context(), "unknown"); err != nil {
			t.Error(err)
		}
	})
	t.Run("leaves out environments, however long their messages have waited", func(t *testing.T) {
		e := filled(t, 6)
		e.do(`UPDATE outbox SET env = 'first' WHERE id IN (SELECT id FROM outbox ORDER BY created_at LIMIT 2)`)
		e.do(`UPDATE outbox SET env = 'second' WHERE env <> 'first' AND id IN (SELECT id FROM outbox ORDER BY created_at LIMIT 4)`)
		for _, row := range []struct {
			except []string
			want   int
		}{{[]string{"first", "second"}, 2}, {[]string{"first"}, 2}, {[]string{"first"}, 0}, {nil, 2}} {
			got, err := e.outbox.Claim(t.Context(), 2, time.Minute, row.except)
			if err != nil || len(got) != row.want {
				t.Errorf("but %q: %d, not %d, %v", row.except, len(got), row.want, err)
			}
			for _, m := range got {
				if slices.Contains(row.except, m.Env) {
					t.Errorf("but %q: %s", row.except, m.Env)
				}
			}
		}
	})
	t.Run("an empty one costs no write", func(t *testing.T) {
		e := filled(t, 1)
		claim(e, 1)
		commits := e.count.commits.Load()
		claim(e, 1)
		if e.count.commits.Load() != commits {
			t.Error("it wrote")
		}
	})
	t.Run("a message that cannot be opened is nobody's", func(t *testing.T) {
		e := filled(t, 1)
		other, err := keys.Generate()
		if err != nil {
			t.Fatal(err)
		}
		got, err := directory.NewOutbox(e.db, other, e.now.Now).Claim(t.Context(), 1, time.Minute, nil)
		if err != nil || len(got) != 1 || got[0].To != "" || got[0].Params != nil {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("a message lies in its own row only", func(t *testing.T) {
		e := filled(t, 3)
		e.do(`UPDATE outbox SET sealed = (SELECT o.sealed FROM outbox o ORDER BY o.created_at LIMIT 1)`)
		to := 0
		for _, m := range claim(e, 3) {
			if m.To != "" {
				to++
			}
		}
		if to != 1 {
			t.Errorf("%d messages could be opened", to)
		}
	})
}

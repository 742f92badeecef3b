package directory_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/passwordpolicy"
)

const (
	refused  = directory.Refused
	locked   = directory.LockedOut
	disabled = directory.Disabled
	accepted = directory.Accepted
)

// house is a directory with one user of every sort; all passwords are "right".
type house struct {
	*directory.Passwords
	t      *testing.T
	now    *clock
	db     *directory.DB
	users  *directory.Users
	count  *counter
	hashes *atomic.Int64
	policy passwordpolicy.Policy
	ids    map[string]string
}

func newHouse(t *testing.T, open opener) *house {
	t.Helper()
	h := &house{t: t, now: newClock(), count: &counter{}, hashes: &atomic.Int64{}, ids: map[string]string{}, policy: lock5("", "")}
	h.db = open(t, directory.Options{Now: h.now.Now, Wrap: h.count.wrap})
	hasher := directory.NewHasher(cheap(), 4, func() time.Time { h.hashes.Add(1); return h.now.Now() })
	h.users = directory.NewUsers(h.db, hasher, h.now.Now)
	h.Passwords = directory.NewPasswords(h.db, hasher, newRing(), func(string, string) passwordpolicy.Policy { return h.policy }, h.now.Now)
	for _, u := range []struct {
		name, password string
		enabled        bool
	}{{"known", "right", true}, {"disabled", "right", false}, {"passwordless", "", true}} {
		made, err := h.users.Create(t.Context(), directory.User{Env: env, Username: u.name, Enabled: u.enabled}, u.password, "")
		if err != nil {
			t.Fatal(err)
		}
		h.ids[u.name] = made.ID
	}
	return h
}

func (h *house) check(c directory.Check) directory.Verdict {
	h.t.Helper()
	c.Env = env
	v, err := h.Check(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *house) try(name, password string) directory.Result {
	h.t.Helper()
	return h.check(directory.Check{Username: name, Password: password}).Result
}

// sorts are names that must not be told apart by a stranger.
func sorts() []string {
	return []string{"known", "disabled", "passwordless", "nobody", "zero\u200bwidth"}
}

func testPasswords(t *testing.T, open opener) {
	t.Run("verdicts", func(t *testing.T) {
		h := newHouse(t, open)
		for _, row := range []struct {
			name, password string
			want           directory.Result
		}{
			{"known", "right", accepted},
			{"KNOWN ", "right", accepted},
			{"known", "wrong", refused},
			{"known", "", refused},
			{"disabled", "right", disabled},
			{"disabled", "wrong", refused},
			{"passwordless", "right", refused},
			{"passwordless", "", refused},
			{"nobody", "right", refused},
			{"", "right", refused},
		} {
			if got := h.try(row.name, row.password); got != row.want {
				t.Errorf("%q with %q: %v, want %v", row.name, row.password, got, row.want)
			}
		}
	})
	t.Run("by id", func(t *testing.T) {
		h := newHouse(t, open)
		for id, want := range map[string]directory.Result{h.ids["known"]: accepted, h.ids["disabled"]: disabled, "nobody": refused} {
			if got := h.check(directory.Check{UserID: id, Username: "known", Password: "right"}); got.Result != want {
				t.Errorf("%s: %+v", id, got)
			}
		}
	})
	t.Run("accepted names the subject", func(t *testing.T) {
		h := newHouse(t, open)
		if v := h.check(directory.Check{Username: "known", Password: "right"}); v.Subject.ID != h.ids["known"] || v.Subject.Username != "known" {
			t.Errorf("%+v", v)
		}
	})
	t.Run("every sort of name locks at the same attempt", func(t *testing.T) {
		h := newHouse(t, open)
		want := []directory.Result{refused, refused, refused, refused, locked, locked, locked}
		for _, name := range sorts() {
			var got []directory.Result
			for range want {
				got = append(got, h.try(name, "wrong"))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q: %v", name, got)
			}
		}
	})
	testLocks(t, open)
	testEffects(t, open)
	testCosts(t, open)
}

func testEffects(t *testing.T, open opener) {
	t.Run("a repeated effect counts once and gets the first verdict", func(t *testing.T) {
		h := newHouse(t, open)
		for _, name := range []string{"known", "nobody"} {
			same := directory.Check{Username: name, Password: "wrong", Effect: "e/" + name}
			for range 10 {
				if got := h.check(same).Result; got != refused {
					t.Fatalf("%s: %v", name, got)
				}
			}
			for n := range 4 {
				if got, want := h.try(name, "wrong"), n == 3; (got == locked) != want {
					t.Errorf("%s: attempt %d: %v", name, n+2, got)
				}
			}
			if got := h.check(same).Result; got != refused {
				t.Errorf("%s: the first verdict became %v", name, got)
			}
		}
	})
	t.Run("a repeated effect that locked says so again", func(t *testing.T) {
		h := newHouse(t, open)
		for range 4 {
			h.try("known", "wrong")
		}
		same := directory.Check{Username: "known", Password: "wrong", Effect: "last"}
		h.check(same)
		h.now.Move(time.Minute)
		if v := h.check(same); v.Result != locked || v.UnlockIn != 14*time.Minute {
			t.Errorf("%+v", v)
		}
	})
	t.Run("the same key of another kind of effect is another effect", func(t *testing.T) {
		h := newHouse(t, open)
		if _, err := h.users.Create(t.Context(), directory.User{Env: env, Username: "x"}, "", "e"); err != nil {
			t.Fatal(err)
		}
		if v := h.check(directory.Check{Username: "known", Password: "wrong", Effect: "e"}); v.Result != refused {
			t.Errorf("%+v", v)
		}
	})
}

func testCosts(t *testing.T, open opener) {
	t.Run("every check is one query, one hash and at most one write", func(t *testing.T) {
		h := newHouse(t, open)
		step := func(name, password string, want directory.Result, writes int64) {
			t.Helper()
			reads, commits, hashes := h.count.reads.Load(), h.count.commits.Load(), h.hashes.Load()
			if got := h.try(name, password); got != want {
				t.Errorf("%s %s: %v, want %v", name, password, got, want)
			}
			if n := h.count.reads.Load() - reads; n != 1 {
				t.Errorf("%s %s: %d queries", name, password, n)
			}
			if n := h.count.commits.Load() - commits; n != writes {
				t.Errorf("%s %s: %d writes, want %d", name, password, n, writes)
			}
			if n := h.hashes.Load() - hashes; n != 2 { // the clock is read before and after
				t.Errorf("%s %s: %d looks at the clock", name, password, n)
			}
		}
		for _, name := range sorts() {
			for n := range 5 {
				step(name, "wrong", map[bool]directory.Result{true: locked, false: refused}[n == 4], 1)
			}
			step(name, "wrong", locked, 0)
		}
		step("known", "right", locked, 0)
		h.now.Move(time.Hour)
		step("known", "right", accepted, 1) // counter, last sign-on
		step("known", "right", accepted, 0)
		h.now.Move(61 * time.Second)
		step("known", "right", accepted, 1) // last sign-on
		step("known", "wrong", refused, 1)
		step("known", "right", accepted, 1) // counter
		step("disabled", "right", disabled, 0)
	})
	t.Run("acceptance records when and from where", func(t *testing.T) {
		h := newHouse(t, open)
		h.check(directory.Check{Username: "known", Password: "right", RemoteIP: "192.0.2.1"})
		u, err := h.users.Get(t.Context(), env, h.ids["known"])
		if err != nil || !u.LastSignOnAt.Equal(h.now.Now()) || u.LastSignOnIP != "192.0.2.1" {
			t.Errorf("%+v %v", u, err)
		}
	})
	t.Run("an outdated hash is made again at today's cost", func(t *testing.T) {
		h := newHouse(t, open)
		hasher := directory.NewHasher(directory.Params{Memory: 128, Time: 1, Threads: 1}, 2, h.now.Now)
		p := directory.NewPasswords(h.db, hasher, newRing(), lock5, h.now.Now)
		for range 2 {
			if v, err := p.Check(t.Context(), directory.Check{Env: env, Username: "known", Password: "right"}); err != nil || v.Result != accepted {
				t.Fatal(v, err)
			}
		}
		var n int
		if err := h.db.Reader().QueryRow(`SELECT COUNT(*) FROM users WHERE password LIKE '$argon2id$v=19$m=128,%'`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d upgraded, %v", n, err)
		}
	})
	t.Run("a store that fails gives no verdict", func(t *testing.T) {
		h := newHouse(t, open)
		for _, word := range []string{"SELECT", "BEGIN", "COMMIT"} {
			h.count.fail.Store(&word)
			for _, password := range []string{"wrong", "right"} {
				v, err := h.Check(t.Context(), directory.Check{Env: env, Username: "known", Password: password})
				if !errors.Is(err, errDisk) || v != (directory.Verdict{}) {
					t.Errorf("failing %s, %s password: %+v %v", word, password, v, err)
				}
			}
			h.count.fail.Store(nil)
		}
	})
}

package directory_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"

	"github.com/google/go-cmp/cmp"
)

const (
	oldPassword = "Old-Password-1"
	newPassword = "New-Password-2"
)

// estate is a directory with accounts of every sort, all with oldPassword.
type estate struct {
	*directory.Accounts
	t         *testing.T
	now       *clock
	db        *directory.DB
	users     *directory.Users
	passwords *directory.Passwords
	outbox    *directory.Outbox
	count     *counter
	looks     *atomic.Int64 // of the hasher at the clock
	policy    passwordpolicy.Policy
	ids       map[string]string
	effects   int
}

func newEstate(t *testing.T, open opener) *estate {
	t.Helper()
	e := &estate{t: t, now: newClock(), count: &counter{}, looks: &atomic.Int64{}, ids: map[string]string{}, policy: lock5("", "")}
	e.policy.MinLength = 8
	e.db = open(t, directory.Options{Now: e.now.Now, Wrap: e.count.wrap})
	hasher := directory.NewHasher(cheap(), 4, func() time.Time { e.looks.Add(1); return e.now.Now() })
	policies := func(string, string) passwordpolicy.Policy { return e.policy }
	e.users = directory.NewUsers(e.db, hasher, e.now.Now)
	e.passwords = directory.NewPasswords(e.db, hasher, newRing(), policies, e.now.Now)
	e.Accounts = directory.NewAccounts(e.db, hasher, newRing(), policies, e.now.Now)
	e.outbox = directory.NewOutbox(e.db, newRing(), e.now.Now)
	for _, u := range []directory.User{
		{Username: "ada", Enabled: true, Given: "Ada", PreferredLanguage: "de"},
		{Username: "bea", Enabled: true},
		{Username: "disabled"},
		{Username: "locked", Enabled: true},
		{Username: "external", Enabled: true, Authority: "idp"},
		{Username: "passwordless", Enabled: true},
		{Username: "addressless", Enabled: true},
		{Username: "unverified", Enabled: true, Unverified: true},
	} {
		u.Env, u.Population = env, "p1"
		password := oldPassword
		switch u.Username {
		case "passwordless":
			password = ""
		case "addressless":
			u.Email = ""
		}
		if u.Username != "addressless" {
			u.Email = u.Username + "@example.com"
		}
		made, err := e.users.Create(t.Context(), u, password, "")
		if err != nil {
			t.Fatal(err)
		}
		e.ids[u.Username] = made.ID
	}
	if err := e.users.Lock(t.Context(), env, e.ids["locked"], time.Time{}); err != nil {
		t.Fatal(err)
	}
	return e
}

// effect is a new effect key.
func (e *estate) effect() string {
	e.effects++
	return fmt.Sprint("flow/node/", e.effects)
}

// mail takes everything out of the outbox.
func (e *estate) mail() []flow.Message {
	e.t.Helper()
	out, err := e.outbox.Claim(e.t.Context(), 1000, time.Hour)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, m := range out {
		if err := e.outbox.Sent(e.t.Context(), m.ID); err != nil {
			e.t.Fatal(err)
		}
	}
	return out
}

// one is the one message that waits.
func (e *estate) one() flow.Message {
	e.t.Helper()
	all := e.mail()
	if len(all) != 1 {
		e.t.Fatalf("%d messages", len(all))
	}
	return all[0]
}

// forgot asks for a recovery code and returns what was mailed.
func (e *estate) forgot(name string) flow.Message {
	e.t.Helper()
	id, err := e.StartRecovery(e.t.Context(), directory.Recovery{Env: env, Username: name, Locales: "en", Flow: "f", Effect: e.effect()})
	if err != nil || id != e.ids[name] {
		e.t.Fatalf("recovery of %s: %q, %v", name, id, err)
	}
	return e.one()
}

func (e *estate) recover(r directory.Recovering) directory.Changed {
	e.t.Helper()
	r.Env = env
	if r.Effect == "" {
		r.Effect = e.effect()
	}
	c, err := e.Recover(e.t.Context(), r)
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

func (e *estate) change(c directory.Change) directory.Changed {
	e.t.Helper()
	c.Env = env
	if c.Effect == "" {
		c.Effect = e.effect()
	}
	got, err := e.ChangePassword(e.t.Context(), c)
	if err != nil {
		e.t.Fatal(err)
	}
	return got
}

// signOn checks a password.
func (e *estate) signOn(name, password string) directory.Verdict {
	e.t.Helper()
	v, err := e.passwords.Check(e.t.Context(), directory.Check{Env: env, Username: name, Password: password})
	if err != nil {
		e.t.Fatal(err)
	}
	return v
}

func (e *estate) user(name string) directory.User {
	e.t.Helper()
	u, err := e.users.Get(e.t.Context(), env, e.ids[name])
	if err != nil {
		e.t.Fatal(err)
	}
	return u
}

// number is the one number that a query gives.
func (e *estate) number(query string, args ...any) (n int64) {
	e.t.Helper()
	if err := e.db.Reader().QueryRowContext(e.t.Context(), query, args...).Scan(&n); err != nil {
		e.t.Fatal(err)
	}
	return n
}

// do changes the tables behind the repositories' back.
func (e *estate) do(statement string) {
	e.t.Helper()
	err := e.db.Write(e.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

// shape is what an outsider could measure of a call: its statements, one by one,
// its commits and its hashes.
func (e *estate) shape(call func()) []string {
	e.t.Helper()
	e.count.statements()
	looks, commits, waiting := e.looks.Load(), e.count.commits.Load(), e.number(`SELECT COUNT(*) FROM outbox`)
	e.count.statements()
	call()
	out := slices.Clone(e.count.statements())
	return append(out, fmt.Sprint(e.count.commits.Load()-commits, " commits"), fmt.Sprint((e.looks.Load()-looks)/2, " hashes"),
		fmt.Sprint(e.number(`SELECT COUNT(*) FROM outbox`)-waiting, " messages"))
}

// sameShape calls with each name and compares with the first.
func (e *estate) sameShape(names []string, call func(name string)) {
	e.t.Helper()
	var want []string
	for i, name := range names {
		got := e.shape(func() { call(name) })
		if i == 0 {
			want = got
			e.t.Logf("%d statements, %s", len(got)-3, strings.Join(got[len(got)-3:], ", "))
		} else if diff := cmp.Diff(want, got); diff != "" {
			e.t.Errorf("%s: %s", name, diff)
		}
	}
}

// everybody are accounts that a stranger must not tell apart, known ones first.
func everybody() []string {
	return []string{"ada", "nobody", "disabled", "locked", "external", "passwordless", "addressless", "unverified", "bea", "zero\u200bwidth"}
}

func testNoOracle(t *testing.T, open opener) {
	t.Run("recovery", func(t *testing.T) {
		e := newEstate(t, open)
		for range 5 {
			e.signOn("bea", "wrong") // locked by failures
		}
		ids := map[string]string{}
		for round := range 8 { // the sixth and later ones send no code
			e.sameShape(everybody(), func(name string) {
				id, err := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: name, UserID: ids[name], Effect: e.effect()})
				if err != nil || id != e.ids[name] {
					t.Errorf("%s: %q %v", name, id, err)
				}
				ids[name] = id
			})
			if round == 0 {
				e.mail()
			}
		}
		for range 7 { // past the tries of a code
			e.sameShape(everybody(), func(name string) {
				if got := e.recover(directory.Recovering{UserID: ids[name], Username: name, Code: "WRONGWRO", Password: newPassword}); got.Result != directory.WrongCode {
					t.Errorf("%s: %+v", name, got)
				}
			})
		}
	})
	t.Run("mail goes to those who may recover, and to nobody else", func(t *testing.T) {
		e := newEstate(t, open)
		for range 5 {
			e.signOn("bea", "wrong")
		}
		to := map[string]string{"ada": "ada@example.com", "unverified": "unverified@example.com", "bea": "bea@example.com"}
		for _, name := range everybody() {
			if m := e.forgot(name); m.To != to[name] || m.Template != "recovery" || len(m.Params["code"]) != 8 {
				t.Errorf("%s: %s to %q", name, m.Template, m.To)
			}
		}
	})
	t.Run("verification", func(t *testing.T) {
		e := newEstate(t, open)
		names := []string{"unverified", "nobody", "ada", "disabled", "locked", "external", "addressless"}
		for range 7 {
			e.sameShape(names, func(name string) {
				_, err := e.SendVerification(t.Context(), directory.Send{Env: env, UserID: e.ids[name], Effect: e.effect()})
				if err != nil {
					t.Error(err)
				}
			})
		}
		for range 7 {
			e.sameShape(names, func(name string) {
				v, err := e.Verify(t.Context(), directory.Verification{Env: env, UserID: e.ids[name], Code: "WRONGWRO", Effect: e.effect()})
				if err != nil || v != (directory.Verified{}) {
					t.Errorf("%s: %+v %v", name, v, err)
				}
			})
		}
	})
	t.Run("passwords", func(t *testing.T) {
		e := newEstate(t, open)
		names := []string{"ada", "nobody", "disabled", "locked", "external", "passwordless", "unverified"}
		for n := range 7 {
			e.sameShape(names, func(name string) {
				if got := e.signOn(name, "wrong").Result; (got == locked) != (n >= 4) {
					t.Errorf("%s, attempt %d: %v", name, n+1, got)
				}
			})
		}
	})
	t.Run("change of passwords", func(t *testing.T) {
		e := newEstate(t, open)
		e.ids["nobody"] = "d0000000-0000-4000-8000-0000000000ff"
		names := []string{"ada", "nobody", "disabled", "locked", "external", "passwordless", "unverified"}
		for n := range 7 {
			e.sameShape(names, func(name string) {
				got := e.change(directory.Change{UserID: e.ids[name], Current: "wrong", Password: newPassword})
				if want := map[bool]directory.ChangeResult{true: directory.Locked, false: directory.WrongPassword}[n >= 4]; got.Result != want {
					t.Errorf("%s, attempt %d: %+v", name, n+1, got)
				}
			})
		}
	})
}

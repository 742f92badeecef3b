package directory_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
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
	out, err := e.outbox.Claim(e.t.Context(), 1000, time.Hour, nil)
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

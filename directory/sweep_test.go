package directory_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

func testSweep(t *testing.T, open opener) {
	now := newClock()
	db := open(t, directory.Options{Now: now.Now, KeepEvents: 48 * time.Hour})
	ctx := context.Background()
	p := directory.NewPasswords(db, directory.NewHasher(cheap(), 2, now.Now), newRing(), lock5, now.Now)
	accounts := directory.NewAccounts(db, directory.NewHasher(cheap(), 2, now.Now), newRing(), lock5, now.Now)
	fill := func(n int) {
		t.Helper()
		_, err := p.Check(ctx, directory.Check{Env: env, Username: fmt.Sprint("name", n), Effect: fmt.Sprint("effect", n)})
		err = errors.Join(err, directory.NewCodes(db, now.Now).Issue(ctx, newCode(n, now.Now())),
			putRow(db, fmt.Sprint("session", n), now.Now().Add(8*time.Hour), 1), //nolint:contextcheck // both are the background
			directory.NewAuditLog(db).Append(ctx, []flow.Event{{Env: env, At: now.Now()}}))
		_, errStart := accounts.StartRecovery(ctx, directory.Recovery{Env: env, Username: fmt.Sprint("name", n)})
		if err = errors.Join(err, errStart); err != nil {
			t.Fatal(err)
		}
	}
	fill(0)
	for _, step := range []struct {
		after time.Duration
		left  string
	}{
		{59 * time.Minute, "effects 1 failures 1 grants 1 sessions 1 events 1 secret_codes 1 mail_counts 1 outbox 1"},
		{2 * time.Minute, "effects 1 failures 1 grants 0 sessions 1 events 1 secret_codes 1 mail_counts 0 outbox 1"},
		{time.Hour, "effects 0 failures 1 grants 0 sessions 1 events 1 secret_codes 0 mail_counts 0 outbox 1"},
		{7 * time.Hour, "effects 0 failures 1 grants 0 sessions 0 events 1 secret_codes 0 mail_counts 0 outbox 1"},
		{48 * time.Hour, "effects 0 failures 1 grants 0 sessions 0 events 0 secret_codes 0 mail_counts 0 outbox 0"},
		{30 * 24 * time.Hour, "effects 0 failures 0 grants 0 sessions 0 events 0 secret_codes 0 mail_counts 0 outbox 0"},
	} {
		now.Move(step.after)
		if _, err := db.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, table := range []string{"effects", "failures", "grants", "sessions", "events", "secret_codes", "mail_counts", "outbox"} {
			got = append(got, fmt.Sprint(table, " ", rows(t, db, table)))
		}
		if s := strings.Join(got, " "); s != step.left {
			t.Errorf("after another %v: %s", step.after, s)
		}
	}
	if err := db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO effects WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700) SELECT 'k' || i, '', 1 FROM n`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Sweep(ctx); n != 1700 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
}

// testSweepKeepsLocks: a lock lasts as long as the policy says, however long that is.
func testSweepKeepsLocks(t *testing.T, open opener) {
	now := newClock()
	db := open(t, directory.Options{Now: now.Now})
	year := func(string, string) passwordpolicy.Policy {
		var p passwordpolicy.Policy
		p.Lockout.Failures, p.Lockout.Duration = 3, 365*24*time.Hour
		return p
	}
	p := directory.NewPasswords(db, directory.NewHasher(cheap(), 2, now.Now), newRing(), year, now.Now)
	check := func() directory.Result {
		t.Helper()
		v, err := p.Check(t.Context(), directory.Check{Env: env, Username: "ada", Password: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return v.Result
	}
	for range 3 {
		check()
	}
	for after, want := range []directory.Result{directory.LockedOut, directory.Refused} {
		now.Move(time.Duration(1+after*400) * 31 * 24 * time.Hour)
		if _, err := db.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := check(); got != want {
			t.Errorf("%v, not %v", got, want)
		}
	}
}

package directory_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/internal/pgtest"
	"doorward/runtime/flow"
)

func raise(state string) string {
	return `DO $$ BEGIN RAISE EXCEPTION 'mine' USING ERRCODE = '` + state + `'; END $$`
}

func TestPostgresRunsAgainWhatAnotherTransactionUndid(t *testing.T) {
	db := onServer(t, directory.Options{})
	for name, row := range map[string]struct {
		fail string
		want int // runs until it works, or it is given up
		ok   bool
	}{
		"serialization failure":  {raise("40001"), 3, true},
		"deadlock":               {raise("40P01"), 3, true},
		"lock not available":     {raise("55P03"), 3, true},
		"a connection that ends": {`SELECT pg_terminate_backend(pg_backend_pid())`, 3, true},
		"a broken rule":          {raise("23505"), 1, false},
		"a statement too long":   {raise("57014"), 1, false},
		"a full disk":            {raise("53100"), 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				runs++
				if err := insert(name)(ctx, tx); err != nil || runs == 3 {
					return err
				}
				_, err := tx.ExecContext(ctx, row.fail)
				return err
			})
			if runs != row.want || (err == nil) != row.ok {
				t.Errorf("%d runs, then %v", runs, err)
			}
			kept := 0
			if err := db.Reader().QueryRow(`SELECT COUNT(*) FROM sessions WHERE hash = $1`, []byte(name)).Scan(&kept); err != nil || kept == 1 != row.ok {
				t.Errorf("kept %d times, %v", kept, err)
			}
		})
	}
	t.Run("but not for ever", func(t *testing.T) {
		db := openAt(t, pgtest.Database(t), directory.Options{Patience: hasty})
		runs := 0
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			runs++
			_, err := tx.ExecContext(ctx, raise("40001"))
			return err
		})
		if err == nil || runs < 2 || runs > 12 {
			t.Errorf("%d runs, then %v", runs, err)
		}
	})
}

func TestPostgresAcknowledgesNothingAfterAFailedStatement(t *testing.T) {
	db := onServer(t, directory.Options{})
	err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		if err := insert("x")(ctx, tx); err != nil {
			return err
		}
		_ = insert("x")(ctx, tx) // the same key again
		return nil
	})
	if err == nil || rows(t, db, "sessions") != 0 {
		t.Errorf("%v, %d rows", err, rows(t, db, "sessions"))
	}
}

// A write that waits for another one's row gives up in time, and so does the next.
func TestPostgresRefusesSoonWhatIsHeldByAnother(t *testing.T) {
	path := pgtest.Database(t)
	db := openAt(t, path, directory.Options{Patience: hasty})
	if err := db.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("pgx", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	tx, err := raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(`UPDATE heartbeat SET at = 0`); err != nil {
		t.Fatal(err)
	}
	soon(t, 30, func() error { return db.Health(t.Context()) })
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return db.Health(t.Context()) == nil })
}

// soon runs refused calls at once: each must end in time, for which a busy machine
// is given a second more. Were they to wait for each other, they would take three; were
// they not to wait at all, the quickest would say so.
func soon(t *testing.T, calls int, refused func() error) {
	t.Helper()
	var wg sync.WaitGroup
	took := make([]time.Duration, calls)
	for i := range took {
		wg.Go(func() {
			began := time.Now()
			if err := refused(); err == nil {
				t.Error("it was answered")
			}
			took[i] = time.Since(began)
		})
	}
	wg.Wait()
	if longest := slices.Max(took); longest > 2*time.Second {
		t.Errorf("refused after %v", longest)
	}
	if shortest := slices.Min(took); shortest > time.Second {
		t.Errorf("the quickest was refused after %v", shortest)
	}
}

func TestPostgresSweepSparesWhatIsRenewedMeanwhile(t *testing.T) {
	path := pgtest.Database(t)
	now := newClock()
	db := openAt(t, path, directory.Options{Now: now.Now})
	if err := putRow(db, "renewed", now.Now().Add(-time.Hour), 1); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("pgx", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	tx, err := raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(`UPDATE sessions SET expires_at = $1`, now.Now().Add(time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = tx.Commit() })
	if n, err := db.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if rows(t, db, "sessions") != 1 {
		t.Error("a session that was renewed is gone")
	}
}

// Two nodes put the same documents, in opposite order; a third state is nobody's.
func TestPostgresChangesOfConfigurationTakeTurns(t *testing.T) {
	path := pgtest.Database(t)
	var nodes [2]*directory.Resources
	for i := range nodes {
		nodes[i] = directory.NewResources(openAt(t, path, directory.Options{}), newRing())
	}
	documents := func(body string) (all []flow.Resource) {
		for n := range 30 {
			all = append(all, flow.Resource{Env: env, Kind: "application", ID: fmt.Sprintf("a%02d", n), Body: []byte(body)})
		}
		return all
	}
	for round := range 5 {
		var wg sync.WaitGroup
		for i, node := range nodes {
			wg.Go(func() {
				put := documents(fmt.Sprint("node ", i))
				if i == 1 {
					slices.Reverse(put)
				}
				if _, err := node.Apply(t.Context(), env, put, nil, nil, nil, 0); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wg.Wait()
		all, err := nodes[0].List(t.Context(), env)
		if err != nil || len(all) != 30 {
			t.Fatal(len(all), err)
		}
		for _, one := range all {
			if string(one.Body) != string(all[0].Body) {
				t.Fatalf("round %d: a mixture", round)
			}
		}
	}
	if n, err := nodes[0].Revision(t.Context()); n != 10 || err != nil {
		t.Errorf("revision %d after 10 changes, %v", n, err)
	}
}

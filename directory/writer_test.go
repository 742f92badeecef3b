package directory_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"doorward/directory"
)

// work is what a write does.
type work func(ctx context.Context, tx *sql.Tx) error

// together runs fns so that they wait for the writer at the same time and share
// a group.
func together(db *directory.DB, ctxs []context.Context, fns []work) []error {
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	held := make(chan struct{})
	wg.Go(func() {
		release := sync.OnceFunc(func() { close(held) })
		defer release() // when it cannot even begin
		_ = db.Write(context.Background(), func(context.Context, *sql.Tx) error {
			release()
			time.Sleep(50 * time.Millisecond)
			return nil
		})
	})
	<-held
	for i := range fns {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panicked: %v", p)
				}
			}()
			errs[i] = db.Write(ctxs[i], fns[i])
		})
	}
	wg.Wait()
	return errs
}

func insert(id string) work {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (env, hash, id, body, put_at, expires_at) VALUES ($1, $2, '', $3, 0, 0)`, env, []byte(id), []byte{})
		return err
	}
}

var errMine = errors.New("my own failure")

func testWrites(t *testing.T, open opener) {
	for name, spoil := range map[string]work{
		"an error":     func(context.Context, *sql.Tx) error { return errMine },
		"a constraint": insert("bad"),
		"a panic":      func(context.Context, *sql.Tx) error { panic("mine") },
		"an interrupt": func(ctx context.Context, tx *sql.Tx) error {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			var n int
			return tx.QueryRowContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000)
				SELECT COUNT(*) FROM n`).Scan(&n)
		},
	} {
		testSpoiler(t, open, name, spoil)
	}
	testWriteCalls(t, open)
	testFailingDisk(t, open)
}

func testSpoiler(t *testing.T, open opener, name string, spoil work) {
	t.Helper()
	t.Run(name+" spoils nobody else's write", func(t *testing.T) {
		db := open(t, directory.Options{})
		const bad = 7
		var ctxs []context.Context
		var fns []work
		for i := range 15 {
			ctxs, fns = append(ctxs, t.Context()), append(fns, insert(fmt.Sprint("good", i)))
		}
		fns[bad] = func(ctx context.Context, tx *sql.Tx) error {
			if err := insert("bad")(ctx, tx); err != nil {
				return err
			}
			return spoil(ctx, tx)
		}
		for i, err := range together(db, ctxs, fns) {
			if (err != nil) != (i == bad) {
				t.Errorf("write %d: %v", i, err)
			}
		}
		if n := rows(t, db, "sessions"); n != 14 {
			t.Errorf("%d rows, want 14", n)
		}
	})
}

func testWriteCalls(t *testing.T, open opener) {
	t.Run("a failing write leaves nothing", func(t *testing.T) {
		db := open(t, directory.Options{})
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return errors.Join(insert("x")(ctx, tx), errMine) })
		if !errors.Is(err, errMine) || rows(t, db, "sessions") != 0 {
			t.Errorf("%v, %d rows", err, rows(t, db, "sessions"))
		}
	})
	t.Run("a caller that has left is not served", func(t *testing.T) {
		db := open(t, directory.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Write(ctx, insert("late")); !errors.Is(err, context.Canceled) || rows(t, db, "sessions") != 0 {
			t.Errorf("%v, %d rows", err, rows(t, db, "sessions"))
		}
	})
	t.Run("a caller that leaves meanwhile changes nothing about its write", func(t *testing.T) {
		db := open(t, directory.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			cancel()
			return insert("x")(ctx, tx)
		})
		if err != nil || rows(t, db, "sessions") != 1 {
			t.Errorf("%v, %d rows", err, rows(t, db, "sessions"))
		}
	})
	t.Run("a closed directory refuses", func(t *testing.T) {
		db := open(t, directory.Options{})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), insert("x")); !errors.Is(err, directory.ErrClosed) {
			t.Errorf("write: %v", err)
		}
		if err := db.Health(t.Context()); err == nil {
			t.Error("healthy")
		}
	})
}

func testFailingDisk(t *testing.T, open opener) {
	t.Run("a failing disk is told to every caller", func(t *testing.T) {
		var n counter
		db := open(t, directory.Options{Wrap: n.wrap})
		for _, at := range []string{"BEGIN", "COMMIT", "INSERT"} {
			n.fail.Store(&at)
			ctx := t.Context()
			errs := together(db, []context.Context{ctx, ctx, ctx}, []work{insert("a" + at), insert("b" + at), insert("c" + at)})
			for _, err := range errs {
				if !errors.Is(err, errDisk) {
					t.Errorf("failing %s: %v", at, err)
				}
			}
			if err := db.Health(ctx); !errors.Is(err, errDisk) {
				t.Errorf("health with failing %s: %v", at, err)
			}
			n.fail.Store(nil)
			if err := db.Health(ctx); err != nil {
				t.Errorf("after failing %s: %v", at, err)
			}
		}
		if rows(t, db, "sessions") != 0 {
			t.Error("a failed write left a row")
		}
	})
}

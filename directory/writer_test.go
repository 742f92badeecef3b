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

// together runs fns so that they wait for the writer at the same time and share
// a group.
func together(db *directory.DB, ctxs []context.Context, fns []func(*sql.Tx) error) []error {
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	held := make(chan struct{})
	wg.Go(func() {
		release := sync.OnceFunc(func() { close(held) })
		defer release() // when it cannot even begin
		_ = db.Write(context.Background(), func(*sql.Tx) error {
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

func insert(id string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO sessions (env, hash, id, body, put_at, expires_at) VALUES ($1, $2, '', $3, 0, 0)`, env, []byte(id), []byte{})
		return err
	}
}

var errMine = errors.New("my own failure")

func testWrites(t *testing.T, open opener) {
	for name, spoil := range map[string]func(ctx context.Context, cancel func(), tx *sql.Tx) error{
		"an error":     func(context.Context, func(), *sql.Tx) error { return errMine },
		"a constraint": func(_ context.Context, _ func(), tx *sql.Tx) error { return insert("bad")(tx) },
		"a panic":      func(context.Context, func(), *sql.Tx) error { panic("mine") },
		"an interrupt": func(ctx context.Context, cancel func(), tx *sql.Tx) error {
			time.AfterFunc(20*time.Millisecond, cancel)
			_, err := tx.ExecContext(ctx, `INSERT INTO sessions (env, hash, id, body, put_at, expires_at)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000)
				SELECT 'x', CAST(i AS BLOB), '', x'', 0, 0 FROM n`)
			return err
		},
		"a lost transaction": func(_ context.Context, _ func(), tx *sql.Tx) error {
			_, err := tx.Exec(`ROLLBACK`)
			return err
		},
	} {
		t.Run(name+" spoils nobody else's write", func(t *testing.T) {
			db := open(t, directory.Options{})
			const bad = 7
			var ctxs []context.Context
			var fns []func(*sql.Tx) error
			for i := range 15 {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ctxs = append(ctxs, ctx)
				fns = append(fns, insert(fmt.Sprint("good", i)))
				if i == bad {
					fns[i] = func(tx *sql.Tx) error {
						if err := insert("bad")(tx); err != nil {
							return err
						}
						return spoil(ctx, cancel, tx)
					}
				}
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
	testWriteCalls(t, open)
	testFailingDisk(t, open)
}

func testWriteCalls(t *testing.T, open opener) {
	t.Run("a failing write leaves nothing", func(t *testing.T) {
		db := open(t, directory.Options{})
		err := db.Write(t.Context(), func(tx *sql.Tx) error { return errors.Join(insert("x")(tx), errMine) })
		if !errors.Is(err, errMine) || rows(t, db, "sessions") != 0 {
			t.Errorf("%v, %d rows", err, rows(t, db, "sessions"))
		}
	})
	t.Run("writes that wait share a commit", func(t *testing.T) {
		var n counter
		db := open(t, directory.Options{Wrap: n.wrap})
		before := n.commits.Load()
		var ctxs []context.Context
		var fns []func(*sql.Tx) error
		for i := range 40 {
			ctxs, fns = append(ctxs, t.Context()), append(fns, insert(fmt.Sprint(i)))
		}
		if err := errors.Join(together(db, ctxs, fns)...); err != nil {
			t.Fatal(err)
		}
		if commits := n.commits.Load() - before; commits > 10 {
			t.Errorf("%d commits for 41 writes", commits)
		}
	})
	t.Run("a caller that has left is not served", func(t *testing.T) {
		db := open(t, directory.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		errs := together(db, []context.Context{ctx}, []func(*sql.Tx) error{insert("late")})
		if !errors.Is(errs[0], context.DeadlineExceeded) || rows(t, db, "sessions") != 0 {
			t.Errorf("%v, %d rows", errs[0], rows(t, db, "sessions"))
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
			errs := together(db, []context.Context{ctx, ctx, ctx}, []func(*sql.Tx) error{insert("a" + at), insert("b" + at), insert("c" + at)})
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

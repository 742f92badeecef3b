package directory_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"doorward/directory"
)

func TestSQLiteWriteThatLosesTheTransactionSpoilsNobodyElses(t *testing.T) {
	testSpoiler(t, onFile, "a lost transaction", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `ROLLBACK`)
		return err
	})
}

func TestSQLiteWritesThatWaitShareACommit(t *testing.T) {
	var n counter
	db := onFile(t, directory.Options{Wrap: n.wrap})
	before := n.commits.Load()
	var ctxs []context.Context
	var fns []work
	for i := range 40 {
		ctxs, fns = append(ctxs, t.Context()), append(fns, insert(fmt.Sprint(i)))
	}
	if err := errors.Join(together(db, ctxs, fns)...); err != nil {
		t.Fatal(err)
	}
	if commits := n.commits.Load() - before; commits > 10 {
		t.Errorf("%d commits for 41 writes", commits)
	}
}

func TestSQLiteCallerThatLeavesTheQueueIsNotServed(t *testing.T) {
	db := onFile(t, directory.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	errs := together(db, []context.Context{ctx}, []work{insert("late")})
	if !errors.Is(errs[0], context.DeadlineExceeded) || rows(t, db, "sessions") != 0 {
		t.Errorf("%v, %d rows", errs[0], rows(t, db, "sessions"))
	}
}

package directory

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestAStatementThatFailsSpoilsNobodyElses: they share a commit, and it stands between
// no savepoints.
func TestAStatementThatFailsSpoilsNobodyElses(t *testing.T) {
	d, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "doorward.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	put := func(key string) func(context.Context, querier) error {
		return func(ctx context.Context, q querier) error {
			_, err := q.ExecContext(ctx, `INSERT INTO effects (key, result, at) VALUES ($1, '', 1)`, key)
			return err
		}
	}
	found := func(ctx context.Context, q querier) error {
		var key string
		return q.QueryRowContext(ctx, `UPDATE effects SET at = 2 WHERE key = 'none' RETURNING key`).Scan(&key)
	}
	if err := d.writeOne(t.Context(), put("taken")); err != nil {
		t.Fatal(err)
	}
	begun, waiting := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { // so that the others gather
		err := d.write(context.Background(), func(context.Context, *sql.Tx) error {
			close(begun)
			<-waiting
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	var errs [5]error
	for i, one := range []func(context.Context, querier) error{put("first"), put("taken"), found, put("second"), put("third")} {
		all.Go(func() { errs[i] = d.writeOne(context.Background(), one) })
	}
	time.Sleep(20 * time.Millisecond)
	close(waiting)
	all.Wait()
	if errs[1] == nil || !errors.Is(errs[2], sql.ErrNoRows) || errors.Join(errs[0], errs[3], errs[4]) != nil {
		t.Errorf("%v", errs)
	}
	var n int
	if err := d.reader.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM effects`).Scan(&n); err != nil || n != 4 {
		t.Errorf("%d rows are there, %v", n, err)
	}
}

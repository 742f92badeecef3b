package directory

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// laterAfter is how long what nobody waits for gathers before it is written.
	laterAfter = time.Second
	// laterMost is how much gathers at most; what is more is not written.
	laterMost = 10_000
)

// later is what is to be written and nobody waits for, such as when something was last
// used. What a crash or a broken server takes of it is lost.
type later struct {
	write func(fn func(ctx context.Context, tx *sql.Tx) error) error

	mu     sync.Mutex
	rows   map[string]statementOf // by row
	timer  *time.Timer
	closed bool
}

type statementOf struct {
	query string
	args  []any
}

// put has a statement about a row run within about a second; one about the same row that
// is still to be run is forgotten.
func (l *later) put(row, query string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.rows[row]; l.closed || !there && len(l.rows) >= laterMost {
		return
	}
	if l.rows == nil {
		l.rows = map[string]statementOf{}
		l.timer = time.AfterFunc(laterAfter, func() { _ = l.flush() })
	}
	l.rows[row] = statementOf{query, args}
}

// flush writes what has gathered, in one transaction. Rows come in one order, so that
// two nodes do not wait for each other.
func (l *later) flush() error {
	l.mu.Lock()
	rows := l.rows
	l.rows = nil
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	if len(rows) == 0 {
		return nil
	}
	return l.write(func(ctx context.Context, tx *sql.Tx) error {
		for _, row := range slices.Sorted(maps.Keys(rows)) {
			if _, err := tx.ExecContext(ctx, rows[row].query, rows[row].args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// close writes what has gathered, and takes nothing more.
func (l *later) close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.flush()
}

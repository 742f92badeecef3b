package directory

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// serverWriter runs each write in a transaction of its own, at READ COMMITTED.
//
// That is enough, because what may happen once is one conditional statement or
// one unique key in every repository. Such a statement waits for whoever changes
// its row and then judges the row as it was left; one that follows it in the same
// transaction sees what the other has committed. The few that need more make
// their own turn: Resources.Apply changes the one row of revision first.
// SERIALIZABLE would give nothing but work: a hundred guesses for one account or
// redemptions of one code would undo each other, and again after each repetition,
// where now they queue for a row.
type serverWriter struct {
	db *sql.DB

	mu     sync.RWMutex // read-held by every write
	closed bool
}

// pause is how long a write waits before it runs again, the first time.
const pause = 2 * time.Millisecond

// do implements writer. A transaction that the server undid for the sake of
// another one, or whose connection broke before its commit was sent, is run
// again within patience. After a commit without an answer nobody knows, so that
// is an error: the caller's effect key makes its repeat harmless.
func (w *serverWriter) do(ctx context.Context, patience time.Duration, fn func(context.Context, *sql.Tx) error) error {
	return w.repeat(ctx, patience, func(works context.Context, conn *sql.Conn) (bool, error) { return transact(works, conn, patience, fn) })
}

// one implements writer: a statement is a transaction by itself. It is run again only
// where the server undid it or cannot have got it.
func (w *serverWriter) one(ctx context.Context, patience time.Duration, fn func(context.Context, querier) error) error {
	return w.repeat(ctx, patience, func(works context.Context, conn *sql.Conn) (bool, error) {
		err := fn(works, conn)
		return undone(err) || pgconn.SafeToRetry(err), err
	})
}

// repeat runs try, which reports whether it may run again, within patience.
func (w *serverWriter) repeat(ctx context.Context, patience time.Duration, try func(context.Context, *sql.Conn) (bool, error)) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	waits, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Once begun it goes on: to leave it at the commit would make its end unknown.
	works, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	for rest := pause; ; rest *= 2 {
		again, err := w.connected(waits, works, try)
		if err == nil || !again {
			return err
		}
		select {
		case <-waits.Done():
			return err
		case <-time.After(rest):
		}
	}
}

// connected runs try on a connection of its own.
func (w *serverWriter) connected(waits, works context.Context, try func(context.Context, *sql.Conn) (bool, error)) (again bool, err error) {
	conn, err := w.db.Conn(waits)
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	return try(works, conn)
}

// transact runs fn in one transaction and reports whether it may run again.
func transact(works context.Context, conn *sql.Conn, patience time.Duration, fn func(context.Context, *sql.Tx) error) (again bool, err error) {
	tx, err := conn.BeginTx(works, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return broken(err), fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after a commit
	if patience > brief {
		if _, err := tx.ExecContext(works, `SET LOCAL statement_timeout = `+ms(patience)); err != nil {
			return broken(err), fmt.Errorf("begin: %w", err)
		}
	}
	if err := fn(works, tx); err != nil {
		return undone(err) || broken(err), err
	}
	if err := tx.Commit(); err != nil {
		return undone(err), fmt.Errorf("commit: %w", err)
	}
	return false, nil
}

func (w *serverWriter) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.db.Close()
}

// undone reports whether the server undid a transaction for the sake of another:
// serialization_failure, deadlock_detected, lock_not_available.
func undone(err error) bool {
	switch sqlState(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}

// broken reports whether the connection is gone: class 08, admin_shutdown,
// crash_shutdown, idle_in_transaction_session_timeout, or no word from the
// server at all.
func broken(err error) bool {
	if state := sqlState(err); state != "" {
		return strings.HasPrefix(state, "08") || state == "57P01" || state == "57P02" || state == "25P03"
	}
	var network *net.OpError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) && !network.Timeout()
}

// sqlState is PostgreSQL's error code; empty for any other error. Source:
// PostgreSQL documentation, appendix A.
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

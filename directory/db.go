package directory

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// ErrClosed says that the directory was closed before the write was taken.
var ErrClosed = errors.New("directory is closed")

const (
	// brief is how long a query or a write may take on a server, the wait for a
	// connection included. Source: an answer within 500 ms when a store is broken.
	brief = 400 * time.Millisecond
	// long is brief for whole configurations, batches of events and the sweep.
	long = 5 * time.Second
)

// Options say where the directory lies.
type Options struct {
	// Path of the SQLite file; it and its folder are made when missing, for the
	// owner only. Two processes may share it. ":memory:" lasts until Close. Or the
	// URL of a PostgreSQL database, postgres://USER:PASSWORD@HOST/DATABASE, whose
	// parameters are those of libpq (sslmode, search_path, target_session_attrs).
	Path string
	// Now is the clock; nil is refused.
	Now func() time.Time
	// KeepEvents is how long Sweep leaves audit events; 0: for ever.
	KeepEvents time.Duration
	// Wrap, when set, goes between database/sql and the driver: to trace or
	// count statements, or to fail them.
	Wrap func(driver.Connector) driver.Connector
	// Patience is how long a query or a write may take on a server, the wait for a
	// connection included; 0: 400 ms, which leaves a broken server half a second.
	Patience time.Duration
}

// brief is how long a query or a write may take on a server.
func (d *DB) brief() time.Duration {
	if d.options.Patience > 0 {
		return d.options.Patience
	}
	return brief
}

// DB is one opened directory. It is safe for concurrent use.
type DB struct {
	options Options
	reader  pool // for what a request waits for
	lists   pool // the same connections, for what may be long
	writer  writer
	later   later
	reserve reserve
}

// pool is the connections for queries.
type pool struct {
	*sql.DB
	patience time.Duration // of a query, the wait for a connection included; 0: as long as its context

	unwatched bool // queries are over before anybody could call them off
}

// QueryContext is that of the pool, within its patience.
func (p pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.DB.QueryContext(p.within(ctx), query, args...)
}

// QueryRowContext is that of the pool, within its patience.
func (p pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.DB.QueryRowContext(p.within(ctx), query, args...)
}

// PingContext is that of the pool, within its patience.
func (p pool) PingContext(ctx context.Context) error { return p.DB.PingContext(p.within(ctx)) }

// within bounds ctx. The rows are read under it after the query has returned, so
// that it is let go at its end and not before.
func (p pool) within(ctx context.Context) context.Context {
	switch {
	case p.unwatched && ctx.Err() == nil:
		return context.WithoutCancel(ctx)
	case p.patience == 0:
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// querier is what a statement runs on.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// writer runs transactions: on SQLite one after the other, several in a commit;
// on PostgreSQL beside each other.
type writer interface {
	// do runs fn in a transaction and returns once it lasts, or with fn's error
	// and nothing changed. Statements run under the context that fn is given. fn
	// may run more than once, the last run counts.
	do(ctx context.Context, patience time.Duration, fn func(ctx context.Context, tx *sql.Tx) error) error
	// one is do for a single statement, which needs nothing around it to change all
	// or nothing.
	one(ctx context.Context, patience time.Duration, fn func(ctx context.Context, q querier) error) error
	// close waits for the writes that were taken.
	close() error
}

// Open opens the directory and brings its tables up to date. It fails when the
// file is no database, is damaged, lies where write-ahead logging does not work,
// or cannot be written; or when the server cannot be reached, or may not be used
// so. No error holds the URL's password.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		return nil, errors.New("directory: no clock")
	}
	d := &DB{options: o}
	d.later.write = d.writeLate
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("directory %s: %w", place(o.Path), err), d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) error {
	where := d.openFile
	if OnServer(d.options.Path) {
		where = d.openServer
	}
	if err := where(ctx); err != nil {
		return err
	}
	return d.fillKeys(ctx)
}

// Reader is the pool for queries; it refuses to change anything.
func (d *DB) Reader() *sql.DB { return d.reader.DB }

// Write runs fn in a transaction and returns once it lasts, or with fn's error
// and nothing changed. Statements run under the context that fn is given. Several
// callers may share one commit, so fn sees what others have written a moment ago,
// and must not commit or roll back. fn may run more than once, the last run
// counts. A caller that gives up waiting is not served.
func (d *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return d.write(ctx, fn)
}

// write is for what a request waits for.
func (d *DB) write(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return d.writer.do(ctx, d.brief(), fn)
}

// writeOne is write for fn that runs one statement, and does nothing else that would have
// to be undone with it.
func (d *DB) writeOne(ctx context.Context, fn func(ctx context.Context, q querier) error) error {
	return d.writer.one(ctx, d.brief(), fn)
}

// writeMuch is for transactions of many statements, or of slow ones.
func (d *DB) writeMuch(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return d.writer.do(ctx, long, fn)
}

// writeLate is writeMuch for what no request waits for.
func (d *DB) writeLate(fn func(ctx context.Context, tx *sql.Tx) error) error {
	return d.writeMuch(context.Background(), fn)
}

// Health reports whether the directory can be read and written now. It writes.
func (d *DB) Health(ctx context.Context) error {
	now := millis(d.options.Now())
	err := d.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO heartbeat (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = $1`, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("directory write: %w", err)
	}
	if err := d.reader.PingContext(ctx); err != nil {
		return fmt.Errorf("directory read: %w", err)
	}
	return nil
}

// Flush writes what is left for later, which happens by itself within about a second.
func (d *DB) Flush() error { return d.later.flush() }

// Close waits for the writes that were taken and closes files and connections.
func (d *DB) Close() error {
	var errs []error
	if d.reader.DB != nil {
		errs = append(errs, d.reader.Close())
	}
	if d.writer != nil {
		_ = d.later.close() // nobody waits for it, now as before
		errs = append(errs, d.writer.close())
	}
	return errors.Join(errs...)
}

// millis is t as stored: milliseconds since 1970, 0 for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// instant is millis undone.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

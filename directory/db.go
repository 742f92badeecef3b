package directory

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"
)

// ErrClosed says that the directory was closed before the write was taken.
var ErrClosed = errors.New("directory is closed")

// busyTimeout is how long a statement waits for another process that holds the
// file, before it fails. Source: an answer within 500 ms when a store is broken.
const busyTimeout = 300 * time.Millisecond

// openTimeout is busyTimeout while tables are made.
const openTimeout = 5 * time.Second

// memory is the Path of a directory that lies nowhere.
const memory = ":memory:"

// openAttempts bounds how often Open tries again, 100 ms apart, while another
// process makes the same file.
const openAttempts = 20

// Options say where the directory lies.
type Options struct {
	// Path of the database file; it and its folder are made when missing, for
	// the owner only. Two processes may share it. ":memory:" lasts until Close.
	Path string
	// Now is the clock; nil is refused.
	Now func() time.Time
	// KeepEvents is how long Sweep leaves audit events; 0: for ever.
	KeepEvents time.Duration
	// Wrap, when set, goes between database/sql and the driver: to trace or
	// count statements, or to fail them.
	Wrap func(driver.Connector) driver.Connector
}

// DB is one opened directory. It is safe for concurrent use.
type DB struct {
	options Options
	reader  *sql.DB
	writer  *writer
	reserve reserve
}

// Open opens the directory and brings its tables up to date. It fails when the
// file is no database, is damaged, lies where write-ahead logging does not work,
// or cannot be written.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		return nil, errors.New("directory: no clock")
	}
	d := &DB{options: o}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("directory %s: %w", o.Path, err), d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) error {
	address, err := d.address()
	if err != nil {
		return err
	}
	toRead, toWrite := busyTimeout, time.Duration(0) // begin waits for itself
	if d.options.Path == memory {
		toRead, toWrite = openTimeout, openTimeout // there readers and the writer shut each other out
	}
	maker, err := d.pool(address, 1, openTimeout, "_txlock=immediate")
	if err != nil {
		return err
	}
	defer maker.Close() // once the others are open: a directory in memory ends with its last connection
	if err := d.prepare(ctx, maker); err != nil {
		return err
	}
	w, err := d.pool(address, 1, toWrite, "_txlock=immediate")
	if err != nil {
		return err
	}
	d.writer = newWriter(w)
	if d.reader, err = d.pool(address, max(4, runtime.GOMAXPROCS(0)), toRead, "_pragma=query_only(1)"); err != nil {
		return err
	}
	if err := errors.Join(w.PingContext(ctx), d.reader.PingContext(ctx)); err != nil {
		return err
	}
	d.writer.start() //nolint:contextcheck // close ends it; a commit is for many callers
	return d.reserve.restore()
}

// prepare makes or updates the tables. Another process may be doing the same:
// what it has done makes our own attempt fail, and the next attempt finds less,
// and in the end nothing, left to do.
func (d *DB) prepare(ctx context.Context, maker *sql.DB) (err error) {
	for range openAttempts {
		var mode string
		if err = maker.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err == nil {
			err = migrate(ctx, maker)
		}
		switch {
		case err == nil && mode != "wal" && d.options.Path != memory:
			return fmt.Errorf("journal mode is %q: the file system does not support write-ahead logging", mode)
		case err == nil || corrupt(err):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return err
}

// address is the file as a SQLite URI, without its query. The file is made here
// so that nobody else can read it; its companions take over its mode.
func (d *DB) address() (string, error) {
	if d.options.Path == memory {
		return "file:/" + uuid.NewString() + "?vfs=memdb&", nil
	}
	path, err := filepath.Abs(d.options.Path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	// O_EXCL: an existing file must not be opened and closed beside SQLite,
	// which would drop this process's locks on it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case err == nil:
		err = f.Close()
	case errors.Is(err, os.ErrExist):
		err = nil
	}
	d.reserve = reserve{path: path + "-reserve"}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String() + "?", err
}

// pool opens connections that wait for a busy file up to wait.
func (d *DB) pool(address string, size int, wait time.Duration, option string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(fmt.Sprintf("%s%s&_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=journal_size_limit(67108864)", address, option, wait.Milliseconds()))
	if err != nil {
		return nil, err
	}
	c = keeping{c}
	if d.options.Wrap != nil {
		c = d.options.Wrap(c)
	}
	p := sql.OpenDB(c)
	p.SetMaxOpenConns(size)
	p.SetMaxIdleConns(size)
	return p, nil
}

// Reader is the pool for queries; it refuses to change anything.
func (d *DB) Reader() *sql.DB { return d.reader }

// Write runs fn in a transaction and returns once it lasts, or with fn's error
// and nothing changed. Several callers share one commit, so fn sees what others
// have written a moment ago, and must not commit or roll back. fn may run more
// than once, the last run counts. A caller that gives up waiting is not served.
func (d *DB) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return d.writer.do(ctx, fn)
}

// write is Write for the repositories: the statements run under a context that
// does not end, since interrupting one would take down the whole transaction.
func (d *DB) write(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	inner := context.WithoutCancel(ctx)
	return d.writer.do(ctx, func(tx *sql.Tx) error { return fn(inner, tx) })
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

// Close waits for the writes that were taken and closes the files.
func (d *DB) Close() error {
	var errs []error
	if d.reader != nil {
		errs = append(errs, d.reader.Close())
	}
	if d.writer != nil {
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

package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

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

// openFile opens a directory that lies in a SQLite file, or in memory.
func (d *DB) openFile(ctx context.Context) error {
	address, err := d.address()
	if err != nil {
		return err
	}
	toRead, toWrite := busyTimeout, time.Duration(0) // begin waits for itself
	if d.options.Path == memory {
		toRead, toWrite = openTimeout, openTimeout // there readers and the writer shut each other out
	}
	maker, err := d.filePool(address, 1, openTimeout, "_txlock=immediate")
	if err != nil {
		return err
	}
	defer maker.Close() // once the others are open: a directory in memory ends with its last connection
	if err := d.prepareFile(ctx, maker); err != nil {
		return err
	}
	w, err := d.filePool(address, 1, toWrite, "_txlock=immediate")
	if err != nil {
		return err
	}
	one := newFileWriter(w)
	d.writer = one
	r, err := d.filePool(address, max(4, runtime.GOMAXPROCS(0)), toRead, "_pragma=query_only(1)")
	if err != nil {
		return err
	}
	d.reader, d.lists = pool{DB: r, unwatched: true}, pool{DB: r}
	if err := errors.Join(w.PingContext(ctx), r.PingContext(ctx)); err != nil {
		return err
	}
	one.start() //nolint:contextcheck // close ends it; a commit is for many callers
	return d.reserve.restore()
}

// prepareFile makes or updates the tables. Another process may be doing the same:
// what it has done makes our own attempt fail, and the next attempt finds less,
// and in the end nothing, left to do.
func (d *DB) prepareFile(ctx context.Context, maker *sql.DB) (err error) {
	for range openAttempts {
		var mode string
		if err = maker.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err == nil {
			err = migrate(ctx, maker, goose.DialectSQLite3)
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

// filePool opens connections that wait for a busy file up to wait.
func (d *DB) filePool(address string, size int, wait time.Duration, option string) (*sql.DB, error) {
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

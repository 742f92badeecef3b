package directory

import (
	"errors"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// reserveSize is how much disk, in bytes, is kept for deleting: on a full disk
// even a DELETE fails, because it has to write first.
const reserveSize = 4 << 20

// reserve is a file of zeros beside the database that Sweep gives up to get
// room. The zero reserve keeps none.
type reserve struct{ path string }

// restore makes the file when it is missing. A disk too full for it is not an
// error: the directory works without, as long as it can.
func (r reserve) restore() error {
	if r.path == "" {
		return nil
	}
	if s, err := os.Stat(r.path); err == nil && s.Size() == reserveSize {
		return nil
	}
	if err := os.WriteFile(r.path, make([]byte, reserveSize), 0o600); err != nil {
		return r.release()
	}
	return nil
}

func (r reserve) release() error {
	if r.path == "" {
		return nil
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// diskFull reports whether the disk had no room for a write.
func diskFull(err error) bool {
	return code(err) == sqlite3.SQLITE_FULL || code(err) == sqlite3.SQLITE_IOERR
}

// corrupt reports whether the file is damaged or no database at all.
func corrupt(err error) bool {
	return code(err) == sqlite3.SQLITE_CORRUPT || code(err) == sqlite3.SQLITE_NOTADB
}

// code is SQLite's primary result code; 0 for any other error.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

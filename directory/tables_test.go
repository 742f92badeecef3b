package directory_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/internal/pgtest"

	"github.com/jackc/pgx/v5/pgconn"
)

// opener opens a directory that is empty at first; the contract runs on each.
type opener func(t *testing.T, o directory.Options) *directory.DB

// onFile is a copy of a file whose tables are made: each directory would spend more
// on making them than on its test. What opening a new file does has its own tests.
func onFile(t *testing.T, o directory.Options) *directory.DB {
	t.Helper()
	return openAt(t, madeFile(t), o)
}

func madeFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "directory.db")
	if err := os.WriteFile(path, fileWithTables(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// inMemory is a directory in memory whose tables are made likewise, before it looks.
func inMemory(t *testing.T, o directory.Options) *directory.DB {
	t.Helper()
	var once sync.Once
	wrap := o.Wrap
	o.Wrap = func(c driver.Connector) driver.Connector {
		if wrap != nil {
			c = wrap(c)
		}
		return prepared{c, &once}
	}
	return openAt(t, ":memory:", o)
}

// prepared makes the tables on the first of all connections.
type prepared struct {
	driver.Connector
	once *sync.Once
}

func (p prepared) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	p.once.Do(func() {
		if err == nil {
			_, err = c.(driver.ExecerContext).ExecContext(ctx, asStatements(), nil)
		}
	})
	return c, err
}

func onServer(t *testing.T, o directory.Options) *directory.DB {
	t.Helper()
	if testing.Short() {
		t.Skip("starts PostgreSQL; make test runs it")
	}
	wrap := o.Wrap
	o.Wrap = func(c driver.Connector) driver.Connector {
		c = redialing{c}
		if wrap != nil {
			c = wrap(c)
		}
		return c
	}
	return openAt(t, pgtest.Copy(t, withTables()), o)
}

// redialing asks again to be let in: a server on a busy machine may take longer than
// is waited for. What happens when it does has its own tests.
type redialing struct{ driver.Connector }

func (r redialing) Connect(ctx context.Context) (c driver.Conn, err error) {
	for range 30 {
		var out *pgconn.ConnectError
		if c, err = r.Connector.Connect(ctx); !errors.As(err, &out) || ctx.Err() != nil {
			break
		}
	}
	return c, err
}

// patient is for tests that are not about time, on a machine that may be busy;
// hasty is what a request grants.
const (
	patient = 10 * time.Second
	hasty   = 400 * time.Millisecond
)

// withTables is a database whose tables are made, to be copied, and fileWithTables
// is such a file.
var (
	withTables = sync.OnceValue(func() string {
		path := pgtest.Database(&forAll{})
		makeTables(path)
		return path
	})
	fileWithTables = sync.OnceValue(func() []byte {
		dir, err := os.MkdirTemp("", "doorward-tables")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		path := filepath.Join(dir, "directory.db")
		makeTables(path)
		content, err := os.ReadFile(path) // Close has left nothing beside it
		if err != nil {
			panic(err)
		}
		return content
	})
)

// asStatements is what makes the tables and what a new directory holds.
var asStatements = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "doorward-tables")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "directory.db")
	if err := os.WriteFile(path, fileWithTables(), 0o600); err != nil {
		panic(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	const dump = `SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid)`
	const versions = `SELECT group_concat('(' || version_id || ',' || is_applied || ')') FROM goose_db_version`
	var tables, applied string
	if err := errors.Join(db.QueryRow(dump).Scan(&tables), db.QueryRow(versions).Scan(&applied)); err != nil {
		panic(err)
	}
	return "BEGIN;" + tables + ";INSERT INTO goose_db_version (version_id, is_applied) VALUES " + applied + ";COMMIT"
})

func makeTables(path string) {
	db, err := directory.Open(context.Background(), directory.Options{Path: path, Now: time.Now, Patience: patient})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		panic(err)
	}
}

// forAll is a testing.TB that never ends, so that what it is given stays.
type forAll struct{ testing.TB }

func (*forAll) Helper()                   {}
func (*forAll) Cleanup(func())            {}
func (*forAll) Fatal(v ...any)            { panic(fmt.Sprint(v...)) }
func (*forAll) Fatalf(f string, v ...any) { panic(fmt.Sprintf(f, v...)) }

// onBoth runs a test on a new directory that can be opened more than once, and
// onMade on one whose tables are made.
func onBoth(t *testing.T, test func(t *testing.T, path string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "new", "directory.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, pgtest.Database(t)) })
}

func onMade(t *testing.T, test func(t *testing.T, path string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, madeFile(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("starts PostgreSQL; make test runs it")
		}
		test(t, pgtest.Copy(t, withTables()))
	})
}

package directory_test

import (
	"context"
	"database/sql"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/directory"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"
)

func TestMigrationsGoDownAndUpAgain(t *testing.T) { onBoth(t, testDownAndUp) }

func testDownAndUp(t *testing.T, path string) {
	t.Helper()
	db, err := directory.Open(t.Context(), directory.Options{Path: path, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	before := tables(t, path, db.Reader())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	driver, dialect, folder, own := "sqlite", goose.DialectSQLite3, "sqlite", " sqlite_sequence"
	if directory.OnServer(path) {
		driver, dialect, folder, own = "pgx", goose.DialectPostgres, "postgres", ""
	}
	raw, err := sql.Open(driver, path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	p, err := goose.NewProvider(dialect, raw, os.DirFS("migrations/"+folder), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left := tables(t, path, raw); left != "goose_db_version"+own {
		t.Errorf("left after down: %s", left)
	}
	if after := tables(t, path, openAt(t, path, directory.Options{}).Reader()); after != before {
		t.Errorf("after up: %s, was %s", after, before)
	}
}

func TestNewerSchemaIsLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, path string) {
		t.Helper()
		db := openAt(t, path, directory.Options{})
		if err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := openAt(t, path, directory.Options{}).Health(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestBothStoresHaveTheSameMigrations: a version is a version wherever it runs.
func TestBothStoresHaveTheSameMigrations(t *testing.T) {
	var names [2][]string
	for i, folder := range []string{"sqlite", "postgres"} {
		files, err := os.ReadDir("migrations/" + folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			names[i] = append(names[i], f.Name())
		}
	}
	if !slices.Equal(names[0], names[1]) {
		t.Errorf("SQLite has %v, PostgreSQL %v", names[0], names[1])
	}
}

// TestBothStoresHaveTheSameColumns compares what the migrations came to.
func TestBothStoresHaveTheSameColumns(t *testing.T) {
	var columns [2]string
	for i, open := range []opener{onFile, onServer} {
		db := open(t, directory.Options{}).Reader()
		statement := `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`
		if i == 1 {
			statement = `SELECT table_name || '.' || column_name FROM information_schema.columns
				WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose%'`
		}
		columns[i] = sorted(t, db, statement)
	}
	if columns[0] != columns[1] {
		t.Errorf("SQLite has %s, PostgreSQL %s", columns[0], columns[1])
	}
}

func tables(t *testing.T, path string, db *sql.DB) string {
	t.Helper()
	if directory.OnServer(path) {
		return sorted(t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`)
	}
	return sorted(t, db, `SELECT name FROM sqlite_master WHERE type = 'table'`)
}

func sorted(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	found, err := db.Query(statement)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var names []string
	for found.Next() {
		var n string
		if err := found.Scan(&n); err != nil {
			t.Fatal(err)
		}
		names = append(names, n)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

package directory_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"doorward/directory"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"
)

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db, err := directory.Open(t.Context(), directory.Options{Path: path, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	before := tables(t, db.Reader())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	p, err := goose.NewProvider(goose.DialectSQLite3, raw, os.DirFS("migrations/sqlite"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left := tables(t, raw); left != "goose_db_version sqlite_sequence" {
		t.Errorf("left after down: %s", left)
	}
	if after := tables(t, openAt(t, path, directory.Options{}).Reader()); after != before {
		t.Errorf("after up: %s, was %s", after, before)
	}
}

func TestNewerSchemaIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db := openAt(t, path, directory.Options{})
	if err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := openAt(t, path, directory.Options{}).Health(t.Context()); err != nil {
		t.Error(err)
	}
}

func tables(t *testing.T, db *sql.DB) string {
	t.Helper()
	found, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table'`)
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
	sort.Strings(names)
	return strings.Join(names, " ")
}

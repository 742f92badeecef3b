package directory_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

func TestOneTextMayBeReadTwiceAtATime(t *testing.T) {
	db := inMemory(t, directory.Options{})
	const text = `SELECT value FROM (SELECT 1 AS value UNION SELECT 2 UNION SELECT 3) WHERE value >= $1`
	var pairs []string
	err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		outer, err := tx.QueryContext(ctx, text, 2)
		if err != nil {
			return err
		}
		defer outer.Close()
		for outer.Next() {
			var a, b int
			if err := outer.Scan(&a); err != nil {
				return err
			}
			if err := tx.QueryRowContext(ctx, text, a).Scan(&b); err != nil {
				return err
			}
			pairs = append(pairs, fmt.Sprint(a, b))
		}
		return outer.Err()
	})
	if got := fmt.Sprint(pairs); err != nil || got != "[2 2 3 3]" {
		t.Errorf("got %s, error %v", got, err)
	}
}

func TestMoreTextsThanAreKeptStillAnswer(t *testing.T) {
	db := inMemory(t, directory.Options{})
	for i := range 300 {
		for range 2 {
			var got int
			if err := db.Reader().QueryRow(fmt.Sprintf(`SELECT %d + $1`, i), 1).Scan(&got); err != nil || got != i+1 {
				t.Fatalf("%d + 1 is %d, error %v", i, got, err)
			}
		}
	}
}

func TestParametersAreWhatTheirNumbersSay(t *testing.T) {
	db := inMemory(t, directory.Options{})
	args := []any{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}
	for text, want := range map[string]string{
		`$1 || $2`: "ab", `$2 || $1`: "ba", `$1 || $2 || $1`: "aba", `$1 || $1 || $2`: "aab", `$1 || '$'`: "a$",
		`$1||$2||$3||$4||$5||$6||$7||$8||$9||$10||$11`: "abcdefghijk", `$1||$2||$3||$4||$5||$6||$7||$8||$9||$11||$10`: "abcdefghikj",
	} {
		n := 0
		for i := range args {
			if strings.Contains(text, fmt.Sprintf("$%d", i+1)) {
				n = i + 1
			}
		}
		var got string
		if err := db.Reader().QueryRow("SELECT "+text, args[:n]...).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q, error %v", text, got, want, err)
		}
	}
}

func TestAStatementThatFailedWorksAgain(t *testing.T) {
	db := inMemory(t, directory.Options{})
	for range 3 {
		if err := db.Write(t.Context(), insert("one")); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), insert("one")); err == nil {
			t.Fatal("the same key twice")
		}
		if err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM sessions`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// SQLite takes its companions away with the last connection that is really closed.
func TestCloseLeavesOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db := openAt(t, path, directory.Options{})
	if err := db.Write(t.Context(), insert("one")); err != nil {
		t.Fatal(err)
	}
	if err := db.Reader().QueryRow(`SELECT id FROM sessions`).Scan(new(string)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path + "-wal", path + "-shm"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is left", filepath.Base(name))
		}
	}
}

func BenchmarkGrant(b *testing.B) {
	db, err := directory.Open(b.Context(), directory.Options{Path: ":memory:", Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	codes := directory.NewCodes(db, time.Now)
	if err := codes.Issue(b.Context(), directory.Code{Hash: flow.Sum("c"), Env: env, GrantID: "g", IssuedAt: time.Now()}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codes.Grant(b.Context(), env, "g"); err != nil {
			b.Fatal(err)
		}
	}
}

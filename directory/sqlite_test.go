package directory_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"

	_ "modernc.org/sqlite"
)

func TestTwoProcessesShareTheFileFairly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	both := []*process{start(t, "write", path), start(t, "write", path)}
	for _, p := range both {
		if !p.out.Scan() {
			t.Fatal("a process wrote nothing")
		}
	}
	time.AfterFunc(time.Second, func() {
		for _, p := range both {
			_ = p.Process.Kill()
		}
	})
	var done, busy [2]int
	var wg sync.WaitGroup
	for i, p := range both {
		wg.Go(func() {
			for _, line := range p.lines() {
				if line == "busy" {
					busy[i]++
				} else {
					done[i]++
				}
			}
		})
	}
	wg.Wait()
	t.Logf("writes %v, refused %v", done, busy)
	for i := range both {
		if done[i] < done[1-i]/20 || busy[i] > done[i]/2 {
			t.Error("one process keeps the other out")
		}
	}
}

func TestLockedFileRefusesWritesSoon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db := openAt(t, path, directory.Options{})
	other := start(t, "hold", path)
	other.ready(t)
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			time.Sleep(time.Duration(n) * 10 * time.Millisecond)
			began := time.Now()
			if err := putRow(db, "refused", time.Now(), 1); err == nil {
				t.Error("a write came through a locked file")
			}
			// 300 ms of waiting; the rest is for a busy machine. Were each to wait
			// for itself, the last would take 6 s.
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("refused after %v", took)
			}
		})
	}
	wg.Wait()
	if rows(t, db, "sessions") != 0 {
		t.Error("a refused row is there")
	}
	other.go_(t)
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := db.Health(t.Context()); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"header overwritten": func(b []byte) []byte { copy(b, "not a database at all"); return b },
		"root page zeroed":   func(b []byte) []byte { clear(b[100:4096]); return b },
		"half of a file":     func(b []byte) []byte { return b[:len(b)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "directory.db")
			db, err := directory.Open(t.Context(), directory.Options{Path: path, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			db, err = directory.Open(t.Context(), directory.Options{Path: path, Now: time.Now})
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("error does not name the file: %v", err)
			}
		})
	}
}

func TestOpenRefusesAMissingClock(t *testing.T) {
	if db, err := directory.Open(t.Context(), directory.Options{Path: ":memory:"}); err == nil {
		_ = db.Close()
		t.Error("opened")
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "directory.db")
	db := openAt(t, path, directory.Options{})
	if err := db.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		info, err := n.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", n.Name(), info.Mode())
		}
	}
}

func TestEveryConnectionIsDurable(t *testing.T) {
	db := onFile(t, directory.Options{})
	err := db.Write(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if err := tx.QueryRow(`PRAGMA ` + pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s", pragma, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Reader().Exec(`DELETE FROM users`); err == nil {
		t.Error("the reader changed something")
	}
}

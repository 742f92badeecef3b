package main_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// guess submits a wrong password for a name of its own, in a flow of its own.
func guess(t *testing.T, n *nodetest.Node, name string) (*witness, deed) {
	t.Helper()
	w := at(n).mustStart(t)
	return w, w.submit(checkAction, fmt.Sprintf(`{"username":%q,"password":"wrong"}`, name))
}

// readOnly does what writes nothing to the database, and must not notice it.
func readOnly(t *testing.T, n *nodetest.Node) (done *witness) {
	t.Helper()
	w := at(n).mustStart(t)
	w.must(t, w.look(), http.StatusOK)
	w.must(t, w.submit(resetAction, "{}"), http.StatusOK)
	w.must(t, w.submit(checkAction, rightOne), http.StatusOK) // the last sign-on is a moment ago
	return w
}

// TestFaultDatabaseLocked: another process holds the database.
func TestFaultDatabaseLocked(t *testing.T) {
	o := patient(t, redistest.Start(t))
	n := nodetest.Start(t, o)
	readOnly(t, n)
	db := openFile(t, o.DB)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), `BEGIN EXCLUSIVE`); err != nil {
		t.Fatal(err)
	}
	done := readOnly(t, n)
	var took []time.Duration
	var w *witness
	var d deed
	for i := range 6 {
		w, d = guess(t, n, fmt.Sprint("locked", i))
		a, err := w.do(d)
		if err != nil || !a.unavailable() {
			t.Errorf("a guess while the database is locked: %v, %v", a, err)
		}
		b, err := done.do(done.resume())
		if err != nil || !b.unavailable() {
			t.Errorf("a code while the database is locked: %v, %v", b, err)
		}
		took = append(took, a.took, b.took)
	}
	inTime(t, took)
	if a, err := newDoor(n).get("/readyz"); err != nil || !a.unavailable() {
		t.Errorf("/readyz while the database is locked: %v, %v", a, err)
	}
	if _, err := conn.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	within(t, 2*time.Second, "the first code", func() bool {
		a, err := done.do(done.resume())
		return err == nil && a.code() != ""
	})
	if a, err := w.insist(d); err != nil || a.status != http.StatusBadRequest {
		t.Errorf("the guess sent again: %v, %v", a, err)
	}
	if got := number(t, db, `SELECT SUM(count) FROM failures`); got != 1 {
		t.Errorf("%d failures counted, want the 1 that was answered", got)
	}
}

// TestFaultDiskFull: what was acknowledged is there, what cannot be written is
// refused, and it goes on by itself once there is room.
func TestFaultDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill, free := disk(t, dir)
	o := patient(t, redistest.Start(t))
	o.DB = filepath.Join(dir, "doorward.db")
	n := nodetest.Start(t, o)
	readOnly(t, n)
	fill(n)
	counted, refusals := 0, 0
	var w *witness
	var d deed
	for i := 0; i < 60 && refusals < 5; i++ {
		w, d = guess(t, n, fmt.Sprint("full", i))
		a, err := w.do(d)
		switch {
		case err == nil && a.status == http.StatusBadRequest:
			counted++
		case err == nil && a.unavailable():
			refusals++
		default:
			t.Fatalf("a guess on a full disk: %v, %v", a, err)
		}
	}
	if refusals == 0 {
		t.Error("the disk never was full")
	}
	done := readOnly(t, n)
	if a, err := done.do(done.resume()); err != nil || !a.unavailable() {
		t.Errorf("a code on a full disk: %v, %v", a, err)
	}
	if a, err := newDoor(n).get("/readyz"); err != nil || !a.unavailable() {
		t.Errorf("/readyz on a full disk: %v, %v", a, err)
	}
	free(n)
	within(t, 2*time.Second, "the first code", func() bool {
		a, err := done.do(done.resume())
		return err == nil && a.code() != ""
	})
	if a, err := w.insist(d); err != nil || a.status != http.StatusBadRequest {
		t.Errorf("the guess sent again: %v, %v", a, err)
	}
	db := openFile(t, o.DB)
	if got := number(t, db, `SELECT SUM(count) FROM failures`); got != counted+1 {
		t.Errorf("%d failures counted, %d acknowledged", got, counted+1)
	}
	sound(t, db)
}

func sound(t *testing.T, db *sql.DB) {
	t.Helper()
	var says string
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&says); err != nil || says != "ok" {
		t.Errorf("integrity check: %s, %v", says, err)
	}
}

// disk makes dir a small disk of its own where this user may mount one. Elsewhere
// the node's files are kept from growing, which fails its writes as well.
func disk(t *testing.T, dir string) (fill, free func(*nodetest.Node)) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Logf("mount: %v; limiting the size of files instead", err)
		return func(n *nodetest.Node) { limitProcess(t, n, unix.RLIMIT_FSIZE, largest(t, dir)) },
			func(n *nodetest.Node) { limitProcess(t, n, unix.RLIMIT_FSIZE, unix.RLIM_INFINITY) }
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	filler := filepath.Join(dir, "filler")
	fill = func(*nodetest.Node) { _ = os.WriteFile(filler, make([]byte, 16<<20), 0o600) }
	free = func(*nodetest.Node) { _ = os.Remove(filler) }
	return fill, free
}

// largest is the size of the database's largest file, the reserve aside.
func largest(t *testing.T, dir string) uint64 {
	t.Helper()
	size := int64(0)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Base(path) == "doorward.db-reserve" {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size = max(size, info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return uint64(size)
}

// limitProcess sets the soft limit of a running node.
func limitProcess(t *testing.T, n *nodetest.Node, resource int, soft uint64) {
	t.Helper()
	var now unix.Rlimit
	err := unix.Prlimit(n.PID, resource, nil, &now)
	if err == nil {
		now.Cur = min(soft, now.Max)
		err = unix.Prlimit(n.PID, resource, &now, nil)
	}
	if err != nil {
		t.Fatalf("limit of process %d: %v", n.PID, err)
	}
}

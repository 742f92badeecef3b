package directory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"doorward/directory"
)

// TestFullDiskLosesNothingAndRecovers runs on an 8 MiB disk of its own.
func TestFullDiskLosesNothingAndRecovers(t *testing.T) {
	p := start(t, "full", t.TempDir(), func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
	})
	for _, l := range p.lines() {
		t.Log(l)
	}
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
}

func fillDisk(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	ctx := context.Background()
	now := newClock()
	path := filepath.Join(dir, "directory.db")
	db, err := directory.Open(ctx, directory.Options{Path: path, Now: now.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	acknowledged := 0
	for ; acknowledged < 10_000; acknowledged++ {
		if err = putRow(db, fmt.Sprint(acknowledged), now.Now().Add(time.Minute), 4000); err != nil {
			break
		}
	}
	fmt.Println(acknowledged, "rows, then:", err)
	if err == nil {
		return errors.New("the disk never filled")
	}
	for i := 0; err == nil && i < 100; i++ {
		err = putRow(db, fmt.Sprint("more", i), now.Now().Add(time.Minute), 40000)
	}
	if n, err := count(db); err != nil || n != acknowledged {
		return fmt.Errorf("%d rows of %d: %w", n, acknowledged, err)
	}
	filler := filepath.Join(dir, "filler") // the last free byte
	_ = os.WriteFile(filler, make([]byte, 8<<20), 0o600)
	if err := db.Health(ctx); err == nil {
		return errors.New("healthy on a full disk")
	}
	now.Move(time.Hour)
	n, err := db.Sweep(ctx)
	fmt.Println(n, "rows swept on the full disk")
	if err != nil || n != int64(acknowledged) {
		return fmt.Errorf("sweep: %d of %d rows: %w", n, acknowledged, err)
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	if err := db.Health(ctx); err != nil {
		return err
	}
	return integrity(db)
}

func count(db *directory.DB) (n int, err error) {
	err = db.Reader().QueryRow(`SELECT COUNT(*) FROM sessions`).Scan(&n)
	return n, err
}

func integrity(db *directory.DB) error {
	var s string
	if err := db.Reader().QueryRow(`PRAGMA integrity_check`).Scan(&s); err != nil || s != "ok" {
		return fmt.Errorf("integrity %q: %w", s, err)
	}
	return nil
}

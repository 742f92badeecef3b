// Package nodetest runs the real binary for tests: built once, started on free
// ports with a data directory of its own, and stopped with the test.
package nodetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var built atomic.Bool // belongs to build

// build makes the binary once for a test process. It is built with the race
// detector when the test is.
var build = sync.OnceValues(func() (string, error) { // one build a process
	built.Store(true)
	dir, err := os.MkdirTemp("", "doorward-node")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "doorward")
	args := []string{"build", "-o", bin}
	if Race {
		args = append(args, "-race", "-gcflags=modernc.org/sqlite/lib=-race=false") // as the Makefile does
	}
	cmd := exec.Command("go", append(args, "doorward/cmd/doorward")...)
	cmd.Dir = root()
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return bin, cmd.Run()
})

// Binary is the path of the built binary.
func Binary(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("runs whole processes; make test runs it")
	}
	bin, err := build()
	if err != nil {
		tb.Fatalf("build the node: %v", err)
	}
	return bin
}

// Clean removes the binary if there is one; call it at the end of TestMain.
func Clean() {
	if !built.Load() {
		return
	}
	if bin, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
}

// root is the module's folder.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

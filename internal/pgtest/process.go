package pgtest

import (
	"os"
	"sync"
	"testing"
)

// one is the server that the tests of this process share.
var one struct {
	mu     sync.Mutex
	server *Server
}

// Database makes an empty database on the server that the tests of this process
// share, which trades durability for time, and returns its URL. TestMain runs Tests,
// or calls Clean at its end.
func Database(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts PostgreSQL; make test runs it")
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	return shared(tb).Database(tb)
}

// Copy makes a database on that server with what another one of its holds, to
// which nobody may be connected.
func Copy(tb testing.TB, of string) string {
	tb.Helper()
	one.mu.Lock()
	defer one.mu.Unlock()
	return shared(tb).Copy(tb, of)
}

// shared starts the server when it is needed first; in memory, where there is a
// file system for that.
func shared(tb testing.TB) *Server {
	tb.Helper()
	if one.server == nil {
		s := &Server{tb: tb}
		parent := "/dev/shm"
		if _, err := os.Stat(parent); err != nil {
			parent = ""
		}
		s.init("trust", parent)
		s.args = append(s.args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "autovacuum=off", "-c", "max_connections=200")
		s.Restart()
		one.server = s
	}
	return one.server
}

// Clean ends the shared server, if there is one.
func Clean() {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.server != nil {
		one.server.remove()
		one.server = nil
	}
}

// Tests are the tests of a process, with Clean at their end, for goleak.
type Tests struct{ *testing.M }

// Run runs the tests.
func (t Tests) Run() int {
	defer Clean()
	return t.M.Run()
}

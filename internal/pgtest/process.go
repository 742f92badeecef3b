package pgtest

import (
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
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.server == nil {
		s := &Server{tb: tb}
		s.init("trust")
		s.args = append(s.args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "autovacuum=off", "-c", "max_connections=200")
		s.Restart()
		one.server = s
	}
	return one.server.Database(tb)
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

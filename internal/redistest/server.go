package redistest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"doorward/internal/porttest"

	"github.com/redis/go-redis/v9"
)

// patience is how long anything here may take to come up.
const patience = 20 * time.Second

// Server is one redis-server process.
type Server struct {
	Addr string // host:port

	tb     testing.TB
	dir    string
	args   []string
	cmd    *exec.Cmd
	client *redis.Client
}

// Start runs a server as production wants it: append-only file, noeviction. Extra
// arguments come last and win.
func Start(tb testing.TB, extra ...string) *Server {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts Redis; make test runs it")
	}
	s := &Server{tb: tb, dir: folder(tb)}
	port := strconv.Itoa(porttest.Free(tb))
	s.Addr = net.JoinHostPort("127.0.0.1", port)
	s.args = append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "",
		"--appendonly", "yes", "--maxmemory-policy", "noeviction",
		"--repl-diskless-sync-delay", "0", "--loglevel", "warning",
	}, extra...)
	s.client = redis.NewClient(&redis.Options{Addr: s.Addr, DialTimeout: time.Second, DialerRetries: 1, DisableIdentity: true})
	tb.Cleanup(func() {
		_ = s.client.Close()
		s.Kill()
	})
	s.Restart()
	return s
}

// folder lies in memory where that is to be had: while a disk is busy a server puts
// off what it writes, and what it has acknowledged goes with it when it is killed.
func folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "doorward-redis") //nolint:usetesting // TempDir lies on the disk
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// URL is the address in the form that session.Open takes.
func (s *Server) URL() string { return "redis://" + s.Addr }

// Client speaks to this server with the library's defaults, for tests to look
// behind what they test.
func (s *Server) Client() *redis.Client { return s.client }

// Restart starts a server that is not running, on the same port and data, and
// waits until it answers.
func (s *Server) Restart() {
	s.tb.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		s.tb.Fatalf("this test needs redis-server 7 or later: %v", err)
	}
	s.cmd = exec.Command(program, s.args...)
	log := &bytes.Buffer{}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatalf("start redis-server: %v", err)
	}
	await(s.tb, "redis-server "+s.Addr, func(ctx context.Context) bool {
		return s.client.Ping(ctx).Err() == nil
	})
}

// Kill ends the server without a chance to write anything, like a crash.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server in order.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(sig os.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Signal(sig)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Pause makes the server stand still: it takes connections and answers nothing.
func (s *Server) Pause() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *Server) Continue() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

// Age makes d pass for everything the server keeps: every key loses d of its time
// to live, and is gone when less was left.
func (s *Server) Age(d time.Duration) {
	s.tb.Helper()
	const script = `
for _, k in ipairs(redis.call('KEYS', '*')) do
  local t = redis.call('PTTL', k)
  if t >= 0 then redis.call('PEXPIRE', k, t - ARGV[1]) end
end`
	if err := s.client.Eval(s.tb.Context(), script, nil, d.Milliseconds()).Err(); err != nil && err != redis.Nil { //nolint:errorlint // the library returns Nil itself
		s.tb.Fatalf("age: %v", err)
	}
}

// conf writes a configuration file, for servers that insist on one.
func (s *Server) conf(text string) string {
	path := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	return path
}

// await polls until done.
func await(tb testing.TB, what string, done func(context.Context) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !done(ctx) {
		select {
		case <-ctx.Done():
			tb.Fatalf("%s is not there after %v", what, patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

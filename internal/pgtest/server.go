package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"doorward/internal/porttest"

	"github.com/jackc/pgx/v5"
)

// patience is how long anything here may take to come up.
const patience = 30 * time.Second

const (
	role = "doorward"
	// Password is the user's, which servers of their own ask for.
	Password = "canary-database-password"
)

// Server is one PostgreSQL server.
type Server struct {
	Addr string // host:port

	tb     testing.TB
	dir    string
	bin    string
	args   []string
	cmd    *exec.Cmd // nil: it does not run
	exited chan struct{}
	made   int // databases
}

// Start runs a server as production has it: what it acknowledges lasts, and it
// asks for a password. Extra arguments come last and win.
func Start(tb testing.TB, extra ...string) *Server {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts PostgreSQL; make test runs it")
	}
	s := &Server{tb: tb}
	tb.Cleanup(s.remove)
	s.init("scram-sha-256", "")
	s.args = append(s.args, extra...)
	s.Restart()
	return s
}

// init makes the data directory, inside parent; empty: where temporary files go.
func (s *Server) init(auth, parent string) {
	s.tb.Helper()
	s.bin = programs(s.tb)
	dir, err := os.MkdirTemp(parent, "doorward-pg")
	if err != nil {
		s.tb.Fatal(err)
	}
	s.dir = dir
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(Password+"\n"), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	as := account(s.tb)
	for _, path := range []string{dir, secret} {
		if as == nil {
			break
		}
		if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
			s.tb.Fatal(err)
		}
	}
	if out, err := s.command("initdb", "-D", s.data(), "-U", role, "--pwfile", secret, "-A", auth,
		"-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput(); err != nil {
		s.tb.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Addr = porttest.Addr(porttest.Free(s.tb))
	host, port, _ := net.SplitHostPort(s.Addr) // it was joined a moment ago
	s.args = []string{"-D", s.data(), "-c", "listen_addresses=" + host, "-c", "port=" + port, "-c", "unix_socket_directories=", "-c", "log_min_messages=fatal"}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command is one of PostgreSQL's programs, run by somebody who is not root, and
// apart from the terminal, so that an interrupt of the tests leaves its end to us.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account(s.tb), Setpgid: true}
	return cmd
}

// URL is the address of the database that every server has, as directory.Open
// takes it.
func (s *Server) URL() string { return s.url("postgres") }

func (s *Server) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.UserPassword(role, Password), Host: s.Addr, Path: "/" + database, RawQuery: "sslmode=disable"}).String()
}

// Database makes an empty database and returns its URL. It goes with the test.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	return s.make(tb, "")
}

func (s *Server) make(tb testing.TB, like string) string {
	tb.Helper()
	s.made++
	name := "test" + strconv.Itoa(s.made)
	s.do(tb, "CREATE DATABASE "+name+like)
	tb.Cleanup(func() { s.do(tb, "DROP DATABASE "+name+" WITH (FORCE)") })
	return s.url(name)
}

// Copy makes a database with what another one holds, to which nobody may be
// connected, and returns its URL. It goes with the test.
func (s *Server) Copy(tb testing.TB, of string) string {
	tb.Helper()
	u, err := url.Parse(of)
	if err != nil {
		tb.Fatal(err)
	}
	return s.make(tb, " TEMPLATE "+path.Base(u.Path))
}

// do runs one statement outside of any test's database.
func (s *Server) do(tb testing.TB, statement string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// Restart starts a server that is not running, on the same port and data, and
// waits until it answers.
func (s *Server) Restart() {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if s.cmd == nil {
			s.launch()
		}
		c, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			_ = c.Close(ctx)
			return
		}
		select {
		case <-s.exited: // those whom Kill has ended may not be gone yet
			s.cmd = nil
			time.Sleep(20 * time.Millisecond)
		case <-time.After(20 * time.Millisecond):
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(s.log())
			s.tb.Fatalf("postgres is not there after %v: %v\n%s", patience, err, said)
		}
	}
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

func (s *Server) launch() {
	s.tb.Helper()
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer log.Close()
	cmd, exited := s.command("postgres", s.args...), make(chan struct{})
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.tb.Fatalf("start postgres: %v", err)
	}
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
}

// Kill ends every process of the server at once, like a power cut that spares the
// disk's cache.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server in order, without waiting for its clients.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

func (s *Server) end(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	s.Continue()
	if sig == syscall.SIGKILL { // of which it could tell nobody
		s.signal(sig)
	} else {
		_ = s.cmd.Process.Signal(sig)
	}
	<-s.exited
	s.cmd = nil
}

// Pause makes the server stand still: connections are taken and nothing is
// answered.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

// signal reaches the server and all who work for it. Each of them leads a process
// group of its own; while the server stands still there are no new ones.
func (s *Server) signal(sig syscall.Signal) {
	server := s.cmd.Process.Pid
	_ = syscall.Kill(server, syscall.SIGSTOP)
	for _, pid := range append(children(server), server) {
		_ = syscall.Kill(pid, sig)
	}
}

// remove ends the server and takes its data away.
func (s *Server) remove() {
	s.end(syscall.SIGQUIT) // at once, and it sees to its own
	for range 50 {         // its last processes may still be writing
		if err := os.RemoveAll(s.dir); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "pgtest: left behind:", s.dir)
}

package nodetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"doorward/internal/porttest"
)

// The built-in demo, which nodes serve unless Options.Args give a --config.
const (
	Env          = "d0000000-0000-4000-8000-000000000001"
	Web          = "d0000000-0000-4000-8000-0000000000a1"
	WebSecret    = "demo-web-secret"
	Native       = "d0000000-0000-4000-8000-0000000000a2"
	Worker       = "d0000000-0000-4000-8000-0000000000a9"
	WorkerSecret = "demo-worker-secret"
	User         = "ada"
	Password     = "Correct-Horse-9"
)

// patience is how long a node may take to be ready on a machine that is busy with
// other tests. One that ends is not waited for.
const patience = time.Minute

// Options say how a node is started. The zero Options are a node of its own, in
// memory.
type Options struct {
	Redis   string   // URL; then Keys must be set
	Keys    string   // key ring file
	Data    string   // data directory; empty: a new one
	DB      string   // SQLite file or PostgreSQL URL; empty: a file in Data
	BaseURL string   // empty: the node's own address
	Host    string   // that stands in the node's own address for 127.0.0.1: passkeys are for names
	Args    []string // more flags of serve
	Env     []string // more environment, as KEY=value
}

// Node is one running process.
type Node struct {
	Addr string // host:port it listens on
	Base string // its base URL, without a slash at the end
	Data string
	PID  int

	cmd    *exec.Cmd
	log    output
	exited chan struct{}
	err    error
}

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// Log is everything the process has written so far.
func (n *Node) Log() string {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	return n.log.b.String()
}

// Start runs a node and waits until it is ready. It is killed with the test.
func Start(tb testing.TB, o Options) *Node {
	tb.Helper()
	n := launch(tb, o)
	n.AwaitReady(tb)
	return n
}

func launch(tb testing.TB, o Options) *Node {
	tb.Helper()
	addr := FreeAddr(tb)
	n := &Node{Addr: addr, Base: o.BaseURL, Data: o.Data, exited: make(chan struct{})}
	if n.Base == "" {
		n.Base = "http://" + addr
		if _, port, err := net.SplitHostPort(addr); err == nil && o.Host != "" {
			n.Base = "http://" + net.JoinHostPort(o.Host, port)
		}
	}
	if n.Data == "" {
		n.Data = tb.TempDir()
	}
	args := []string{"serve", "--listen", addr, "--base-url", n.Base, "--data", n.Data, "--rate-address", "0"}
	for flag, value := range map[string]string{"--redis": o.Redis, "--keys": o.Keys, "--database": o.DB} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	n.cmd = exec.Command(Binary(tb), append(args, o.Args...)...)
	n.cmd.Env = append([]string{"HOME=" + n.Data, "PATH=/usr/bin:/bin"}, o.Env...)
	n.cmd.Stdout, n.cmd.Stderr = &n.log, &n.log
	if err := n.cmd.Start(); err != nil {
		tb.Fatalf("start the node: %v", err)
	}
	n.PID = n.cmd.Process.Pid
	go func() {
		n.err = n.cmd.Wait()
		close(n.exited)
	}()
	tb.Cleanup(func() {
		n.Kill()
		if tb.Failed() {
			tb.Logf("log of node %s:\n%s", addr, tail(n.Log()))
		}
	})
	return n
}

// AwaitReady waits until /readyz says 200.
func (n *Node) AwaitReady(tb testing.TB) {
	tb.Helper()
	client := n.Client(nil)
	defer client.CloseIdleConnections()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case <-n.exited:
			tb.Fatalf("the node ended before it was ready: %v\n%s", n.err, tail(n.Log()))
		default:
		}
		resp, err := client.Get(n.Base + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	tb.Fatalf("the node was not ready within %v\n%s", patience, tail(n.Log()))
}

// Client reaches this node whatever the URL's host is, as a proxy does that speaks TLS
// for it. It follows no redirect and keeps cookies in jar, which may be nil.
func (n *Node) Client(jar http.CookieJar) *http.Client {
	var d net.Dialer
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, n.Addr)
	}
	return &http.Client{
		Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 64,
			DialContext:         dial,
			DialTLSContext:      dial,
		},
	}
}

// Kill ends the process as kill -9 does and waits for it.
func (n *Node) Kill() {
	_ = n.cmd.Process.Kill()
	<-n.exited
}

// Term asks the process to stop, waits for it at most 30 s, and returns how it
// ended.
func (n *Node) Term() error {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-n.exited:
		return n.err
	case <-time.After(30 * time.Second):
		return fmt.Errorf("node %d still runs 30 s after SIGTERM", n.PID)
	}
}

// Signal sends any other signal.
func (n *Node) Signal(s syscall.Signal) error { return n.cmd.Process.Signal(s) }

// Shared is for nodes that share a Redis, a database file and a key ring. The second
// needs the base URL of the first.
func Shared(tb testing.TB, redisURL string, args ...string) Options {
	tb.Helper()
	data := tb.TempDir()
	return Options{Redis: redisURL, Keys: NewKeys(tb, data), DB: filepath.Join(data, "shared.db"), Args: args}
}

// NewKeys makes a key ring in dir.
func NewKeys(tb testing.TB, dir string) string {
	tb.Helper()
	path := filepath.Join(dir, "keys.json")
	if out, err := exec.Command(Binary(tb), "keys", "new", path).CombinedOutput(); err != nil {
		tb.Fatalf("make a key ring: %v\n%s", err, out)
	}
	return path
}

// FreeAddr is a loopback address that nobody listens on.
func FreeAddr(tb testing.TB) string {
	tb.Helper()
	return porttest.Addr(porttest.Free(tb))
}

// tail is the end of a long log.
func tail(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}

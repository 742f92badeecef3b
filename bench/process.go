package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// process is a server that was started here.
type process struct {
	name string
	addr string // host:port it serves on
	cmd  *exec.Cmd
	log  string        // file that takes what it prints
	gone chan struct{} // closed once it has ended
}

// startWithin is the time that any server here has to give its first answer.
const startWithin = 20 * time.Second

// launch starts a program. What it prints goes to a file in dir.
func launch(dir, name, addr, path string, args ...string) (*process, error) {
	p := &process{name: name, addr: addr, cmd: exec.Command(path, args...), log: filepath.Join(dir, name+".log"), gone: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // how it ended is of no use: what it printed is
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to end, and kills it when it does not. It may be called
// again.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.gone:
	case <-time.After(startWithin):
		_ = p.cmd.Process.Kill()
		<-p.gone
	}
}

// await asks again and again, each millisecond, until ready says yes.
func (p *process) await(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for !ready() {
		select {
		case <-p.gone:
			said, err := os.ReadFile(p.log)
			return fmt.Errorf("%s ended at its start: %w\n%s", p.name, errors.Join(errors.New(p.cmd.ProcessState.String()), err), said)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", p.name, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// answers reports whether a GET of path is answered with 200.
func (p *process) answers(path string) func() bool {
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: " + p.addr + "\r\n\r\n")
	return func() bool {
		c, err := dial(p.addr)
		if err != nil {
			return false
		}
		defer c.Close()
		r, err := c.do(request)
		return err == nil && r.status == http.StatusOK
	}
}

// freeAddr is a loopback address that nobody listens on.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// startRedis starts a server as production has it: append-only file, no eviction.
func startRedis(ctx context.Context, dir string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	p, err := launch(dir, "redis", addr, "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
	if err != nil {
		return nil, err
	}
	return p, p.await(ctx, func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return false
		}
		defer c.Close()
		_, _ = c.Write([]byte("PING\r\n"))
		b := make([]byte, 5)
		_, err = c.Read(b)
		return err == nil && string(b) == "+PONG"
	})
}

// startBare starts the limit with bodies as long as the product's answers.
func startBare(ctx context.Context, dir, binary, redis string, like answers) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p, err := launch(dir, "bare", addr, binary, "serve", "--listen", addr, "--redis", redis, "--flows", fmt.Sprint(mostClients),
		"--record", fmt.Sprint(like.record), "--acted", fmt.Sprint(like.acted), "--read", fmt.Sprint(like.read))
	if err != nil {
		return nil, err
	}
	return p, p.await(ctx, p.answers("/e/flows/0"))
}

// node says how to start doorward.
type node struct {
	name   string
	binary string
	dir    string // holds its data
	redis  string // address; empty: embedded
	config string // directory of configuration; empty: the demo's
	addr   string // empty: a free one
	smtp   bool   // mail goes to a server
	mail   string // that server's address
}

// rate is a limit that nothing here reaches, so that the counters are moved as in
// production.
const rate = "1000000000"

// start starts the node and waits for its first answer.
func (n node) start(ctx context.Context) (*process, error) {
	if n.addr == "" {
		var err error
		if n.addr, err = freeAddr(); err != nil {
			return nil, err
		}
	}
	args := []string{"serve", "--listen", n.addr, "--data", filepath.Join(n.dir, n.name), "--rate-address", rate}
	if n.redis != "" {
		keys := filepath.Join(n.dir, n.name+"-keys.json")
		if _, err := os.Stat(keys); err != nil {
			if err := execute(ctx, n.dir, n.binary, "keys", "new", keys); err != nil {
				return nil, err
			}
		}
		args = append(args, "--redis", "redis://"+n.redis, "--keys", keys)
	}
	if n.config != "" {
		args = append(args, "--config", n.config)
	}
	if n.mail != "" {
		args = append(args, "--smtp", "smtp://"+n.mail+"?tls=none", "--mail-from", "bench@example.com")
	}
	p, err := launch(n.dir, n.name, n.addr, n.binary, args...)
	if err != nil {
		return nil, err
	}
	return p, p.await(ctx, p.answers("/"+environment+"/as/.well-known/openid-configuration"))
}

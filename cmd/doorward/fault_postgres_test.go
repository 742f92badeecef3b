package main_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/internal/nodetest"
	"doorward/internal/pgtest"
	"doorward/internal/redistest"
)

// twoOnServer are two nodes that share nothing but Redis, PostgreSQL and the key
// ring: each has a data directory of its own. They start at once, and find an
// empty database.
func twoOnServer(t *testing.T, s *pgtest.Server) (a, b *nodetest.Node) {
	t.Helper()
	o := patient(t, redistest.Start(t))
	o.DB, o.BaseURL = s.URL(), "http://localhost"
	var nodes [2]*nodetest.Node
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() { nodes[i] = nodetest.Start(t, o) })
	}
	wg.Wait()
	return nodes[0], nodes[1]
}

// over is the same person at another node.
func (w *witness) over(n *nodetest.Node) *witness {
	other := *w
	other.send = newDoor(n).send
	return &other
}

func TestPostgresTwoNodes(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	a, b := twoOnServer(t, s)
	w := at(a).mustStart(t)
	w.must(t, w.submit(checkAction, rightOne), http.StatusOK)
	w = w.over(b)
	code := w.must(t, w.resume(), http.StatusOK).code()
	if code == "" {
		t.Fatal("the other node issues no code")
	}
	tokens := w.must(t, w.redeem(code), http.StatusOK)
	if member(tokens.body, "access_token") == "" || member(tokens.body, "id_token") == "" {
		t.Errorf("tokens: %v", tokens)
	}
	w = w.over(a)
	w.must(t, w.redeem(code), http.StatusBadRequest) // again, where it was signed on
	userinfo := deed{method: http.MethodGet, path: "/" + nodetest.Env + "/as/userinfo"}
	req, err := userinfo.request(b.Base)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+member(tokens.body, "access_token"))
	if got, err := newDoor(b).send(req); err != nil || got.status != http.StatusUnauthorized {
		t.Errorf("tokens of a code that was redeemed twice: %v, %v", got, err)
	}

	// Guesses count together, whichever node judges them.
	for i, n := range []*nodetest.Node{a, b, a, b, a} {
		w, d := guess(t, n, "nobody")
		got := w.must(t, d, http.StatusBadRequest)
		if locked := strings.Contains(string(got.body), "PASSWORD_LOCKED_OUT"); locked != (i == 4) {
			t.Errorf("guess %d: %v", i+1, got)
		}
	}
	for _, n := range []*nodetest.Node{a, b} {
		if strings.Contains(n.Log(), pgtest.Password) {
			t.Errorf("the database's password is in the log of %s", n.Addr)
		}
	}
}

// TestFaultPostgresAway: the server is stopped, killed and stands still.
func TestFaultPostgresAway(t *testing.T) {
	s := pgtest.Start(t)
	a, b := twoOnServer(t, s)
	for _, fault := range []struct {
		name       string
		away, here func()
	}{
		{"stopped", s.Stop, s.Restart},
		{"killed", s.Kill, s.Restart},
		{"standing still", s.Pause, s.Continue},
	} {
		t.Run(fault.name, func(t *testing.T) {
			done := readOnly(t, a)
			waits := at(b).mustStart(t)
			fault.away()
			var took []time.Duration
			for i := range 6 {
				w, d := guess(t, b, fmt.Sprint(fault.name, i))
				got, err := w.do(d)
				if err != nil || !got.unavailable() {
					t.Errorf("a guess while the database is %s: %v, %v", fault.name, got, err)
				}
				code, err := done.do(done.resume())
				if err != nil || !code.unavailable() {
					t.Errorf("a code while the database is %s: %v, %v", fault.name, code, err)
				}
				took = append(took, got.took, code.took)
			}
			inTime(t, took)
			waits.must(t, waits.submit(resetAction, "{}"), http.StatusOK) // which needs Redis alone
			if got, err := newDoor(a).get("/readyz"); err != nil || !got.unavailable() {
				t.Errorf("/readyz while the database is %s: %v, %v", fault.name, got, err)
			}
			fault.here()
			within(t, 2*time.Second, "the first code", func() bool {
				got, err := done.over(b).do(done.resume())
				return err == nil && got.code() != ""
			})
			within(t, 4*time.Second, "a green /readyz", func() bool {
				got, err := newDoor(a).get("/readyz")
				return err == nil && got.status == http.StatusOK
			})
		})
	}
	for _, n := range []*nodetest.Node{a, b} {
		if strings.Contains(n.Log(), pgtest.Password) {
			t.Errorf("the database's password is in the log of %s", n.Addr)
		}
	}
}

// TestPostgresWithoutRedis is one node, with sign-on sessions in the database.
func TestPostgresWithoutRedis(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	data := t.TempDir()
	o := nodetest.Options{Keys: nodetest.NewKeys(t, data), DB: s.URL()}
	n := nodetest.Start(t, o)
	w := at(n).mustStart(t)
	w.must(t, w.submit(checkAction, rightOne), http.StatusOK)
	n.Kill()
	o.BaseURL = n.Base
	next := nodetest.Start(t, o)
	w = w.over(next)
	got := w.must(t, w.authorize(), http.StatusOK)
	if code := got.code(); code == "" {
		t.Errorf("the session did not outlive the node: %v", got)
	}
}

func TestServeRefusesADatabase(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	ring := nodetest.NewKeys(t, data)
	const secret = "canary-database-password"
	for name, row := range map[string]struct {
		database string
		args     []string
		says     string
	}{
		"PostgreSQL without a key ring":            {"postgres://doorward:" + secret + "@127.0.0.1:1/doorward", nil, "--keys is needed with --redis and PostgreSQL"},
		"PostgreSQL with a ring that is not there": {"postgres://doorward:" + secret + "@127.0.0.1:1/doorward", []string{"--keys", filepath.Join(data, "none.json")}, "doorward keys new"},
		"PostgreSQL that is not there":             {"postgres://doorward:" + secret + "@127.0.0.1:1/doorward", []string{"--keys", ring}, "connection refused"},
		"another database":                         {"mysql://doorward:" + secret + "@127.0.0.1:1/doorward", nil, "--database mysql://: give the path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(nodetest.Binary(t), append([]string{"serve", "--listen", nodetest.FreeAddr(t), "--data", data}, row.args...)...)
			cmd.Env = []string{"HOME=" + data, "DOORWARD_DATABASE=" + row.database}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), row.says) || strings.Contains(string(out), secret) {
				t.Errorf("serve ended with %v and said\n%s\nwant %s, and no password", err, out, row.says)
			}
		})
	}
}

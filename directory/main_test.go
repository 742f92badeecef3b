package directory_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/internal/pgtest"
	"doorward/keys"
	"doorward/runtime/flow"

	"go.uber.org/goleak"
)

const env = "d0000000-0000-4000-8000-000000000001"

// TestMain also is the entry of the child processes that tests start.
func TestMain(m *testing.M) {
	if role := os.Getenv("DIRECTORY_CHILD"); role != "" {
		if err := child(role, os.Getenv("DIRECTORY_PATH")); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(pgtest.Tests{M: m})
}

func openAt(t *testing.T, path string, o directory.Options) *directory.DB {
	t.Helper()
	o.Path = path
	if o.Patience == 0 {
		o.Patience = patient
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	db, err := directory.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// clock is a clock that stands until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newRing() *keys.Ring {
	secret := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	ring, err := keys.Parse([]byte(`{"format":1,"generations":[{"id":"k1","secret":"` + secret + `","createdAt":"2026-01-01T00:00:00Z"}]}`))
	if err != nil {
		panic(err)
	}
	return ring
}

func cheap() directory.Params { return directory.Params{Memory: 64, Time: 1, Threads: 1} }

func newCode(n int, at time.Time) directory.Code {
	return directory.Code{
		Hash: flow.Sum(fmt.Sprint("code", n)), Env: env, GrantID: fmt.Sprint("grant", n), Application: "app", RedirectURI: "https://app/cb",
		Challenge: "c", ChallengeMethod: "S256", Nonce: "n", Scope: "openid", UserID: "u", SessionID: "s", ACR: "Single_Factor",
		AMR: []string{"pwd", "otp"}, AuthTime: at.Add(-time.Minute), IssuedAt: at, ExpiresAt: at.Add(directory.CodeLife), EndsAt: at.Add(time.Hour),
	}
}

func putRow(db *directory.DB, id string, expires time.Time, size int) error {
	return db.Write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (env, hash, id, body, put_at, expires_at) VALUES ($1, $2, '', $3, 0, $4)`, env, []byte(id), make([]byte, size), expires.UnixMilli())
		return err
	})
}

func rows(t *testing.T, db *directory.DB, table string) int {
	t.Helper()
	var n int
	if err := db.Reader().QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// process is a child of this test binary. Its output is read line by line.
type process struct {
	*exec.Cmd
	in  *bufio.Writer
	out *bufio.Scanner
}

func start(t *testing.T, role, path string, prepare ...func(*exec.Cmd)) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DIRECTORY_CHILD="+role, "DIRECTORY_PATH="+path)
	cmd.Stderr = os.Stderr
	for _, p := range prepare {
		p(cmd)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &process{Cmd: cmd, in: bufio.NewWriter(in), out: bufio.NewScanner(out)}
}

// ready waits for the child's first line; together, with go, it is a barrier.
func (p *process) ready(t *testing.T) {
	t.Helper()
	if !p.out.Scan() || p.out.Text() != "ready" {
		t.Fatalf("child said %q", p.out.Text())
	}
}

func (p *process) go_(t *testing.T) {
	t.Helper()
	_, _ = p.in.WriteString("go\n")
	if err := p.in.Flush(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) lines() []string {
	var out []string
	for p.out.Scan() {
		out = append(out, p.out.Text())
	}
	return out
}

// bothDo runs one role in two processes at the same moment.
func bothDo(t *testing.T, role, path string, variables ...string) [2][]string {
	t.Helper()
	with := func(c *exec.Cmd) { c.Env = append(c.Env, variables...) }
	a, b := start(t, role, path, with), start(t, role, path, with)
	a.ready(t)
	b.ready(t)
	a.go_(t)
	b.go_(t)
	out := [2][]string{a.lines(), b.lines()}
	for _, p := range []*process{a, b} {
		if err := p.Wait(); err != nil {
			t.Fatalf("%s: %v", role, err)
		}
	}
	return out
}

func await() {
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func word(line string, n int) string { return strings.Fields(line)[n] }

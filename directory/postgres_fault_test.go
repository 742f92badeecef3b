package directory_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/directory"
	"doorward/internal/pgtest"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

// back waits until the directory answers again. Source: the first good answer
// comes within 2 s of the database's return; a busy machine is given more.
func back(t *testing.T, db *directory.DB) {
	t.Helper()
	began := time.Now()
	waitFor(t, func() bool { return db.Health(t.Context()) == nil })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the first good answer came after %v", took)
	}
}

func TestPostgresAwayIsAnsweredSoon(t *testing.T) {
	server := pgtest.Start(t)
	db := openAt(t, server.URL(), directory.Options{Patience: hasty})
	codes := directory.NewCodes(db, time.Now)
	c := newCode(1, time.Now())
	if err := codes.Issue(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	refused := func() error {
		_, read := codes.Grant(context.Background(), env, c.GrantID)
		if read == nil || errors.Is(read, flow.ErrUnknown) {
			return nil
		}
		return read
	}
	write := func() error { return putRow(db, "refused", time.Now(), 1) }
	for _, fault := range []struct {
		name       string
		away, here func()
	}{
		{"stopped", server.Stop, server.Restart},
		{"killed", server.Kill, server.Restart},
		{"standing still", server.Pause, server.Continue},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fault.away()
			defer back(t, db)
			defer fault.here()
			soon(t, 40, refused)
			soon(t, 40, write)
			soon(t, 5, func() error { return db.Health(t.Context()) })
		})
	}
	if _, r, err := codes.Redeem(t.Context(), env, c.Hash); r != directory.First || err != nil {
		t.Error(r, err)
	}
	if rows(t, db, "sessions") != 0 {
		t.Error("a refused row is there")
	}
}

// Of two hosts the first takes connections and says nothing, as one does whose
// machine is gone but whose address is still answered for.
func TestPostgresReachesTheHostThatAnswers(t *testing.T) {
	server := pgtest.Start(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	both := with(t, server.URL(), func(u *url.URL) { u.Host = silent.Addr().String() + "," + u.Host })
	db := openAt(t, both, directory.Options{Patience: hasty})
	back(t, db)
	server.Kill()
	soon(t, 20, func() error { return db.Health(t.Context()) })
	server.Restart()
	back(t, db)
}

// crowd writes what must last and what must happen once, and repeats what was
// not acknowledged, through kills of the server.
type crowd struct {
	db       *directory.DB
	users    *directory.Users
	password *directory.Passwords
	ended    atomic.Bool
	missed   atomic.Int64

	mu    sync.Mutex
	rows  []string // acknowledged
	names []string // acknowledged
}

// insist repeats fn until it is acknowledged.
func (c *crowd) insist(fn func() error) error {
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = fn(); err == nil {
			return nil
		}
		c.missed.Add(1)
	}
	return err
}

// guesses is how often each account is guessed at.
const guesses = 7

func (c *crowd) work(worker int) error {
	ctx := context.Background()
	for n := 0; !c.ended.Load(); n++ {
		name := fmt.Sprintf("w%d-%d", worker, n)
		if putRow(c.db, name, time.Now().Add(time.Hour), 100) == nil { // not repeated: no effect key
			c.mu.Lock()
			c.rows = append(c.rows, name)
			c.mu.Unlock()
		}
		if err := c.insist(func() error {
			_, err := c.users.Create(ctx, directory.User{Env: env, Username: name, Enabled: true}, "", "create/"+name)
			return err
		}); err != nil {
			return err
		}
		for g := range guesses {
			if err := c.insist(func() error {
				_, err := c.password.Check(ctx, directory.Check{Env: env, Username: name, Password: "x", Effect: fmt.Sprint("guess/", name, "/", g)})
				return err
			}); err != nil {
				return err
			}
		}
		c.mu.Lock()
		c.names = append(c.names, name)
		c.mu.Unlock()
	}
	return nil
}

func TestPostgresKilledInTheMiddleOfWritesLosesAndRepeatsNothing(t *testing.T) {
	server := pgtest.Start(t)
	db := openAt(t, server.URL(), directory.Options{Patience: hasty})
	hasher := directory.NewHasher(cheap(), 2, time.Now)
	none := func(string, string) passwordpolicy.Policy { return passwordpolicy.Policy{} }
	c := &crowd{db: db, users: directory.NewUsers(db, hasher, time.Now), password: directory.NewPasswords(db, hasher, newRing(), none, time.Now)}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			if err := c.work(w); err != nil {
				t.Error(err)
			}
		})
	}
	done := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return min(len(c.names), len(c.rows))
	}
	for range 3 {
		enough := done() + 10
		waitFor(t, func() bool { return done() >= enough })
		server.Kill()
		server.Restart()
		back(t, db)
	}
	c.ended.Store(true)
	wg.Wait()
	t.Logf("%d rows, %d users, %d calls had to be repeated", len(c.rows), len(c.names), c.missed.Load())
	if len(c.rows) < 20 || len(c.names) < 20 || c.missed.Load() == 0 {
		t.Error("too little happened")
	}
	for _, name := range c.rows {
		var n int
		if err := db.Reader().QueryRow(`SELECT COUNT(*) FROM sessions WHERE hash = $1`, []byte(name)).Scan(&n); err != nil || n != 1 {
			t.Errorf("acknowledged row %s is there %d times, %v", name, n, err)
		}
	}
	for _, name := range c.names {
		var users, failures int
		err := db.Reader().QueryRow(`SELECT COUNT(*), COALESCE(MAX(f.count), 0) FROM users u LEFT JOIN failures f ON f.env = u.env AND f.key = u.id
			WHERE u.env = $1 AND u.username = $2`, env, name).Scan(&users, &failures)
		if err != nil || users != 1 || failures != guesses {
			t.Errorf("%s: %d users, %d failures of %d, %v", name, users, failures, guesses, err)
		}
	}
}

package main_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// relay lies between a node and its Redis. It counts batches and can lose
// replies: the server has done what it was asked, and the node never hears.
type relay struct {
	addr    string
	target  string
	batches atomic.Int64
	deaf    atomic.Bool
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: l.Addr().String(), target: target}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.carry(c)
		}
	}()
	return r
}

// carry counts a batch when the client speaks after it was answered.
func (r *relay) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer server.Close()
	var asked atomic.Bool
	var lost atomic.Bool // this connection has lost a reply and is worth nothing
	var wg sync.WaitGroup
	pass := func(from, to net.Conn, see func() bool) {
		buf := make([]byte, 64<<10)
		for {
			n, err := from.Read(buf)
			if n > 0 && see() {
				if _, err := to.Write(buf[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		_ = from.Close()
		_ = to.Close()
	}
	wg.Go(func() {
		pass(client, server, func() bool {
			if !asked.Swap(true) {
				r.batches.Add(1)
			}
			return true
		})
	})
	wg.Go(func() {
		pass(server, client, func() bool {
			if r.deaf.Load() {
				lost.Store(true)
			}
			asked.Store(false)
			return !lost.Load()
		})
	})
	wg.Wait()
}

// stored is the version of a flow's record in Redis, 0 when there is none. The
// key is the digest of environment and id, the version the record's first eight
// bytes.
func stored(t *testing.T, s *redistest.Server, flow string) uint64 {
	t.Helper()
	sum := sha256.Sum256([]byte("x\x00" + nodetest.Env + "\x00" + flow))
	key := "x:{" + base64.RawURLEncoding.EncodeToString(sum[:16]) + "}"
	head, err := s.Client().GetRange(t.Context(), key, 0, 7).Bytes()
	if err != nil {
		t.Fatalf("record of flow %s: %v", flow, err)
	}
	if len(head) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(head)
}

// openFile opens a node's database from another process: this one.
func openFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// number is what one query answers.
func number(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	var n sql.NullInt64
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return int(n.Int64)
}

// within fails the test unless done comes true in d, or in as much again on a machine
// that runs other tests beside this one, and returns how long it took.
func within(t *testing.T, d time.Duration, what string, done func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !done() {
		if time.Since(began) > 2*d {
			t.Fatalf("%s did not come within %v", what, d)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

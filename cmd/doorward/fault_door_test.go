package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/internal/nodetest"
)

// door sends requests to one node over connections that are kept. Unlike
// http.Transport it never sends a request twice, so that nothing is hidden.
type door struct {
	addr  string
	ready atomic.Bool

	mu   sync.Mutex
	idle []*doorConn
}

type doorConn struct {
	net.Conn
	in *bufio.Reader
}

func newDoor(n *nodetest.Node) *door {
	d := &door{addr: n.Addr}
	d.ready.Store(true)
	return d
}

func (d *door) send(req *http.Request) (told, error) {
	began := time.Now()
	c, err := d.conn()
	if err != nil {
		return told{}, err
	}
	_ = c.SetDeadline(began.Add(30 * time.Second))
	if err := req.Write(c); err != nil {
		_ = c.Close()
		return told{}, err
	}
	res, err := http.ReadResponse(c.in, req)
	if err != nil {
		_ = c.Close()
		return told{}, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || res.Close {
		_ = c.Close()
	} else {
		d.mu.Lock()
		d.idle = append(d.idle, c)
		d.mu.Unlock()
	}
	return told{res.StatusCode, res.Header, body, time.Since(began)}, err
}

func (d *door) conn() (*doorConn, error) {
	d.mu.Lock()
	if n := len(d.idle); n > 0 {
		c := d.idle[n-1]
		d.idle = d.idle[:n-1]
		d.mu.Unlock()
		return c, nil
	}
	d.mu.Unlock()
	c, err := net.DialTimeout("tcp", d.addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &doorConn{c, bufio.NewReader(c)}, nil
}

// get asks for a path that belongs to no flow.
func (d *door) get(path string) (told, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+d.addr+path, http.NoBody)
	if err != nil {
		return told{}, err
	}
	return d.send(req)
}

// balancer sends requests to its doors in turn and leaves out those whose
// /readyz was red when it last looked.
type balancer struct {
	mu    sync.Mutex
	doors []*door
	turn  int
}

// balance looks at /readyz of every node ten times a second until the test ends.
func balance(t *testing.T, nodes ...*nodetest.Node) *balancer {
	t.Helper()
	b := &balancer{}
	for _, n := range nodes {
		b.add(n)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.Tick(100 * time.Millisecond); ; {
			select {
			case <-done:
				return
			case <-tick:
				b.look()
			}
		}
	})
	t.Cleanup(func() { close(done); wg.Wait() })
	return b
}

func (b *balancer) add(n *nodetest.Node) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doors = append(b.doors, newDoor(n))
}

func (b *balancer) look() {
	b.mu.Lock()
	doors := append([]*door(nil), b.doors...)
	b.mu.Unlock()
	for _, d := range doors {
		a, err := d.get("/readyz")
		d.ready.Store(err == nil && a.status == http.StatusOK)
	}
}

func (b *balancer) send(req *http.Request) (told, error) {
	b.mu.Lock()
	var chosen *door
	for range b.doors {
		b.turn++
		if d := b.doors[b.turn%len(b.doors)]; d.ready.Load() {
			chosen = d
			break
		}
	}
	b.mu.Unlock()
	if chosen == nil {
		return told{}, fmt.Errorf("no node is ready")
	}
	return chosen.send(req)
}

package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

// crawl opens a connection to a node, sends head and then a byte every half
// second, and returns how long it took until the node hung up.
func (x *trial) crawl(node int, head string) time.Duration {
	c, err := net.Dial("tcp", x.nodes[node].Addr)
	if err != nil {
		x.Error(err)
		return 0
	}
	defer c.Close()
	start := time.Now()
	if _, err := io.WriteString(c, head); err != nil {
		x.Error(err)
		return 0
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = c.SetReadDeadline(start.Add(30 * time.Second))
		_, _ = io.Copy(io.Discard, c)
	}()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return time.Since(start)
		case <-tick.C:
			_, _ = io.WriteString(c, "x")
		}
	}
}

// ignore asks again and again and never reads an answer; it returns how long it
// took from the moment when nothing more was taken until the node hung up.
func (x *trial) ignore(node int, request string) time.Duration {
	c, err := net.Dial("tcp", x.nodes[node].Addr)
	if err != nil {
		x.Error(err)
		return 0
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	last := time.Now()
	for {
		_ = c.SetWriteDeadline(last.Add(30 * time.Second))
		if _, err := io.WriteString(c, request); err != nil {
			return time.Since(last)
		}
		last = time.Now()
	}
}

// Slow clients are sent away after ten seconds, and meanwhile nobody notices
// them.
func TestSec_DOS_SLOW(t *testing.T) {
	x := newTrial(t)
	f := x.in(anybody)
	var before [2]int
	for node := range before {
		before[node] = x.gauge(node, "go_goroutines")
	}
	usual := x.traffic(f, time.Second)

	var slow sync.WaitGroup
	var mu sync.Mutex
	held := map[string]time.Duration{}
	send := func(what string, n int, hold func(node int) time.Duration) {
		for i := range n {
			slow.Go(func() {
				d := hold(i % 2)
				mu.Lock()
				defer mu.Unlock()
				held[what] = max(held[what], d)
			})
		}
	}
	body := x.post(f, f.Path(), visit.ContentType(check), "{", "Content-Length", "1000")
	send("head", 95, func(node int) time.Duration { return x.crawl(node, "POST / HTTP/1.1\r\nHost: a\r\nX-Slow: ") })
	send("body", 95, func(node int) time.Duration { return x.crawl(node, body) })
	style := regexp.MustCompile(`/static/[^"]+\.css`).Find(f.Send(http.MethodGet, f.Page(), nil, nil).Body)
	file := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", style, x.nodes[0].Addr)
	send("answer", 10, func(node int) time.Duration { return x.ignore(node, file) })
	time.Sleep(time.Second)
	beside := x.traffic(f, 7*time.Second)
	slow.Wait()

	t.Logf("99 of 100 requests took at most %v, beside slow clients %v; these were held at most %v", usual, beside, held)
	for what, d := range held {
		if d > 12*time.Second {
			t.Errorf("a client with a slow %s was held for %v", what, d)
		}
	}
	if beside > 2*usual+slack*150*time.Millisecond {
		t.Errorf("beside slow clients 99 of 100 requests took at most %v, else %v", beside, usual)
	}
	x.site.HangUp() // what the traffic keeps is served for longer than is waited for here
	for node := range before {
		now := 0
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			if now = x.gauge(node, "go_goroutines"); now <= before[node]+5 {
				break
			}
		}
		if now > before[node]+5 {
			t.Errorf("node %d has %d goroutines left, before %d", node, now, before[node])
		}
	}
}

// traffic reads the flow 50 times a second, all of which must work, and returns
// the time within which 99 of 100 answers came.
func (x *trial) traffic(f *visit.Flow, d time.Duration) time.Duration {
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); {
		<-tick.C
		all.Go(func() {
			start := time.Now()
			a := f.Get()
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(start))
			if a.Status != 200 {
				x.Errorf("beside slow clients: %d %s", a.Status, a.Body)
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took[len(took)*99/100]
}

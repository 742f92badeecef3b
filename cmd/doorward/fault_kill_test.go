package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// crowd drives flows by session.reset through any node, each person in one flow
// and repeating what was not answered, until stop is called.
type crowd struct {
	people []*witness
	ended  atomic.Bool
	wg     sync.WaitGroup
	mu     sync.Mutex
	wrong  []string
	missed int // requests that had to be repeated
}

func gather(t *testing.T, n *nodetest.Node, size int, send func(*http.Request) (told, error)) *crowd {
	t.Helper()
	c := &crowd{}
	for range size {
		w := newWitness(n, send).mustStart(t)
		c.people = append(c.people, w)
		c.wg.Go(func() { c.persist(w) })
	}
	t.Cleanup(c.stop)
	return c
}

func (c *crowd) stop() { c.ended.Store(true); c.wg.Wait() }

func (c *crowd) persist(w *witness) {
	for !c.ended.Load() {
		d := w.submit(resetAction, "{}")
		a, err := w.do(d)
		if err != nil || a.unavailable() {
			c.mu.Lock()
			c.missed++
			c.mu.Unlock()
			a, err = w.insist(d)
		}
		if err != nil || a.status != http.StatusOK {
			c.mu.Lock()
			c.wrong = append(c.wrong, fmt.Sprint(a, err))
			c.mu.Unlock()
			return
		}
		time.Sleep(15 * time.Millisecond)
	}
}

// judge holds what was acknowledged against what is stored: each submit was
// evaluated exactly once, and everybody still owns a flow that can be finished.
func (c *crowd) judge(t *testing.T, s *redistest.Server) {
	t.Helper()
	c.stop()
	for _, wrong := range c.wrong {
		t.Errorf("the repeat of a submit was answered %s", wrong)
	}
	var acks uint64
	for i, w := range c.people {
		if got := stored(t, s, w.flow); got != w.acks+1 {
			t.Errorf("flow %s has version %d after %d acknowledged submits", w.flow, got, w.acks)
		}
		acks += w.acks
		tag := w.etag
		if w.must(t, w.look(), http.StatusOK); w.etag != tag {
			t.Errorf("flow %s is at another step than was acknowledged last", w.flow)
		}
		if i > 1 {
			continue
		}
		w.must(t, w.submit(checkAction, rightOne), http.StatusOK)
		code := w.must(t, w.resume(), http.StatusOK).code()
		w.must(t, w.redeem(code), http.StatusOK)
	}
	t.Logf("%d submits acknowledged, %d had to be repeated", acks, c.missed)
	if acks < 20 {
		t.Errorf("only %d submits were acknowledged", acks)
	}
}

// TestFaultKillNode kills one of two nodes under load.
func TestFaultKillNode(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	o := patient(t, s)
	a := nodetest.Start(t, o)
	o.BaseURL = a.Base
	b := nodetest.Start(t, o)
	lb := balance(t, a, b)
	done := newWitness(a, lb.send).mustStart(t) // signed on before, goes on after
	done.must(t, done.submit(checkAction, rightOne), http.StatusOK)
	c := gather(t, a, 8, lb.send)
	for range rounds(1, 2, 20) {
		time.Sleep(time.Second)
		a.Kill()
		next := nodetest.Start(t, o)
		lb.add(next)
		a, b = b, next
	}
	time.Sleep(500 * time.Millisecond)
	c.judge(t, s)
	if code := done.must(t, done.resume(), http.StatusOK).code(); code == "" {
		t.Error("a flow that was completed before the kill gives no code")
	}
}

// TestFaultKillCountsOnce kills the node again and again while passwords are
// guessed. Each guess is one failure in the database: not none, though the node
// died between counting and answering, and not two, though it was repeated.
func TestFaultKillCountsOnce(t *testing.T) {
	t.Parallel()
	o := patient(t, redistest.Start(t))
	n := nodetest.Start(t, o)
	o.BaseURL = n.Base
	var now atomic.Pointer[door]
	now.Store(newDoor(n))
	send := func(req *http.Request) (told, error) { return now.Load().send(req) }

	var guesses, interrupted atomic.Int64
	var ended atomic.Bool
	var guessing, repeats sync.WaitGroup
	for range 4 {
		guessing.Go(func() {
			for w := newWitness(n, send); !ended.Load(); {
				if _, err := w.start(); err != nil || w.flow == "" {
					time.Sleep(20 * time.Millisecond)
					continue
				}
				// below the lock at the fifth: under a lock nothing counts
				name := fmt.Sprintf("name-%d", guesses.Add(1)/4)
				d := w.submit(checkAction, fmt.Sprintf(`{"username":%q,"password":"wrong"}`, name))
				if a, err := w.do(d); err == nil && a.status == http.StatusBadRequest {
					_, _ = w.do(d) // a repeat does not count
					continue
				}
				interrupted.Add(1)
				mine := *w
				repeats.Go(func() { // a lease of the dead node may last its 15 s
					if a, err := mine.insist(d); err != nil || a.status != http.StatusBadRequest {
						t.Errorf("the repeat of a guess: %v, %v", a, err)
					}
				})
				w.flow = ""
			}
		})
	}
	for range rounds(3, 10, 60) {
		time.Sleep(100*time.Millisecond + rand.N(400*time.Millisecond))
		n.Kill()
		n = nodetest.Start(t, o)
		now.Store(newDoor(n))
	}
	ended.Store(true)
	guessing.Wait()
	repeats.Wait()
	db := openFile(t, o.DB)
	if counted := number(t, db, `SELECT SUM(count) FROM failures`); counted != int(guesses.Load()) {
		t.Errorf("%d failures counted, %d guesses made", counted, guesses.Load())
	}
	if locked := number(t, db, `SELECT COUNT(*) FROM failures WHERE count > 4`); locked != 0 {
		t.Errorf("%d names have more failures than guesses", locked)
	}
	t.Logf("%d guesses, %d of them interrupted", guesses.Load(), interrupted.Load())
	if guesses.Load() < 20 {
		t.Error("hardly anything was guessed")
	}
}

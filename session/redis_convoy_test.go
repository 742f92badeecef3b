package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/internal/redistest"
	"doorward/session"
)

// road is a convoy whose server answers every command with its first argument, one
// batch at a time and lane, after a while.
type road struct {
	mu   sync.Mutex
	sent [][]string // names of what travelled together
}

func (r *road) open(takes time.Duration) *session.Convoy {
	return session.NewConvoy(func(ctx context.Context, cmds []*redis.Cmd) {
		until, ok := ctx.Deadline()
		if !ok {
			panic("sent without a deadline")
		}
		var names []string
		for _, c := range cmds {
			names = append(names, c.Name())
		}
		r.mu.Lock()
		r.sent = append(r.sent, names)
		r.mu.Unlock()
		if left := time.Until(until); left < takes {
			time.Sleep(left)
			for _, c := range cmds {
				c.SetErr(context.DeadlineExceeded)
			}
			return
		}
		time.Sleep(takes)
		for _, c := range cmds {
			c.SetVal("answer to " + c.Name())
		}
	})
}

func TestConvoy(t *testing.T) {
	t.Parallel()
	// all has batches travel, the first of them a moment before the others.
	all := func(c *session.Convoy, n int) []*redis.Cmd {
		cmds := make([]*redis.Cmd, n)
		var done sync.WaitGroup
		for i := range cmds {
			cmds[i] = redis.NewCmd(context.Background(), fmt.Sprint(i))
			done.Go(func() { c.Travel(context.Background(), []*redis.Cmd{cmds[i]}) })
			time.Sleep(time.Millisecond)
		}
		done.Wait()
		return cmds
	}
	t.Run("who meets nobody goes at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &road{}
			c := r.open(10 * time.Millisecond)
			for range 3 {
				start := time.Now()
				all(c, 1)
				if took := time.Since(start); took > 10*time.Millisecond {
					t.Errorf("took %v", took)
				}
			}
			if len(r.sent) != 3 {
				t.Errorf("sent %v", r.sent)
			}
		})
	})
	t.Run("who comes while every lane is taken goes with the others, each with its own answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &road{}
			for i, cmd := range all(r.open(20*time.Millisecond), 10) {
				if want := fmt.Sprintf("answer to %d", i); cmd.Val() != want || cmd.Err() != nil {
					t.Errorf("%v %v, want %s", cmd.Val(), cmd.Err(), want)
				}
			}
			if len(r.sent) != 3 || len(r.sent[0]) != 1 || len(r.sent[1]) != 1 || len(r.sent[2]) != 8 {
				t.Errorf("sent %v", r.sent)
			}
		})
	})
	t.Run("many go in order, no convoy larger than it may be", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &road{}
			all(r.open(200*time.Millisecond), 180)
			var order []string
			for _, together := range r.sent {
				if len(together) > session.MostTogether {
					t.Errorf("%d together", len(together))
				}
				order = append(order, together...)
			}
			if len(order) != 180 || !slices.IsSortedFunc(order[2:], func(a, b string) int { return len(a) - len(b) }) {
				t.Errorf("sent %v", order)
			}
		})
	})
	t.Run("nobody waits longer than a batch may take", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &road{}
			start := time.Now()
			for _, cmd := range all(r.open(time.Hour), 50) {
				if !errors.Is(cmd.Err(), context.DeadlineExceeded) {
					t.Errorf("got %v", cmd.Err())
				}
			}
			if took := time.Since(start); took > session.BatchTime+60*time.Millisecond {
				t.Errorf("took %v", took)
			}
		})
	})
	t.Run("who has less time leaves, and the others go", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &road{}
			c := r.open(100 * time.Millisecond)
			go all(c, 2)
			time.Sleep(5 * time.Millisecond)
			brief, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			hasty, patient := redis.NewCmd(t.Context(), "hasty"), redis.NewCmd(t.Context(), "patient")
			var done sync.WaitGroup
			done.Go(func() { c.Travel(t.Context(), []*redis.Cmd{patient}) })
			c.Travel(brief, []*redis.Cmd{hasty})
			if !errors.Is(hasty.Err(), context.DeadlineExceeded) {
				t.Errorf("got %v, %v", hasty.Val(), hasty.Err())
			}
			done.Wait()
			if patient.Val() != "answer to patient" || slices.ContainsFunc(r.sent, func(s []string) bool { return slices.Contains(s, "hasty") }) {
				t.Errorf("patient got %v; sent %v", patient.Err(), r.sent)
			}
		})
	})
}

// Callers who all come and go as they please get their own answers of a real server,
// in far fewer batches than they are.
func TestCallersTravelTogether(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	hook := &batches{}
	s := open(t, session.Options{URL: server.URL(), Hook: hook})
	before := hook.n.Load()
	var callers sync.WaitGroup
	var calls atomic.Int32
	for range 64 {
		callers.Go(func() {
			for range 50 {
				x := created(t, &rig{store: s, clock: &clock{}})
				got := load(t, &rig{store: s, clock: &clock{}}, x.Ref)
				if got.Ref != x.Ref || got.CreatedAt != x.CreatedAt {
					t.Errorf("got %v of %v", got.Ref, x.Ref)
				}
				calls.Add(2)
			}
		})
	}
	callers.Wait()
	if sent := hook.n.Load() - before; sent*2 > calls.Load() {
		t.Errorf("%d calls took %d batches", calls.Load(), sent)
	}
}

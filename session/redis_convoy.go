package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// lanes is how many convoys are under way at once. Fewer would make a batch wait
	// longer for its turn, more would leave fewer of them to travel together.
	lanes = 2
	// mostTogether bounds what one convoy takes, so that no batch waits for hundreds.
	mostTogether = 64
)

// convoy sends the batches that callers have at the same time to a server as one:
// what comes while every lane is taken goes together once one is free. A batch that
// meets nobody goes at once. Under load this saves client and server most of their
// reads, writes and wake-ups, which are what a batch costs.
//
// Order and outcome of a batch are its own. Only a connection that breaks breaks for
// all that travel on it, which is as if each had lost its own.
type convoy struct {
	send func(ctx context.Context, cmds []*redis.Cmd) // leaves each outcome in its command
	now  func() time.Time

	mu      sync.Mutex
	under   int // convoys under way
	waiting []*traveller
}

// traveller is a batch that waits for a convoy.
type traveller struct {
	cmds  []*redis.Cmd
	until time.Time
	turn  chan []*traveller // those it leads, itself first; none when it has been sent
}

// travel sends a batch and returns once each outcome is in its command, batchTime
// after now or when ctx ends at the latest.
func (c *convoy) travel(ctx context.Context, cmds []*redis.Cmd) {
	if err := ctx.Err(); err != nil {
		refuse(cmds, err)
		return
	}
	until := c.now().Add(batchTime)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	c.mu.Lock()
	if c.under < lanes {
		c.under++
		c.mu.Unlock()
		defer c.next()
		c.send(deadline{ctx, until}, cmds)
		return
	}
	t := &traveller{cmds: cmds, until: until, turn: make(chan []*traveller, 1)}
	c.waiting = append(c.waiting, t)
	c.mu.Unlock()
	select {
	case led := <-t.turn:
		c.lead(ctx, led)
	case <-ctx.Done():
		if c.leave(t) {
			refuse(cmds, ctx.Err())
			return
		}
		c.lead(ctx, <-t.turn)
	}
}

// leave reports whether t was still waiting, and waits no more.
func (c *convoy) leave(t *traveller) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.waiting, t)
	if i < 0 {
		return false
	}
	c.waiting = slices.Delete(c.waiting, i, i+1)
	return true
}

// refuse leaves in each command that it was not sent.
func refuse(cmds []*redis.Cmd, err error) {
	for _, c := range cmds {
		c.SetErr(err)
	}
}

// lead sends what travels together, as long as the first of it has time. What led
// nobody has been sent.
func (c *convoy) lead(ctx context.Context, together []*traveller) {
	if len(together) == 0 {
		return
	}
	all, until := make([]*redis.Cmd, 0, 4*len(together)), together[0].until
	for _, t := range together {
		all = append(all, t.cmds...)
		if t.until.Before(until) {
			until = t.until
		}
	}
	defer func() {
		c.next()
		for _, t := range together[1:] {
			t.turn <- nil
		}
	}()
	if !c.now().Before(until) {
		refuse(all, context.DeadlineExceeded)
		return
	}
	c.send(deadline{context.WithoutCancel(ctx), until}, all)
}

// next gives a lane that has become free to those who wait.
func (c *convoy) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.waiting), mostTogether)
	if n == 0 {
		c.under--
		return
	}
	together := c.waiting[:n:n]
	c.waiting = c.waiting[n:]
	together[0].turn <- together
}

// deadline is a context that tells when its time is up and needs no timer to end:
// all that it is given to looks at the clock by itself.
type deadline struct {
	context.Context
	at time.Time
}

// Deadline implements context.Context.
func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

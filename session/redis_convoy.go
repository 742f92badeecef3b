package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/runtime/flow"
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

	mu      sync.Mutex
	under   int // convoys under way
	waiting []*traveller
}

// traveller is a batch that waits for a convoy.
type traveller struct {
	until time.Time
	cmds  []*redis.Cmd
	turn  chan []*traveller // those it leads, itself first; none when it has been sent
}

// travel sends a batch and returns once each outcome is in its command, batchTime
// after now or when ctx ends at the latest.
func (c *convoy) travel(ctx context.Context, cmds []*redis.Cmd) {
	if err := ctx.Err(); err != nil {
		refuse(cmds, err)
		return
	}
	brief, done := flow.Within(ctx, batchTime)
	defer done()
	until, _ := brief.Deadline()
	c.mu.Lock()
	if c.under < lanes {
		c.under++
		c.mu.Unlock()
		defer c.next()
		c.send(brief, cmds)
		return
	}
	t := &traveller{until: until, cmds: cmds, turn: make(chan []*traveller, 1)}
	c.waiting = append(c.waiting, t)
	c.mu.Unlock()
	var late <-chan struct{} // what is under way ends before until, but may not before ctx
	if end, ok := ctx.Deadline(); ok && !end.After(until) {
		late = ctx.Done()
	}
	select {
	case led := <-t.turn:
		c.lead(ctx, led)
	case <-late:
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

// lead sends what travels together, for as long as the one of them has time who has
// least. What led nobody has been sent.
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
	c.send(deadline{context.WithoutCancel(ctx), until}, all)
}

// deadline is a context that ends by the clock alone, which all look at that it is
// given to.
type deadline struct {
	context.Context
	at time.Time
}

// Deadline implements context.Context.
func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

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

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
	// patience is how long a batch waits for those under way to come back, so that a
	// server far off or a connection that hangs holds nobody up.
	patience = time.Millisecond
	// mostTogether bounds what one convoy takes, so that no batch waits for hundreds.
	mostTogether = 64
)

// road has the batches that callers send at the same time go to a server as one: what
// comes while others are under way leaves together once one of them is back. A batch
// that meets nobody goes at once. Under load this saves client and server most of
// their reads, writes and wake-ups, which are most of what a batch costs.
//
// Order and outcome of a batch are its own. Only a connection that breaks breaks for
// all that travel on it, which is as if each had lost its own.
type road struct {
	send func(ctx context.Context, cmds []*redis.Cmd) // leaves each outcome in its command

	mu      sync.Mutex
	under   int       // convoys under way
	waiting []*convoy // to leave, in order
}

// convoy is batches that travel together. Whoever came first leads it.
type convoy struct {
	batches int
	cmds    []*redis.Cmd
	until   time.Time     // of those of its batches the end that comes first
	leave   chan struct{} // closed once another one is back
	back    chan struct{} // closed once each outcome is there
}

// travel sends a batch and returns once each outcome is in its command, batchTime
// after now or when ctx ends at the latest.
func (r *road) travel(ctx context.Context, cmds []*redis.Cmd) {
	if err := ctx.Err(); err != nil {
		refuse(cmds, err)
		return
	}
	brief, done := flow.Within(ctx, batchTime)
	defer done()
	c, leads := r.join(brief, cmds)
	if !leads {
		<-c.back
		return
	}
	if c.leave != nil {
		r.wait(c)
	}
	defer r.arrive(c)
	if until := (deadline{context.WithoutCancel(ctx), c.until}); time.Until(c.until) > 0 { //nolint:forbidigo // deadlines are of the real clock
		r.send(until, c.cmds)
	} else {
		refuse(c.cmds, context.DeadlineExceeded)
	}
}

// join puts a batch into the last convoy that waits, or makes one that it leads. One
// that need not wait is under way.
func (r *road) join(ctx context.Context, cmds []*redis.Cmd) (c *convoy, leads bool) {
	until, _ := ctx.Deadline()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.waiting); n > 0 && r.waiting[n-1].batches < mostTogether {
		c = r.waiting[n-1]
		c.batches++
		c.cmds = append(c.cmds, cmds...)
		if until.Before(c.until) {
			c.until = until
		}
		return c, false
	}
	c = &convoy{batches: 1, cmds: cmds, until: until}
	if r.under == 0 {
		r.under++
		return c, true
	}
	c.cmds = slices.Clip(cmds)
	c.leave, c.back = make(chan struct{}), make(chan struct{})
	r.waiting = append(r.waiting, c)
	return c, true
}

// wait returns once c is under way.
func (r *road) wait(c *convoy) {
	enough := time.NewTimer(patience)
	defer enough.Stop()
	select {
	case <-c.leave:
		return
	case <-enough.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.waiting, c); i >= 0 {
		r.waiting = slices.Delete(r.waiting, i, i+1)
		r.under++
	}
}

// arrive lets the next convoy leave, and tells everybody in c.
func (r *road) arrive(c *convoy) {
	r.mu.Lock()
	if len(r.waiting) > 0 {
		close(r.waiting[0].leave)
		r.waiting = slices.Delete(r.waiting, 0, 1)
	} else {
		r.under--
	}
	r.mu.Unlock()
	if c.back != nil {
		close(c.back)
	}
}

// refuse leaves in each command that it was not sent.
func refuse(cmds []*redis.Cmd, err error) {
	for _, c := range cmds {
		c.SetErr(err)
	}
}

// deadline is a context that ends by the clock alone, which all look at that it is
// given to.
type deadline struct {
	context.Context
	at time.Time
}

// Deadline implements context.Context.
func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

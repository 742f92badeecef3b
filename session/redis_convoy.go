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
	// patience is how long after others have left those who come still wait for them to
	// be back. Whoever comes later takes those along who wait, so that under load a
	// server far off or a connection that hangs holds nobody up. It is judged when
	// somebody comes, which costs no timer: who came in time and is followed by nobody
	// waits for those under way.
	patience = 200 * time.Microsecond
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
	left    time.Time // when whoever leads the youngest of them had come
	waiting []*convoy // to leave, in order
}

// convoy is batches that travel together. Whoever came first leads it.
type convoy struct {
	batches int
	cmds    []*redis.Cmd
	came    time.Time
	until   time.Time     // when the first of its batches has no time left
	leave   chan struct{} // closed once it may
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
	until, _ := brief.Deadline()
	if end, ok := ctx.Deadline(); ok && !end.After(until) { // in a hurry: it waits for nobody
		r.send(brief, cmds)
		return
	}
	c, leads := r.join(until, cmds)
	if !leads {
		<-c.back
		return
	}
	if c.leave != nil {
		<-c.leave
	}
	defer r.arrive(c)
	if time.Until(c.until) <= 0 { //nolint:forbidigo // deadlines are of the real clock
		refuse(c.cmds, context.DeadlineExceeded)
		return
	}
	r.send(deadline{context.WithoutCancel(ctx), c.until}, c.cmds) //nolint:contextcheck // it is of all who travel
}

// join puts a batch into the last convoy that waits, or makes one that it leads. One
// without leave is under way.
func (r *road) join(until time.Time, cmds []*redis.Cmd) (c *convoy, leads bool) {
	came := until.Add(-batchTime)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under == 0 {
		r.under, r.left = 1, came
		return &convoy{cmds: cmds, until: until}, true
	}
	if n := len(r.waiting); n > 0 && r.waiting[n-1].batches < mostTogether {
		c = r.waiting[n-1]
		c.cmds = append(c.cmds, cmds...)
	} else {
		c, leads = &convoy{cmds: slices.Clip(cmds), came: came, until: until, leave: make(chan struct{}), back: make(chan struct{})}, true
		r.waiting = append(r.waiting, c)
	}
	c.batches++
	if came.Sub(r.left) >= patience {
		r.under++
		r.let()
	}
	return c, leads
}

// let has the first convoy that waits leave.
func (r *road) let() {
	r.left = r.waiting[0].came
	close(r.waiting[0].leave)
	r.waiting = slices.Delete(r.waiting, 0, 1)
}

// arrive lets the next convoy leave, and tells everybody in c.
func (r *road) arrive(c *convoy) {
	r.mu.Lock()
	if len(r.waiting) > 0 {
		r.let()
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

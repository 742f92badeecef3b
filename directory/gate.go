package directory

import (
	"context"
	"sync"
)

// gateMax is how many checks of one account may be under way or wait.
const gateMax = 8

// gates let one password check an account through at a time. Without them,
// guesses sent at once would all be judged before the first of them counts.
type gates struct {
	mu   sync.Mutex
	open map[string]*gate
}

type gate struct {
	turn chan struct{}
	in   int
}

// enter waits for the account's turn; leave gives it on. It fails with ErrBusy
// when too many wait already, or with ctx's error.
func (g *gates) enter(ctx context.Context, key string) (leave func(), err error) {
	g.mu.Lock()
	one := g.open[key]
	if one == nil {
		one = &gate{turn: make(chan struct{}, 1)}
		g.open[key] = one
	}
	if one.in >= gateMax {
		g.mu.Unlock()
		return nil, ErrBusy
	}
	one.in++
	g.mu.Unlock()
	select {
	case one.turn <- struct{}{}:
		return func() { <-one.turn; g.leave(key, one) }, nil
	case <-ctx.Done():
		g.leave(key, one)
		return nil, ctx.Err()
	}
}

func (g *gates) leave(key string, one *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if one.in--; one.in == 0 {
		delete(g.open, key)
	}
}

package devices

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"doorward/runtime/device"
)

const (
	// lookEvery is how soon a push of another node is noticed.
	lookEvery = time.Second
	lookTime  = 5 * time.Second
	// mostWaiting is how many requests wait on one node at once: each holds a
	// connection, some 40 KiB.
	mostWaiting = 2000
)

// place is where somebody waits: before a device of an environment.
type place struct{ env, device string }

// waiters are the requests that wait for a push.
type waiters struct {
	mu sync.Mutex
	n  int
	of map[place]map[chan struct{}]bool
}

// wait enters a request; ring is sent to when there may be something new. It reports
// whether there was room. leave is to be called in the end.
func (w *waiters) wait(p place) (ring <-chan struct{}, leave func(), entered bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n >= mostWaiting {
		return nil, nil, false
	}
	bell := make(chan struct{}, 1)
	if w.of[p] == nil {
		w.of[p] = map[chan struct{}]bool{}
	}
	w.of[p][bell] = true
	w.n++
	return bell, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.n--
		if delete(w.of[p], bell); len(w.of[p]) == 0 {
			delete(w.of, p)
		}
	}, true
}

// ring wakes the requests of a place. It never blocks.
func (w *waiters) ring(p place) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for bell := range w.of[p] {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}

// anybody reports whether there is one.
func (w *waiters) anybody() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n > 0
}

// Watch wakes those who wait on this node for what other nodes have done, until ctx
// ends: by one read a second, however many wait, and none while nobody does. failed is
// told when reading begins to fail, and with nil when it no longer does.
func (f *Face) Watch(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var before map[place][]string
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !f.waiters.anybody() {
			continue
		}
		now, err := f.look(ctx)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != failing {
			failing = err != nil
			failed(err)
		}
		if err == nil {
			f.ringChanged(before, now)
			before = now
		}
	}
}

// look reads which pushes wait for whom.
func (f *Face) look(ctx context.Context) (map[place][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	waiting, err := f.Board.WaitingPushes(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(waiting, func(a, b device.WaitingPush) int { return strings.Compare(a.ID, b.ID) })
	now := map[place][]string{}
	for _, p := range waiting {
		at := place{p.Env, p.Device}
		now[at] = append(now[at], p.ID)
	}
	return now, nil
}

// ringChanged rings wherever another set of pushes waits than before.
func (f *Face) ringChanged(before, now map[place][]string) {
	for at, ids := range now {
		if !slices.Equal(ids, before[at]) {
			f.waiters.ring(at)
		}
	}
	for at := range before {
		if now[at] == nil {
			f.waiters.ring(at)
		}
	}
}

package delivery

import (
	"context"
	"sync"
	"time"

	"doorward/runtime/flow"
)

// How many messages are under way at once. All mail goes by one server, which is busy
// with so many of whichever environment. What goes by phone goes by a provider of the
// environment's own: one that does not answer keeps its environment's places, and those
// of the others stay free.
const (
	ownPlaces   = 8             // of one environment
	mailPlaces  = ownPlaces     // of all
	phonePlaces = 4 * ownPlaces // of all
)

// lane is messages that share places. Mail has its own, and whatever goes by phone: a
// server that does not answer the one holds up nothing of the other.
type lane struct {
	channels []flow.Channel
	places   int
	wake     chan struct{}

	mu    sync.Mutex
	under map[string]int // messages under way, by environment; none is 0
	all   int
}

func newLane(places int, channels ...flow.Channel) *lane {
	return &lane{channels: channels, places: places, wake: make(chan struct{}, 1), under: map[string]int{}}
}

// room is how many messages there are places for, whosever they are, when none is of an
// environment that is full.
func (l *lane) room() (n int, full []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	most := 0
	for env, under := range l.under {
		if under >= ownPlaces {
			full = append(full, env)
		} else {
			most = max(most, under)
		}
	}
	return min(l.places-l.all, ownPlaces-most), full
}

func (l *lane) take(env string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under[env]++
	l.all++
}

// give gives a place back, and wakes the lane when somebody may have waited for it.
func (l *lane) give(env string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == l.places || l.under[env] == ownPlaces {
		l.stir()
	}
	l.all--
	if l.under[env]--; l.under[env] == 0 {
		delete(l.under, env)
	}
}

// stir has the lane look again. It never blocks.
func (l *lane) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// rest waits until there may be something to do, or ctx has ended.
func (l *lane) rest(ctx context.Context) {
	next := time.NewTimer(poll)
	defer next.Stop()
	select {
	case <-l.wake:
	case <-next.C:
	case <-ctx.Done():
	}
}

package invoke

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/sony/gobreaker/v2"
)

// State is what is known of one target at a moment.
type State struct {
	Env, Target string
	Breaker     string // "closed", "open", "half-open"
	// RetryAfter is how long an open breaker will refuse; else 0.
	RetryAfter time.Duration
	Concurrent int             // calls under way
	Most       int             // of them at once
	PerSecond  float64         // calls that it may get
	Answers    uint64          // calls that were answered, whatever the status
	Failures   map[Code]uint64 // the others
	Used       time.Time       // when it was last called
}

// States are all targets that are remembered, sorted by environment and name. One
// that nobody called for ten minutes is forgotten, and its counts with it.
func (i *Invoker) States() []State {
	now := i.now()
	s := i.rooms
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []State
	for _, w := range s.envs {
		for _, r := range w.rooms {
			breaker := r.breaker.State()
			state := State{
				Env: r.env, Target: r.name, Breaker: breaker.String(), Concurrent: r.inside,
				Most: r.given.concurrent(), PerSecond: float64(r.limiter.Limit()),
				Answers: r.answers, Failures: maps.Clone(r.failures), Used: r.used,
			}
			if breaker == gobreaker.StateOpen {
				state.RetryAfter = r.reopens.after(now)
			}
			out = append(out, state)
		}
	}
	slices.SortFunc(out, func(a, b State) int {
		return cmp.Or(cmp.Compare(a.Env, b.Env), cmp.Compare(a.Target, b.Target))
	})
	return out
}

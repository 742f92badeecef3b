package management

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"doorward/runtime/flow"
)

// What one application may ask of one process. Source: reference/management.md
// 7.6 (a source may use a share of the 500 requests a second of a gateway).
const (
	perSecond = 100
	atOnce    = 200
)

// limits counts the requests of each application, in this process. Applications
// have shown a token before they are counted, so that there are few.
type limits struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[string]*rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, of: map[string]*rate.Limiter{}}
}

// take counts one request of an application, or says when to come again.
func (l *limits) take(application string) error {
	l.mu.Lock()
	limiter := l.of[application]
	if limiter == nil {
		limiter = rate.NewLimiter(perSecond, atOnce)
		l.of[application] = limiter
	}
	l.mu.Unlock()
	now := l.now()
	if limiter.AllowN(now, 1) {
		return nil
	}
	wait := math.Ceil((1 - limiter.TokensAt(now)) / perSecond)
	return &flow.Fault{
		Code: flow.Limited, RetryAfter: time.Duration(max(1, wait)) * time.Second,
		Message: "The application sent too many requests. Wait for the seconds that Retry-After names, then go on more slowly.",
	}
}

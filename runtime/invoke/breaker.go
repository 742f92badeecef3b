package invoke

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// When a breaker opens, and for how long.
const (
	tripAfter = 10
	openFor   = 5 * time.Second
)

// errUnwell is a 5xx. The caller gets the answer all the same.
var errUnwell = errors.New("the target answered 5xx")

// newBreaker opens after ten calls in a row that the target did badly, stays open
// for five seconds, and then lets one call find out. What a person can bring about
// does not count against the target: a 4xx is an answer, and a call that was given
// up, or that we refused, tells nothing.
func newBreaker(turned func(from, to string)) *gobreaker.CircuitBreaker[*Answer] {
	return gobreaker.NewCircuitBreaker[*Answer](gobreaker.Settings{
		MaxRequests: 1,
		Timeout:     openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsExcluded: func(err error) bool {
			var e *Error
			return errors.As(err, &e) && e.blame == ours
		},
		IsSuccessful: func(err error) bool {
			var e *Error
			return err == nil || errors.As(err, &e) && e.blame == nobodys
		},
		OnStateChange: func(_ string, from, to gobreaker.State) { turned(from.String(), to.String()) },
	})
}

// guarded makes a call through the breaker of its room.
func (r *room) guarded(now func() time.Time, call func() (*Answer, error)) (*Answer, error) {
	answer, err := r.breaker.Execute(func() (*Answer, error) {
		answer, err := call()
		if err == nil && answer.Status >= 500 {
			err = errUnwell
		}
		return answer, err
	})
	switch {
	case errors.Is(err, errUnwell):
		return answer, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return nil, &Error{Code: TooMany, Open: true, RetryAfter: r.reopens.after(now()), reason: fmt.Errorf("breaker: %w", err), blame: ours}
	}
	return answer, err
}

// moment is a time that is read and written by many.
type moment struct{ at atomic.Int64 }

func (m *moment) set(t time.Time) { m.at.Store(t.UnixNano()) }

// after is how long it is until then, in whole seconds, at least one.
func (m *moment) after(now time.Time) time.Duration {
	left := time.Unix(0, m.at.Load()).Sub(now)
	return max(time.Second, (left + time.Second - 1).Truncate(time.Second))
}

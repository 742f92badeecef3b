package demo

import (
	"context"
	"sync"
	"time"
)

// arrivalLife is how long an answer that comes again gets what the first came to. A code
// is good once, and the second half of a double click brings it again.
const arrivalLife = 10 * time.Second

// arrivals are the answers that are being taken, or were a moment ago.
type arrivals struct {
	now      func() time.Time
	mu       sync.Mutex
	byAnswer map[string]*arrival
}

// arrival is what one answer came to.
type arrival struct {
	once    sync.Once
	session string
	err     error
	endsAt  time.Time
}

// take has exchange called once for an answer, and returns the id of the session that it
// makes, or its error, to everybody who brings the answer meanwhile or soon after.
func (a *arrivals) take(ctx context.Context, answer string, exchange func(context.Context) (session string, err error)) (string, error) {
	one := a.find(answer)
	one.once.Do(func() { one.session, one.err = exchange(ctx) })
	return one.session, one.err
}

func (a *arrivals) find(answer string) *arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	for key, old := range a.byAnswer {
		if !now.Before(old.endsAt) {
			delete(a.byAnswer, key)
		}
	}
	one := a.byAnswer[answer]
	if one == nil {
		one = &arrival{endsAt: now.Add(arrivalLife)}
		a.byAnswer[answer] = one
	}
	return one
}

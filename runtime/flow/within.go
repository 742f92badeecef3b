package flow

import (
	"context"
	"sync"
	"time"
)

// Within is context.WithTimeout without a timer until somebody waits for the end: what
// takes a moment, as nearly everything does, is over long before, and asks no more
// than how much time is left.
func Within(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	at := time.Now().Add(d) //nolint:forbidigo // deadlines are of the real clock
	if sooner, ok := parent.Deadline(); ok && sooner.Before(at) {
		at = sooner
	}
	w := &within{parent: parent, at: at}
	return w, w.end
}

type within struct {
	parent context.Context //nolint:containedctx // it is a context itself
	at     time.Time

	mu     sync.Mutex
	timed  context.Context //nolint:containedctx // nil until somebody waits
	cancel context.CancelFunc
	ended  bool
}

// Deadline implements context.Context.
func (w *within) Deadline() (time.Time, bool) { return w.at, true }

// Done implements context.Context.
func (w *within) Done() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timed == nil {
		w.timed, w.cancel = context.WithDeadline(w.parent, w.at)
		if w.ended {
			w.cancel()
		}
	}
	return w.timed.Done()
}

// Err implements context.Context.
func (w *within) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.timed != nil:
		return w.timed.Err()
	case w.parent.Err() != nil:
		return w.parent.Err()
	case w.ended:
		return context.Canceled
	case time.Until(w.at) <= 0: //nolint:forbidigo // as above
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. What waits is asked where there is something that
// does, so that contexts made of this one end with it and need nobody to watch.
func (w *within) Value(key any) any {
	w.mu.Lock()
	timed := w.timed
	w.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return w.parent.Value(key)
}

func (w *within) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.cancel != nil {
		w.cancel()
	}
}

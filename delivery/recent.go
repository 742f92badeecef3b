package delivery

import (
	"context"
	"slices"
	"sync"
)

// kept is how many mails Recent remembers.
const kept = 100

// Recent is the Sender of the demo: it sends nothing, and keeps the last 100 mails
// in memory, where a page can show them.
type Recent struct {
	mu    sync.Mutex
	mails []Mail // oldest first
}

// NewRecent keeps nothing yet.
func NewRecent() *Recent { return &Recent{} }

// Send keeps a mail, and forgets the oldest when there are too many.
func (r *Recent) Send(_ context.Context, m Mail) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.mails) == kept {
		r.mails = slices.Delete(r.mails, 0, 1)
	}
	r.mails = append(r.mails, m)
	return nil
}

// Messages are the mails, newest first.
func (r *Recent) Messages() []Mail {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.mails)
	slices.Reverse(out)
	return out
}

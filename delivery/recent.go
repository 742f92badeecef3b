package delivery

import (
	"context"
	"slices"
	"sync"

	"doorward/runtime/flow"
)

// kept is how many messages Recent remembers.
const kept = 100

// Recent is the Sender and the Phone of the demo: it sends nothing, and keeps the
// last 100 messages in memory, where a page can show them.
type Recent struct {
	mu       sync.Mutex
	messages []Kept // oldest first
}

// Kept is a message that was not sent. Of an SMS and a call there are To, Text,
// Language, Template, MessageID and At.
type Kept struct {
	Channel flow.Channel
	Mail
}

// NewRecent keeps nothing yet.
func NewRecent() *Recent { return &Recent{} }

// Send implements Sender.
func (r *Recent) Send(_ context.Context, m Mail) error {
	r.keep(Kept{flow.Email, m})
	return nil
}

// SendText implements Phone.
func (r *Recent) SendText(_ context.Context, t Text) error {
	r.keep(Kept{t.Channel, Mail{To: t.To, Text: t.Content, Language: t.Language, Template: t.Template, MessageID: t.MessageID, At: t.At}})
	return nil
}

// keep forgets the oldest when there are too many.
func (r *Recent) keep(k Kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.messages) == kept {
		r.messages = slices.Delete(r.messages, 0, 1)
	}
	r.messages = append(r.messages, k)
}

// Messages are all of them, newest first.
func (r *Recent) Messages() []Kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.messages)
	slices.Reverse(out)
	return out
}

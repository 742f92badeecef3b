package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"

	"github.com/google/uuid"
)

// Posting asks for a message that tells of nothing else that is written, such as a
// one-time code of a flow.
type Posting struct {
	flow.Message        // its ID and CreatedAt are made here
	Limits       []Most // each of which must allow it
	Effect       string // the same again posts nothing, and is answered as the first time; empty: it is none
}

// Most is how many postings of a kind, at most, somebody gets until they have had
// none for an hour. Of is a user's id, a number or whatever else is to be counted; it
// is kept as an HMAC.
type Most struct {
	Kind, Of string
	Number   int
}

// limitPurpose is the purpose of the key under which who is counted is kept.
const limitPurpose = "directory.posting"

var errTooMany = errors.New("too many messages")

// Post puts a message into the outbox and returns its id, which is empty when one of
// the limits does not allow it; then nothing is counted either.
func (o *Outbox) Post(ctx context.Context, p Posting) (string, error) {
	now := o.now()
	var id string
	err := o.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		id, err = once(ctx, tx, p.Effect, now, func() (string, error) {
			for _, most := range p.Limits {
				sum := o.ring.Derive(limitPurpose, p.Env, most.Kind, most.Of)
				allowed, err := countMail(ctx, tx, p.Env, most.Kind, base64.RawURLEncoding.EncodeToString(sum[:16]), most.Number, now)
				if err != nil {
					return "", err
				}
				if !allowed {
					return "", errTooMany
				}
			}
			m := p.Message
			m.ID, m.CreatedAt = uuid.NewString(), now
			return m.ID, post(ctx, tx, o.ring, m)
		})
		return err
	})
	switch {
	case errors.Is(err, errTooMany):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("post a message: %w", err)
	}
	return id, nil
}

// Delivery is what has become of a message.
type Delivery struct {
	Channel   flow.Channel
	Tries     int
	Done      bool   // it is not tried again
	Sent      bool   // it was taken
	Reason    string // why the last try was none; empty: there was none, or it was sent
	CreatedAt time.Time
	DoneAt    time.Time
	ExpiresAt time.Time
}

// Delivery returns what has become of a message of that template; flow.ErrUnknown
// when there is none, or none any more.
func (o *Outbox) Delivery(ctx context.Context, env, template, id string) (Delivery, error) {
	var d Delivery
	var created, done, expires int64
	err := o.db.reader.QueryRowContext(ctx, `SELECT channel, claims, outcome, created_at, done_at, expires_at FROM outbox WHERE id = $1 AND env = $2 AND template = $3`,
		id, env, template).Scan(&d.Channel, &d.Tries, &d.Reason, &created, &done, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return Delivery{}, flow.ErrUnknown
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("read a message: %w", err)
	}
	d.CreatedAt, d.ExpiresAt, d.Done = instant(created), instant(expires), done > 0
	if d.Done {
		d.DoneAt = instant(done)
	}
	if d.Sent = d.Reason == sentOutcome; d.Sent {
		d.Reason = ""
	}
	return d, nil
}

package directory

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorward/runtime/flow"

	"github.com/google/uuid"
)

// The templates of messages. Those of codes are named as their purposes.
const (
	existsMail    = "registration.exists"
	nameTakenMail = "registration.nameTaken"
	changedMail   = "password.changed"
)

// noticeLife is how long a notice is worth sending.
const noticeLife = 72 * time.Hour

// Outbox is what waits to be delivered. Its rows are written in the transaction
// that they tell of, and sent by a worker after it. Addresses and parameters,
// among them codes, lie sealed, and are forgotten once they have served.
type Outbox struct {
	db   *DB
	ring Ring
	now  func() time.Time
}

// NewOutbox hands out the messages in db.
func NewOutbox(db *DB, ring Ring, now func() time.Time) *Outbox {
	return &Outbox{db: db, ring: ring, now: now}
}

// letter is what of a message is sealed.
type letter struct {
	To     string            `json:"to"`
	Params map[string]string `json:"params"`
}

// outboxColumn is what the letter of a message is sealed for.
func outboxColumn(id string) string { return "outbox/" + id }

// post puts a message into the outbox. One without an address is put there like
// any other.
func post(ctx context.Context, tx *sql.Tx, ring Sealer, m flow.Message) error {
	plain, err := json.Marshal(letter{m.To, m.Params})
	if err != nil {
		return err
	}
	id := cmp.Or(m.ID, uuid.NewString())
	sealed, err := ring.Seal(plain, m.Env, outboxColumn(id))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO outbox (id, env, template, locales, flow, sealed, claims, due_at, done_at, created_at, expires_at, channel)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, $7, $8, $9)`,
		id, m.Env, m.Template, localesOf(m.Locales), m.Flow, sealed, millis(m.CreatedAt), millis(m.ExpiresAt), string(cmp.Or(m.Channel, flow.Email)))
	return err
}

// claimAttempts is how often Claim looks again when others were faster.
const claimAttempts = 3

// Claim hands out at most n messages that are due, of the given channels, without any
// of all, and of no environment in except, and keeps them from everybody else until
// lease has passed or Later says otherwise. Those that have been due the longest come
// first, so that what is tried again takes its turn behind what is new. Of several
// processes one gets a message. A message that cannot be opened any more comes without
// address, and so is nobody's.
func (o *Outbox) Claim(ctx context.Context, n int, lease time.Duration, except []string, channels ...flow.Channel) ([]flow.Message, error) {
	if len(channels) == 0 {
		channels = []flow.Channel{flow.Email, flow.SMS, flow.Voice, flow.Push}
	}
	var out []flow.Message
	for range claimAttempts {
		now := o.now()
		var due bool // most of the time nothing is: then this is no write
		besides, envs := outside(6, except)
		err := o.db.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM outbox WHERE done_at = 0 AND due_at <= $1 AND channel IN ($2, $3, $4, $5)`+besides+`)`,
			slices.Concat([]any{millis(now)}, four(channels), envs)...).Scan(&due)
		if err == nil && due {
			out, err = o.claim(ctx, n, now, now.Add(lease), except, channels)
		}
		if err != nil {
			return nil, fmt.Errorf("claim messages: %w", err)
		}
		if !due || len(out) > 0 {
			break
		}
	}
	slices.SortFunc(out, func(a, b flow.Message) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// four are the channels as parameters, always as many, so that the statement is
// always the same. There are no more than four.
func four(channels []flow.Channel) []any {
	out := make([]any, 4)
	for i := range out {
		out[i] = string(channels[min(i, len(channels)-1)])
	}
	return out
}

// outside is the condition that the environment is none of except, whose parameters
// begin with number first.
func outside(first int, except []string) (condition string, args []any) {
	for i, env := range except {
		condition += " AND env <> $" + strconv.Itoa(first+i)
		args = append(args, env)
	}
	return condition, args
}

// claim is one statement. What another process claims in the same moment fails
// its condition, which is judged again when that one is done.
func (o *Outbox) claim(ctx context.Context, n int, now, until time.Time, except []string, channels []flow.Channel) (out []flow.Message, err error) {
	besides, envs := outside(8, except)
	err = o.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		query := `UPDATE outbox SET due_at = $3, claims = claims + 1 WHERE id IN (` + //nolint:gosec // besides names parameters alone
			`SELECT id FROM outbox WHERE done_at = 0 AND due_at <= $1 AND channel IN ($4, $5, $6, $7)` + besides + ` ORDER BY due_at, id LIMIT $2)
				AND done_at = 0 AND due_at <= $1
			RETURNING id, env, channel, template, locales, flow, sealed, claims, created_at, expires_at`
		rows, err := tx.QueryContext(ctx, query, slices.Concat([]any{millis(now), n, millis(until)}, four(channels), envs)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		out, err = o.open(rows)
		return err
	})
	return out, err
}

func (o *Outbox) open(rows *sql.Rows) ([]flow.Message, error) {
	var out []flow.Message
	for rows.Next() {
		var m flow.Message
		var sealed []byte
		var created, expires int64
		if err := rows.Scan(&m.ID, &m.Env, &m.Channel, &m.Template, &m.Locales, &m.Flow, &sealed, &m.Attempt, &created, &expires); err != nil {
			return nil, err
		}
		m.Attempt-- // this one is under way
		m.CreatedAt, m.ExpiresAt = instant(created), instant(expires)
		var l letter
		if plain, err := o.ring.Open(sealed, m.Env, outboxColumn(m.ID)); err == nil && json.Unmarshal(plain, &l) == nil {
			m.To, m.Params = l.To, l.Params
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// sentOutcome is the outcome of a message that was taken.
const sentOutcome = "SENT"

// Sent says that a message was delivered, and Dropped that it never will be. Both
// forget what it said and to whom; a message that is done already stays so.
func (o *Outbox) Sent(ctx context.Context, id string) error { return o.done(ctx, id, sentOutcome) }

// Dropped is said of a message that is not tried again; why is a constant.
func (o *Outbox) Dropped(ctx context.Context, id, why string) error { return o.done(ctx, id, why) }

func (o *Outbox) done(ctx context.Context, id, outcome string) error {
	now := millis(o.now())
	return o.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET done_at = $2, sealed = $3, outcome = $4 WHERE id = $1 AND done_at = 0`, id, now, []byte{}, outcome)
		return err
	})
}

// Later gives a claimed message back, to be claimed again from at on; why is a
// constant.
func (o *Outbox) Later(ctx context.Context, id string, at time.Time, why string) error {
	return o.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET due_at = $2, outcome = $3 WHERE id = $1 AND done_at = 0`, id, millis(at), why)
		return err
	})
}

// Waiting is how many messages are not done yet.
func (o *Outbox) Waiting(ctx context.Context) (int, error) {
	var n int
	err := o.db.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM outbox WHERE done_at = 0`).Scan(&n)
	return n, err
}

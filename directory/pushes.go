package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

const (
	// approvalLife is how long an approval is good for: whoever asked looks for it
	// every few seconds.
	approvalLife = 2 * time.Minute
	// pushKept is how long a push is kept after it had to be answered: as long as it
	// may count for a PushLimit. Source: reference/flows.md 8.1 (at most 120 minutes).
	pushKept = 3 * time.Hour
)

// What is kept beside the states that everybody knows: to them these are
// device.PushGone and device.PushApproved.
const (
	pushCancelled = "CANCELLED"
	pushUsed      = "USED"
)

// PushLimit is after how many pushes within Period that were not approved a device
// gets no more of them, for Lock. Those that still wait count, so that many at once
// are no way around it, and so do cancelled ones. Count 0: any number.
// Source: reference/flows.md 8.1.
type PushLimit struct {
	Count  int
	Period time.Duration
	Lock   time.Duration
}

// NewPush is a question to be put to a device. Of the Push, State and CreatedAt are
// made here.
type NewPush struct {
	Push   device.Push
	Limit  PushLimit
	Effect string
}

// TooManyPushesError says until when a device gets no pushes.
type TooManyPushesError struct{ Until time.Time }

func (e *TooManyPushesError) Error() string {
	return "no pushes before " + e.Until.Format(time.RFC3339)
}

// CreatePush keeps a push that waits for its answer, and returns it. The same effect
// again returns the push that it made first. It fails with a *TooManyPushesError, and
// with flow.ErrUnknown when the user has no such device that is active, and neither
// blocked nor locked.
func (s *Devices) CreatePush(ctx context.Context, n NewPush) (device.Push, error) {
	now, p := s.now(), n.Push
	const none = "none/"
	word, err := s.do(ctx, "push", n.Effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		until, err := pushLock(ctx, tx, n, now)
		if err != nil {
			return "", err
		}
		if until > 0 { // which lasts, like its lock
			return none + strconv.FormatInt(until, 10), nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO pushes (env, id, user_id, device, flow, number, client, application, state, created_at, expires_at, answered_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`,
			p.Env, p.ID, p.UserID, p.Device, p.Flow, p.Number, p.Client, p.Application, string(device.PushPending), millis(now), millis(p.ExpiresAt))
		return p.ID, err
	})
	if err != nil {
		return device.Push{}, fmt.Errorf("keep a push: %w", err)
	}
	if until, limited := strings.CutPrefix(word, none); limited {
		at, err := strconv.ParseInt(until, 10, 64)
		if err != nil {
			return device.Push{}, fmt.Errorf("effect of a push: %w", err)
		}
		return device.Push{}, &TooManyPushesError{instant(at)}
	}
	return s.Push(ctx, p.Env, word)
}

// pushLock makes the device of a push ours, and returns until when, in milliseconds,
// it gets none; 0: it gets this one. What counted for a lock does not count again.
func pushLock(ctx context.Context, tx *sql.Tx, n NewPush, now time.Time) (int64, error) {
	p, l := n.Push, n.Limit
	var locked int64
	err := tx.QueryRowContext(ctx, `UPDATE devices SET updated_at = updated_at
		WHERE env = $1 AND user_id = $2 AND id = $3 AND status = $4 AND blocked_at = 0
			AND NOT EXISTS (SELECT 1 FROM failures f WHERE f.env = $1 AND f.key = $5 AND f.locked_until > $6)
		RETURNING push_locked_until`, p.Env, p.UserID, p.Device, string(device.Active), deviceTally(p.Device), millis(now)).Scan(&locked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, flow.ErrUnknown
	case err != nil:
		return 0, err
	case locked > millis(now):
		return locked, nil
	case l.Count <= 0 || l.Lock <= 0:
		return 0, nil
	}
	var sent int
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM pushes WHERE env = $1 AND device = $2 AND created_at >= $3 AND state NOT IN ($4, $5)`,
		p.Env, p.Device, max(locked, millis(now.Add(-l.Period))+1), string(device.PushApproved), pushUsed).Scan(&sent)
	if err != nil || sent < l.Count {
		return 0, err
	}
	until := millis(now.Add(l.Lock))
	_, err = tx.ExecContext(ctx, `UPDATE devices SET push_locked_until = $3 WHERE env = $1 AND id = $2`, p.Env, p.Device, until)
	return until, err
}

const pushColumns = `env, id, user_id, device, flow, number, client, application, state, created_at, expires_at, answered_at`

// Push returns a push as it stands now; flow.ErrUnknown when there is none, or none
// any more. One that was let pass or cancelled is device.PushGone, and so is an
// approval of two minutes ago. That an approval still proves something is UsePush's to
// say: for who has used it, it stays one.
func (s *Devices) Push(ctx context.Context, env, id string) (device.Push, error) {
	return scanPush(s.db.reader.QueryRowContext(ctx, `SELECT `+pushColumns+` FROM pushes WHERE env = $1 AND id = $2`, env, id), s.now())
}

// PushOf returns a push of a device; flow.ErrUnknown when that has none of the id.
func (s *Devices) PushOf(ctx context.Context, env, deviceID, id string) (device.Push, error) {
	p, err := s.Push(ctx, env, id)
	if err == nil && p.Device != deviceID {
		return device.Push{}, flow.ErrUnknown
	}
	return p, err
}

// WaitingPushes are all pushes that wait for an answer, of all environments.
func (s *Devices) WaitingPushes(ctx context.Context) ([]device.WaitingPush, error) {
	rows, err := s.db.lists.QueryContext(ctx, `SELECT env, device, id FROM pushes WHERE state = 'PENDING' AND expires_at > $1`, millis(s.now()))
	if err != nil {
		return nil, fmt.Errorf("waiting pushes: %w", err)
	}
	defer rows.Close()
	var out []device.WaitingPush
	for rows.Next() {
		var p device.WaitingPush
		if err := rows.Scan(&p.Env, &p.Device, &p.ID); err != nil {
			return nil, fmt.Errorf("waiting pushes: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Pushes returns the pushes that wait for a device's answer, oldest first.
func (s *Devices) Pushes(ctx context.Context, env, deviceID string) ([]device.Push, error) {
	now := s.now()
	rows, err := s.db.reader.QueryContext(ctx, `SELECT `+pushColumns+` FROM pushes
		WHERE env = $1 AND device = $2 AND state = $3 AND expires_at > $4 ORDER BY created_at, id`, env, deviceID, string(device.PushPending), millis(now))
	if err != nil {
		return nil, fmt.Errorf("list pushes: %w", err)
	}
	defer rows.Close()
	var out []device.Push
	for rows.Next() {
		p, err := scanPush(rows, now)
		if err != nil {
			return nil, fmt.Errorf("list pushes: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// scanPush reads one row of pushColumns; flow.ErrUnknown when there is none.
func scanPush(row interface{ Scan(to ...any) error }, now time.Time) (device.Push, error) {
	var p device.Push
	var created, expires, answered int64
	err := row.Scan(&p.Env, &p.ID, &p.UserID, &p.Device, &p.Flow, &p.Number, &p.Client, &p.Application, &p.State, &created, &expires, &answered)
	if errors.Is(err, sql.ErrNoRows) {
		return device.Push{}, flow.ErrUnknown
	}
	p.CreatedAt, p.ExpiresAt, p.AnsweredAt = instant(created), instant(expires), instant(answered)
	if p.State == pushUsed {
		p.State = device.PushApproved
	}
	switch {
	case p.State == device.PushPending && !p.ExpiresAt.After(now),
		p.State == device.PushApproved && !p.AnsweredAt.Add(approvalLife).After(now),
		p.State == pushCancelled:
		p.State = device.PushGone
	}
	return p, err
}

// AnswerPush takes the answer of the device that was asked, which must be active and
// not blocked, and returns the push as it stands then: what was answered before stays
// as it was. flow.ErrUnknown when the device has no such push.
func (s *Devices) AnswerPush(ctx context.Context, env, deviceID, id string, approve bool) (p device.Push, err error) {
	now, state := s.now(), device.PushRejected
	if approve {
		state = device.PushApproved
	}
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE pushes SET state = $4, answered_at = $5
			WHERE env = $1 AND id = $2 AND device = $3 AND state = $6 AND expires_at > $5
				AND EXISTS (SELECT 1 FROM devices d WHERE d.env = $1 AND d.id = $3 AND d.status = $7 AND d.blocked_at = 0)`,
			env, id, deviceID, string(state), millis(now), string(device.PushPending), string(device.Active)); err != nil {
			return err
		}
		var err error
		p, err = scanPush(tx.QueryRowContext(ctx, `SELECT `+pushColumns+` FROM pushes WHERE env = $1 AND id = $2 AND device = $3`, env, id, deviceID), now)
		return err
	})
	if err != nil {
		return device.Push{}, fmt.Errorf("answer a push: %w", err)
	}
	return p, nil
}

// UsePush uses up an approval, and reports whether this was the first time; for the
// same effect it always is as it was.
func (s *Devices) UsePush(ctx context.Context, env, id, effect string) (bool, error) {
	now := s.now()
	used, err := s.do(ctx, "pushUse", effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		first, err := changed(tx.ExecContext(ctx, `UPDATE pushes SET state = $3 WHERE env = $1 AND id = $2 AND state = $4 AND answered_at > $5`,
			env, id, pushUsed, string(device.PushApproved), millis(now.Add(-approvalLife))))
		if err != nil || !first {
			return "", err
		}
		return pushUsed, nil
	})
	if err != nil {
		return false, fmt.Errorf("use a push: %w", err)
	}
	return used == pushUsed, nil
}

// CancelPush takes a push back that still waits, or whose approval nobody has used;
// any other stays as it is.
func (s *Devices) CancelPush(ctx context.Context, env, id string) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE pushes SET state = $3 WHERE env = $1 AND id = $2 AND state IN ($4, $5)`,
			env, id, pushCancelled, string(device.PushPending), string(device.PushApproved))
		return err
	})
}

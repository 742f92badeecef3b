package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

// Standing says whether the user may sign on, since when what was proven counts, and
// which languages they prefer. A user who is not there, or is locked, may not.
func (s *Users) Standing(ctx context.Context, env, id string) (flow.Standing, error) {
	var a account
	var since int64
	err := s.db.reader.QueryRowContext(ctx, `SELECT enabled, locked_at, lock_until, credentials_since, preferred_language
		FROM users WHERE env = $1 AND id = $2`, env, id).Scan(&a.enabled, &a.lockedAt, &a.lockUntil, &since, &a.subject.Locales)
	if errors.Is(err, sql.ErrNoRows) {
		return flow.Standing{}, nil
	}
	if err != nil {
		return flow.Standing{}, fmt.Errorf("standing: %w", err)
	}
	_, locked := a.locked(s.now())
	return flow.Standing{Enabled: a.enabled && !locked, Since: instant(since), Locales: a.subject.Locales}, nil
}

// SetEnabled lets a user sign on, or not; flow.ErrUnknown when there is none.
func (s *Users) SetEnabled(ctx context.Context, env, id string, enabled bool) error {
	return s.update(ctx, `UPDATE users SET updated_at = $3, enabled = $4 WHERE env = $1 AND id = $2`, env, id, enabled)
}

// Lock keeps a user from signing on until then, or until Unlock when that is
// zero. What the user has proven so far counts again afterwards. A time that is
// over locks nothing. flow.ErrUnknown when there is no such user.
func (s *Users) Lock(ctx context.Context, env, id string, until time.Time) error {
	return s.update(ctx, `UPDATE users SET updated_at = $3, locked_at = $3, lock_until = $4 WHERE env = $1 AND id = $2`, env, id, millis(until))
}

// Unlock ends a Lock, if there is one; a lock by wrong passwords is another
// thing. flow.ErrUnknown when there is no such user.
func (s *Users) Unlock(ctx context.Context, env, id string) error {
	return s.update(ctx, `UPDATE users SET updated_at = $3, locked_at = 0, lock_until = 0 WHERE env = $1 AND id = $2`, env, id)
}

// update changes one user; $3 of the statement is now.
func (s *Users) update(ctx context.Context, statement, env, id string, args ...any) error {
	now := s.now()
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, statement, append([]any{env, id, millis(now)}, args...)...))
		if err == nil && !found {
			return flow.ErrUnknown
		}
		return err
	})
}

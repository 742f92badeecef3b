package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/device"
)

const (
	// usedKept is how old the time of the last use may become before a use is worth a
	// write of its own.
	usedKept = 60 * time.Second
	// challengeKept is how long an answered challenge is remembered: longer than any
	// execution lives, and with it the challenge.
	challengeKept = 24 * time.Hour
)

// Success is an answer that the caller has found right.
type Success struct {
	Judged
	Credential *device.Credential // as the assertion leaves it; nil: of no passkey
	Challenge  [32]byte           // of WebAuthn: used up by this; zero: none
}

// Succeed takes a right answer, unless a lock or a block came meanwhile, the challenge
// was used before or the counter of the credential did not go up, which count as wrong
// answers; one that is handed in as Suspected may stay behind. It clears the counts. Of a challenge one
// answer is taken, in all processes, and the counter never goes down. It writes only
// what must be: most right codes that were sent cost a query, and a repeat of the
// Effect is judged again.
func (s *Devices) Succeed(ctx context.Context, a Success) (Standing, error) {
	now := s.now()
	if a.Credential == nil && a.Challenge == [32]byte{} {
		if v, done, err := s.quick(ctx, a.Judged, now); err != nil || done {
			return v, err
		}
	}
	word, err := s.do(ctx, "deviceSuccess", a.Effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		v, err := s.succeed(ctx, tx, a, now)
		if err != nil {
			return "", err
		}
		return v.word()
	})
	if err != nil {
		return Standing{}, fmt.Errorf("take a right answer: %w", err)
	}
	return readStanding(word)
}

// quick is done when there is nothing to write.
func (s *Devices) quick(ctx context.Context, j Judged, now time.Time) (v Standing, done bool, err error) {
	var status device.Status
	var blocked, used, counted int64
	err = s.db.reader.QueryRowContext(ctx, `SELECT status, blocked_at, last_used_at,
			(SELECT COUNT(*) FROM failures f WHERE f.env = $1 AND f.key IN ($4, $5))
		FROM devices WHERE env = $1 AND user_id = $2 AND id = $3`, j.Env, j.UserID, j.ID, accountTally(j.UserID), j.tally()).
		Scan(&status, &blocked, &used, &counted)
	if errors.Is(err, sql.ErrNoRows) {
		return Standing{}, true, nil
	}
	if err != nil {
		return Standing{}, false, fmt.Errorf("read a device: %w", err)
	}
	done = counted == 0 && status == device.Active && blocked == 0 && now.Sub(instant(used)) <= usedKept
	return Standing{OK: done, Counted: done}, done, nil
}

func (s *Devices) succeed(ctx context.Context, tx *sql.Tx, a Success, now time.Time) (v Standing, err error) {
	account, err := holdTally(ctx, tx, a.Env, accountTally(a.UserID), now)
	if err != nil {
		return v, err
	}
	own, err := holdTally(ctx, tx, a.Env, a.tally(), now)
	if err != nil {
		return v, err
	}
	d, err := holdDevice(ctx, tx, a.Judged)
	if err != nil {
		return v, err
	}
	first, err := useChallenge(ctx, tx, a, now)
	if err != nil {
		return v, err
	}
	v.locked(a.Judged, account, own, now)
	v.Blocked, v.Replayed = d.blocked(), !first
	v.Cloned = a.Credential != nil && d.Credential != nil && !a.Credential.Suspected && behind(a.Credential.SignCount, d.Credential.SignCount)
	switch {
	case !d.usable(), v.DeviceLocked, v.AccountLocked:
		v.Wrong = own.count
		return v, nil
	case v.Replayed, v.Cloned:
		return v, v.count(ctx, tx, a.Judged, account, own, now)
	}
	v.OK, v.Counted = true, true
	if err := errors.Join(account.forget(ctx, tx, now), unlock(ctx, tx, a.Env, own.key)); err != nil {
		return v, err
	}
	if a.Credential != nil && d.Credential != nil {
		d.Credential.SignCount = a.Credential.SignCount
		d.Credential.BackedUp, d.Credential.Suspected = a.Credential.BackedUp, d.Credential.Suspected || a.Credential.Suspected
		d.Credential.Verified = d.Credential.Verified || a.Credential.Verified
		if err := d.keepCredential(ctx, tx, now); err != nil {
			return v, err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE devices SET last_used_at = $3 WHERE env = $1 AND id = $2`, a.Env, a.ID, millis(now))
	return v, err
}

// behind reports whether a counter did not go up. One that is always 0 is none.
// Source: WebAuthn level 3, 6.1.1, 7.2 step 22.
func behind(next, kept uint32) bool { return (next != 0 || kept != 0) && next <= kept }

// useChallenge uses up the challenge, and reports whether this was the first time; of
// none it always is. It stays used up when the answer is refused for another reason.
func useChallenge(ctx context.Context, tx *sql.Tx, a Success, now time.Time) (bool, error) {
	if a.Challenge == [32]byte{} {
		return true, nil
	}
	return changed(tx.ExecContext(ctx, `INSERT INTO used_challenges (env, challenge, expires_at) VALUES ($1, $2, $3) ON CONFLICT (env, challenge) DO NOTHING`,
		a.Env, a.Challenge[:], millis(now.Add(challengeKept))))
}

// keepCredential keeps the credential as it is now. Its counter never goes down.
func (d *heldDevice) keepCredential(ctx context.Context, tx *sql.Tx, now time.Time) error {
	text, err := writeCredential(d.Credential)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE devices SET credential = $3, sign_count = CASE WHEN sign_count < $4 THEN $4 ELSE sign_count END, updated_at = $5
		WHERE env = $1 AND id = $2`, d.Env, d.ID, text, int64(d.Credential.SignCount), millis(now))
	return err
}

// MFAStanding is how the devices of a user stand together.
type MFAStanding struct {
	Wrong       int       // wrong answers in a row
	LockedUntil time.Time // zero: it is not locked
}

// Account tells how the devices of a user stand together; nobody's stand well.
func (s *Devices) Account(ctx context.Context, env, userID string) (MFAStanding, error) {
	var m MFAStanding
	var until int64
	err := s.db.reader.QueryRowContext(ctx, `SELECT count, locked_until FROM failures WHERE env = $1 AND key = $2`, env, accountTally(userID)).Scan(&m.Wrong, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return MFAStanding{}, nil
	}
	if until > millis(s.now()) {
		m.LockedUntil = instant(until)
	}
	return m, err
}

// UnlockAccount forgets the wrong answers of a user, and the lock of all their devices
// that they led to; those of each device are another thing.
func (s *Devices) UnlockAccount(ctx context.Context, env, userID string) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return unlock(ctx, tx, env, accountTally(userID)) })
}

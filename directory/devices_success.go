package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

const (
	// usedKept is how old the time of the last use may become before a use is worth
	// writing.
	usedKept = 60 * time.Second
	// challengeKept is how long an answered challenge is remembered: longer than any
	// execution lives, and with it the challenge.
	challengeKept = 2 * flow.Life
	// successEffect is the kind of the effects of Succeed.
	successEffect = "deviceSuccess"
)

// Success is an answer that the caller has found right.
type Success struct {
	Judged
	Seen       device.Device      // as it was read for this answer
	Credential *device.Credential // as the assertion leaves it; nil: of no passkey
	Challenge  [32]byte           // of WebAuthn: used up by this; zero: none
}

// Succeed takes a right answer, unless a lock or a block came meanwhile, the challenge
// was used before or the counter of the credential did not go up, which count as wrong
// answers; one that is handed in as Suspected may stay behind. It clears the counts. Of a
// challenge one answer is taken, in all processes, and the counter never goes down. It
// writes only what must be: of most answers the challenge, if there is one, and a moment
// later the time. A repeat of the Effect is judged again.
func (s *Devices) Succeed(ctx context.Context, a Success) (Standing, error) {
	now := s.now()
	if a.same() && a.stands(now) {
		used, err := s.use(ctx, a, now)
		if err != nil {
			return Standing{}, err
		}
		if used {
			s.touch(a.Seen, now)
			return Standing{OK: true, Counted: true}, nil
		}
	}
	word, err := s.do(ctx, successEffect, a.Effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
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

// stands reports whether the device was seen in a state that a right answer leaves as it
// is. What locks or blocks it since then came after this answer.
func (a *Success) stands(now time.Time) bool {
	d := &a.Seen
	return d.ID == a.ID && d.UserID == a.UserID && d.Usable(now) && d.Wrong+d.WrongOfAll == 0
}

// touch keeps that a device was used now, unless that was kept a moment ago.
func (s *Devices) touch(d device.Device, now time.Time) {
	if now.Sub(d.LastUsedAt) > usedKept {
		s.db.later.put("devices/"+d.Env+"/"+d.ID, `UPDATE devices SET last_used_at = $3 WHERE env = $1 AND id = $2 AND last_used_at < $3`, d.Env, d.ID, millis(now))
	}
}

// same reports whether the credential is left as it was seen, and does not count; of no
// passkey there is nothing to leave.
func (a *Success) same() bool {
	was, is := a.Seen.Credential, a.Credential
	return is == nil || was != nil && is.SignCount == 0 && was.SignCount == 0 && is.BackedUp == was.BackedUp &&
		(was.Verified || !is.Verified) && (was.Suspected || !is.Suspected)
}

// use uses up the challenge, if that is still all there is to write, and reports whether
// it did; of one that is used up it does not tell by whom. Of none there is nothing to do.
func (s *Devices) use(ctx context.Context, a Success, now time.Time) (used bool, err error) {
	if a.Challenge == [32]byte{} {
		return true, nil
	}
	err = s.db.writeOne(ctx, func(ctx context.Context, q querier) (err error) {
		used, err = changed(q.ExecContext(ctx, `INSERT INTO used_challenges (env, challenge, expires_at, effect)
			SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM devices WHERE env = $5 AND id = $6 AND user_id = $7 AND status = $8 AND blocked_at = 0 AND sign_count = 0)
				AND NOT EXISTS (SELECT 1 FROM failures WHERE env = $9 AND key IN ($10, $11)) ON CONFLICT (env, challenge) DO NOTHING`,
			a.Env, a.Challenge[:], millis(now.Add(challengeKept)), a.Effect, a.Env, a.ID, a.UserID, string(device.Active), a.Env, accountTally(a.UserID), a.tally()))
		return err
	})
	if err != nil {
		err = fmt.Errorf("use a challenge up: %w", err)
	}
	return used, err
}

func (s *Devices) succeed(ctx context.Context, tx *sql.Tx, a Success, now time.Time) (v Standing, err error) {
	d, err := holdDevice(ctx, tx, a.Judged)
	if err != nil {
		return v, err
	}
	account, own, err := readTallies(ctx, tx, a.Judged)
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
		if account, own, err = holdTallies(ctx, tx, a.Judged, now); err != nil {
			return v, err
		}
		return v, v.count(ctx, tx, a.Judged, account, own, now)
	}
	v.OK, v.Counted = true, true
	if account.count+own.count > 0 {
		if err := errors.Join(clearTally(ctx, tx, a.Env, account.key, now), clearTally(ctx, tx, a.Env, own.key, now)); err != nil {
			return v, err
		}
	}
	return v, d.keepUse(ctx, tx, a.Credential, now)
}

// behind reports whether a counter did not go up. One that is always 0 is none.
// Source: WebAuthn level 3, 6.1.1, 7.2 step 22.
func behind(next, kept uint32) bool { return (next != 0 || kept != 0) && next <= kept }

// useChallenge uses up the challenge, and reports whether this was the first time, or
// the repeat of it; of none it always is. It stays used up when the answer is refused
// for another reason.
func useChallenge(ctx context.Context, tx *sql.Tx, a Success, now time.Time) (bool, error) {
	if a.Challenge == [32]byte{} {
		return true, nil
	}
	first, err := changed(tx.ExecContext(ctx, `INSERT INTO used_challenges (env, challenge, expires_at, effect) VALUES ($1, $2, $3, $4) ON CONFLICT (env, challenge) DO NOTHING`,
		a.Env, a.Challenge[:], millis(now.Add(challengeKept)), a.Effect))
	if err != nil || first || a.Effect == "" {
		return first, err
	}
	var by string
	err = tx.QueryRowContext(ctx, `SELECT effect FROM used_challenges WHERE env = $1 AND challenge = $2`, a.Env, a.Challenge[:]).Scan(&by)
	return by == a.Effect, err
}

// keepUse keeps that the device was used now, and its credential as that left it.
func (d *heldDevice) keepUse(ctx context.Context, tx *sql.Tx, left *device.Credential, now time.Time) error {
	if left == nil || d.Credential == nil {
		_, err := tx.ExecContext(ctx, `UPDATE devices SET last_used_at = $3 WHERE env = $1 AND id = $2`, d.Env, d.ID, millis(now))
		return err
	}
	d.Credential.SignCount, d.Credential.BackedUp = left.SignCount, left.BackedUp
	d.Credential.Suspected = d.Credential.Suspected || left.Suspected
	d.Credential.Verified = d.Credential.Verified || left.Verified
	d.LastUsedAt = now
	return d.keepCredential(ctx, tx, now)
}

// keepCredential keeps the credential and the time of the last use as they are now. The
// counter never goes down.
func (d *heldDevice) keepCredential(ctx context.Context, tx *sql.Tx, now time.Time) error {
	text, err := writeCredential(d.Credential)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE devices SET credential = $3, sign_count = CASE WHEN sign_count < $4 THEN $4 ELSE sign_count END,
		updated_at = $5, last_used_at = $6 WHERE env = $1 AND id = $2`,
		d.Env, d.ID, text, int64(d.Credential.SignCount), millis(now), millis(d.LastUsedAt))
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

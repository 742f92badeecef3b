package directory

import (
	"context"
	"database/sql"
	"time"
)

// Failure is how many wrong answers in a row lock, and for how long; 0 of either:
// they do not.
type Failure struct {
	Count    int
	CoolDown time.Duration
}

// locks reports whether so many in a row lock.
func (f Failure) locks(count int) bool {
	return f.Count > 0 && f.CoolDown > 0 && count%f.Count == 0
}

// left is how many more wrong answers are free after so many; most when there is no
// bound.
func (f Failure) left(count, most int) int {
	switch {
	case f.Count <= 0:
		return most
	case count > 0 && count%f.Count == 0:
		return 0
	}
	return f.Count - count%f.Count
}

// tally is the wrong answers of a device, or of all devices of an account together,
// since the last right one. It is a row of failures, so that what is nobody's is
// counted, locked and forgotten as everything is.
type tally struct {
	env, key string
	count    int
	until    int64
}

// Tallies of MFA have other keys than those of passwords, so that neither lifts the
// other's locks.
func accountTally(userID string) string { return "mfa/" + userID }
func deviceTally(id string) string      { return "device/" + id }

// locked reports whether it is locked at now.
func (t *tally) locked(now time.Time) bool { return t.until > millis(now) }

// holdTally makes a tally ours until the transaction ends, and reads it.
func holdTally(ctx context.Context, tx *sql.Tx, env, key string, now time.Time) (*tally, error) {
	t := &tally{env: env, key: key}
	err := tx.QueryRowContext(ctx, `INSERT INTO failures (env, key, count, locked_until, at) VALUES ($1, $2, 0, 0, $3)
		ON CONFLICT (env, key) DO UPDATE SET at = CASE WHEN failures.at < $3 THEN $3 ELSE failures.at END
		RETURNING count, locked_until`, env, key, millis(now)).Scan(&t.count, &t.until)
	return t, err
}

// holdTallies holds what a judgement counts in: of all devices, and of the one.
func holdTallies(ctx context.Context, tx *sql.Tx, j Judged, now time.Time) (account, own *tally, err error) {
	if account, err = holdTally(ctx, tx, j.Env, accountTally(j.UserID), now); err != nil {
		return nil, nil, err
	}
	own, err = holdTally(ctx, tx, j.Env, j.tally(), now)
	return account, own, err
}

// readTallies reads them, which is enough for a right answer: one that is wrong at the
// same moment comes before it or after it, and what locks by it stays.
func readTallies(ctx context.Context, tx *sql.Tx, j Judged) (account, own *tally, err error) {
	account, own = &tally{env: j.Env, key: accountTally(j.UserID)}, &tally{env: j.Env, key: j.tally()}
	rows, err := tx.QueryContext(ctx, `SELECT key, count, locked_until FROM failures WHERE env = $1 AND key IN ($2, $3)`, j.Env, account.key, own.key)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var found tally
		if err := rows.Scan(&found.key, &found.count, &found.until); err != nil {
			return nil, nil, err
		}
		if found.key == own.key {
			own.count, own.until = found.count, found.until
		} else {
			account.count, account.until = found.count, found.until
		}
	}
	return account, own, rows.Err()
}

// add counts one wrong answer, which may lock. Of an account the longRow-th in a row
// does, whatever the policy says.
func (t *tally) add(ctx context.Context, tx *sql.Tx, f Failure, account bool, now time.Time) error {
	t.count++
	switch {
	case account && t.count >= longRow:
		t.until = max(t.until, millis(now.Add(longLock)))
	case f.locks(t.count):
		t.until = max(t.until, millis(now.Add(f.CoolDown)))
	case !t.locked(now):
		t.until = 0
	}
	return t.keep(ctx, tx)
}

// forget is what a right answer does to a tally as it was before. A lock that was not
// looked at stays, with its count.
func (t *tally) forget(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if t.locked(now) {
		return t.keep(ctx, tx)
	}
	return unlock(ctx, tx, t.env, t.key)
}

func (t *tally) keep(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE failures SET count = $3, locked_until = $4 WHERE env = $1 AND key = $2`, t.env, t.key, t.count, t.until)
	return err
}

// clearTally forgets wrong answers, unless they lock now.
func clearTally(ctx context.Context, tx *sql.Tx, env, key string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM failures WHERE env = $1 AND key = $2 AND locked_until <= $3`, env, key, millis(now))
	return err
}

// dropTallies forgets what was counted of a user and of their devices.
func dropTallies(ctx context.Context, tx *sql.Tx, env, userID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM failures WHERE env = $1 AND (key = $2 OR key IN (
			SELECT 'device/' || id FROM devices WHERE env = $1 AND user_id = $3))`, env, accountTally(userID), userID)
	return err
}

// dropTally forgets wrong answers, and a lock that they led to.
func dropTally(ctx context.Context, tx *sql.Tx, env, key string) error {
	return unlock(ctx, tx, env, key)
}

package directory

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"doorward/runtime/passwordpolicy"
)

// After longRow failures without one acceptance every further failure locks for
// longLock, whatever the policy says. Source: NIST SP 800-63B-4 3.2.2 (at most
// 100 consecutive failed attempts).
const (
	longRow  = 100
	longLock = 24 * time.Hour
)

// countFailure adds one failure, which may lock as the policy says: every so many
// failures in a row do, for a time. It returns until when, in milliseconds, the
// account is locked; 0 when it is not. Under a lock it counts nothing. It is one
// statement, so that failures from two processes both count.
func countFailure(ctx context.Context, tx *sql.Tx, env, key string, p passwordpolicy.Policy, now time.Time) (int64, error) {
	every, lock := int64(p.Lockout.Failures), millis(now.Add(p.Lockout.Duration))
	if p.Lockout.Failures <= 0 || p.Lockout.Duration <= 0 {
		every = math.MaxInt32
	}
	var first int64
	if every == 1 {
		first = lock
	}
	var until int64
	err := tx.QueryRowContext(ctx, `INSERT INTO failures (env, key, count, locked_until, at) VALUES ($1, $2, 1, $3, $4)
		ON CONFLICT (env, key) DO UPDATE SET
			at = $4,
			count = CASE WHEN failures.locked_until > $4 THEN failures.count ELSE failures.count + 1 END,
			locked_until = CASE
				WHEN failures.locked_until > $4 THEN failures.locked_until
				WHEN failures.count + 1 >= $5 THEN $6
				WHEN (failures.count + 1) % $7 = 0 THEN $8
				ELSE 0 END
		RETURNING locked_until`,
		env, key, first, millis(now), longRow, millis(now.Add(longLock)), every, lock).Scan(&until)
	return until, err
}

// clearFailures forgets the failures of an account, unless it is locked now;
// then it returns until when, in milliseconds.
func clearFailures(ctx context.Context, tx *sql.Tx, env, key string, now time.Time) (int64, error) {
	if _, err := tx.ExecContext(ctx, `DELETE FROM failures WHERE env = $1 AND key = $2 AND locked_until <= $3`, env, key, millis(now)); err != nil {
		return 0, err
	}
	var until int64
	err := tx.QueryRowContext(ctx, `SELECT locked_until FROM failures WHERE env = $1 AND key = $2`, env, key).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return until, err
}

// unlock forgets the failures of an account, and a lock that they led to.
func unlock(ctx context.Context, tx *sql.Tx, env, key string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM failures WHERE env = $1 AND key = $2`, env, key)
	return err
}

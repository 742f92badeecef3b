package directory

import (
	"context"
	"database/sql"
	"time"
)

// once performs do once per effect key and keeps what it returned; a repeat of
// the key performs nothing and gets that result. It runs inside the transaction
// of the effect itself, so that both last or neither. An empty key is performed
// every time.
func once(ctx context.Context, tx *sql.Tx, key string, now time.Time, do func() (string, error)) (string, error) {
	if key == "" {
		return do()
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO effects (key, result, at) VALUES ($1, '', $2) ON CONFLICT (key) DO NOTHING`, key, millis(now))
	if err != nil {
		return "", err
	}
	if n, err := res.RowsAffected(); err != nil {
		return "", err
	} else if n == 0 {
		var first string
		err := tx.QueryRowContext(ctx, `SELECT result FROM effects WHERE key = $1`, key).Scan(&first)
		return first, err
	}
	result, err := do()
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `UPDATE effects SET result = $2 WHERE key = $1`, key, result)
	return result, err
}

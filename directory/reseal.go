package directory

import (
	"context"
	"database/sql"
	"fmt"
)

// Resealer is a Sealer that knows what it would seal anew.
type Resealer interface {
	Sealer
	// Fresh reports whether a value is sealed under the generation that seals now.
	Fresh(sealed []byte) bool
}

// sealedRow is a value that lasts, and where it lies.
type sealedRow struct {
	env, column string
	sealed      []byte
	keep        func(ctx context.Context, tx *sql.Tx, sealed []byte) error
}

// Reseal seals everything that lasts under the generation that seals now, and
// returns how many values were under another: the secrets of the configuration and
// the signing keys. What lives for less than a generation does is left to expire.
// It changes all of them or none, and the nodes that are serving read either.
func Reseal(ctx context.Context, db *DB, ring Resealer) (n int, err error) {
	err = db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n = 0
		rows, err := sealedRows(ctx, tx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if ring.Fresh(row.sealed) {
				continue
			}
			plain, err := ring.Open(row.sealed, row.env, row.column)
			if err != nil {
				return fmt.Errorf("%s of environment %s: %w", row.column, row.env, err)
			}
			sealed, err := ring.Seal(plain, row.env, row.column)
			if err != nil {
				return fmt.Errorf("%s of environment %s: %w", row.column, row.env, err)
			}
			if err := row.keep(ctx, tx, sealed); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func sealedRows(ctx context.Context, tx *sql.Tx) ([]sealedRow, error) {
	secrets, err := gather(ctx, tx, `SELECT env, kind, id, name, sealed FROM secrets ORDER BY env, kind, id, name`, func(rows *sql.Rows) (sealedRow, error) {
		var row sealedRow
		var s secret
		err := rows.Scan(&row.env, &s.kind, &s.id, &s.name, &row.sealed)
		row.column = s.column()
		row.keep = func(ctx context.Context, tx *sql.Tx, sealed []byte) error {
			s.sealed = sealed
			return s.keep(ctx, tx, row.env)
		}
		return row, err
	})
	if err != nil {
		return nil, err
	}
	signing, err := gather(ctx, tx, `SELECT env, id, sealed FROM signing_keys ORDER BY env, id`, func(rows *sql.Rows) (sealedRow, error) {
		var row sealedRow
		var id string
		err := rows.Scan(&row.env, &id, &row.sealed)
		row.column = keyColumn(id)
		row.keep = func(ctx context.Context, tx *sql.Tx, sealed []byte) error {
			_, err := tx.ExecContext(ctx, `UPDATE signing_keys SET sealed = $3 WHERE env = $1 AND id = $2`, row.env, id, sealed)
			return err
		}
		return row, err
	})
	return append(secrets, signing...), err
}

// gather reads all rows before anything is written.
func gather(ctx context.Context, tx *sql.Tx, statement string, scan func(*sql.Rows) (sealedRow, error)) ([]sealedRow, error) {
	rows, err := tx.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []sealedRow
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

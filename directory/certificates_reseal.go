package directory

import (
	"context"
	"database/sql"
	"fmt"
)

// authorityRows are the keys of certificate authorities.
func authorityRows(ctx context.Context, tx *sql.Tx) ([]sealedRow, error) {
	return gather(ctx, tx, `SELECT env, generation, sealed FROM certificate_authorities ORDER BY env, generation`, func(rows *sql.Rows) (sealedRow, error) {
		var row sealedRow
		var generation int
		err := rows.Scan(&row.env, &generation, &row.sealed)
		row.column = authorityColumn(generation)
		row.keep = func(ctx context.Context, tx *sql.Tx, sealed []byte) error {
			_, err := tx.ExecContext(ctx, `UPDATE certificate_authorities SET sealed = $3 WHERE env = $1 AND generation = $2`, row.env, generation, sealed)
			return err
		}
		return row, err
	})
}

// pinRows are some of the PINs of certificates, behind that of a certificate.
func pinRows(ctx context.Context, tx *sql.Tx, env, id string) ([]sealedRow, error) {
	return gather(ctx, tx, fmt.Sprintf(`SELECT env, id, pin FROM certificates
		WHERE length(pin) > 0 AND (env > $1 OR env = $1 AND id > $2) ORDER BY env, id LIMIT %d`, sweepBatch), func(rows *sql.Rows) (sealedRow, error) {
		var row sealedRow
		err := rows.Scan(&row.env, &row.id, &row.sealed)
		row.column = pinColumn(row.id)
		row.keep = func(ctx context.Context, tx *sql.Tx, sealed []byte) error {
			_, err := tx.ExecContext(ctx, `UPDATE certificates SET pin = $3 WHERE env = $1 AND id = $2 AND length(pin) > 0`, row.env, row.id, sealed)
			return err
		}
		return row, err
	}, env, id)
}

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
	env, id, column string
	sealed          []byte
	keep            func(ctx context.Context, tx *sql.Tx, sealed []byte) error
}

// Reseal seals everything that lasts under the generation that seals now, and
// returns how many values were under another: the secrets of the configuration, the
// signing keys, those of certificate authorities, the seeds of devices and the PINs of
// certificates. What lives for less than a generation does is left to expire. It goes a
// page at a time, and to reseal again goes on where an error ended it.
// The nodes that are serving read either.
func Reseal(ctx context.Context, db *DB, ring Resealer) (int, error) {
	n, err := resealRows(ctx, db, ring)
	if err != nil {
		return n, err
	}
	for _, page := range []pager{seedRows, pinRows} {
		more, err := resealPages(ctx, db, ring, page)
		if n += more; err != nil {
			return n, err
		}
	}
	return n, nil
}

// resealPage is how many values are sealed anew in one transaction, which has the time
// of a request's.
const resealPage = 100

func resealRows(ctx context.Context, db *DB, ring Resealer) (n int, err error) {
	for page := resealPage; err == nil && page == resealPage; n += page {
		err = db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			page, err = resealSome(ctx, tx, ring)
			return err
		})
		if err != nil {
			page = 0 // it was taken back
		}
	}
	return n, err
}

// resealSome seals a page of values anew, fewer where fewer are left.
func resealSome(ctx context.Context, tx *sql.Tx, ring Resealer) (n int, err error) {
	rows, err := sealedRows(ctx, tx)
	for _, row := range rows {
		done, err := row.reseal(ctx, tx, ring)
		if err != nil {
			return n, err
		}
		if done {
			n++
		}
		if n == resealPage {
			break
		}
	}
	return n, err
}

// reseal seals one value anew, unless it is fresh.
func (row sealedRow) reseal(ctx context.Context, tx *sql.Tx, ring Resealer) (bool, error) {
	if ring.Fresh(row.sealed) {
		return false, nil
	}
	plain, err := ring.Open(row.sealed, row.env, row.column)
	if err != nil {
		return false, fmt.Errorf("%s of environment %s: %w", row.column, row.env, err)
	}
	sealed, err := ring.Seal(plain, row.env, row.column)
	if err != nil {
		return false, fmt.Errorf("%s of environment %s: %w", row.column, row.env, err)
	}
	return true, row.keep(ctx, tx, sealed)
}

func sealedRows(ctx context.Context, tx *sql.Tx) ([]sealedRow, error) {
	secrets, err := gather(ctx, tx, `SELECT env, kind, id, name, sealed FROM secrets ORDER BY env, kind, id, name`, func(rows *sql.Rows) (sealedRow, error) {
		var row sealedRow
		var s secret
		err := rows.Scan(&row.env, &s.kind, &s.id, &s.name, &row.sealed)
		row.column = s.column()
		row.keep = func(ctx context.Context, tx *sql.Tx, sealed []byte) error { // unless it was changed or removed meanwhile
			_, err := tx.ExecContext(ctx, `UPDATE secrets SET sealed = $5 WHERE env = $1 AND kind = $2 AND id = $3 AND name = $4 AND sealed = $6`,
				row.env, s.kind, s.id, s.name, sealed, row.sealed)
			return err
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
	if err != nil {
		return nil, err
	}
	authorities, err := authorityRows(ctx, tx)
	return append(append(secrets, signing...), authorities...), err
}

// gather reads all rows before anything is written.
func gather(ctx context.Context, tx *sql.Tx, statement string, scan func(*sql.Rows) (sealedRow, error), args ...any) ([]sealedRow, error) {
	rows, err := tx.QueryContext(ctx, statement, args...)
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

// pager reads some of the rows of a sort, behind that of an id.
type pager func(ctx context.Context, tx *sql.Tx, env, id string) ([]sealedRow, error)

// resealPages seals all rows of a sort anew, in the order of their ids.
func resealPages(ctx context.Context, db *DB, ring Resealer, read pager) (int, error) {
	total, env, id := 0, "", ""
	for {
		var page []sealedRow
		n := 0
		err := db.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			n = 0
			if page, err = read(ctx, tx, env, id); err != nil {
				return err
			}
			for _, row := range page {
				done, err := row.reseal(ctx, tx, ring)
				if err != nil {
					return err
				}
				if done {
					n++
				}
			}
			return nil
		})
		if err != nil || len(page) == 0 {
			return total, err
		}
		total += n
		last := page[len(page)-1]
		env, id = last.env, last.id
	}
}

// seedRows are some of the seeds, after that of a device.
func seedRows(ctx context.Context, tx *sql.Tx, env, id string) ([]sealedRow, error) {
	return gather(ctx, tx, fmt.Sprintf(`SELECT env, id, seed FROM devices
		WHERE length(seed) > 0 AND (env > $1 OR env = $1 AND id > $2) ORDER BY env, id LIMIT %d`, sweepBatch), func(rows *sql.Rows) (sealedRow, error) {
		var row sealedRow
		err := rows.Scan(&row.env, &row.id, &row.sealed)
		row.column = seedColumn(row.id)
		row.keep = func(ctx context.Context, tx *sql.Tx, sealed []byte) error {
			_, err := tx.ExecContext(ctx, `UPDATE devices SET seed = $3 WHERE env = $1 AND id = $2 AND seed = $4`, row.env, row.id, sealed, row.sealed)
			return err
		}
		return row, err
	}, env, id)
}

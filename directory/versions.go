package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

type (
	// Version is a document as it was published once.
	Version = flow.Version
	// VersionPage is some versions of a document.
	VersionPage = flow.VersionPage
)

// addVersions adds versions and returns their numbers. It runs once the revision
// is ours, so that nobody else counts meanwhile.
func addVersions(ctx context.Context, tx *sql.Tx, env string, versions []Version, now time.Time) ([]int64, error) {
	var numbers []int64
	for _, v := range versions {
		if v.Env != "" && v.Env != env {
			return nil, fmt.Errorf("version of %s %s belongs to environment %s", v.Kind, v.ID, v.Env)
		}
		var number int64
		err := tx.QueryRowContext(ctx, `INSERT INTO versions (env, kind, id, number, hash, body, author, note, at)
			VALUES ($1, $2, $3, (SELECT COALESCE(MAX(number), 0) + 1 FROM versions WHERE env = $1 AND kind = $2 AND id = $3), $4, $5, $6, $7, $8)
			RETURNING number`, env, v.Kind, v.ID, v.Hash[:], v.Body, v.Author, v.Note, millis(now)).Scan(&number)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

const versionColumns = `env, kind, id, number, hash, author, note, at`

// Versions returns a page of at most limit versions, 200 when that is 0 or more;
// after is Next of the page before, or empty. It fails with ErrCursor.
func (r *Resources) Versions(ctx context.Context, env, kind, id, after string, limit int) (VersionPage, error) {
	var p VersionPage
	if limit <= 0 || limit > pageMax {
		limit = pageMax
	}
	list := "versions/" + env + "/" + kind + "/" + id
	below := int64(1) << 62
	if after != "" {
		last, err := readCursor(list, after)
		if err != nil {
			return p, err
		}
		below = last.at
	}
	err := r.db.lists.QueryRowContext(ctx, `SELECT COUNT(*) FROM versions WHERE env = $1 AND kind = $2 AND id = $3`, env, kind, id).Scan(&p.Count)
	if err != nil {
		return p, fmt.Errorf("count versions: %w", err)
	}
	rows, err := r.db.lists.QueryContext(ctx, `SELECT `+versionColumns+` FROM versions
		WHERE env = $1 AND kind = $2 AND id = $3 AND number < $4 ORDER BY number DESC LIMIT $5`, env, kind, id, below, limit+1)
	if err != nil {
		return p, fmt.Errorf("list versions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scanVersion(rows)
		if err != nil {
			return p, fmt.Errorf("list versions: %w", err)
		}
		if len(p.Versions) == limit { // there is more
			p.Next = mark{at: p.Versions[limit-1].Number}.cursor(list)
			break
		}
		p.Versions = append(p.Versions, v)
	}
	return p, rows.Err()
}

// Version returns a version by its number; flow.ErrUnknown when there is none.
func (r *Resources) Version(ctx context.Context, env, kind, id string, number int64) (Version, error) {
	return r.version(ctx, `number = $4`, env, kind, id, number)
}

// VersionOf returns the newest version of that hash; flow.ErrUnknown when there is
// none.
func (r *Resources) VersionOf(ctx context.Context, env, kind, id string, hash flow.Digest) (Version, error) {
	return r.version(ctx, `hash = $4`, env, kind, id, hash[:])
}

func (r *Resources) version(ctx context.Context, which string, args ...any) (Version, error) {
	var body []byte
	v, err := scanVersion(r.db.reader.QueryRowContext(ctx, `SELECT `+versionColumns+`, body FROM versions
		WHERE env = $1 AND kind = $2 AND id = $3 AND `+which+` ORDER BY number DESC LIMIT 1`, args...), &body)
	v.Body = body
	return v, err
}

// scanVersion reads one row of versionColumns, and what comes after them;
// flow.ErrUnknown when there is none.
func scanVersion(row interface{ Scan(to ...any) error }, more ...any) (Version, error) {
	var v Version
	var hash []byte
	var at int64
	err := row.Scan(append([]any{&v.Env, &v.Kind, &v.ID, &v.Number, &hash, &v.Author, &v.Note, &at}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return Version{}, flow.ErrUnknown
	}
	copy(v.Hash[:], hash)
	v.At = instant(at)
	return v, err
}

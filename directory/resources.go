package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// EnvironmentKind is the kind of the documents that Environments lists; such a
// document's id is its environment.
const EnvironmentKind = "environment"

// Sealer is the part of the key ring that makes secrets unreadable in the file.
// A sealed value opens only for the environment and column it was sealed for.
type Sealer interface {
	Seal(plain []byte, env, column string) ([]byte, error)
	Open(sealed []byte, env, column string) ([]byte, error)
}

// Resources is the repository of configuration: documents, their secrets, the
// plans compiled from them, and the revision by which others notice a change.
type Resources struct {
	db   *DB
	ring Sealer
}

// NewResources keeps configuration in db, with secrets sealed by ring.
func NewResources(db *DB, ring Sealer) *Resources { return &Resources{db: db, ring: ring} }

// List returns the documents of an environment by kind and id.
func (r *Resources) List(ctx context.Context, env string) ([]flow.Resource, error) {
	return r.query(ctx, `SELECT env, kind, id, body, created_at, updated_at FROM resources WHERE env = $1 ORDER BY kind, id`, env)
}

// Environments returns the documents of the environments themselves.
func (r *Resources) Environments(ctx context.Context) ([]flow.Resource, error) {
	return r.query(ctx, `SELECT env, kind, id, body, created_at, updated_at FROM resources WHERE kind = $1 AND id = env ORDER BY env`, EnvironmentKind)
}

func (r *Resources) query(ctx context.Context, statement, arg string) ([]flow.Resource, error) {
	rows, err := r.db.lists.QueryContext(ctx, statement, arg)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []flow.Resource
	for rows.Next() {
		var one flow.Resource
		var created, updated int64
		if err := rows.Scan(&one.Env, &one.Kind, &one.ID, &one.Body, &created, &updated); err != nil {
			return nil, err
		}
		one.CreatedAt, one.UpdatedAt = instant(created), instant(updated)
		out = append(out, one)
	}
	return out, rows.Err()
}

type (
	// Edit is a change to one environment.
	Edit = flow.Edit
	// Edited is what it came to.
	Edited = flow.Edited
)

// Edit makes a change in one transaction. The error is flow.ErrLost when the
// revision is no longer the expected one.
func (r *Resources) Edit(ctx context.Context, e Edit) (Edited, error) {
	sealed, err := r.seal(e.Env, e.Secrets)
	if err != nil {
		return Edited{}, err
	}
	var out Edited
	err = r.db.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		out = Edited{}
		// First, because changes take turns at this row: two that went on beside
		// each other could leave a mixture of both, and revisions out of order.
		if out.Revision, err = revise(ctx, tx, e.Expected); err != nil {
			return err
		}
		if err := replace(ctx, tx, e.Env, e.Put, e.Remove, r.db.options.Now()); err != nil {
			return err
		}
		for _, s := range sealed {
			if err := s.keep(ctx, tx, e.Env); err != nil {
				return err
			}
		}
		for hash, source := range e.Plans {
			if _, err := tx.ExecContext(ctx, `INSERT INTO plans (env, hash, source) VALUES ($1, $2, $3) ON CONFLICT (env, hash) DO NOTHING`, e.Env, hash[:], source); err != nil {
				return err
			}
		}
		out.Numbers, err = addVersions(ctx, tx, e.Env, e.Versions, r.db.options.Now())
		return err
	})
	if err != nil {
		return Edited{}, fmt.Errorf("apply environment %s: %w", e.Env, err)
	}
	return out, nil
}

// revise raises the revision; flow.ErrLost when it is not the expected one.
func revise(ctx context.Context, tx *sql.Tx, expected int64) (revision int64, err error) {
	if expected == 0 {
		err = tx.QueryRowContext(ctx, `INSERT INTO revision (id, number) VALUES (1, 1)
			ON CONFLICT (id) DO UPDATE SET number = revision.number + 1 RETURNING number`).Scan(&revision)
		return revision, err
	}
	err = tx.QueryRowContext(ctx, `UPDATE revision SET number = number + 1 WHERE id = 1 AND number = $1 RETURNING number`, expected).Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, flow.ErrLost
	}
	return revision, err
}

// Apply is Edit without versions.
func (r *Resources) Apply(ctx context.Context, env string, put, remove []flow.Resource, secrets map[string][]byte, plans map[flow.Digest][]byte, expected int64) (int64, error) {
	done, err := r.Edit(ctx, Edit{Env: env, Put: put, Remove: remove, Secrets: secrets, Plans: plans, Expected: expected})
	return done.Revision, err
}

func replace(ctx context.Context, tx *sql.Tx, env string, put, remove []flow.Resource, now time.Time) error {
	for _, one := range remove {
		for _, table := range []string{"resources", "secrets"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE env = $1 AND kind = $2 AND id = $3`, env, one.Kind, one.ID); err != nil { //nolint:gosec // table is a constant, above
				return err
			}
		}
	}
	for _, one := range put {
		if one.Env != "" && one.Env != env {
			return fmt.Errorf("%s %s belongs to environment %s", one.Kind, one.ID, one.Env)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO resources (env, kind, id, body, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
			ON CONFLICT (env, kind, id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`, env, one.Kind, one.ID, one.Body, millis(now)); err != nil {
			return err
		}
	}
	return nil
}

// secret is one row of table secrets; no sealed bytes: to be removed.
type secret struct {
	kind, id, name string
	sealed         []byte
}

// column is what the secret is sealed for, so that it opens in its own row only.
func (s secret) column() string { return "secrets/" + s.path() }

func (s secret) path() string { return s.kind + "/" + s.id + "/" + s.name }

func (s secret) keep(ctx context.Context, tx *sql.Tx, env string) error {
	if s.sealed == nil {
		_, err := tx.ExecContext(ctx, `DELETE FROM secrets WHERE env = $1 AND kind = $2 AND id = $3 AND name = $4`, env, s.kind, s.id, s.name)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO secrets (env, kind, id, name, sealed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (env, kind, id, name) DO UPDATE SET sealed = excluded.sealed`, env, s.kind, s.id, s.name, s.sealed)
	return err
}

func (r *Resources) seal(env string, secrets map[string][]byte) ([]secret, error) {
	out := make([]secret, 0, len(secrets))
	for path, plain := range secrets {
		part := strings.Split(path, "/")
		if len(part) != 3 {
			return nil, fmt.Errorf("secret %q is not kind/id/name", path)
		}
		s := secret{kind: part[0], id: part[1], name: part[2]}
		if len(plain) > 0 {
			var err error
			if s.sealed, err = r.ring.Seal(plain, env, s.column()); err != nil {
				return nil, fmt.Errorf("secret %q: %w", path, err)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// Secret returns one secret in plain; flow.ErrUnknown when it was never set.
func (r *Resources) Secret(ctx context.Context, env, kind, id, name string) ([]byte, error) {
	s := secret{kind: kind, id: id, name: name}
	err := r.db.reader.QueryRowContext(ctx, `SELECT sealed FROM secrets WHERE env = $1 AND kind = $2 AND id = $3 AND name = $4`,
		env, kind, id, name).Scan(&s.sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, flow.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	return r.open(env, s)
}

// Secrets returns every secret of an environment in plain, by "kind/id/name".
func (r *Resources) Secrets(ctx context.Context, env string) (map[string][]byte, error) {
	rows, err := r.db.lists.QueryContext(ctx, `SELECT kind, id, name, sealed FROM secrets WHERE env = $1`, env)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var s secret
		if err := rows.Scan(&s.kind, &s.id, &s.name, &s.sealed); err != nil {
			return nil, err
		}
		if out[s.path()], err = r.open(env, s); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}

func (r *Resources) open(env string, s secret) ([]byte, error) {
	plain, err := r.ring.Open(s.sealed, env, s.column())
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", s.path(), err)
	}
	return plain, nil
}

// Revision is the number of the last change to any environment; 0 before the
// first. It grows with every Apply, in whichever environment.
func (r *Resources) Revision(ctx context.Context) (int64, error) {
	var n int64
	err := r.db.reader.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM revision`).Scan(&n)
	return n, err
}

// Plan returns the source of a plan; flow.ErrUnknown when there is none.
func (r *Resources) Plan(ctx context.Context, env string, hash flow.Digest) ([]byte, error) {
	var source []byte
	err := r.db.reader.QueryRowContext(ctx, `SELECT source FROM plans WHERE env = $1 AND hash = $2`, env, hash[:]).Scan(&source)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, flow.ErrUnknown
	}
	return source, err
}

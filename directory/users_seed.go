package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"doorward/runtime/flow"
)

// Seed adds u unless a user of that id or name is there, or was seeded before: whoever has
// removed them has meant it. What is there is left as it is. It reports whether what
// belongs to u is yet to be made; that stays so until Seeded is called.
func (s *Users) Seed(ctx context.Context, u User, password string) (open bool, err error) {
	key, err := NormalName(u.Username)
	if err != nil {
		return false, err
	}
	switch done, err := s.seed(ctx, u.Env, u.ID); {
	case err == nil && done:
		return false, nil
	case errors.Is(err, flow.ErrUnknown):
		var n int
		if err := s.db.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE env = $1 AND (id = $2 OR name_key = $3)`, u.Env, u.ID, key).Scan(&n); err != nil {
			return false, err
		}
		if err := s.mark(ctx, u.Env, u.ID, n > 0); err != nil || n > 0 {
			return false, err
		}
	case err != nil:
		return false, err
	}
	if _, err := s.Create(ctx, u, password, ""); err != nil && !errors.Is(err, ErrTaken) {
		return false, err
	}
	_, err = s.Get(ctx, u.Env, u.ID) // by this node, another one, or one that died over it
	if errors.Is(err, flow.ErrUnknown) {
		return false, s.Seeded(ctx, u.Env, u.ID) // the name is somebody else's
	}
	return err == nil, err
}

// Seeded ends what Seed has begun.
func (s *Users) Seeded(ctx context.Context, env, id string) error { return s.mark(ctx, env, id, true) }

// seed reports whether a seed is done; flow.ErrUnknown when it was never begun.
func (s *Users) seed(ctx context.Context, env, id string) (done bool, err error) {
	err = s.db.reader.QueryRowContext(ctx, `SELECT done FROM seeds WHERE env = $1 AND id = $2`, env, id).Scan(&done)
	if errors.Is(err, sql.ErrNoRows) {
		err = flow.ErrUnknown
	}
	return done, err
}

// mark keeps how far a seed has come; what is done stays so.
func (s *Users) mark(ctx context.Context, env, id string, done bool) error {
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO seeds (env, id, done) VALUES ($1, $2, $3)
			ON CONFLICT (env, id) DO UPDATE SET done = seeds.done OR excluded.done`, env, id, done)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark a seed: %w", err)
	}
	return nil
}

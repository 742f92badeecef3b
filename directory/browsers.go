package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"

	"github.com/google/uuid"
)

// Browser is one that a user trusts: it is not asked for a second factor. Only the
// digest of its cookie is known here.
type Browser struct {
	Env, UserID, ID string
	Hash            flow.Digest
	Name            string // what the browser calls itself, to be told from others
	RemoteIP        string // where it was when it was trusted
	CreatedAt       time.Time
	ExpiresAt       time.Time
}

// browsersMost is how many browsers a user may trust; the one that was trusted
// longest ago gives way.
const browsersMost = 20

// Trust keeps that a user trusts a browser, once more if they do already; ID and
// CreatedAt are made here. flow.ErrUnknown when there is no such user, or when the
// password was changed after proven, which is when they have shown who they are.
//
// It holds the row of the user, as a change of the password and of the devices do,
// so that no trust comes in beside the end of all.
func (s *Devices) Trust(ctx context.Context, b Browser, proven time.Time) error {
	now := s.now()
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		held, err := changed(tx.ExecContext(ctx, `UPDATE users SET updated_at = updated_at WHERE env = $1 AND id = $2 AND credentials_since <= $3`,
			b.Env, b.UserID, millis(proven)))
		if err == nil && !held {
			err = flow.ErrUnknown
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO trusted_browsers (env, user_id, hash, id, name, remote_ip, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (env, user_id, hash) DO UPDATE SET name = excluded.name, remote_ip = excluded.remote_ip, created_at = excluded.created_at, expires_at = excluded.expires_at`,
			b.Env, b.UserID, b.Hash[:], uuid.NewString(), b.Name, b.RemoteIP, millis(now), millis(b.ExpiresAt)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM trusted_browsers WHERE env = $1 AND user_id = $2 AND hash NOT IN (
				SELECT hash FROM trusted_browsers WHERE env = $1 AND user_id = $2 ORDER BY created_at DESC, hash LIMIT $3)`, b.Env, b.UserID, browsersMost)
		return err
	})
}

// Trusted reports whether a user trusts the browser of that cookie now. Nobody trusts
// the zero digest.
func (s *Devices) Trusted(ctx context.Context, env, userID string, hash flow.Digest) (bool, error) {
	if hash.IsZero() {
		return false, nil
	}
	var trusted bool
	err := s.db.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM trusted_browsers WHERE env = $1 AND user_id = $2 AND hash = $3 AND expires_at > $4)`,
		env, userID, hash[:], millis(s.now())).Scan(&trusted)
	if err != nil {
		return false, fmt.Errorf("trusted browser: %w", err)
	}
	return trusted, nil
}

// Browsers returns the browsers that a user trusts, the last one first.
func (s *Devices) Browsers(ctx context.Context, env, userID string) ([]Browser, error) {
	rows, err := s.db.reader.QueryContext(ctx, `SELECT env, user_id, id, hash, name, remote_ip, created_at, expires_at FROM trusted_browsers
		WHERE env = $1 AND user_id = $2 AND expires_at > $3 ORDER BY created_at DESC, id`, env, userID, millis(s.now()))
	if err != nil {
		return nil, fmt.Errorf("list browsers: %w", err)
	}
	defer rows.Close()
	var out []Browser
	for rows.Next() {
		var b Browser
		var hash []byte
		var created, expires int64
		if err := rows.Scan(&b.Env, &b.UserID, &b.ID, &hash, &b.Name, &b.RemoteIP, &created, &expires); err != nil {
			return nil, fmt.Errorf("list browsers: %w", err)
		}
		copy(b.Hash[:], hash)
		b.CreatedAt, b.ExpiresAt = instant(created), instant(expires)
		out = append(out, b)
	}
	return out, rows.Err()
}

// Revoke ends the trust in a browser; flow.ErrUnknown when the user trusts none of
// that id.
func (s *Devices) Revoke(ctx context.Context, env, userID, id string) error {
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, `DELETE FROM trusted_browsers WHERE env = $1 AND user_id = $2 AND id = $3`, env, userID, id))
		if err == nil && !found {
			err = flow.ErrUnknown
		}
		return err
	})
	if err != nil && !errors.Is(err, flow.ErrUnknown) {
		return fmt.Errorf("revoke a browser: %w", err)
	}
	return err
}

// RevokeAll ends every trust of a user in a browser.
func (s *Devices) RevokeAll(ctx context.Context, env, userID string) error {
	now := s.now()
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := ownDevices(ctx, tx, env, userID, false, now); err != nil {
			return err
		}
		return endTrust(ctx, tx, env, userID)
	})
}

// endTrust ends every trust of a user whose row is ours.
func endTrust(ctx context.Context, tx *sql.Tx, env, userID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM trusted_browsers WHERE env = $1 AND user_id = $2`, env, userID)
	return err
}

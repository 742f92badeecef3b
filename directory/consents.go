package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

// Consent is the last word of a user about an agreement.
// Source: reference/management.md 5.9.
type Consent struct {
	Env, UserID string
	Agreement   string // id
	Language    string // id
	Revision    string // id of what was shown
	Status      ConsentStatus
	ConsentedAt time.Time
	ExpiresAt   time.Time // zero: never
}

// ConsentStatus is what the word is.
type ConsentStatus string

// The statuses that are kept.
const (
	ConsentAccepted ConsentStatus = "ACCEPTED"
	ConsentRevoked  ConsentStatus = "REVOKED"
)

// Holds reports whether the user agrees at now. Whether the revision still counts
// is the agreement's to say.
func (c Consent) Holds(now time.Time) bool {
	return c.Status == ConsentAccepted && (c.ExpiresAt.IsZero() || now.Before(c.ExpiresAt))
}

// Consents is the repository of consents.
type Consents struct {
	db  *DB
	now func() time.Time
}

// NewConsents keeps consents in db.
func NewConsents(db *DB, now func() time.Time) *Consents { return &Consents{db: db, now: now} }

// Accept keeps that a user agrees, in the place of what they said before, and
// returns it as kept; ConsentedAt is now when it is zero. The same effect again
// changes nothing; an empty one is performed every time. flow.ErrUnknown when
// there is no such user.
func (s *Consents) Accept(ctx context.Context, c Consent, effect string) (Consent, error) {
	if c.ConsentedAt.IsZero() {
		c.ConsentedAt = s.now()
	}
	return s.say(ctx, c, effect, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO consents (env, user_id, agreement, language, revision, status, consented_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (env, user_id, agreement) DO UPDATE SET language = excluded.language, revision = excluded.revision,
				status = excluded.status, consented_at = excluded.consented_at, expires_at = excluded.expires_at`,
			c.Env, c.UserID, c.Agreement, c.Language, c.Revision, string(ConsentAccepted), millis(c.ConsentedAt), millis(c.ExpiresAt))
		return err
	})
}

// Revoke takes a consent back and returns it as kept. The same again changes
// nothing. flow.ErrUnknown when the user has never agreed.
func (s *Consents) Revoke(ctx context.Context, env, userID, agreement, effect string) (Consent, error) {
	c := Consent{Env: env, UserID: userID, Agreement: agreement}
	return s.say(ctx, c, effect, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, `UPDATE consents SET status = $1 WHERE env = $2 AND user_id = $3 AND agreement = $4`,
			string(ConsentRevoked), env, userID, agreement))
		if err == nil && !found {
			return flow.ErrUnknown
		}
		return err
	})
}

// say performs one change once per effect and returns the consent as it is then.
func (s *Consents) say(ctx context.Context, c Consent, effect string, do func(ctx context.Context, tx *sql.Tx) error) (Consent, error) {
	if effect != "" {
		effect = "consent/" + effect
	}
	now := s.now()
	var kept Consent
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := once(ctx, tx, effect, now, func() (string, error) { return "", do(ctx, tx) })
		if err != nil {
			return err
		}
		kept, err = scanConsent(tx.QueryRowContext(ctx, readConsent, c.Env, c.UserID, c.Agreement))
		return err
	})
	switch {
	case orphan(err), errors.Is(err, flow.ErrUnknown):
		return Consent{}, flow.ErrUnknown
	case err != nil:
		return Consent{}, fmt.Errorf("consent: %w", err)
	}
	return kept, nil
}

const (
	consentColumns = `env, user_id, agreement, language, revision, status, consented_at, expires_at`
	readConsent    = `SELECT ` + consentColumns + ` FROM consents WHERE env = $1 AND user_id = $2 AND agreement = $3`
)

func scanConsent(row interface{ Scan(to ...any) error }) (Consent, error) {
	var c Consent
	var at, expires int64
	err := row.Scan(&c.Env, &c.UserID, &c.Agreement, &c.Language, &c.Revision, &c.Status, &at, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return Consent{}, flow.ErrUnknown
	}
	c.ConsentedAt, c.ExpiresAt = instant(at), instant(expires)
	return c, err
}

// Read returns what a user has said about an agreement; flow.ErrUnknown when that
// is nothing.
func (s *Consents) Read(ctx context.Context, env, userID, agreement string) (Consent, error) {
	return scanConsent(s.db.reader.QueryRowContext(ctx, readConsent, env, userID, agreement))
}

// List returns what a user has said, by agreement.
func (s *Consents) List(ctx context.Context, env, userID string) ([]Consent, error) {
	rows, err := s.db.reader.QueryContext(ctx, `SELECT `+consentColumns+` FROM consents WHERE env = $1 AND user_id = $2 ORDER BY agreement`, env, userID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Consent
	for rows.Next() {
		c, err := scanConsent(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// ConsentTotal is how many users have agreed to an agreement and not taken that
// back, and of how many of them the consent has expired.
type ConsentTotal struct{ All, Expired int }

// Totals counts the consents to each of the agreements as they are now; one that
// nobody has agreed to is not among them.
// Source: reference/management.md 5.9 (totalConsents, totalExpiredConsents).
func (s *Consents) Totals(ctx context.Context, env string, agreements []string) (map[string]ConsentTotal, error) {
	out := map[string]ConsentTotal{}
	if len(agreements) == 0 {
		return out, nil
	}
	in, args := among([]any{env, string(ConsentAccepted), millis(s.now())}, agreements)
	rows, err := s.db.lists.QueryContext(ctx, `SELECT agreement, COUNT(*), SUM(CASE WHEN expires_at > 0 AND expires_at <= $3 THEN 1 ELSE 0 END) FROM consents
		WHERE env = $1 AND status = $2 AND agreement IN (`+in+`) GROUP BY agreement`, args...)
	if err != nil {
		return nil, fmt.Errorf("count consents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var t ConsentTotal
		if err := rows.Scan(&id, &t.All, &t.Expired); err != nil {
			return nil, fmt.Errorf("count consents: %w", err)
		}
		out[id] = t
	}
	return out, rows.Err()
}

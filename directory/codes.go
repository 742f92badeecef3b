package directory

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"doorward/runtime/flow"
)

const (
	// CodeLife is the longest an authorization code can be redeemed after it
	// was issued. Source: RFC 6749 4.1.2 (at most 10 minutes).
	CodeLife = 60 * time.Second
	// GrantLife is how long a grant is kept when its Code does not say.
	GrantLife = 24 * time.Hour
)

// Redemption is what presenting a code comes to.
type Redemption uint8

// The redemptions.
const (
	Unknown Redemption = iota // no such code, or too late; nothing was changed
	First                     // the one success
	Again                     // presented before; its grant is revoked now
)

// Code is an authorization code and what it grants. Only the digest of the code
// is known here.
type Code struct {
	Hash            flow.Digest
	Env             string
	GrantID         string // UUID; access tokens carry it
	Application     string
	RedirectURI     string
	Challenge       string // PKCE
	ChallengeMethod string
	Nonce           string
	Scope           string
	UserID          string
	SessionID       string
	ACR             string
	AMR             []string
	AuthTime        time.Time
	IssuedAt        time.Time
	ExpiresAt       time.Time // of the code; never past IssuedAt + CodeLife
	EndsAt          time.Time // when the last token of the grant is over; zero: IssuedAt + GrantLife
}

// Grant is what tokens rest on.
type Grant struct {
	ID, Env, Application, Scope, UserID, SessionID, ACR string

	AMR       []string
	AuthTime  time.Time
	IssuedAt  time.Time
	EndsAt    time.Time
	RevokedAt time.Time // zero: it holds
}

// Holds reports whether tokens of the grant are good at now.
func (g Grant) Holds(now time.Time) bool { return g.RevokedAt.IsZero() && now.Before(g.EndsAt) }

// Codes is the repository of authorization codes and their grants: one row is
// both.
type Codes struct {
	db  *DB
	now func() time.Time
}

// NewCodes keeps codes in db.
func NewCodes(db *DB, now func() time.Time) *Codes { return &Codes{db: db, now: now} }

// What Issue reports of a code that was issued before.
var (
	// ErrRedeemed says that it was redeemed.
	ErrRedeemed = errors.New("code was redeemed before")
	// ErrLate says that it was issued more than flow.ResumeFor ago.
	ErrLate = errors.New("code was issued long ago")
)

// Issue keeps a code. The same code again changes nothing: for flow.ResumeFor it
// may be handed out again, and then the error is ErrLate. Once it was redeemed
// the error is ErrRedeemed, since to present it again would revoke its grant.
func (s *Codes) Issue(ctx context.Context, c Code) error {
	expires, ends := c.IssuedAt.Add(CodeLife), c.EndsAt
	if !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(expires) {
		expires = c.ExpiresAt
	}
	if ends.IsZero() {
		ends = c.IssuedAt.Add(GrantLife)
	}
	var redemptions, issued int64
	err := s.db.writeOne(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `INSERT INTO grants (env, id, code_hash, application, redirect_uri, challenge, challenge_method,
				nonce, scope, user_id, session_id, acr, amr, auth_time, issued_at, code_expires_at, ends_at, redemptions, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, 0)
			ON CONFLICT (env, code_hash) DO UPDATE SET code_hash = excluded.code_hash RETURNING redemptions, issued_at`,
			c.Env, c.GrantID, c.Hash[:], c.Application, c.RedirectURI, c.Challenge, c.ChallengeMethod,
			c.Nonce, c.Scope, c.UserID, c.SessionID, c.ACR, strings.Join(c.AMR, " "), millis(c.AuthTime), millis(c.IssuedAt),
			millis(expires), millis(ends)).Scan(&redemptions, &issued)
	})
	switch {
	case err != nil:
		return err
	case millis(c.IssuedAt)-issued >= flow.ResumeFor.Milliseconds():
		return ErrLate
	case redemptions > 0:
		return ErrRedeemed
	}
	return nil
}

// Redeem consumes a code. Of all calls with one code, in all processes, exactly
// one gets First; each later one gets Again, and revokes the grant in the same
// statement. A code whose grant was revoked before is Unknown. The Code is
// returned with First and Again.
func (s *Codes) Redeem(ctx context.Context, env string, hash flow.Digest) (Code, Redemption, error) {
	now := millis(s.now())
	c := Code{Env: env, Hash: hash}
	var times, revoked, authTime, issued, expires, ends int64
	var amr string
	err := s.db.writeOne(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `UPDATE grants SET redemptions = redemptions + 1,
				revoked_at = CASE WHEN redemptions > 0 AND revoked_at = 0 THEN $3 ELSE revoked_at END
			WHERE env = $1 AND code_hash = $2 AND (redemptions > 0 OR code_expires_at > $3)
			RETURNING redemptions, revoked_at, id, application, redirect_uri, challenge, challenge_method, nonce, scope,
				user_id, session_id, acr, amr, auth_time, issued_at, code_expires_at, ends_at`, env, hash[:], now).
			Scan(&times, &revoked, &c.GrantID, &c.Application, &c.RedirectURI, &c.Challenge, &c.ChallengeMethod, &c.Nonce, &c.Scope,
				&c.UserID, &c.SessionID, &c.ACR, &amr, &authTime, &issued, &expires, &ends)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Code{}, Unknown, nil
	case err != nil:
		return Code{}, Unknown, err
	case times == 1 && revoked != 0:
		return Code{}, Unknown, nil
	}
	c.AMR, c.AuthTime, c.IssuedAt = strings.Fields(amr), instant(authTime), instant(issued)
	c.ExpiresAt, c.EndsAt = instant(expires), instant(ends)
	if times > 1 {
		return c, Again, nil
	}
	return c, First, nil
}

// Revoke ends a grant, and with it its tokens; one that is not there is ended
// already.
func (s *Codes) Revoke(ctx context.Context, env, grantID string) error {
	return s.revoke(ctx, "id", env, grantID)
}

// RevokeBySession ends every grant that was given in a sign-on session.
func (s *Codes) RevokeBySession(ctx context.Context, env, sessionID string) error {
	return s.revoke(ctx, "session_id", env, sessionID)
}

func (s *Codes) revoke(ctx context.Context, column, env, id string) error {
	now := millis(s.now())
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE grants SET revoked_at = $3 WHERE env = $1 AND `+column+` = $2 AND revoked_at = 0`, env, id, now) //nolint:gosec // column is one of two constants, above
		return err
	})
}

// Grant returns a grant, revoked or not; flow.ErrUnknown when there is none.
func (s *Codes) Grant(ctx context.Context, env, id string) (Grant, error) {
	g := Grant{ID: id, Env: env}
	var amr string
	var authTime, issued, ends, revoked int64
	err := s.db.reader.QueryRowContext(ctx, `SELECT application, scope, user_id, session_id, acr, amr, auth_time, issued_at, ends_at, revoked_at
		FROM grants WHERE env = $1 AND id = $2`, env, id).
		Scan(&g.Application, &g.Scope, &g.UserID, &g.SessionID, &g.ACR, &amr, &authTime, &issued, &ends, &revoked)
	if errors.Is(err, sql.ErrNoRows) {
		return Grant{}, flow.ErrUnknown
	}
	g.AMR, g.AuthTime, g.IssuedAt = strings.Fields(amr), instant(authTime), instant(issued)
	g.EndsAt, g.RevokedAt = instant(ends), instant(revoked)
	return g, err
}

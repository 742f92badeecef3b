package directory

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/flow"

	"github.com/google/uuid"
)

var (
	// ErrLinked says that an account at an identity provider is somebody's here already.
	ErrLinked = errors.New("the external account is linked")
	// ErrExternalID says that a text is no id of an account at an identity provider.
	ErrExternalID = errors.New("not an id of an external account")
)

// externalMax is the longest id of an account elsewhere, in characters. Source: OpenID
// Connect Core 2 (sub).
const externalMax = 255

// LinkedAccount is an account at an identity provider whose owner is a user here.
// Source: reference/flows.md 9.2.
type LinkedAccount struct {
	ID         string // UUID
	Provider   string // id
	ExternalID string // as the provider writes it: compared as it is
	UserID     string
	CreatedAt  time.Time
}

// Links is the repository of linked accounts. An account of a provider is one user's in
// an environment; a user may have several.
type Links struct {
	db   *DB
	ring Sealer
	now  func() time.Time
}

// NewLinks keeps linked accounts in db. What is mailed about them is sealed with ring.
func NewLinks(db *DB, ring Sealer, now func() time.Time) *Links {
	return &Links{db: db, ring: ring, now: now}
}

// linkedMail is the template of the notice that an account was linked.
const linkedMail = "account.linked"

// CheckExternalID is ErrExternalID unless the text may be the id of an account elsewhere:
// 1 to 255 characters, none of which is a control character.
func CheckExternalID(id string) error {
	if id == "" || !utf8.ValidString(id) || utf8.RuneCountInString(id) > externalMax || strings.ContainsFunc(id, unicode.IsControl) {
		return ErrExternalID
	}
	return nil
}

const linkColumns = `id, provider, external_id, user_id, created_at`

func scanLink(row interface{ Scan(to ...any) error }) (LinkedAccount, error) {
	var a LinkedAccount
	var created int64
	err := row.Scan(&a.ID, &a.Provider, &a.ExternalID, &a.UserID, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return LinkedAccount{}, flow.ErrUnknown
	}
	a.CreatedAt = instant(created)
	return a, err
}

// Find returns the id of the user whose account at a provider it is; flow.ErrUnknown
// when it is nobody's.
func (s *Links) Find(ctx context.Context, env, provider, externalID string) (user string, err error) {
	if !storable(externalID) {
		return "", flow.ErrUnknown
	}
	a, err := scanLink(s.db.reader.QueryRowContext(ctx, `SELECT `+linkColumns+` FROM linked_accounts
		WHERE env = $1 AND provider = $2 AND external_id = $3`, env, provider, externalID))
	return a.UserID, err
}

// Of returns the accounts of a user, the oldest first.
func (s *Links) Of(ctx context.Context, env, userID string) ([]LinkedAccount, error) {
	rows, err := s.db.reader.QueryContext(ctx, `SELECT `+linkColumns+` FROM linked_accounts
		WHERE env = $1 AND user_id = $2 ORDER BY created_at, id`, env, userID)
	if err != nil {
		return nil, fmt.Errorf("list linked accounts: %w", err)
	}
	defer rows.Close()
	var out []LinkedAccount
	for rows.Next() {
		a, err := scanLink(rows)
		if err != nil {
			return nil, fmt.Errorf("list linked accounts: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Read returns an account of a user; flow.ErrUnknown when there is none.
func (s *Links) Read(ctx context.Context, env, userID, id string) (LinkedAccount, error) {
	return scanLink(s.db.reader.QueryRowContext(ctx, `SELECT `+linkColumns+` FROM linked_accounts
		WHERE env = $1 AND user_id = $2 AND id = $3`, env, userID, id))
}

// NewLink is an account elsewhere for a user who is here.
type NewLink struct {
	Env, UserID  string
	Provider     string // id
	ProviderName string // as people know it; empty: it is told by its id
	ExternalID   string
}

// Add links an account to a user, and tells them by mail, both or none. Of several at
// once, in all processes, one gets it. It fails with ErrLinked when it is somebody's
// already, be it the user's; with ErrExternalID; and with flow.ErrUnknown when there is
// no such user. Whether there is such a provider is the caller's to know.
func (s *Links) Add(ctx context.Context, n NewLink) (LinkedAccount, error) {
	if err := CheckExternalID(n.ExternalID); err != nil {
		return LinkedAccount{}, err
	}
	now := s.now()
	a := newLink(n.UserID, n.Provider, n.ExternalID, now)
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		u, err := holdUser(ctx, tx, n.Env, n.UserID)
		if err != nil {
			return err
		}
		switch there, err := a.put(ctx, tx, n.Env); {
		case err != nil:
			return err
		case there.ID != a.ID:
			return ErrLinked
		}
		return tell(ctx, tx, s.ring, u, linkedMail, now, "provider", cmp.Or(n.ProviderName, n.Provider))
	})
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return LinkedAccount{}, flow.ErrUnknown
	case err != nil:
		return LinkedAccount{}, fmt.Errorf("link an account: %w", err)
	}
	return a, nil
}

func newLink(userID, provider, externalID string, now time.Time) LinkedAccount {
	return LinkedAccount{ID: uuid.NewString(), Provider: provider, ExternalID: externalID, UserID: userID, CreatedAt: instant(millis(now))}
}

// put adds a link unless the account is somebody's, and returns the one that is there
// then.
func (a *LinkedAccount) put(ctx context.Context, tx *sql.Tx, env string) (LinkedAccount, error) {
	return scanLink(tx.QueryRowContext(ctx, `INSERT INTO linked_accounts (env, id, user_id, provider, external_id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (env, provider, external_id) DO UPDATE SET created_at = linked_accounts.created_at
		RETURNING `+linkColumns, env, a.ID, a.UserID, a.Provider, a.ExternalID, millis(a.CreatedAt)))
}

// Remove takes an account away from a user; flow.ErrUnknown when there is none.
func (s *Links) Remove(ctx context.Context, env, userID, id string) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, `DELETE FROM linked_accounts WHERE env = $1 AND user_id = $2 AND id = $3`, env, userID, id))
		if err == nil && !found {
			return flow.ErrUnknown
		}
		return err
	})
}

// ExternalStanding is what matters of a user who has proven by an account elsewhere who
// they are.
type ExternalStanding struct {
	Subject flow.Subject
	Enabled bool
	// Locked is by an administrator or by wrong passwords; PasswordOnly: by these alone,
	// which anybody can type.
	Locked, PasswordOnly bool
	UnlockIn             time.Duration // of Locked; 0: once an administrator unlocks the account
	HasPassword          bool          // here
	Unverified           bool          // the address is yet to be verified
}

// SignOn reads what matters of a user who signs on elsewhere, in one look;
// flow.ErrUnknown when there is no such user.
func (s *Links) SignOn(ctx context.Context, env, userID string) (ExternalStanding, error) {
	var out ExternalStanding
	var a account
	err := s.db.reader.QueryRowContext(ctx, `SELECT u.id, u.username, u.given, u.family, u.population, u.preferred_language,
			u.enabled, u.unverified, u.authority = '' AND u.password <> '', u.locked_at, u.lock_until, COALESCE(f.locked_until, 0)
		FROM users u LEFT JOIN failures f ON f.env = u.env AND f.key = u.id
		WHERE u.env = $1 AND u.id = $2`, env, userID).
		Scan(&out.Subject.ID, &out.Subject.Username, &out.Subject.Given, &out.Subject.Family, &out.Subject.Population, &out.Subject.Locales,
			&out.Enabled, &out.Unverified, &out.HasPassword, &a.lockedAt, &a.lockUntil, &a.lockedUntil)
	if errors.Is(err, sql.ErrNoRows) {
		return ExternalStanding{}, flow.ErrUnknown
	}
	if err != nil {
		return ExternalStanding{}, fmt.Errorf("standing of who signs on elsewhere: %w", err)
	}
	now := s.now()
	byAdmin, locked := a.locked(now)
	byFailures := max(0, instant(a.lockedUntil).Sub(now))
	out.Locked, out.PasswordOnly = locked || byFailures > 0, !locked && byFailures > 0
	switch {
	case out.PasswordOnly:
		out.UnlockIn = byFailures
	case byAdmin > 0:
		out.UnlockIn = max(byAdmin, byFailures)
	}
	return out, nil
}

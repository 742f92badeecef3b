package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// AddressKind is what of a user messages go to.
type AddressKind string

// The kinds.
const (
	MailAddress AddressKind = "email"
	PhoneNumber AddressKind = "phone" // mobilePhone
)

// purpose is that of the codes by which an address is proven.
func (k AddressKind) purpose() purpose {
	if k == PhoneNumber {
		return provingPhone
	}
	return provingMail
}

// ErrPhone says that a text is no number that we would send to.
var ErrPhone = errors.New("not a phone number")

// NormalPhone is a number as E.164 writes it, without what people put between its
// digits; ErrPhone for what is none.
func NormalPhone(typed string) (string, error) {
	if number := phoneKey(strings.TrimSpace(typed)); flow.E164(number) {
		return number, nil
	}
	return "", ErrPhone
}

// The templates of the messages about addresses. A code's is the same by mail and by SMS.
const (
	proveMail        = "address.verify"
	takenMail        = "address.taken"
	mailChangedMail  = "email.changed"
	phoneChangedMail = "phone.changed"
	phoneRemovedMail = "phone.removed"
)

// What messages to addresses that are to be proven are counted as, beside: "mfa.to" is
// by destination, and runtime/mfa counts its codes as the same.
const (
	proposalMail    = "proposal" // by account
	destinationMail = "mfa.to"
)

// Proposal is a new address for a user.
type Proposal struct {
	Env, UserID, Session string
	Kind                 AddressKind
	Address              string // as typed
	Locales              string // languages of the browser, as Accept-Language
	Effect               string
}

// Proposed is what comes of a Proposal. The zero one is none of them.
type Proposed string

// The results.
const (
	ProposalWaits     Proposed = "waits"     // for its code, if one was sent: no answer may tell
	ProposalKnown     Proposed = "known"     // it is the user's, and proven
	TooManyProposals  Proposed = "tooMany"   // of the user, in an hour
	ProposalMalformed Proposed = "malformed" // it is no such address
)

// Propose keeps a new address beside the user's own, until Prove, and sends it a code.
// The one before, of its kind, is void. Nobody learns whether the address is somebody
// else's: then that person gets a notice in the place of the code. Neither goes out to a
// destination that got too many codes of late. flow.ErrUnknown when there is no such user.
func (s *Accounts) Propose(ctx context.Context, p Proposal) (Proposed, error) {
	var err error
	if p.Kind == PhoneNumber {
		p.Address, err = NormalPhone(p.Address)
	} else {
		p.Address = strings.TrimSpace(p.Address)
		_, err = NormalEmail(p.Address)
	}
	if err != nil {
		return ProposalMalformed, nil //nolint:nilerr // that is the answer
	}
	a := whom(s.ring, p.Env, p.UserID, "", "propose", p.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return "", fmt.Errorf("propose an address: %w", err)
	}
	if a.subject.ID == "" {
		return "", flow.ErrUnknown
	}
	now := s.now()
	word, err := s.once(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		result, err := s.propose(ctx, tx, &a, p, now)
		return string(result), err
	})
	switch {
	case orphan(err): // the user is gone meanwhile
		return "", flow.ErrUnknown
	case err != nil:
		return "", fmt.Errorf("propose an address: %w", err)
	}
	return Proposed(word), nil
}

func (s *Accounts) propose(ctx context.Context, tx *sql.Tx, a *account, p Proposal, now time.Time) (Proposed, error) {
	known, err := a.has(ctx, tx, p.Kind, p.Address)
	if err != nil || known {
		return ProposalKnown, err
	}
	allowed, err := countMail(ctx, tx, a.env, proposalMail, a.key(), codesAnHour, now)
	if err != nil || !allowed {
		return TooManyProposals, err
	}
	m := flow.Message{Template: proveMail, To: p.Address, Locales: a.locales(p.Locales)}
	address, counted := p.Address, p.Address
	if p.Kind == PhoneNumber {
		m.Channel = flow.SMS
	} else {
		counted = emailKey(p.Address)
		if m, err = s.orTaken(ctx, tx, a, m); err != nil {
			return "", err
		}
		if m.Template == takenMail {
			address = "" // the code is nobody's
		}
	}
	sum := s.ring.Derive(limitPurpose, a.env, destinationMail, counted)
	if allowed, err = countMail(ctx, tx, a.env, destinationMail, base64.RawURLEncoding.EncodeToString(sum[:16]), codesAnHour, now); err != nil {
		return "", err
	}
	if !allowed {
		m.To = ""
	}
	purpose := p.Kind.purpose()
	code := purpose.secret()
	if err := (secretCode{a.env, purpose, a.key(), address}).put(ctx, tx, s.ring, code, allowed, now); err != nil {
		return "", err
	}
	if m.Template == proveMail {
		m.Params = map[string]string{"code": code}
	}
	m.Env, m.CreatedAt, m.ExpiresAt = a.env, now, now.Add(purpose.life())
	_, err = tx.ExecContext(ctx, `INSERT INTO pending_addresses (env, user_id, kind, address, session, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (env, user_id, kind) DO UPDATE SET
			address = excluded.address, session = excluded.session, created_at = excluded.created_at, expires_at = excluded.expires_at`,
		a.env, a.subject.ID, string(p.Kind), p.Address, p.Session, millis(now), millis(m.ExpiresAt))
	if err != nil {
		return "", err
	}
	return ProposalWaits, post(ctx, tx, s.ring, m)
}

// has reports whether an address is the account's already, as it is written, and
// nothing is left to be proven of it.
func (a *account) has(ctx context.Context, tx *sql.Tx, kind AddressKind, address string) (bool, error) {
	if kind == PhoneNumber {
		number, _ := NormalPhone(profileText([]byte(a.profile), "mobilePhone"))
		return number == address, nil
	}
	var proven bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE env = $1 AND id = $2 AND email = $3 AND email_verified)`,
		a.env, a.subject.ID, address).Scan(&proven)
	return proven, err
}

// orTaken is m, or what is sent instead to the owner of an address that is somebody
// else's. The statement is the same.
func (s *Accounts) orTaken(ctx context.Context, tx *sql.Tx, a *account, m flow.Message) (flow.Message, error) {
	var owner account
	err := tx.QueryRowContext(ctx, `SELECT username, given, email, preferred_language FROM users
		WHERE env = $1 AND email_key = $2 AND id <> $3 ORDER BY email_verified DESC, created_at, id LIMIT 1`, a.env, emailKey(m.To), a.subject.ID).
		Scan(&owner.subject.Username, &owner.subject.Given, &owner.email, &owner.subject.Locales)
	if errors.Is(err, sql.ErrNoRows) {
		return m, nil
	}
	return flow.Message{
		Template: takenMail, To: owner.email, Locales: owner.subject.Locales,
		Params: map[string]string{"username": owner.subject.Username, "given": owner.subject.Given},
	}, err
}

// PendingAddress is an address that waits to be proven.
type PendingAddress struct {
	Kind      AddressKind
	Address   string
	Session   string // in which alone it can be
	ExpiresAt time.Time
}

// PendingAddress returns the address of a kind that waits for its code; flow.ErrUnknown
// when there is none.
func (s *Accounts) PendingAddress(ctx context.Context, env, userID string, kind AddressKind) (PendingAddress, error) {
	return pendingAddress(ctx, s.db.reader, env, userID, kind, s.now())
}

func pendingAddress(ctx context.Context, from interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, env, userID string, kind AddressKind, now time.Time,
) (PendingAddress, error) {
	p := PendingAddress{Kind: kind}
	var expires int64
	err := from.QueryRowContext(ctx, `SELECT address, session, expires_at FROM pending_addresses
		WHERE env = $1 AND user_id = $2 AND kind = $3 AND expires_at > $4`, env, userID, string(kind), millis(now)).Scan(&p.Address, &p.Session, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return PendingAddress{}, flow.ErrUnknown
	}
	p.ExpiresAt = instant(expires)
	return p, err
}

// Withdraw forgets an address that waits to be proven, and its code; one that is not
// there is forgotten already.
func (s *Accounts) Withdraw(ctx context.Context, env, userID string, kind AddressKind) error {
	now := s.now()
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE secret_codes SET used_at = $4 WHERE env = $1 AND purpose = $2 AND account = $3 AND used_at = 0`,
			env, string(kind.purpose()), userID, millis(now)); err != nil {
			return err
		}
		return dropPending(ctx, tx, env, userID, kind)
	})
}

func dropPending(ctx context.Context, tx *sql.Tx, env, userID string, kind AddressKind) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM pending_addresses WHERE env = $1 AND user_id = $2 AND kind = $3`, env, userID, string(kind))
	return err
}

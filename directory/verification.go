package directory

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

// Create adds u as Users.Create does, and mails the code that verifies its address:
// both or neither.
func (s *Accounts) Create(ctx context.Context, u User, password string) (User, error) {
	return NewUsers(s.db, s.hasher, s.now).create(ctx, u, password, "", func(ctx context.Context, tx *sql.Tx, n *newcomer, now time.Time) error {
		a := account{env: n.Env, subject: n.Subject(), email: n.Email, enabled: n.Enabled, unverified: n.Unverified}
		if !a.mayVerify(now) {
			return nil
		}
		return s.mailCode(ctx, tx, &a, verifying, a.email, flow.Message{}, now)
	})
}

// Send asks for a verification code.
type Send struct {
	Env     string
	UserID  string // empty: nobody's
	Locales string // languages of the browser, as Accept-Language
	Flow    string // execution id
	Effect  string
}

// SendVerification mails a verification code to a user whose address is yet to be
// verified, and voids the one before. When there is nothing to verify, or the
// user got too many codes of late, no mail goes out; then the last code stays
// good. It returns the address on file, empty for nobody.
func (s *Accounts) SendVerification(ctx context.Context, v Send) (string, error) {
	a := whom(s.ring, v.Env, v.UserID, "", "send", v.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return "", fmt.Errorf("send verification: %w", err)
	}
	if a.first != "" {
		return a.email, nil
	}
	now := s.now()
	address := ""
	if a.mayVerify(now) {
		address = a.email
	}
	_, err := s.once(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		return "sent", s.mailCode(ctx, tx, &a, verifying, address, flow.Message{Locales: v.Locales, Flow: v.Flow}, now)
	})
	if err != nil {
		return "", fmt.Errorf("send verification: %w", err)
	}
	return a.email, nil
}

// mayVerify reports whether there is an address to verify, of somebody who may
// sign on.
func (a *account) mayVerify(now time.Time) bool {
	_, locked := a.locked(now)
	return a.enabled && !locked && a.unverified && a.email != ""
}

// Verification is a verification code as it was typed.
type Verification struct {
	Env    string
	UserID string // empty: nobody's, and no code is right
	Code   string
	Effect string
}

// Verified is the answer to it.
type Verified struct {
	OK      bool
	Subject flow.Subject // with OK
}

// What a verification comes to, as its effect keeps it.
const (
	isVerified  = "verified"
	notVerified = "refused"
)

// Verify judges a verification code. Every wrong one counts, and the fifth voids
// the code.
func (s *Accounts) Verify(ctx context.Context, v Verification) (Verified, error) {
	a := whom(s.ring, v.Env, v.UserID, "", "verify", v.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return Verified{}, fmt.Errorf("verify: %w", err)
	}
	now := s.now()
	word := a.first
	if word == "" {
		var err error
		word, err = s.once(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
			return s.judgeVerification(ctx, tx, &a, v.Code, now)
		})
		if err != nil {
			return Verified{}, fmt.Errorf("verify: %w", err)
		}
	}
	if word != isVerified {
		return Verified{}, nil
	}
	return Verified{OK: true, Subject: a.subject}, nil
}

func (s *Accounts) judgeVerification(ctx context.Context, tx *sql.Tx, a *account, typed string, now time.Time) (string, error) {
	code := secretCode{a.env, verifying, a.key(), a.email}
	id, err := code.try(ctx, tx, s.ring, typed, now)
	if err != nil || id == "" || a.subject.ID == "" || !a.mayVerify(now) {
		return notVerified, err
	}
	if _, err := code.use(ctx, tx, id, now); err != nil {
		return "", err
	}
	ok, err := changed(tx.ExecContext(ctx, `UPDATE users SET unverified = FALSE, email_verified = TRUE, updated_at = $4
		WHERE env = $1 AND id = $2 AND email = $3`, a.env, a.subject.ID, a.email, millis(now)))
	if err != nil || !ok {
		return notVerified, err
	}
	return isVerified, nil
}

package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

// ErrExternal says that an identity provider has the user's password.
var ErrExternal = errors.New("the password is at another identity provider")

// PasswordSetting is a password that an administrator gives a user.
type PasswordSetting struct {
	Env, UserID string
	Value       string // in clear, or as another system has hashed it; empty: the user has none
	ForceChange bool   // at the next sign-on
	Effect      string
	At          time.Time // what was proven before counts no more; zero: now
}

// SetPassword gives a user a password that is judged by no policy. It lifts a
// lock by wrong passwords. It fails with flow.ErrUnknown, ErrExternal or ErrBusy,
// or when a hash is none that is read here.
func (s *Accounts) SetPassword(ctx context.Context, p PasswordSetting) error {
	a := whom(s.ring, p.Env, p.UserID, "", "setPassword", p.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	switch {
	case a.subject.ID == "":
		return flow.ErrUnknown
	case a.authority != "":
		return ErrExternal
	case a.first != "":
		return nil
	}
	stored, err := storedPassword(ctx, s.hasher, p.Value)
	if err != nil {
		return err
	}
	now := s.now()
	policy := s.policies(a.env, a.subject.Population)
	_, err = s.settle(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (Changed, error) {
		if err := unlock(ctx, tx, a.env, a.subject.ID); err != nil {
			return Changed{}, err
		}
		r := replacement{stored: stored, temporary: p.ForceChange && stored != "", at: p.At}
		return Changed{Result: Done}, s.replace(ctx, tx, &a, policy, r, now)
	})
	return err
}

// UnlockPassword forgets the wrong passwords that were tried for a user, and the
// lock that they led to. It knows no more of the user than of anybody.
func (s *Accounts) UnlockPassword(ctx context.Context, env, userID string) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return unlock(ctx, tx, env, userID) })
}

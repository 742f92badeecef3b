package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/directory/hash"
	"doorward/runtime/flow"
)

var (
	// ErrExternal says that an identity provider has the user's password.
	ErrExternal = errors.New("the password is at another identity provider")
	// ErrNoPassword says that the user has no password here.
	ErrNoPassword = errors.New("the user has no password")
)

// PasswordSetting is a password that an administrator gives a user.
type PasswordSetting struct {
	Env, UserID string
	Value       string // in clear, or as another system has hashed it; empty: the user has none
	ForceChange bool   // at the next sign-on
	Effect      string
	At          time.Time // what was proven before counts no more; zero: now
}

// setAttempts is how often SetPassword begins again when the account was changed
// while it hashed.
const setAttempts = 3

// SetPassword gives a user a password, and ends what rested on the one before, as
// a change does. One in clear must be what the policy of the user asks, but for
// its least age: it is Done or Unsatisfying. What another system has hashed is
// taken as it is. It lifts a lock by wrong passwords. It fails with
// flow.ErrUnknown, ErrExternal or ErrBusy, or when a hash is none that is read
// here.
func (s *Accounts) SetPassword(ctx context.Context, p PasswordSetting) (c Changed, err error) {
	for range setAttempts {
		if c, err = s.setPassword(ctx, p); !errors.Is(err, errMeanwhile) {
			break
		}
	}
	return c, err
}

func (s *Accounts) setPassword(ctx context.Context, p PasswordSetting) (Changed, error) {
	a := whom(s.ring, p.Env, p.UserID, "", "setPassword", p.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return Changed{}, fmt.Errorf("set password: %w", err)
	}
	now := s.now()
	switch {
	case a.subject.ID == "":
		return Changed{}, flow.ErrUnknown
	case a.authority != "":
		return Changed{}, ErrExternal
	case a.first != "":
		return a.changedBefore(a.first, now)
	}
	policy := s.policies(a.env, a.subject.Population)
	if p.Value != "" && !hash.Encoded(p.Value) {
		verdict, err := s.judgeText(ctx, &a, policy, p.Value, "", now)
		if err != nil {
			return Changed{}, fmt.Errorf("judge new password: %w", err)
		}
		if verdict.Result != Done {
			return s.settle(ctx, &a, now, func(context.Context, *sql.Tx) (Changed, error) { return verdict, nil })
		}
	}
	stored, err := storedPassword(ctx, s.hasher, p.Value)
	if err != nil {
		return Changed{}, err
	}
	return s.settle(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (Changed, error) {
		if err := unlock(ctx, tx, a.env, a.subject.ID); err != nil {
			return Changed{}, err
		}
		r := replacement{stored: stored, temporary: p.ForceChange && stored != "", at: p.At}
		return Changed{Result: Done}, s.replace(ctx, tx, &a, policy, r, now)
	})
}

// ForceChange lets a user sign on once more with the password in use, to change
// it. It fails with flow.ErrUnknown, ErrExternal or ErrNoPassword.
func (s *Accounts) ForceChange(ctx context.Context, env, userID string) error {
	a := whom(s.ring, env, userID, "", "", "")
	if err := s.db.readAccount(ctx, &a); err != nil {
		return fmt.Errorf("force change: %w", err)
	}
	switch {
	case a.subject.ID == "":
		return flow.ErrUnknown
	case a.authority != "":
		return ErrExternal
	case a.password == "":
		return ErrNoPassword
	}
	now := millis(s.now())
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, `UPDATE users SET must_change = TRUE, updated_at = $1
			WHERE env = $2 AND id = $3 AND password <> '' AND authority = ''`, now, env, userID))
		if err == nil && !found {
			return ErrNoPassword // any more
		}
		return err
	})
}

// UnlockPassword forgets the wrong passwords that were tried for a user, and the
// lock that they led to. It knows no more of the user than of anybody.
func (s *Accounts) UnlockPassword(ctx context.Context, env, userID string) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return unlock(ctx, tx, env, userID) })
}

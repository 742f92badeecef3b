package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

// Change sets a password by the one in use.
type Change struct {
	Env, UserID string
	Current     string
	Password    string
	Effect      string
	At          time.Time // what was proven before counts no more; zero: now
}

// errMeanwhile says that the account is no longer as it was read.
var errMeanwhile = errors.New("the account was changed meanwhile")

// ChangePassword judges the current password as Check does, with its failures and
// locks, and then the new one.
func (s *Accounts) ChangePassword(ctx context.Context, c Change) (Changed, error) {
	a := whom(s.ring, c.Env, c.UserID, "", "change", c.Effect)
	match, _, leave, err := s.passwords.verify(ctx, &a, c.Current)
	if err != nil {
		return Changed{}, err
	}
	defer leave()
	now := s.now()
	policy := s.policies(a.env, a.subject.Population)
	accountLock, byAdmin := a.locked(now)
	switch failureLock := instant(a.lockedUntil); {
	case a.first != "":
		return a.changedBefore(a.first, now)
	case failureLock.After(now):
		return Changed{Result: Locked, UnlockIn: failureLock.Sub(now)}, nil
	case !match || a.unclaimed(): // whoever registered with an address that is another's learns nothing
		return s.settle(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (Changed, error) {
			return wrongPassword(ctx, tx, &a, policy, now)
		})
	case !a.enabled:
		return Changed{Result: NotAllowed}, nil
	case byAdmin:
		return Changed{Result: Locked, UnlockIn: accountLock}, nil
	}
	verdict, err := s.judge(ctx, &a, policy, c.Password, c.Current, now)
	if err != nil {
		return Changed{}, fmt.Errorf("judge new password: %w", err)
	}
	if verdict.Result != Done {
		return s.settle(ctx, &a, now, func(context.Context, *sql.Tx) (Changed, error) { return verdict, nil })
	}
	stored, err := s.hasher.Hash(ctx, c.Password)
	if err != nil {
		return Changed{}, err
	}
	return s.settle(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (Changed, error) {
		until, err := clearFailures(ctx, tx, a.env, a.key(), now)
		if err != nil || until != 0 {
			return Changed{Result: Locked, UnlockIn: instant(until).Sub(now)}, err
		}
		return Changed{Result: Done}, s.replace(ctx, tx, &a, policy, replacement{stored: stored, at: c.At}, now)
	})
}

func wrongPassword(ctx context.Context, tx *sql.Tx, a *account, p passwordpolicy.Policy, now time.Time) (Changed, error) {
	until, err := countFailure(ctx, tx, a.env, a.key(), p, now)
	if err != nil || until == 0 {
		return Changed{Result: WrongPassword}, err
	}
	return Changed{Result: Locked, UnlockIn: instant(until).Sub(now)}, nil
}

// replacement is a new password.
type replacement struct {
	stored    string
	temporary bool      // must be changed at the next sign-on
	verified  bool      // the address on file has shown to be the user's
	at        time.Time // what was proven before counts no more; zero: now
}

// replace gives an account a new password and ends all that rested on the old
// one: what was proven, grants, codes under way, trust in browsers. The owner gets a
// notice; devices stay, and so do locks by wrong answers of theirs. It
// fails with errMeanwhile when password or address have become others since the
// account was read.
func (s *Accounts) replace(ctx context.Context, tx *sql.Tx, a *account, p passwordpolicy.Policy, r replacement, now time.Time) error {
	if r.at.IsZero() {
		r.at = now
	}
	if err := voidSecrets(ctx, tx, a.env, a.subject.ID, now); err != nil {
		return err
	}
	found, err := changed(tx.ExecContext(ctx, `UPDATE users SET password = $3, must_change = $4, password_changed_at = $5, credentials_since = $5,
			updated_at = $6, unverified = unverified AND NOT $7, email_verified = email_verified OR $7
		WHERE env = $1 AND id = $2 AND password = $8 AND email = $9`,
		a.env, a.subject.ID, r.stored, r.temporary, millis(r.at), millis(now), r.verified, a.password, a.email))
	if err != nil {
		return err
	}
	if !found {
		return errMeanwhile
	}
	if err := remember(ctx, tx, a, p, now); err != nil {
		return err
	}
	if err := endTrust(ctx, tx, a.env, a.subject.ID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE grants SET revoked_at = $3 WHERE env = $1 AND user_id = $2 AND revoked_at = 0`,
		a.env, a.subject.ID, millis(now)); err != nil {
		return err
	}
	return post(ctx, tx, s.ring, flow.Message{
		Env: a.env, Template: changedMail, Locales: a.subject.Locales, To: a.email,
		Params:    map[string]string{"username": a.subject.Username, "given": a.subject.Given},
		CreatedAt: now, ExpiresAt: now.Add(noticeLife),
	})
}

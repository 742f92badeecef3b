package directory

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Update changes one user and returns it as kept. change is given the user as it
// is now and says what it is to be: Username, Type, Email, EmailVerified, Given,
// Family, Locale, PreferredLanguage, Authority, Profile and MFAEnabled; all else
// stays. The row is ours until that is written, so that no two updates lose one
// another's change. change must be quick and may run more than once; its error
// ends the update, and nothing is changed.
//
// An address that is written in another way is another address: it is not
// verified, whatever change says, codes that were mailed to the one before are
// void, and it is no longer kept from other accounts that an administrator makes.
// To update again is harmless, so that no effect key is asked for.
//
// It fails with flow.ErrUnknown, ErrName, ErrProfile or ErrTaken.
func (s *Users) Update(ctx context.Context, env, id string, change func(*User) error) (User, error) {
	now := s.now()
	var kept User
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := holdUser(ctx, tx, env, id)
		if err != nil {
			return err
		}
		u := before
		u.Profile = bytes.Clone(before.Profile)
		if err := change(&u); err != nil {
			return err
		}
		if kept, err = rewrite(ctx, tx, before, u, now); err != nil || s.ring == nil || !before.EmailVerified || kept.Email == before.Email {
			return err
		}
		return tell(ctx, tx, s.ring, before, mailChangedMail, now)
	})
	if duplicate(err) { // of the name; an address that is changed need not be the only one
		return User{}, ErrTaken
	}
	return kept, err
}

// holdUser reads a user whom nobody else changes until the transaction ends. Codes
// come first, as wherever both are changed, so that no two wait for each other.
func holdUser(ctx context.Context, tx *sql.Tx, env, id string) (User, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE secret_codes SET used_at = used_at WHERE env = $1 AND account = $2`, env, id); err != nil {
		return User{}, err
	}
	return scanUser(tx.QueryRowContext(ctx, `UPDATE users SET updated_at = updated_at WHERE env = $1 AND id = $2 RETURNING `+userColumns, env, id))
}

// rewrite keeps u in the place of before, and returns it as kept.
func rewrite(ctx context.Context, tx *sql.Tx, before, u User, now time.Time) (User, error) {
	name, err := nameKey(u.Username)
	if err != nil {
		return User{}, err
	}
	d, err := readProfile(u.Profile)
	if err != nil {
		return User{}, err
	}
	moved := u.Email != before.Email
	if moved {
		if err := voidSecrets(ctx, tx, before.Env, before.ID, now); err != nil {
			return User{}, err
		}
	}
	return scanUser(tx.QueryRowContext(ctx, `UPDATE users SET username = $1, name_key = $2, type = $3, email = $4, email_key = $5,
			registered = registered AND NOT $6, email_verified = $7, given = $8, given_key = $9, family = $10, family_key = $11,
			locale = $12, preferred_language = $13, authority = $14, profile = $15, mobile_key = $16, external_key = $17, mfa_enabled = $18, updated_at = $19
		WHERE env = $20 AND id = $21 RETURNING `+userColumns,
		u.Username, name, u.Type, u.Email, emailKey(u.Email),
		moved, u.EmailVerified && !moved, u.Given, foldKey(u.Given), u.Family, foldKey(u.Family),
		u.Locale, u.PreferredLanguage, u.Authority, d.json, d.mobile, d.external, u.MFAEnabled, millis(now),
		before.Env, before.ID))
}

// SetPopulation moves a user; flow.ErrUnknown when there is none. Whether there is
// such a population is the caller's to know.
func (s *Users) SetPopulation(ctx context.Context, env, id, population string) error {
	return s.update(ctx, `UPDATE users SET updated_at = $3, population = $4 WHERE env = $1 AND id = $2`, env, id, population)
}

// Delete takes a user away with everything that is theirs: passwords of before,
// codes, grants, consents, devices, linked accounts, counts. Sessions end by the user's Standing, which is
// that of nobody. Mail that waits is sent, and its codes are void; the audit log
// keeps the id. flow.ErrUnknown when there is no such user.
//
// What only who holds the row can add goes after it, so that nobody adds any more.
// Failures and codes go before, as wherever several are changed; one that comes in
// between is nobody's and is swept.
func (s *Users) Delete(ctx context.Context, env, id string) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := dropTallies(ctx, tx, env, id); err != nil {
			return err
		}
		for _, row := range []struct{ table, column string }{
			{"failures", "key"},
			{"secret_codes", "account"},
			{"users", "id"}, // consents and linked accounts go along, devices and what belongs to them
			{"password_history", "user_id"},
			{"grants", "user_id"},
			{"mail_counts", "account"},
		} {
			found, err := changed(tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %s WHERE env = $1 AND %s = $2`, row.table, row.column), env, id))
			if err != nil {
				return err
			}
			if row.table == "users" && !found {
				return flow.ErrUnknown
			}
		}
		return nil
	})
}

// duplicate reports whether a statement would have made a unique key twice.
func duplicate(err error) bool {
	var e *sqlite.Error
	return sqlState(err) == "23505" || errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

// orphan reports whether a statement would have left a row without the one that it
// belongs to.
func orphan(err error) bool {
	var e *sqlite.Error
	return sqlState(err) == "23503" || errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

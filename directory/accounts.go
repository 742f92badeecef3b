package directory

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"doorward/directory/hash"
	"doorward/runtime/flow"
)

// Ring is the part of the key ring that codes, strangers and messages need.
type Ring interface {
	Sealer
	Deriver
	Matches(purpose string, sum [32]byte, parts ...string) bool
}

// Accounts lets people make accounts, verify their addresses, and set passwords
// that they forgot or must change.
//
// Whatever is asked for nobody, or for somebody who may not have it, takes the
// same statements, the same hashes and the same rows as for everybody else, and
// gets the same answer; where a mail would have gone out there is a row without
// address. Each method takes an Effect, and the same effect again gets the first
// answer and does nothing.
type Accounts struct {
	db        *DB
	hasher    *Hasher
	ring      Ring
	policies  Policies
	passwords *Passwords
	now       func() time.Time
}

// NewAccounts keeps accounts in db.
func NewAccounts(db *DB, hasher *Hasher, ring Ring, policies Policies, now func() time.Time) *Accounts {
	return &Accounts{
		db: db, hasher: hasher, ring: ring, policies: policies, now: now,
		passwords: NewPasswords(db, hasher, ring, policies, now),
	}
}

// ChangeResult is what setting a password comes to. The zero one is none of them.
type ChangeResult string

// The results.
const (
	Done          ChangeResult = "done"
	WrongCode     ChangeResult = "wrongCode"     // or a void or expired one
	WrongPassword ChangeResult = "wrongPassword" // the current one is another
	Locked        ChangeResult = "locked"        // too many wrong ones, or by an administrator
	Unsatisfying  ChangeResult = "unsatisfying"  // the new password breaks rules
	TooYoung      ChangeResult = "tooYoung"      // the password was changed a short time ago
	NotAllowed    ChangeResult = "notAllowed"    // the user may not sign on, or has no password here
)

// Changed is the answer to setting a password. Unless it is Done nothing changed
// but the count of what was tried.
type Changed struct {
	Result      ChangeResult
	Subject     flow.Subject  // of Done
	Address     string        // of Done: the user's, in the form of NormalEmail, as devices have it
	Unverified  bool          // of Done: the user's address is yet to be verified
	Unsatisfied []string      // of Unsatisfying: the rules, by their names
	UnlockIn    time.Duration // of Locked, 0 when no end is known; of TooYoung, until it is old enough
}

// word is c as an effect keeps it.
func (c Changed) word(now time.Time) string {
	switch {
	case c.Result == Unsatisfying:
		return string(c.Result) + " " + strings.Join(c.Unsatisfied, " ")
	case c.UnlockIn > 0:
		return string(c.Result) + " " + strconv.FormatInt(millis(now.Add(c.UnlockIn)), 10)
	}
	return string(c.Result)
}

// changedBefore is the answer that an effect got first.
func (a *account) changedBefore(word string, now time.Time) (Changed, error) {
	result, rest, _ := strings.Cut(word, " ")
	c := Changed{Result: ChangeResult(result)}
	switch c.Result {
	case Done:
		c.Subject, c.Address, c.Unverified = a.subject, emailKey(a.email), a.unverified
	case Unsatisfying:
		c.Unsatisfied = strings.Fields(rest)
	case Locked, TooYoung:
		if rest == "" {
			break
		}
		until, err := strconv.ParseInt(rest, 10, 64)
		if err != nil {
			return Changed{}, fmt.Errorf("effect %q: %w", a.effect, err)
		}
		c.UnlockIn = max(0, instant(until).Sub(now))
	case WrongCode, WrongPassword, NotAllowed:
	default:
		return Changed{}, fmt.Errorf("effect %q has come to %q", a.effect, word)
	}
	return c, nil
}

// settle does something once per effect and answers as it did the first time.
func (s *Accounts) settle(ctx context.Context, a *account, now time.Time, do func(ctx context.Context, tx *sql.Tx) (Changed, error)) (Changed, error) {
	word, err := s.once(ctx, a, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		c, err := do(ctx, tx)
		return c.word(now), err
	})
	if err != nil {
		return Changed{}, err
	}
	return a.changedBefore(word, now)
}

// once performs do in one transaction, once per effect, and returns what it came
// to the first time.
func (s *Accounts) once(ctx context.Context, a *account, now time.Time, do func(ctx context.Context, tx *sql.Tx) (string, error)) (word string, err error) {
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		word, err = once(ctx, tx, a.effect, now, func() (string, error) { return do(ctx, tx) })
		return err
	})
	return word, err
}

// storedPassword is what is kept of a password that an administrator gives, in
// clear or as another system has hashed it; empty for none. What a person types
// is never taken for a hash.
func storedPassword(ctx context.Context, h *Hasher, value string) (string, error) {
	switch {
	case value == "":
		return "", nil
	case hash.Encoded(value):
		return value, h.Import(value)
	}
	return h.Hash(ctx, value)
}

package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// Recovery asks for a recovery code: for whom the Username names, or for UserID
// when there is none. By name known and unknown accounts are looked for alike, so
// a UserID that was found for a name is not looked at.
type Recovery struct {
	Env      string
	Username string // as typed
	UserID   string
	Locales  string // languages of the browser, as Accept-Language
	Flow     string // execution id
	Effect   string
}

// StartRecovery mails a recovery code to the owner of an account and voids the
// one before; asking again is the same thing. It returns the user's id, empty
// when the name is nobody's. No mail goes out to an account that is disabled,
// locked by an administrator, without address or without a password here, nor
// when it got too many of late; then the last code stays good.
//
// No password is hashed: none is judged, and a hash would only let a flood of
// these keep others from signing on.
func (s *Accounts) StartRecovery(ctx context.Context, r Recovery) (string, error) {
	a := whom(s.ring, r.Env, r.UserID, r.Username, "recovery", r.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return "", fmt.Errorf("start recovery: %w", err)
	}
	now := s.now()
	word := a.first
	if word == "" {
		address := ""
		if a.mayRecover(now) {
			address = a.email
		}
		var err error
		word, err = s.once(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
			return "sent/" + a.subject.ID, s.mailCode(ctx, tx, &a, recovering, address, flow.Message{Locales: r.Locales, Flow: r.Flow}, now)
		})
		if err != nil {
			return "", fmt.Errorf("start recovery: %w", err)
		}
	}
	_, id, _ := strings.Cut(word, "/")
	return id, nil
}

// mailCode makes a code for an account and puts it into the outbox; an empty
// address is nobody's. The account may not have it because of the address, or
// because it had too many of late: the statements are the same.
func (s *Accounts) mailCode(ctx context.Context, tx *sql.Tx, a *account, p purpose, address string, m flow.Message, now time.Time) error {
	allowed, err := countMail(ctx, tx, a.env, codeMail, a.key(), codesAnHour, now)
	if err != nil {
		return err
	}
	code := newSecret()
	if err := (secretCode{a.env, p, a.key(), address}).put(ctx, tx, s.ring, code, allowed, now); err != nil {
		return err
	}
	if !allowed {
		address = ""
	}
	m.Env, m.Template, m.To, m.Locales = a.env, string(p), address, a.locales(m.Locales)
	m.Params = map[string]string{"code": code, "username": a.subject.Username, "given": a.subject.Given}
	m.CreatedAt, m.ExpiresAt = now, now.Add(p.life())
	return post(ctx, tx, s.ring, m)
}

// Recovering sets a password by a recovery code, for whom the Recovery was.
type Recovering struct {
	Env, UserID, Username string
	Code                  string
	Password              string
	Effect                string
	At                    time.Time // what was proven before counts no more; zero: now
}

// errRight undoes the count of a right code: it was no guess.
var errRight = errors.New("the code is right")

// Recover judges the code, and then the password. Every wrong code counts, the
// fifth voids the code; a right one that comes with a password which breaks rules
// stays good. Done also means that the address is the user's, and lifts a lock by
// wrong passwords.
func (s *Accounts) Recover(ctx context.Context, r Recovering) (Changed, error) {
	a := whom(s.ring, r.Env, r.UserID, r.Username, "recover", r.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return Changed{}, fmt.Errorf("recover: %w", err)
	}
	now := s.now()
	if a.first != "" {
		return a.changedBefore(a.first, now)
	}
	code := secretCode{a.env, recovering, a.key(), a.email}
	var id string
	refused, err := s.settle(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (Changed, error) {
		var err error
		if id, err = code.try(ctx, tx, s.ring, r.Code, now); err == nil && id != "" && a.subject.ID != "" {
			err = errRight
		}
		return Changed{Result: WrongCode}, err
	})
	if !errors.Is(err, errRight) {
		return refused, err
	}
	return s.recovered(ctx, &a, code, id, r, now)
}

// recovered goes on once the code is right.
func (s *Accounts) recovered(ctx context.Context, a *account, code secretCode, id string, r Recovering, now time.Time) (Changed, error) {
	policy := s.policies(a.env, a.subject.Population)
	verdict, err := Changed{Result: NotAllowed}, error(nil)
	if a.mayRecover(now) {
		verdict, err = s.judge(ctx, a, policy, r.Password, "", now)
	}
	if err != nil {
		return Changed{}, fmt.Errorf("judge new password: %w", err)
	}
	if verdict.Result != Done {
		return s.settle(ctx, a, now, func(context.Context, *sql.Tx) (Changed, error) { return verdict, nil })
	}
	stored, err := s.hasher.Hash(ctx, r.Password)
	if err != nil {
		return Changed{}, err
	}
	a.unverified = false // once it is done
	return s.settle(ctx, a, now, func(ctx context.Context, tx *sql.Tx) (Changed, error) {
		first, err := code.use(ctx, tx, id, now)
		if err != nil || !first {
			return Changed{Result: WrongCode}, err
		}
		if err := unlock(ctx, tx, a.env, a.subject.ID); err != nil {
			return Changed{}, err
		}
		return Changed{Result: Done}, s.replace(ctx, tx, a, policy, replacement{stored: stored, verified: true, at: r.At}, now)
	})
}

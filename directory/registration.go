package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"

	"github.com/google/uuid"
)

// Registration is an account that somebody asks for.
type Registration struct {
	Env        string
	Population string // id
	Username   string
	Email      string
	Given      string
	Family     string
	Locales    string // languages of the browser, as Accept-Language; kept as the preferred ones
	Password   string // in clear, whatever it looks like
	Flow       string // execution id
	Effect     string
}

// Registered is what came of it.
type Registered struct {
	Subject     flow.Subject // zero: name or address is somebody's; no answer may tell
	Unsatisfied []string     // rules that the password breaks; nothing was written
	Fault       string       // the value that cannot be one: username, email, name.given or name.family; nothing was written
}

// Register makes an account whose address is yet to be verified, and mails the
// code for it. When the address is somebody's, its owner gets a notice instead;
// when only the name is, the address that was typed gets one. Either way it is one
// hash, the same statements and one message. An address gets few notices an hour.
//
// Addresses are compared by NormalEmail. Those of accounts that an administrator
// made count too, but do not become unique by it.
func (s *Accounts) Register(ctx context.Context, r Registration) (Registered, error) {
	r.Email = strings.TrimSpace(r.Email)
	if fault := r.fault(); fault != "" {
		return Registered{Fault: fault}, nil
	}
	u := flow.Subject{ID: uuid.NewString(), Username: r.Username, Given: r.Given, Family: r.Family, Population: r.Population, Locales: localesOf(r.Locales)}
	policy := s.policies(r.Env, r.Population)
	if broken := policy.Unsatisfied(passwordpolicy.Candidate{Password: r.Password, Profile: profile(u, r.Email)}); len(broken) > 0 {
		return Registered{Unsatisfied: broken}, nil
	}
	stored, err := s.hasher.Hash(ctx, r.Password)
	if err != nil {
		return Registered{}, err
	}
	now := s.now()
	a := whom(s.ring, r.Env, "", "", "register", r.Effect)
	word, err := s.once(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		return s.register(ctx, tx, r, u, stored, now)
	})
	if err != nil {
		return Registered{}, fmt.Errorf("register: %w", err)
	}
	if u.ID, _ = strings.CutPrefix(word, registeredAs); u.ID == word {
		return Registered{}, nil
	}
	return Registered{Subject: u}, nil
}

// What a registration comes to, as its effect keeps it.
const (
	registeredAs = "user/" // with the user's id
	isSomebodys  = "refused"
)

// register makes the account and mails the code, or makes none and mails a
// notice. The statements are the same.
func (s *Accounts) register(ctx context.Context, tx *sql.Tx, r Registration, u flow.Subject, stored string, now time.Time) (string, error) {
	key := emailKey(r.Email)
	made, err := insertRegistered(ctx, tx, r, u, key, stored, now)
	if err != nil {
		return "", err
	}
	owner := account{env: r.Env}
	err = tx.QueryRowContext(ctx, `SELECT id, username, given, email, preferred_language FROM users
		WHERE env = $1 AND email_key = $2 ORDER BY created_at, id LIMIT 1`, r.Env, key).
		Scan(&owner.subject.ID, &owner.subject.Username, &owner.subject.Given, &owner.email, &owner.subject.Locales)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	m := flow.Message{Locales: r.Locales, Flow: r.Flow}
	if made {
		own := account{env: r.Env, subject: u}
		own.subject.Locales = "" // the message says them
		return registeredAs + u.ID, s.mailCode(ctx, tx, &own, verifying, r.Email, m, now)
	}
	m.Template, m.To, m.Locales = existsMail, owner.email, owner.locales(r.Locales)
	if owner.subject.ID == "" {
		m.Template, m.To, owner.subject = nameTakenMail, r.Email, u
	}
	m.Params = map[string]string{"username": owner.subject.Username, "given": owner.subject.Given}
	return isSomebodys, s.mailNotice(ctx, tx, r.Env, key, m, now)
}

// insertRegistered adds the account unless name or address is somebody's. Of
// registrations at once, in all processes, one gets the name and one the address.
func insertRegistered(ctx context.Context, tx *sql.Tx, r Registration, u flow.Subject, key, stored string, now time.Time) (bool, error) {
	name, err := NormalName(r.Username)
	if err != nil {
		return false, err
	}
	return changed(tx.ExecContext(ctx, `INSERT INTO users (env, id, username, name_key, population, enabled, password, type,
			email, email_key, registered, email_verified, given, family, locale, created_at, updated_at, last_sign_on_at, last_sign_on_ip,
			preferred_language, unverified, authority, must_change, password_changed_at)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), TRUE, CAST($6 AS TEXT), '',
			CAST($7 AS TEXT), CAST($8 AS TEXT), TRUE, FALSE, CAST($9 AS TEXT), CAST($10 AS TEXT), '', CAST($11 AS BIGINT), CAST($11 AS BIGINT), 0, '',
			CAST($12 AS TEXT), TRUE, '', FALSE, CAST($11 AS BIGINT)
		WHERE NOT EXISTS (SELECT 1 FROM users WHERE env = $1 AND email_key = $8)
		ON CONFLICT DO NOTHING`,
		r.Env, u.ID, u.Username, name, u.Population, stored, r.Email, key, u.Given, u.Family, millis(now), localesOf(r.Locales)))
}

// mailNotice mails what a registration did not come to, in the statements of
// mailCode: nobody gets a code.
func (s *Accounts) mailNotice(ctx context.Context, tx *sql.Tx, env, emailKey string, m flow.Message, now time.Time) error {
	sum := s.ring.Derive("directory.address", env, emailKey)
	allowed, err := countMail(ctx, tx, env, noticeMail, base64.RawURLEncoding.EncodeToString(sum[:16]), noticesAnHour, now)
	if err != nil {
		return err
	}
	nobody := whom(s.ring, env, "", "", "", "")
	if err := (secretCode{env, verifying, nobody.key(), ""}).put(ctx, tx, s.ring, newSecret(), true, now); err != nil {
		return err
	}
	if !allowed {
		m.To = ""
	}
	m.Env, m.CreatedAt, m.ExpiresAt = env, now, now.Add(noticeLife)
	return post(ctx, tx, s.ring, m)
}

// fault names the value that cannot be what it is meant to be, if one cannot.
// Source: reference/management.md 5.3.
func (r Registration) fault() string {
	if _, err := NormalName(r.Username); err != nil || strings.TrimSpace(r.Username) != r.Username {
		return "username"
	}
	if _, err := NormalEmail(r.Email); err != nil {
		return "email"
	}
	if !fits(r.Given, nameRune) {
		return "name.given"
	}
	if !fits(r.Family, familyRune) {
		return "name.family"
	}
	return ""
}

func familyRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N) || strings.ContainsRune("' .-", r)
}

// attributeMax is the longest name, in characters.
const attributeMax = 256

func fits(value string, allowed func(rune) bool) bool {
	return utf8.ValidString(value) && utf8.RuneCountInString(value) <= attributeMax &&
		!strings.ContainsFunc(value, func(c rune) bool { return !allowed(c) })
}

// localesMax is the longest list of languages that is kept, in bytes.
const localesMax = 256

// localesOf is an Accept-Language list as it is kept: none instead of one that is
// too long or holds what no such list does.
func localesOf(list string) string {
	if len(list) > localesMax || strings.ContainsFunc(list, func(c rune) bool { return c < ' ' || c > '~' }) {
		return ""
	}
	return list
}

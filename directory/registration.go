package directory

import (
	"cmp"
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
)

// Registration is an account that somebody asks for.
type Registration struct {
	Env        string
	Population string // id
	Username   string
	Email      string
	Given      string
	Family     string
	Locales    string // languages of the browser, as Accept-Language; kept as the preferred ones when PreferredLanguage is empty
	Password   string // in clear, whatever it looks like; where Opening is not Mailed there may be none
	Flow       string // execution id
	Effect     string
	Opening    Opening

	Type              string
	Locale            string // BCP 47
	PreferredLanguage string // as Accept-Language
	Profile           []byte // as of User
	MFAEnabled        bool
}

// Opening is how an account that was registered becomes usable.
type Opening uint8

// The openings. Source: reference/management.md 2.6 (USER_CREATE, lifecycle.status).
const (
	Mailed   Opening = iota // by a code that is mailed at once
	Deferred                // by a code that SendVerification mails later
	Usable                  // it is usable as it is; the address, if there is one, is not verified
)

// Registered is what came of it.
type Registered struct {
	Subject     flow.Subject // zero: name or address is somebody's; no answer may tell, unless it is Usable
	Unsatisfied []string     // rules that the password breaks; nothing was written
	Fault       string       // the value that cannot be one: username, email, name.given, name.family or profile; nothing was written
	Taken       []string     // of Usable: which of username and email is somebody's
}

// Register makes an account. Addresses are compared by NormalEmail. Those of
// accounts that an administrator made count too, but do not become unique by it.
//
// Unless it is Usable, the address is yet to be verified, and nobody learns what is
// taken: when the address is somebody's, its owner gets a notice instead of the
// code; when only the name is, the address that was typed gets one. Either way it
// is one hash, the same statements and one message, which is nobody's where none
// is due. An address gets few notices an hour.
//
// One that is Usable cannot hide what is taken, and mails nothing.
func (s *Accounts) Register(ctx context.Context, r Registration) (Registered, error) {
	r.Email = strings.TrimSpace(r.Email)
	if fault := r.fault(); fault != "" {
		return Registered{Fault: fault}, nil
	}
	now := s.now()
	n, err := r.newcomer(now)
	if errors.Is(err, ErrProfile) {
		return Registered{Fault: "profile"}, nil
	}
	if err != nil {
		return Registered{}, err
	}
	if r.Password != "" || r.Opening == Mailed {
		policy := s.policies(r.Env, r.Population)
		known := attributes(n.Subject(), n.Email, n.document.json)
		if broken := policy.Unsatisfied(passwordpolicy.Candidate{Password: r.Password, Profile: known}); len(broken) > 0 {
			return Registered{Unsatisfied: broken}, nil
		}
		if n.stored, err = s.hasher.Hash(ctx, r.Password); err != nil {
			return Registered{}, err
		}
		n.PasswordChangedAt = now
	}
	a := whom(s.ring, r.Env, "", "", "register", r.Effect)
	word, err := s.once(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (string, error) { return s.register(ctx, tx, r, n, now) })
	if err != nil {
		return Registered{}, fmt.Errorf("register: %w", err)
	}
	if taken, ok := strings.CutPrefix(word, isTaken); ok {
		return Registered{Taken: strings.Fields(taken)}, nil
	}
	id, ok := strings.CutPrefix(word, registeredAs)
	if !ok {
		return Registered{}, nil
	}
	n.ID = id
	return Registered{Subject: n.Subject()}, nil
}

// newcomer is the user that is asked for.
func (r Registration) newcomer(now time.Time) (newcomer, error) {
	n, err := newcomerOf(User{
		Env: r.Env, Username: r.Username, Population: r.Population, Type: r.Type, Enabled: true, Email: r.Email,
		Given: r.Given, Family: r.Family, Locale: r.Locale, PreferredLanguage: cmp.Or(localesOf(r.PreferredLanguage), localesOf(r.Locales)),
		Unverified: r.Opening != Usable, Profile: r.Profile, MFAEnabled: r.MFAEnabled,
	}, now)
	n.registered = r.Email != ""
	return n, err
}

// What a registration comes to, as its effect keeps it.
const (
	registeredAs = "user/"  // with the user's id
	isTaken      = "taken " // with what is, of one that is Usable
	isSomebodys  = "refused"
)

// register makes the account or none, and mails what is to be mailed. Unless it is
// Usable the statements are the same.
func (s *Accounts) register(ctx context.Context, tx *sql.Tx, r Registration, n newcomer, now time.Time) (string, error) {
	made, err := n.insert(ctx, tx, now)
	switch {
	case err != nil:
		return "", err
	case r.Opening == Usable && made:
		return registeredAs + n.ID, nil
	case r.Opening == Usable:
		taken, err := n.taken(ctx, tx)
		return isTaken + strings.Join(taken, " "), err
	}
	key := emailKey(r.Email)
	owner := account{env: r.Env}
	err = tx.QueryRowContext(ctx, `SELECT id, username, given, email, preferred_language FROM users
		WHERE env = $1 AND email_key = $2 ORDER BY email_verified DESC, created_at, id LIMIT 1`, r.Env, key).
		Scan(&owner.subject.ID, &owner.subject.Username, &owner.subject.Given, &owner.email, &owner.subject.Locales)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	m := flow.Message{Locales: r.Locales, Flow: r.Flow}
	switch {
	case made && r.Opening == Mailed:
		own := account{env: r.Env, subject: n.Subject()}
		own.subject.Locales = "" // the message says them
		return registeredAs + n.ID, s.mailCode(ctx, tx, &own, verifying, r.Email, m, now)
	case made:
		m.Template = string(verifying)
		return registeredAs + n.ID, s.mailNotice(ctx, tx, r.Env, n.ID, n.ID, m, now)
	}
	m.Template, m.To, m.Locales = existsMail, owner.email, owner.locales(r.Locales)
	if owner.subject.ID == "" {
		m.Template, m.To, owner.subject = nameTakenMail, r.Email, n.Subject()
	}
	m.Params = map[string]string{"username": owner.subject.Username, "given": owner.subject.Given}
	sum := s.ring.Derive("directory.address", r.Env, key)
	nobody := whom(s.ring, r.Env, "", "", "", "")
	return isSomebodys, s.mailNotice(ctx, tx, r.Env, base64.RawURLEncoding.EncodeToString(sum[:16]), nobody.key(), m, now)
}

// taken says which of name and address is somebody's. The name is when neither is
// any more.
func (n *newcomer) taken(ctx context.Context, tx *sql.Tx) ([]string, error) {
	var name, address bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE env = $1 AND name_key = $2),
			EXISTS (SELECT 1 FROM users WHERE env = $3 AND email_key = $4 AND email_key <> '')`, n.Env, n.name, n.Env, emailKey(n.Email)).Scan(&name, &address)
	var out []string
	if name || !address {
		out = append(out, "username")
	}
	if address {
		out = append(out, "email")
	}
	return out, err
}

// mailNotice mails what tells of a registration, if anything does, in the
// statements of mailCode: the code that holder gets is known to nobody. Notices
// are counted by counted.
func (s *Accounts) mailNotice(ctx context.Context, tx *sql.Tx, env, counted, holder string, m flow.Message, now time.Time) error {
	allowed, err := countMail(ctx, tx, env, noticeMail, counted, noticesAnHour, now)
	if err != nil {
		return err
	}
	if err := (secretCode{env, verifying, holder, ""}).put(ctx, tx, s.ring, newSecret(), true, now); err != nil {
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
	if _, err := nameKey(r.Username); err != nil {
		return "username"
	}
	if _, err := NormalEmail(r.Email); err != nil && (r.Email != "" || r.Opening != Usable) {
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

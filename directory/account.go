package directory

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

// account is everything that one query says of whom a caller names, whether or
// not that is anybody.
type account struct {
	env, column, who string // which user
	stranger, effect string

	subject    flow.Subject // zero: nobody
	email      string
	profile    string // canonical JSON
	enabled    bool
	unverified bool
	registered bool // by the person
	mustChange bool
	authority  string // identity provider; empty: ours
	password   string // empty also of a user of another authority
	changedAt  int64
	lockedAt   int64 // by an administrator
	lockUntil  int64
	signedOn   int64

	count       int64 // failures
	lockedUntil int64
	first       string // verdict of the effect's first evaluation
}

// whom names an account: by what was typed as its username, or by id when nothing
// was. kind is the kind of the effect.
func whom(ring Deriver, env, userID, username, kind, effect string) account {
	a := account{env: env, column: "id", who: userID}
	asked := userID
	if username != "" {
		a.column, a.who, asked = "name_key", "", username
		if key, err := NormalName(username); err == nil {
			a.who, asked = key, key
		}
	}
	sum := ring.Derive("directory.stranger", env, a.column, asked)
	a.stranger = base64.RawURLEncoding.EncodeToString(sum[:16])
	if effect != "" {
		a.effect = kind + "/" + effect
	}
	return a
}

// key is under which the account's failures, codes and mails are counted.
func (a *account) key() string {
	if a.subject.ID != "" {
		return a.subject.ID
	}
	return a.stranger
}

// readAccount fetches user, failures and effect in one query, which has the same
// shape whether or not the user is there.
func (d *DB) readAccount(ctx context.Context, a *account) error {
	err := d.reader.QueryRowContext(ctx, `SELECT COALESCE(u.id, ''), COALESCE(u.username, ''), COALESCE(u.given, ''),
			COALESCE(u.family, ''), COALESCE(u.population, ''), COALESCE(u.email, ''), COALESCE(u.preferred_language, ''),
			COALESCE(u.enabled, FALSE), COALESCE(u.unverified, FALSE), COALESCE(u.registered, FALSE), COALESCE(u.must_change, FALSE), COALESCE(u.authority, ''),
			COALESCE(u.password, ''), COALESCE(u.password_changed_at, 0), COALESCE(u.locked_at, 0), COALESCE(u.lock_until, 0),
			COALESCE(u.last_sign_on_at, 0), COALESCE(u.profile, ''), COALESCE(f.count, 0), COALESCE(f.locked_until, 0), COALESCE(e.result, '')
		FROM (SELECT CAST($1 AS TEXT) AS env, CAST($2 AS TEXT) AS who, CAST($3 AS TEXT) AS stranger, CAST($4 AS TEXT) AS effect) q
		LEFT JOIN users u ON u.env = q.env AND u.`+a.column+` = q.who
		LEFT JOIN failures f ON f.env = q.env AND f.key = COALESCE(u.id, q.stranger)
		LEFT JOIN effects e ON e.key = q.effect`, a.env, a.who, a.stranger, a.effect).
		Scan(&a.subject.ID, &a.subject.Username, &a.subject.Given, &a.subject.Family, &a.subject.Population, &a.email, &a.subject.Locales,
			&a.enabled, &a.unverified, &a.registered, &a.mustChange, &a.authority,
			&a.password, &a.changedAt, &a.lockedAt, &a.lockUntil, &a.signedOn, &a.profile, &a.count, &a.lockedUntil, &a.first)
	if a.authority != "" {
		a.password = ""
	}
	return err
}

// unclaimed reports whether the account was registered by somebody who has not
// shown that the address is theirs. Its password signs nobody on: whoever chose
// it would learn from that whether name and address were free. The code of the
// registration opens the account, and so does a recovery.
func (a *account) unclaimed() bool { return a.registered && a.unverified }

// locked reports whether an administrator has locked the account, and for how
// long yet; 0: until it is unlocked.
func (a *account) locked(now time.Time) (time.Duration, bool) {
	switch {
	case a.lockedAt == 0 || a.lockUntil != 0 && a.lockUntil <= millis(now):
		return 0, false
	case a.lockUntil == 0:
		return 0, true
	}
	return instant(a.lockUntil).Sub(now), true
}

// mayRecover reports whether a mail may set a new password: a lock by wrong
// passwords does not matter, every other reason not to sign on does.
// Source: reference/flows.md 5.4.
func (a *account) mayRecover(now time.Time) bool {
	_, locked := a.locked(now)
	return a.enabled && !locked && a.password != "" && a.email != ""
}

// state is that of a password which is right.
func (a *account) state(p passwordpolicy.Policy, now time.Time) PasswordState {
	switch {
	case a.mustChange:
		return StateMustChange
	case p.MaxAge > 0 && now.Sub(instant(a.changedAt)) >= p.MaxAge:
		return StateExpired
	}
	return StateOK
}

// attributes are what a password must not be, whatever the case.
// Source: reference/management.md 5.5 (excludesProfileData).
func attributes(s flow.Subject, email, profile string) []string {
	local, _, _ := strings.Cut(email, "@")
	return append([]string{s.Username, email, local, s.Given, s.Family}, texts(profile)...)
}

// locales puts the languages that a user prefers before those of the browser.
func (a *account) locales(browser string) string {
	if a.subject.Locales == "" || browser == "" {
		return a.subject.Locales + browser
	}
	return a.subject.Locales + "," + browser
}

package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"

	"github.com/google/uuid"
)

// ErrTaken says that the environment has a user of that name or id already.
var ErrTaken = errors.New("username is taken")

// User is one person in one environment.
type User struct {
	ID            string // UUID; Create makes one when it is empty
	Env           string
	Username      string // as given; compared by NormalName
	Population    string // id
	Type          string // user type, empty: none
	Enabled       bool
	Email         string
	EmailVerified bool
	Given         string
	Family        string
	Locale        string // BCP 47

	PreferredLanguage string // as Accept-Language; empty: not known
	Unverified        bool   // lifecycle VERIFICATION_REQUIRED: the address is yet to be verified
	Authority         string // id of the identity provider that has the password; empty: this server

	MustChange        bool      // the password is for one sign-on only
	PasswordChangedAt time.Time // zero: there is none; Create takes now for zero

	LockedAt  time.Time // by an administrator; zero: not locked
	LockUntil time.Time // zero of a locked account: until it is unlocked

	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastSignOnAt time.Time // zero: never; up to 60 s old
	LastSignOnIP string
}

// Subject is what a flow remembers of the user.
func (u User) Subject() flow.Subject {
	return flow.Subject{ID: u.ID, Username: u.Username, Given: u.Given, Family: u.Family, Population: u.Population, Locales: u.PreferredLanguage}
}

// Users is the repository of users.
type Users struct {
	db     *DB
	hasher *Hasher
	now    func() time.Time
}

// NewUsers keeps users in db; hasher hashes their first passwords.
func NewUsers(db *DB, hasher *Hasher, now func() time.Time) *Users {
	return &Users{db: db, hasher: hasher, now: now}
}

// Create adds u and returns it as kept. The password is in clear, or as another
// system has hashed it; an empty one makes a user who cannot sign on with one.
// A new user is not locked, whatever u says. The same effect again returns the
// user it made first. It fails with ErrName, ErrTaken or ErrBusy, or when a hash
// is none that is read here.
func (s *Users) Create(ctx context.Context, u User, password, effect string) (User, error) {
	key, err := NormalName(u.Username)
	if err != nil {
		return User{}, err
	}
	if strings.TrimSpace(u.Username) != u.Username {
		return User{}, fmt.Errorf("%w: spaces around it", ErrName)
	}
	stored, err := storedPassword(ctx, s.hasher, password)
	if err != nil {
		return User{}, err
	}
	now := s.now()
	if u.ID == "" {
		u.ID = uuid.NewString()
	}
	switch {
	case stored == "":
		u.PasswordChangedAt = time.Time{}
	case u.PasswordChangedAt.IsZero():
		u.PasswordChangedAt = now
	}
	if effect != "" {
		effect = "user/" + effect
	}
	var id string
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		id, err = once(ctx, tx, effect, now, func() (string, error) {
			return u.ID, insertUser(ctx, tx, u, key, stored, now)
		})
		return err
	})
	if err != nil {
		return User{}, err
	}
	return s.Get(ctx, u.Env, id)
}

func insertUser(ctx context.Context, tx *sql.Tx, u User, key, stored string, now time.Time) error {
	made, err := changed(tx.ExecContext(ctx, `INSERT INTO users (env, id, username, name_key, population, enabled, password, type,
			email, email_key, email_verified, given, family, locale, created_at, updated_at, last_sign_on_at, last_sign_on_ip,
			preferred_language, unverified, authority, must_change, password_changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, 0, '', $16, $17, $18, $19, $20)
		ON CONFLICT DO NOTHING`,
		u.Env, u.ID, u.Username, key, u.Population, u.Enabled, stored, u.Type,
		u.Email, emailKey(u.Email), u.EmailVerified, u.Given, u.Family, u.Locale, millis(now),
		u.PreferredLanguage, u.Unverified, u.Authority, u.MustChange, millis(u.PasswordChangedAt)))
	if err == nil && !made {
		return ErrTaken
	}
	return err
}

// Seed adds u unless a user of that id or name is there, and reports whether it
// did. What is there is left as it is.
func (s *Users) Seed(ctx context.Context, u User, password string) (bool, error) {
	key, err := NormalName(u.Username)
	if err != nil {
		return false, err
	}
	var n int
	err = s.db.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE env = $1 AND (id = $2 OR name_key = $3)`,
		u.Env, u.ID, key).Scan(&n)
	if err != nil || n > 0 {
		return false, err
	}
	if _, err := s.Create(ctx, u, password, ""); errors.Is(err, ErrTaken) {
		return false, nil // another process was first
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// Get returns a user as it is now; flow.ErrUnknown when there is none.
func (s *Users) Get(ctx context.Context, env, id string) (User, error) {
	u := User{Env: env, ID: id}
	var changed, lockedAt, lockUntil, created, updated, signedOn int64
	err := s.db.reader.QueryRowContext(ctx, `SELECT username, population, enabled, type, email, email_verified, given, family,
			locale, preferred_language, unverified, authority, must_change, password_changed_at, locked_at, lock_until,
			created_at, updated_at, last_sign_on_at, last_sign_on_ip
		FROM users WHERE env = $1 AND id = $2`, env, id).
		Scan(&u.Username, &u.Population, &u.Enabled, &u.Type, &u.Email, &u.EmailVerified, &u.Given, &u.Family,
			&u.Locale, &u.PreferredLanguage, &u.Unverified, &u.Authority, &u.MustChange, &changed, &lockedAt, &lockUntil,
			&created, &updated, &signedOn, &u.LastSignOnIP)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, flow.ErrUnknown
	}
	u.PasswordChangedAt, u.LockedAt, u.LockUntil = instant(changed), instant(lockedAt), instant(lockUntil)
	u.CreatedAt, u.UpdatedAt, u.LastSignOnAt = instant(created), instant(updated), instant(signedOn)
	return u, err
}

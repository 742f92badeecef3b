package directory

import (
	"context"
	"database/sql"
	"errors"
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

	// Profile is the attributes that have no field here, such as name.middle,
	// address or externalId, as a canonical JSON object of at most 64 KiB; it is
	// never empty of a user that was read. Source: reference/management.md 5.3.
	Profile    []byte
	MFAEnabled bool

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
	ring   Sealer // of Telling; nil: nobody is told
}

// NewUsers keeps users in db; hasher hashes their first passwords.
func NewUsers(db *DB, hasher *Hasher, now func() time.Time) *Users {
	return &Users{db: db, hasher: hasher, now: now}
}

// Telling is s, which tells people when Update has given them another mail address: at
// the one before, where that was verified and so is theirs.
func (s *Users) Telling(ring Sealer) *Users {
	return &Users{db: s.db, hasher: s.hasher, now: s.now, ring: ring}
}

// Create adds u and returns it as kept. The password is in clear, or as another
// system has hashed it; an empty one makes a user who cannot sign on with one.
// A new user is not locked, whatever u says. The same effect again returns the
// user it made first. It fails with ErrName, ErrProfile, ErrTaken or ErrBusy, or
// when a hash is none that is read here.
func (s *Users) Create(ctx context.Context, u User, password, effect string) (User, error) {
	return s.create(ctx, u, password, effect, func(context.Context, *sql.Tx, *newcomer, time.Time) error { return nil })
}

// create adds u, and does with it what welcome does: both or neither.
func (s *Users) create(ctx context.Context, u User, password, effect string, welcome func(context.Context, *sql.Tx, *newcomer, time.Time) error) (User, error) {
	now := s.now()
	n, err := newcomerOf(u, now)
	if err != nil {
		return User{}, err
	}
	if n.stored, err = storedPassword(ctx, s.hasher, password); err != nil {
		return User{}, err
	}
	switch {
	case n.stored == "":
		n.PasswordChangedAt = time.Time{}
	case n.PasswordChangedAt.IsZero():
		n.PasswordChangedAt = now
	}
	if effect != "" {
		effect = "user/" + effect
	}
	var id string
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		id, err = once(ctx, tx, effect, now, func() (string, error) {
			switch made, err := n.insert(ctx, tx, now); {
			case err != nil:
				return "", err
			case !made:
				return "", ErrTaken
			}
			return n.ID, welcome(ctx, tx, &n, now)
		})
		return err
	})
	if err != nil {
		return User{}, err
	}
	return s.Get(ctx, u.Env, id)
}

// newcomer is a user to be, with all that is kept beside what others read.
type newcomer struct {
	User
	name       string // in normal form
	document   document
	stored     string    // password; empty: none
	registered bool      // by the person: only when no other user has the address
	since      time.Time // what was proven before counts no more
}

// newcomerOf reads u, or says why it cannot be a user.
func newcomerOf(u User, now time.Time) (n newcomer, err error) {
	if n.name, err = nameKey(u.Username); err != nil {
		return newcomer{}, err
	}
	if n.document, err = readProfile(u.Profile); err != nil {
		return newcomer{}, err
	}
	if u.ID == "" {
		u.ID = uuid.NewString()
	} else {
		n.since = now // there may have been a user of that id, who proved something
	}
	n.User = u
	return n, nil
}

// insert adds the user, unless id or name is somebody's, or the address of one who
// registers. Of several at once, in all processes, one gets the name, and one of
// those who register the address.
func (n *newcomer) insert(ctx context.Context, tx *sql.Tx, now time.Time) (bool, error) {
	address := emailKey(n.Email)
	return changed(tx.ExecContext(ctx, `INSERT INTO users (env, id, username, name_key, population, enabled, password, type,
			email, email_key, registered, email_verified, given, given_key, family, family_key, locale, preferred_language,
			unverified, authority, must_change, password_changed_at, credentials_since, profile, mobile_key, external_key,
			mfa_enabled, created_at, updated_at, last_sign_on_at, last_sign_on_ip)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS BOOLEAN), CAST($7 AS TEXT), CAST($8 AS TEXT),
			CAST($9 AS TEXT), CAST($10 AS TEXT), CAST($11 AS BOOLEAN), CAST($12 AS BOOLEAN), CAST($13 AS TEXT), CAST($14 AS TEXT), CAST($15 AS TEXT), CAST($16 AS TEXT), CAST($17 AS TEXT), CAST($18 AS TEXT),
			CAST($19 AS BOOLEAN), CAST($20 AS TEXT), CAST($21 AS BOOLEAN), CAST($22 AS BIGINT), CAST($23 AS BIGINT), CAST($24 AS TEXT), CAST($25 AS TEXT), CAST($26 AS TEXT),
			CAST($27 AS BOOLEAN), CAST($28 AS BIGINT), CAST($29 AS BIGINT), 0, ''
		WHERE NOT CAST($30 AS BOOLEAN) OR NOT EXISTS (SELECT 1 FROM users WHERE env = $31 AND email_key = $32)
		ON CONFLICT DO NOTHING`,
		n.Env, n.ID, n.Username, n.name, n.Population, n.Enabled, n.stored, n.Type,
		n.Email, address, n.registered, n.EmailVerified, n.Given, foldKey(n.Given), n.Family, foldKey(n.Family), n.Locale, n.PreferredLanguage,
		n.Unverified, n.Authority, n.MustChange, millis(n.PasswordChangedAt), millis(n.since), n.document.json, n.document.mobile, n.document.external,
		n.MFAEnabled, millis(now), millis(now), n.registered, n.Env, address))
}

// Get returns a user as it is now; flow.ErrUnknown when there is none.
func (s *Users) Get(ctx context.Context, env, id string) (User, error) {
	return scanUser(s.db.reader.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE env = $1 AND id = $2`, env, id))
}

// userColumns are what scanUser reads.
const userColumns = `env, id, username, population, enabled, type, email, email_verified, given, family, locale, preferred_language,
	unverified, authority, must_change, password_changed_at, locked_at, lock_until, created_at, updated_at, last_sign_on_at, last_sign_on_ip,
	profile, mfa_enabled`

// scanUser reads one row of userColumns; flow.ErrUnknown when there is none.
func scanUser(row interface{ Scan(to ...any) error }) (User, error) {
	var u User
	var changed, lockedAt, lockUntil, created, updated, signedOn int64
	err := row.Scan(&u.Env, &u.ID, &u.Username, &u.Population, &u.Enabled, &u.Type, &u.Email, &u.EmailVerified, &u.Given, &u.Family, &u.Locale, &u.PreferredLanguage,
		&u.Unverified, &u.Authority, &u.MustChange, &changed, &lockedAt, &lockUntil, &created, &updated, &signedOn, &u.LastSignOnIP,
		&u.Profile, &u.MFAEnabled)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, flow.ErrUnknown
	}
	u.PasswordChangedAt, u.LockedAt, u.LockUntil = instant(changed), instant(lockedAt), instant(lockUntil)
	u.CreatedAt, u.UpdatedAt, u.LastSignOnAt = instant(created), instant(updated), instant(signedOn)
	return u, err
}

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
	CreatedAt     time.Time
	UpdatedAt     time.Time
	LastSignOnAt  time.Time // zero: never; up to 60 s old
	LastSignOnIP  string
}

// Subject is what a flow remembers of the user.
func (u User) Subject() flow.Subject {
	return flow.Subject{ID: u.ID, Username: u.Username, Given: u.Given, Family: u.Family, Population: u.Population}
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

// Create adds u and returns it as kept. An empty password makes a user who
// cannot sign on with one. The same effect again returns the user it made first.
// It fails with ErrName, ErrTaken or ErrBusy.
func (s *Users) Create(ctx context.Context, u User, password, effect string) (User, error) {
	key, err := NormalName(u.Username)
	if err != nil {
		return User{}, err
	}
	if strings.TrimSpace(u.Username) != u.Username {
		return User{}, fmt.Errorf("%w: spaces around it", ErrName)
	}
	var phc string
	if password != "" {
		if phc, err = s.hasher.Hash(ctx, password); err != nil {
			return User{}, err
		}
	}
	now := s.now()
	if u.ID == "" {
		u.ID = uuid.NewString()
	}
	if effect != "" {
		effect = "user/" + effect
	}
	var id string
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		id, err = once(ctx, tx, effect, now, func() (string, error) {
			return u.ID, insertUser(ctx, tx, u, key, phc, now)
		})
		return err
	})
	if err != nil {
		return User{}, err
	}
	return s.Get(ctx, u.Env, id)
}

func insertUser(ctx context.Context, tx *sql.Tx, u User, key, phc string, now time.Time) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO users (env, id, username, name_key, population, enabled, password, type,
			email, email_verified, given, family, locale, created_at, updated_at, last_sign_on_at, last_sign_on_ip)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, 0, '') ON CONFLICT DO NOTHING`,
		u.Env, u.ID, u.Username, key, u.Population, u.Enabled, phc, u.Type,
		u.Email, u.EmailVerified, u.Given, u.Family, u.Locale, millis(now))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return ErrTaken
	}
	return nil
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

// Standing says whether the user may sign on, and since when what was proven
// counts. A user who is not there may not.
func (s *Users) Standing(ctx context.Context, env, id string) (flow.Standing, error) {
	var out flow.Standing
	err := s.db.reader.QueryRowContext(ctx, `SELECT enabled FROM users WHERE env = $1 AND id = $2`, env, id).Scan(&out.Enabled)
	if errors.Is(err, sql.ErrNoRows) {
		return flow.Standing{}, nil
	}
	return out, err
}

// Get returns a user as it is now; flow.ErrUnknown when there is none.
func (s *Users) Get(ctx context.Context, env, id string) (User, error) {
	u := User{Env: env, ID: id}
	var created, updated, signedOn int64
	err := s.db.reader.QueryRowContext(ctx, `SELECT username, population, enabled, type, email, email_verified, given, family,
			locale, created_at, updated_at, last_sign_on_at, last_sign_on_ip
		FROM users WHERE env = $1 AND id = $2`, env, id).
		Scan(&u.Username, &u.Population, &u.Enabled, &u.Type, &u.Email, &u.EmailVerified, &u.Given, &u.Family,
			&u.Locale, &created, &updated, &signedOn, &u.LastSignOnIP)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, flow.ErrUnknown
	}
	u.CreatedAt, u.UpdatedAt, u.LastSignOnAt = instant(created), instant(updated), instant(signedOn)
	return u, err
}

// SetEnabled lets a user sign on, or not; flow.ErrUnknown when there is none.
func (s *Users) SetEnabled(ctx context.Context, env, id string, enabled bool) error {
	now := s.now()
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE users SET enabled = $3, updated_at = $4 WHERE env = $1 AND id = $2`, env, id, enabled, millis(now))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return flow.ErrUnknown
		}
		return nil
	})
}

package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"doorward/runtime/flow"
)

// Result is what a password check comes to. The zero Result is a refusal.
type Result uint8

// The results.
const (
	Refused   Result = iota // wrong password, no such user, or a user without password
	LockedOut               // too many failures; says nothing about the password
	Disabled                // the right password of a user who may not sign on
	Accepted
)

// Check is one password to be judged.
type Check struct {
	Env      string
	Username string // as typed; ignored when UserID is set
	UserID   string
	Password string
	Effect   string // a refusal counts once per key; empty: every time
	RemoteIP string // kept as last sign-on address
}

// Verdict is the answer to a Check.
type Verdict struct {
	Result Result
	// Subject is the user, whenever the name or id is somebody's. Unless the
	// Result is Accepted it is for the audit log only.
	Subject  flow.Subject
	UnlockIn time.Duration // with LockedOut
}

// Deriver is the part of the key ring that keys the names of strangers.
type Deriver interface {
	Derive(purpose string, parts ...string) [32]byte
}

// Passwords judges passwords. Every check costs one query, one argon2id and at
// most one write, whoever is asked for, so that neither time nor answer tells
// whether an account exists. Names that are nobody's lock like all others.
type Passwords struct {
	db      *DB
	hasher  *Hasher
	ring    Deriver
	lockout func(env, population string) Lockout
	now     func() time.Time
	gates   gates
}

// NewPasswords judges the passwords of the users in db. lockout is asked with
// the user's population, empty for a name that is nobody's.
func NewPasswords(db *DB, hasher *Hasher, ring Deriver, lockout func(env, population string) Lockout, now func() time.Time) *Passwords {
	return &Passwords{db: db, hasher: hasher, ring: ring, lockout: lockout, now: now, gates: gates{open: map[string]*gate{}}}
}

// signOnKept is how old the time of the last sign-on may become before a
// sign-on is worth a write of its own.
const signOnKept = 60 * time.Second

// Check judges one password. It fails with ErrBusy when too much is waiting; any
// error says that no judgement was made.
//
//   - a user who is not there, or has no password, costs and counts the same;
//   - while locked nothing counts, and the right password is LockedOut as well;
//   - the failure that locks is itself answered LockedOut;
//   - Disabled is said to the right password only;
//   - a repeated Effect of a refusal gets the first verdict and counts nothing;
//   - acceptance resets the count.
func (p *Passwords) Check(ctx context.Context, c Check) (Verdict, error) {
	a := p.account(c)
	leave, err := p.gates.enter(ctx, c.Env+"/"+a.stranger)
	if err != nil {
		return Verdict{}, err
	}
	defer leave()
	if err := p.read(ctx, &a); err != nil {
		return Verdict{}, fmt.Errorf("password check: %w", err)
	}
	stored := a.password
	if stored == "" {
		stored = p.hasher.Dummy()
	}
	match, outdated, err := p.hasher.Verify(ctx, c.Password, stored)
	if err != nil {
		return Verdict{}, err
	}
	now := p.now()
	switch locked := instant(a.lockedUntil); {
	case a.first != "":
		return a.again(a.first, now)
	case locked.After(now):
		return Verdict{Result: LockedOut, Subject: a.subject, UnlockIn: locked.Sub(now)}, nil
	case !match || a.password == "":
		return p.refuse(ctx, &a, now)
	case !a.enabled:
		return Verdict{Result: Disabled, Subject: a.subject}, nil
	}
	return p.accept(ctx, &a, c, outdated, now)
}

// account is everything one check knows.
type account struct {
	env, column, who string // which user
	stranger, effect string

	subject     flow.Subject
	population  string
	enabled     bool
	password    string
	signedOn    int64
	count       int64
	lockedUntil int64
	first       string // verdict of the effect's first evaluation
}

func (p *Passwords) account(c Check) account {
	a := account{env: c.Env, column: "id", who: c.UserID}
	asked := c.UserID
	if c.UserID == "" {
		a.column, asked = "name_key", c.Username
		if key, err := NormalName(c.Username); err == nil {
			a.who, asked = key, key
		}
	}
	sum := p.ring.Derive("directory.stranger", a.env, a.column, asked)
	a.stranger = base64.RawURLEncoding.EncodeToString(sum[:16])
	if c.Effect != "" {
		a.effect = "password/" + c.Effect
	}
	return a
}

// key is under which the account's failures are counted.
func (a *account) key() string {
	if a.subject.ID != "" {
		return a.subject.ID
	}
	return a.stranger
}

// read fetches user, failures and effect in one query, which has the same shape
// whether or not the user is there.
func (p *Passwords) read(ctx context.Context, a *account) error {
	return p.db.reader.QueryRowContext(ctx, `SELECT COALESCE(u.id, ''), COALESCE(u.username, ''), COALESCE(u.given, ''),
			COALESCE(u.family, ''), COALESCE(u.population, ''), COALESCE(u.enabled, FALSE), COALESCE(u.password, ''),
			COALESCE(u.last_sign_on_at, 0), COALESCE(f.count, 0), COALESCE(f.locked_until, 0), COALESCE(e.result, '')
		FROM (SELECT CAST($1 AS TEXT) AS env, CAST($2 AS TEXT) AS who, CAST($3 AS TEXT) AS stranger, CAST($4 AS TEXT) AS effect) q
		LEFT JOIN users u ON u.env = q.env AND u.`+a.column+` = q.who
		LEFT JOIN failures f ON f.env = q.env AND f.key = COALESCE(u.id, q.stranger)
		LEFT JOIN effects e ON e.key = q.effect`, a.env, a.who, a.stranger, a.effect).
		Scan(&a.subject.ID, &a.subject.Username, &a.subject.Given, &a.subject.Family, &a.population, &a.enabled, &a.password,
			&a.signedOn, &a.count, &a.lockedUntil, &a.first)
}

// again is the verdict that an effect's first evaluation left: until when, in
// milliseconds, it locked the account, or 0.
func (a *account) again(first string, now time.Time) (Verdict, error) {
	until, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return Verdict{}, fmt.Errorf("effect %q: %w", a.effect, err)
	}
	if until == 0 {
		return Verdict{Result: Refused, Subject: a.subject}, nil
	}
	return Verdict{Result: LockedOut, Subject: a.subject, UnlockIn: max(0, instant(until).Sub(now))}, nil
}

func (p *Passwords) refuse(ctx context.Context, a *account, now time.Time) (Verdict, error) {
	policy := p.lockout(a.env, a.population)
	var first string
	err := p.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		first, err = once(ctx, tx, a.effect, now, func() (string, error) {
			until, err := countFailure(ctx, tx, a.env, a.key(), policy, now)
			return strconv.FormatInt(until, 10), err
		})
		return err
	})
	if err != nil {
		return Verdict{}, fmt.Errorf("count failure: %w", err)
	}
	return a.again(first, now)
}

// accept writes only when there is something to write. A lock that came while
// the password was hashed, from another process, still holds.
func (p *Passwords) accept(ctx context.Context, a *account, c Check, outdated bool, now time.Time) (Verdict, error) {
	v := Verdict{Result: Accepted, Subject: a.subject}
	if a.count == 0 && !outdated && now.Sub(instant(a.signedOn)) <= signOnKept {
		return v, nil
	}
	next := a.password
	if outdated {
		phc, err := p.hasher.Hash(ctx, c.Password)
		if err != nil {
			return Verdict{}, err
		}
		next = phc
	}
	err := p.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		until, err := clearFailures(ctx, tx, a.env, a.key(), now)
		if err != nil {
			return err
		}
		if until != 0 {
			v = Verdict{Result: LockedOut, Subject: a.subject, UnlockIn: instant(until).Sub(now)}
			return nil
		}
		v = Verdict{Result: Accepted, Subject: a.subject}
		_, err = tx.ExecContext(ctx, `UPDATE users SET last_sign_on_at = $3, last_sign_on_ip = $4,
				password = CASE WHEN password = $5 THEN $6 ELSE password END
			WHERE env = $1 AND id = $2`, a.env, a.subject.ID, millis(now), c.RemoteIP, a.password, next)
		return err
	})
	if err != nil {
		return Verdict{}, fmt.Errorf("record sign-on: %w", err)
	}
	return v, nil
}

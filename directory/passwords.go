package directory

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

// Result is what a password check comes to. The zero Result is a refusal.
type Result uint8

// The results.
const (
	Refused   Result = iota // wrong password, no such user, or a user without password
	LockedOut               // too many failures, which says nothing about the password; or the right one of a locked account
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
	NoSignOn bool   // the user's last sign-on stays as it was
}

// Verdict is the answer to a Check.
type Verdict struct {
	Result Result
	// Subject is the user, whenever the name or id is somebody's. Unless the
	// Result is Accepted it is for the audit log only.
	Subject    flow.Subject
	UnlockIn   time.Duration // with LockedOut; 0: once an administrator unlocks the account
	State      PasswordState // with Accepted: StateOK, StateMustChange or StateExpired
	Unverified bool          // with Accepted: the user's address is yet to be verified
}

// PasswordState is what holds of a user's password.
// Source: reference/management.md 5.4.
type PasswordState string

// The states. Where more than one holds, it is the first of them.
const (
	StateExternal   PasswordState = "EXTERNAL" // another identity provider has it
	StateNone       PasswordState = "NO_PASSWORD"
	StateLockedOut  PasswordState = "PASSWORD_LOCKED_OUT" // by wrong passwords
	StateMustChange PasswordState = "MUST_CHANGE_PASSWORD"
	StateExpired    PasswordState = "PASSWORD_EXPIRED"
	StateOK         PasswordState = "OK"
)

// Deriver is the part of the key ring that keys the names of strangers.
type Deriver interface {
	Derive(purpose string, parts ...string) [32]byte
}

// Policies returns the password policy of a population; for a name that is
// nobody's it is asked with the empty one.
type Policies func(env, population string) passwordpolicy.Policy

// Passwords judges passwords. Every check costs one query, one argon2id and at
// most one write, whoever is asked for, so that neither time nor answer tells
// whether an account exists. Names that are nobody's lock like all others.
type Passwords struct {
	db       *DB
	hasher   *Hasher
	ring     Deriver
	policies Policies
	now      func() time.Time
	gates    gates
}

// NewPasswords judges the passwords of the users in db.
func NewPasswords(db *DB, hasher *Hasher, ring Deriver, policies Policies, now func() time.Time) *Passwords {
	return &Passwords{db: db, hasher: hasher, ring: ring, policies: policies, now: now, gates: gates{open: map[string]*gate{}}}
}

// signOnKept is how old the time of the last sign-on may become before a
// sign-on is worth a write of its own.
const signOnKept = 60 * time.Second

// Check judges one password. It fails with ErrBusy when too much is waiting; any
// error says that no judgement was made.
//
//   - a user who is not there, or has no password here, costs and counts the same;
//   - while too many failures lock, nothing counts, and the right password is
//     LockedOut as well;
//   - the failure that locks is itself answered LockedOut;
//   - that an account is disabled, or was locked by an administrator, is said to
//     the right password only: wrong ones are counted as everybody's are;
//   - the password of an account that was registered and never verified is refused
//     like a wrong one (see unclaimed);
//   - a repeated Effect of a refusal gets the first verdict and counts nothing;
//   - acceptance resets the count.
func (p *Passwords) Check(ctx context.Context, c Check) (Verdict, error) {
	if c.UserID != "" {
		c.Username = ""
	}
	a := whom(p.ring, c.Env, c.UserID, c.Username, "password", c.Effect)
	match, outdated, leave, err := p.verify(ctx, &a, c.Password)
	if err != nil {
		return Verdict{}, err
	}
	defer leave()
	now := p.now()
	accountLock, byAdmin := a.locked(now)
	switch failureLock := instant(a.lockedUntil); {
	case a.first != "":
		return a.again(a.first, now)
	case failureLock.After(now):
		return Verdict{Result: LockedOut, Subject: a.subject, UnlockIn: failureLock.Sub(now)}, nil
	case !match || a.unclaimed():
		return p.refuse(ctx, &a, now)
	case !a.enabled:
		return Verdict{Result: Disabled, Subject: a.subject}, nil
	case byAdmin:
		return Verdict{Result: LockedOut, Subject: a.subject, UnlockIn: accountLock}, nil
	}
	return p.accept(ctx, &a, c, outdated, now)
}

// verify reads the account and compares the password with its own, or with
// nobody's. Until leave is called no other password of the account is judged.
func (p *Passwords) verify(ctx context.Context, a *account, password string) (match, outdated bool, leave func(), err error) {
	leave, err = p.gates.enter(ctx, a.env+"/"+a.stranger)
	if err != nil {
		return false, false, nil, err
	}
	if err = p.db.readAccount(ctx, a); err != nil {
		leave()
		return false, false, nil, fmt.Errorf("password check: %w", err)
	}
	stored := a.password
	if stored == "" {
		stored = p.hasher.Dummy()
	}
	match, outdated, err = p.hasher.Verify(ctx, password, stored)
	if err != nil {
		leave()
		return false, false, nil, err
	}
	return match && a.password != "", outdated, leave, nil
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
	policy := p.policies(a.env, a.subject.Population)
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
	accepted := Verdict{
		Result: Accepted, Subject: a.subject, Unverified: a.unverified,
		State: a.state(p.policies(a.env, a.subject.Population), now),
	}
	if a.count == 0 && !outdated && (c.NoSignOn || now.Sub(instant(a.signedOn)) <= signOnKept) {
		return accepted, nil
	}
	next := a.password
	if outdated {
		phc, err := p.hasher.Hash(ctx, c.Password)
		if err != nil {
			return Verdict{}, err
		}
		next = phc
	}
	var v Verdict
	err := p.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		until, err := clearFailures(ctx, tx, a.env, a.key(), now)
		if err != nil {
			return err
		}
		if until != 0 {
			v = Verdict{Result: LockedOut, Subject: a.subject, UnlockIn: instant(until).Sub(now)}
			return nil
		}
		v = accepted
		_, err = tx.ExecContext(ctx, `UPDATE users SET last_sign_on_at = CASE WHEN $7 THEN last_sign_on_at ELSE $3 END,
				last_sign_on_ip = CASE WHEN $7 THEN last_sign_on_ip ELSE $4 END,
				password = CASE WHEN password = $5 THEN $6 ELSE password END
			WHERE env = $1 AND id = $2`, a.env, a.subject.ID, millis(now), c.RemoteIP, a.password, next, c.NoSignOn)
		return err
	})
	if err != nil {
		return Verdict{}, fmt.Errorf("record sign-on: %w", err)
	}
	return v, nil
}

// PasswordStatus is how a user's password stands.
type PasswordStatus struct {
	State     PasswordState
	ChangedAt time.Time     // zero: never set
	UnlockIn  time.Duration // of StateLockedOut
	ExpiresIn time.Duration // of StateOK, when fewer than 21 days are left; 0: more, or for ever
}

// expiryWarning is how long before a password expires its state says so.
// Source: reference/management.md 5.4.
const expiryWarning = 21 * 24 * time.Hour

// State tells how a user's password stands; flow.ErrUnknown when there is no such
// user.
func (p *Passwords) State(ctx context.Context, env, userID string) (PasswordStatus, error) {
	a := whom(p.ring, env, userID, "", "", "")
	if err := p.db.readAccount(ctx, &a); err != nil {
		return PasswordStatus{}, fmt.Errorf("password state: %w", err)
	}
	if a.subject.ID == "" {
		return PasswordStatus{}, flow.ErrUnknown
	}
	now := p.now()
	s := PasswordStatus{ChangedAt: instant(a.changedAt)}
	switch until := instant(a.lockedUntil); {
	case a.authority != "":
		s = PasswordStatus{State: StateExternal}
	case a.password == "":
		s.State = StateNone
	case until.After(now):
		s.State, s.UnlockIn = StateLockedOut, until.Sub(now)
	default:
		policy := p.policies(env, a.subject.Population)
		s.State = a.state(policy, now)
		if left := s.ChangedAt.Add(policy.MaxAge).Sub(now); s.State == StateOK && policy.MaxAge > 0 && left < expiryWarning {
			s.ExpiresIn = left
		}
	}
	return s, nil
}

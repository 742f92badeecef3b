package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/device"
)

// Judged is whose answer is judged, and how many wrong ones are too many. UserID and
// ID need not be anybody's: keys that the caller makes of a name that is nobody's are
// counted and locked like all others.
type Judged struct {
	Env, UserID, ID string
	Failure         Failure // of the device, by its policy
	Account         Failure // of all devices of the user together
	IgnoreLock      bool    // of the account; that of a hundred in a row holds all the same
	Effect          string  // the same again gets the same Standing; empty: every time
}

// tally is under what wrong answers of the device are counted. Of nobody's in
// particular it is one of the user, so that no two users share it.
func (j *Judged) tally() string {
	if j.ID == "" {
		return deviceTally("of/" + j.UserID)
	}
	return deviceTally(j.ID)
}

// Standing is what an answer came to. The zero one is a refusal.
type Standing struct {
	OK       bool // the answer was right, and counts
	Counted  bool // it was judged; false of a refusal: a lock or a block says nothing about it
	Replayed bool // what it showed was right and was used before
	Cloned   bool // the counter of the credential did not go up
	Blocked  bool // the device is; nothing was counted

	DeviceLocked  bool // of Counted: by this answer
	AccountLocked bool
	Until         time.Time // of a lock, the later one

	Wrong int // wrong answers of the device in a row
	Left  int // wrong answers until the next lock of either; of TryRecovery that is OK: codes that are left
}

// Try is a code that is computed, of TOTP or OATH_TOKEN. Compare is given the seed and
// the last step that is used up, -1 for none, and says whether the code is one of the
// seed, and of which step; it looks for steps after the last first. It must be quick
// and may run more than once.
type Try struct {
	Judged
	Compare func(seed []byte, lastStep int64) (step int64, ok bool)
}

// Try judges a code, in one transaction that has counted it before it compares.
// Unless it is right it stays counted; a step is never accepted again, nor one before
// it. While a lock holds nothing is compared and nothing counts; the wrong code that
// locks is itself answered so. A right one clears the counts.
func (s *Devices) Try(ctx context.Context, t Try) (Standing, error) {
	return s.judge(ctx, "deviceTry", t.Judged, func(ctx context.Context, tx *sql.Tx, d *heldDevice, v *Standing, now time.Time) error {
		seed, known, err := s.seedOf(d, t.Judged)
		if err != nil {
			return err
		}
		step, match := t.Compare(seed, d.step)
		switch {
		case !match || !known:
			return nil
		case step <= d.step:
			v.Replayed = true
			return nil
		}
		v.OK, v.Left = true, 0
		_, err = tx.ExecContext(ctx, `UPDATE devices SET step = $3, last_used_at = $4 WHERE env = $1 AND id = $2`, t.Env, t.ID, step, millis(now))
		return err
	})
}

// seedOf opens the seed of a device that may be judged; one of nothing where there is
// none.
func (s *Devices) seedOf(d *heldDevice, j Judged) (seed []byte, known bool, err error) {
	if !d.usable() || len(d.seed) == 0 {
		return make([]byte, 20), false, nil
	}
	if seed, err = s.ring.Open(d.seed, j.Env, seedColumn(j.ID)); err != nil {
		return nil, false, fmt.Errorf("open a seed: %w", err)
	}
	return seed, true, nil
}

// RecoveryTry is a recovery code. Hash is given the seed of the device, and says what
// the code is kept as.
type RecoveryTry struct {
	Judged
	Hash func(seed []byte) [32]byte
}

// TryRecovery judges a recovery code as Try does another, and uses it up.
func (s *Devices) TryRecovery(ctx context.Context, t RecoveryTry) (Standing, error) {
	return s.judge(ctx, "deviceRecovery", t.Judged, func(ctx context.Context, tx *sql.Tx, d *heldDevice, v *Standing, now time.Time) error {
		seed, known, err := s.seedOf(d, t.Judged)
		if err != nil {
			return err
		}
		hash := t.Hash(seed)
		used, err := changed(tx.ExecContext(ctx, `DELETE FROM recovery_codes WHERE env = $1 AND device = $2 AND mac = $3 AND $4`, t.Env, t.ID, hash[:], known))
		if err != nil || !used {
			return err
		}
		v.OK = true
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM recovery_codes WHERE env = $1 AND device = $2`, t.Env, t.ID).Scan(&v.Left); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE devices SET last_used_at = $3 WHERE env = $1 AND id = $2`, t.Env, t.ID, millis(now))
		return err
	})
}

// Failing is an answer that the caller has found wrong.
type Failing struct {
	Judged
	Suspect bool // the counter of the credential went back: it is marked
}

// Fail counts a wrong answer: a code that was sent, an assertion, a number that was
// not the one to pick. It is as Try of a wrong code. A suspected one that Succeed has
// taken under the same Effect is answered as then: it is its own counter that it does
// not pass.
func (s *Devices) Fail(ctx context.Context, f Failing) (Standing, error) {
	if f.Suspect {
		if v, err := s.succeeded(ctx, f.Effect); v.OK || err != nil {
			return v, err
		}
	}
	return s.judge(ctx, "deviceFailure", f.Judged, func(ctx context.Context, tx *sql.Tx, d *heldDevice, _ *Standing, now time.Time) error {
		if !f.Suspect || d.Credential == nil || d.Credential.Suspected {
			return nil
		}
		d.Credential.Suspected = true
		return d.keepCredential(ctx, tx, now)
	})
}

// succeeded is what Succeed came to under an effect; the zero Standing when it was not
// asked.
func (s *Devices) succeeded(ctx context.Context, effect string) (Standing, error) {
	var word string
	err := s.db.reader.QueryRowContext(ctx, `SELECT result FROM effects WHERE key = $1`, successEffect+"/"+effect).Scan(&word)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Standing{}, nil
	case err != nil:
		return Standing{}, fmt.Errorf("read an answer: %w", err)
	}
	return readStanding(word)
}

// judge runs compare on an answer that is counted already and not refused by a lock,
// and forgets the count if compare finds it right. The account comes first, so that
// answers of one account take turns.
func (s *Devices) judge(ctx context.Context, kind string, j Judged, compare func(ctx context.Context, tx *sql.Tx, d *heldDevice, v *Standing, now time.Time) error) (Standing, error) {
	now := s.now()
	word, err := s.do(ctx, kind, j.Effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		var v Standing
		account, own, err := holdTallies(ctx, tx, j, now)
		if err != nil {
			return "", err
		}
		d, err := holdDevice(ctx, tx, j)
		if err != nil {
			return "", err
		}
		v.Blocked = d.blocked()
		if v.locked(j, account, own, now); v.Blocked || v.DeviceLocked || v.AccountLocked {
			v.Wrong = own.count
			return v.word()
		}
		before := *account
		if err := v.count(ctx, tx, j, account, own, now); err != nil {
			return "", err
		}
		if err := compare(ctx, tx, d, &v, now); err != nil {
			return "", err
		}
		if !v.OK {
			return v.word()
		}
		v = Standing{OK: true, Counted: true, Left: v.Left}
		if err := errors.Join(before.forget(ctx, tx, now), unlock(ctx, tx, j.Env, own.key)); err != nil {
			return "", err
		}
		return v.word()
	})
	if err != nil {
		return Standing{}, fmt.Errorf("judge an answer: %w", err)
	}
	return readStanding(word)
}

// count counts a wrong answer, and says where that leads.
func (v *Standing) count(ctx context.Context, tx *sql.Tx, j Judged, account, own *tally, now time.Time) error {
	if err := errors.Join(account.add(ctx, tx, j.Account, true, now), own.add(ctx, tx, j.Failure, false, now)); err != nil {
		return err
	}
	v.locked(j, account, own, now)
	v.Counted, v.Wrong = true, own.count
	v.Left = min(j.Failure.left(own.count, longRow), j.Account.left(account.count, longRow), max(0, longRow-account.count))
	return nil
}

// locked says what is locked at now.
func (v *Standing) locked(j Judged, account, own *tally, now time.Time) {
	v.DeviceLocked = own.locked(now)
	v.AccountLocked = account.locked(now) && (!j.IgnoreLock || account.count >= longRow)
	if v.DeviceLocked {
		v.Until = instant(own.until)
	}
	if v.AccountLocked && instant(account.until).After(v.Until) {
		v.Until = instant(account.until)
	}
}

// word is v as an effect keeps it.
func (v *Standing) word() (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// readStanding is word undone.
func readStanding(word string) (v Standing, err error) {
	if err = json.Unmarshal([]byte(word), &v); err != nil {
		return Standing{}, fmt.Errorf("effect of an answer: %w", err)
	}
	return v, nil
}

// heldDevice is a device that is ours until the transaction ends. The zero one is of
// nobody.
type heldDevice struct {
	device.Device
	seed []byte
	step int64
}

// usable reports whether the device may prove somebody, but for its locks.
func (d *heldDevice) usable() bool { return d.Status == device.Active && d.BlockedAt.IsZero() }

// blocked reports whether the device is there and blocked.
func (d *heldDevice) blocked() bool { return !d.BlockedAt.IsZero() }

// holdDevice makes a device ours; the zero one when there is none.
func holdDevice(ctx context.Context, tx *sql.Tx, j Judged) (*heldDevice, error) {
	d := &heldDevice{step: -1}
	var credentialID []byte
	var credential string
	var count, blocked, used int64
	err := tx.QueryRowContext(ctx, `UPDATE devices SET updated_at = updated_at WHERE env = $1 AND user_id = $2 AND id = $3
		RETURNING env, user_id, id, type, status, seed, step, credential_id, credential, sign_count, blocked_at, last_used_at`, j.Env, j.UserID, j.ID).
		Scan(&d.Env, &d.UserID, &d.ID, &d.Type, &d.Status, &d.seed, &d.step, &credentialID, &credential, &count, &blocked, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	d.BlockedAt, d.LastUsedAt = instant(blocked), instant(used)
	d.Credential, err = readCredential(credentialID, credential, count)
	return d, err
}

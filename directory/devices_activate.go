package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// Activation is the first proof of a device. That it is right is the caller's to
// know.
type Activation struct {
	Env, UserID, ID string
	Step            int64              // of TOTP: the step whose code was right, which proves nothing again; 0: none
	Credential      *device.Credential // of FIDO2
	Key             []byte             // of MOBILE
	Name            string             // what the device calls itself; empty: as it was
	Nickname        string             // empty: as it was
	Most            int                // how many devices the user may have with this one; 0: any number
	MFAEnabled      bool               // what is said of the user from now on; false: as it was
	Notice          *flow.Message      // to the user; nil: none
	Effect          string
}

// Activate makes a device that waits for it an active one, and ends every trust in a
// browser. What was proven so far still counts. The same effect again changes
// nothing. It fails with flow.ErrUnknown, also for one that has waited for too long,
// with ErrActivated, ErrTooManyDevices or ErrDuplicateDevice.
func (s *Devices) Activate(ctx context.Context, a Activation) (device.Device, error) {
	credential, err := writeCredential(a.Credential)
	if err != nil {
		return device.Device{}, err
	}
	credentialID, count := columnsOf(a.Credential)
	now := s.now()
	_, err = s.do(ctx, "deviceActivation", a.Effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		if err := clearTally(ctx, tx, a.Env, deviceTally(a.ID), now); err != nil { // of wrong activations
			return "", err
		}
		if err := ownDevices(ctx, tx, a.Env, a.UserID, a.MFAEnabled, now); err != nil {
			return "", err
		}
		if err := roomFor(ctx, tx, a.Env, a.UserID, a.ID, a.Most, now); err != nil {
			return "", err
		}
		var key any
		if len(a.Key) > 0 {
			key = a.Key
		}
		found, err := changed(tx.ExecContext(ctx, `UPDATE devices SET status = $4, activated_at = $5, updated_at = $5,
				step = CASE WHEN step < $6 THEN $6 ELSE step END,
				name = CASE WHEN $7 = '' THEN name ELSE $7 END, nickname = CASE WHEN $8 = '' THEN nickname ELSE $8 END,
				public_key = COALESCE($9, public_key), credential_id = COALESCE($10, credential_id),
				credential = CASE WHEN $11 = '' THEN credential ELSE $11 END, sign_count = $12
			WHERE env = $1 AND user_id = $2 AND id = $3 AND status = $13 AND created_at > $14`,
			a.Env, a.UserID, a.ID, string(device.Active), millis(now), lastStep(a.Step), a.Name, a.Nickname, key,
			credentialID, credential, count, string(device.ActivationRequired), millis(now.Add(-unactivatedKept))))
		switch {
		case duplicate(err):
			return "", ErrDuplicateDevice
		case err != nil:
			return "", err
		case !found:
			return "", notWaiting(ctx, tx, a)
		}
		if err := voidPairings(ctx, tx, a.Env, a.UserID); err != nil {
			return "", err
		}
		return "", s.settleFactors(ctx, tx, a.Env, a.UserID, true, a.Notice, now)
	})
	if err != nil {
		return device.Device{}, fmt.Errorf("activate a device: %w", err)
	}
	return s.Get(ctx, a.Env, a.UserID, a.ID)
}

// lastStep is a step as it is kept: that of an activation which had none says
// nothing.
func lastStep(step int64) int64 {
	if step <= 0 {
		return -1
	}
	return step
}

// notWaiting is why a device cannot be activated.
func notWaiting(ctx context.Context, tx *sql.Tx, a Activation) error {
	var active bool
	err := tx.QueryRowContext(ctx, `SELECT status = $4 FROM devices WHERE env = $1 AND user_id = $2 AND id = $3`,
		a.Env, a.UserID, a.ID, string(device.Active)).Scan(&active)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && !active:
		return flow.ErrUnknown
	case err != nil:
		return err
	}
	return ErrActivated
}

// Delete takes a device away, with all that was asked of it. When it was active,
// every trust in a browser ends. flow.ErrUnknown when the user has no such device;
// the same effect again changes nothing.
func (s *Devices) Delete(ctx context.Context, env, userID, id string, notice *flow.Message, effect string) error {
	now := s.now()
	_, err := s.do(ctx, "deviceDeletion", effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		if err := dropTally(ctx, tx, env, deviceTally(id)); err != nil {
			return "", err
		}
		if err := ownDevices(ctx, tx, env, userID, false, now); err != nil {
			return "", err
		}
		var status device.Status
		err := tx.QueryRowContext(ctx, `DELETE FROM devices WHERE env = $1 AND id = $2 AND user_id = $3 RETURNING status`, env, id, userID).Scan(&status)
		if errors.Is(err, sql.ErrNoRows) {
			return "", flow.ErrUnknown
		}
		if err != nil {
			return "", err
		}
		return "", s.settleFactors(ctx, tx, env, userID, status == device.Active, notice, now)
	})
	return err
}

// Nickname gives a device another nickname; flow.ErrUnknown when there is none.
func (s *Devices) Nickname(ctx context.Context, env, userID, id, nickname string) error {
	return s.change(ctx, `nickname = $5`, env, userID, id, nickname)
}

// Block keeps a device from proving anything, until Unblock; flow.ErrUnknown when
// there is none.
func (s *Devices) Block(ctx context.Context, env, userID, id string) error {
	return s.change(ctx, `blocked_at = CASE WHEN blocked_at = 0 THEN $4 ELSE blocked_at END`, env, userID, id)
}

// Unblock ends a Block; flow.ErrUnknown when there is no such device.
func (s *Devices) Unblock(ctx context.Context, env, userID, id string) error {
	return s.change(ctx, `blocked_at = 0`, env, userID, id)
}

// change changes one device; $4 is now.
func (s *Devices) change(ctx context.Context, set, env, userID, id string, args ...any) error {
	now := millis(s.now())
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, `UPDATE devices SET updated_at = $4, `+set+` WHERE env = $1 AND user_id = $2 AND id = $3`,
			append([]any{env, userID, id, now}, args...)...))
		if err == nil && !found {
			err = flow.ErrUnknown
		}
		return err
	})
}

// Reorder puts devices of a user into the order in which they are tried; those that
// are not named follow (device.Order). flow.ErrUnknown when one of them is not theirs.
func (s *Devices) Reorder(ctx context.Context, env, userID string, ids []string) error {
	now := s.now()
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := ownDevices(ctx, tx, env, userID, false, now); err != nil {
			return err
		}
		for _, id := range ids {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM devices WHERE env = $1 AND user_id = $2 AND id = $3`, env, userID, id).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				return flow.ErrUnknown
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE users SET device_order = $3 WHERE env = $1 AND id = $2`, env, userID, strings.Join(ids, " "))
		return err
	})
}

// RemoveOrder forgets the order that a user has given; flow.ErrUnknown when there is
// no such user.
func (s *Devices) RemoveOrder(ctx context.Context, env, userID string) error {
	return s.Reorder(ctx, env, userID, nil)
}

// Lock keeps a device from proving anything until then, as too many wrong answers do;
// a time that is over locks nothing. flow.ErrUnknown when there is no such device.
func (s *Devices) Lock(ctx context.Context, env, userID, id string, until time.Time) error {
	return s.withTally(ctx, env, userID, id, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO failures (env, key, count, locked_until, at) VALUES ($1, $2, 0, $3, $3)
			ON CONFLICT (env, key) DO UPDATE SET locked_until = $3, at = $3`, env, deviceTally(id), millis(until))
		return err
	})
}

// Unlock forgets the wrong answers of a device, and the lock that they led to. That of
// the account is another thing. flow.ErrUnknown when there is no such device.
func (s *Devices) Unlock(ctx context.Context, env, userID, id string) error {
	return s.withTally(ctx, env, userID, id, func(ctx context.Context, tx *sql.Tx) error {
		return dropTally(ctx, tx, env, deviceTally(id))
	})
}

// withTally changes the count of a device that is there.
func (s *Devices) withTally(ctx context.Context, env, userID, id string, do func(ctx context.Context, tx *sql.Tx) error) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		found, err := changed(tx.ExecContext(ctx, `UPDATE devices SET updated_at = $4 WHERE env = $1 AND user_id = $2 AND id = $3`,
			env, userID, id, millis(s.now())))
		if err == nil && !found {
			err = flow.ErrUnknown
		}
		return err
	})
}

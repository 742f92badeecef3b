package directory

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/uuid"
)

const (
	// unactivatedKept is how long a device may wait for its activation.
	unactivatedKept = 24 * time.Hour
	// unactivatedCounted is how long it counts among those that a user may have, so
	// that an enrolment that was given up is in nobody's way.
	unactivatedCounted = time.Hour
)

// NewDevice is a device to be added. Of the Device, ID may be empty; times and counts
// are made here. Its status is Active or ActivationRequired.
type NewDevice struct {
	Device     device.Device
	Seed       []byte        // of TOTP and OATH_TOKEN; it is sealed
	Codes      [][32]byte    // keyed hashes, of RECOVERY_CODE
	Most       int           // how many devices the user may have with this one; 0: any number
	MFAEnabled bool          // of one that is Active: what is said of the user then
	Notice     *flow.Message // to the user; nil: none
	Effect     string
}

// Create adds a device and returns it as kept. The same effect again returns the
// device that it made first. One that has waited for its activation gives way to
// another of the same number or address, and recovery codes to new ones, which count
// for no limit. It fails with flow.ErrUnknown, ErrTooManyDevices or
// ErrDuplicateDevice.
func (s *Devices) Create(ctx context.Context, n NewDevice) (device.Device, error) {
	if n.Device.ID == "" {
		n.Device.ID = uuid.NewString()
	}
	d, now := n.Device, s.now()
	sealed, err := s.sealed(n.Seed, d)
	if err != nil {
		return device.Device{}, err
	}
	active := d.Status == device.Active
	id, err := s.do(ctx, "device", n.Effect, now, func(ctx context.Context, tx *sql.Tx) (string, error) {
		if err := ownDevices(ctx, tx, d.Env, d.UserID, active && n.MFAEnabled, now); err != nil {
			return "", err
		}
		if err := s.add(ctx, tx, d, sealed, n.Most, now); err != nil {
			return "", err
		}
		for _, code := range n.Codes {
			if _, err := tx.ExecContext(ctx, `INSERT INTO recovery_codes (env, device, mac) VALUES ($1, $2, $3)`, d.Env, d.ID, code[:]); err != nil {
				return "", err
			}
		}
		return d.ID, s.settleFactors(ctx, tx, d.Env, d.UserID, active, n.Notice, now)
	})
	if err != nil {
		return device.Device{}, fmt.Errorf("add a device: %w", err)
	}
	return s.Get(ctx, d.Env, d.UserID, id)
}

// sealed is a seed as it is kept; nil of none.
func (s *Devices) sealed(seed []byte, d device.Device) ([]byte, error) {
	if len(seed) == 0 {
		return nil, nil
	}
	sealed, err := s.ring.Seal(seed, d.Env, seedColumn(d.ID))
	if err != nil {
		return nil, fmt.Errorf("seal a seed: %w", err)
	}
	return sealed, nil
}

// add inserts a device of a user whose devices are ours.
func (s *Devices) add(ctx context.Context, tx *sql.Tx, d device.Device, sealed []byte, most int, now time.Time) error {
	single := singleOf(d)
	if _, err := tx.ExecContext(ctx, `DELETE FROM devices WHERE env = $1 AND user_id = $2 AND single = $3 AND (status = $4 OR type = $5)`,
		d.Env, d.UserID, single, string(device.ActivationRequired), string(device.Recovery)); err != nil {
		return err
	}
	if d.Type != device.Recovery {
		if err := roomFor(ctx, tx, d.Env, d.UserID, "", most, now.Add(-unactivatedCounted)); err != nil {
			return err
		}
	}
	credential, err := writeCredential(d.Credential)
	if err != nil {
		return err
	}
	credentialID, count := columnsOf(d.Credential)
	var activated int64
	if d.Status == device.Active {
		activated = millis(now)
	}
	made, err := changed(tx.ExecContext(ctx, `INSERT INTO devices (env, id, user_id, type, status, nickname, name, phone, email, single, application, policy,
			public_key, alert, seed, step, credential_id, credential, sign_count, blocked_at, push_locked_until, created_at, updated_at, activated_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, -1, $16, $17, $18, 0, 0, $19, $19, $20, 0)
		ON CONFLICT DO NOTHING`,
		d.Env, d.ID, d.UserID, string(d.Type), string(d.Status), d.Nickname, d.Name, d.Phone, d.Email, single, d.Application, d.Policy,
		bytesOf(d.Key), d.Alert, bytesOf(sealed), credentialID, credential, count, millis(now), activated))
	switch {
	case err != nil:
		return err
	case !made:
		return ErrDuplicateDevice
	case d.Status == device.Active:
		return voidPairings(ctx, tx, d.Env, d.UserID)
	}
	return nil
}

// roomFor fails with ErrTooManyDevices when a user has as many devices as are
// allowed, but for the one of that id. Those that wait for their activation count
// when they were made after since.
func roomFor(ctx context.Context, tx *sql.Tx, env, userID, but string, most int, since time.Time) error {
	if most <= 0 {
		return nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM devices WHERE env = $1 AND user_id = $2 AND id <> $3 AND type <> $4 AND (status = $5 OR created_at > $6)`,
		env, userID, but, string(device.Recovery), string(device.Active), millis(since)).Scan(&n)
	if err == nil && n >= most {
		err = ErrTooManyDevices
	}
	return err
}

// settleFactors ends what rested on the devices that a user had, once they are
// others, and tells the user.
func (s *Devices) settleFactors(ctx context.Context, tx *sql.Tx, env, userID string, others bool, notice *flow.Message, now time.Time) error {
	if others {
		if err := endTrust(ctx, tx, env, userID); err != nil {
			return err
		}
	}
	if notice == nil {
		return nil
	}
	m := *notice
	if m.CreatedAt.IsZero() {
		m.CreatedAt = now
	}
	if m.ExpiresAt.IsZero() {
		m.ExpiresAt = m.CreatedAt.Add(noticeLife)
	}
	return post(ctx, tx, s.ring, m)
}

// singleOf is what a user has one of only: NULL of a device of which there may be
// several.
func singleOf(d device.Device) any {
	switch {
	case d.Phone != "":
		return string(d.Type) + "/" + d.Phone
	case d.Email != "":
		return string(d.Type) + "/" + emailKey(d.Email)
	case d.Type == device.Recovery:
		return string(d.Type)
	}
	return nil
}

// columnsOf are the columns of a credential: its id, NULL for none, and its counter.
func columnsOf(c *device.Credential) (id any, count int64) {
	if c == nil {
		return nil, 0
	}
	return c.ID, int64(c.SignCount)
}

// bytesOf is b, which is not NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

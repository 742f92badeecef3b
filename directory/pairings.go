package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// pairingKept is how long a pairing key is kept after it has expired, so that who
// waits for the device still finds it.
const pairingKept = time.Hour

// Pairing is a pairing key that a user was given, to be typed or scanned into an
// application. Only its keyed hash is known here.
type Pairing struct {
	Env, UserID string
	ID          string // UUID that the device is going to have
	Application string // UUID of the native application; empty: any
	Policy      string // UUID; empty: the default one
	Nickname    string
	Hash        [32]byte
	Device      string // ID, once the key was used; empty: not yet
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// CreatePairing keeps a pairing key and voids the one before, of the same user and
// application. It is void as well once the user has another password or address, and
// once a first device has become active by other means. CreatedAt is made here. The same id again changes nothing.
// flow.ErrUnknown when there is no such user.
func (s *Devices) CreatePairing(ctx context.Context, p Pairing) error {
	now := s.now()
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := ownDevices(ctx, tx, p.Env, p.UserID, false, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM pairings WHERE env = $1 AND user_id = $2 AND application = $3 AND used_at = 0 AND id <> $4`,
			p.Env, p.UserID, p.Application, p.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO pairings (env, id, user_id, application, policy, nickname, mac, used_at, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9) ON CONFLICT (env, id) DO NOTHING`,
			p.Env, p.ID, p.UserID, p.Application, p.Policy, p.Nickname, p.Hash[:], millis(now), millis(p.ExpiresAt))
		return err
	})
}

const pairingColumns = `env, user_id, id, application, policy, nickname, mac, used_at, created_at, expires_at`

// Pairing returns a pairing key, used or not; flow.ErrUnknown when there is none, or
// when it has expired unused.
func (s *Devices) Pairing(ctx context.Context, env, id string) (Pairing, error) {
	return scanPairing(s.db.reader.QueryRowContext(ctx, `SELECT `+pairingColumns+` FROM pairings
		WHERE env = $1 AND id = $2 AND (used_at > 0 OR expires_at > $3)`, env, id, millis(s.now())))
}

// PairingOf returns the pairing key of that hash, used or not; flow.ErrUnknown when
// there is none, or when it has expired.
func (s *Devices) PairingOf(ctx context.Context, env string, hash [32]byte) (Pairing, error) {
	return scanPairing(s.db.reader.QueryRowContext(ctx, `SELECT `+pairingColumns+` FROM pairings
		WHERE env = $1 AND mac = $2 AND expires_at > $3`, env, hash[:], millis(s.now())))
}

// DropPairing takes a pairing key away, used or not; the device that it has paired
// stays. flow.ErrUnknown when the user has no such key.
func (s *Devices) DropPairing(ctx context.Context, env, userID, id string) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, `DELETE FROM pairings WHERE env = $1 AND user_id = $2 AND id = $3`, env, userID, id))
		if err == nil && !found {
			err = flow.ErrUnknown
		}
		return err
	})
}

// voidPairings ends the pairing keys of a user whose first device has become active:
// they were given to whoever knew the password alone.
func voidPairings(ctx context.Context, tx *sql.Tx, env, userID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM pairings WHERE env = $1 AND user_id = $2 AND used_at = 0
		AND (SELECT COUNT(*) FROM devices WHERE env = $1 AND user_id = $2 AND status = $3) = 1`, env, userID, string(device.Active))
	return err
}

// scanPairing reads one row of pairingColumns; flow.ErrUnknown when there is none.
func scanPairing(row interface{ Scan(to ...any) error }) (Pairing, error) {
	var p Pairing
	var mac []byte
	var used, created, expires int64
	err := row.Scan(&p.Env, &p.UserID, &p.ID, &p.Application, &p.Policy, &p.Nickname, &mac, &used, &created, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return Pairing{}, flow.ErrUnknown
	}
	if used > 0 {
		p.Device = p.ID
	}
	copy(p.Hash[:], mac)
	p.CreatedAt, p.ExpiresAt = instant(created), instant(expires)
	return p, err
}

// Pair is a device that presents a pairing key.
type Pair struct {
	Env        string
	Hash       [32]byte      // keyed hash of the pairing key
	Key        []byte        // public key of the device, PKIX DER
	Name       string        // what the device calls itself
	Alert      string        // where a push service reaches it; empty: nowhere
	Seed       []byte        // by which it computes codes, to be sealed; none: it computes none
	Most       int           // how many devices the user may have with this one; 0: any number
	MFAEnabled bool          // what is said of the user from now on; false: as it was
	Notice     *flow.Message // to the user; nil: none
}

// Pair makes the device that presents a pairing key an active one of the key's user.
// Of all who present a key, in all processes, one gets it; who presents it again with
// the same key of its own is answered as the first time. It ends every trust in a
// browser. It fails with flow.ErrUnknown, ErrTooManyDevices or ErrDuplicateDevice;
// then the pairing key is as good as before.
func (s *Devices) Pair(ctx context.Context, p Pair) (device.Device, error) {
	now := s.now()
	d := device.Device{Env: p.Env, Type: device.Mobile, Status: device.Active, Key: p.Key, Name: p.Name, Alert: p.Alert}
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id, user_id FROM pairings WHERE env = $1 AND mac = $2`, p.Env, p.Hash[:]).Scan(&d.ID, &d.UserID)
		if errors.Is(err, sql.ErrNoRows) {
			return flow.ErrUnknown
		}
		if err != nil {
			return err
		}
		if err := ownDevices(ctx, tx, p.Env, d.UserID, p.MFAEnabled, now); err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `UPDATE pairings SET used_at = $3 WHERE env = $1 AND mac = $2 AND used_at = 0 AND expires_at > $3
			RETURNING application, policy, nickname`, p.Env, p.Hash[:], millis(now)).Scan(&d.Application, &d.Policy, &d.Nickname)
		if errors.Is(err, sql.ErrNoRows) {
			return pairedBefore(ctx, tx, d)
		}
		if err != nil {
			return err
		}
		sealed, err := s.sealed(p.Seed, d)
		if err != nil {
			return err
		}
		if err := s.add(ctx, tx, d, sealed, p.Most, now); err != nil {
			return err
		}
		return s.settleFactors(ctx, tx, p.Env, d.UserID, true, p.Notice, now)
	})
	if err != nil {
		return device.Device{}, fmt.Errorf("pair a device: %w", err)
	}
	return s.Get(ctx, p.Env, d.UserID, d.ID)
}

// pairedBefore fails unless the pairing was used for the same key.
func pairedBefore(ctx context.Context, tx *sql.Tx, d device.Device) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM devices WHERE env = $1 AND id = $2 AND user_id = $3 AND public_key = $4`, d.Env, d.ID, d.UserID, bytesOf(d.Key)).Scan(&n)
	if err == nil && n == 0 {
		err = flow.ErrUnknown
	}
	return err
}

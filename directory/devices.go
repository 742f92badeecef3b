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

var (
	// ErrTooManyDevices says that the user has as many devices as are allowed.
	ErrTooManyDevices = errors.New("too many devices")
	// ErrDuplicateDevice says that the user has a device of that type with the same
	// number or address, or that somebody has one with that credential or key.
	ErrDuplicateDevice = errors.New("there is such a device")
	// ErrActivated says that the device is active already.
	ErrActivated = errors.New("the device is active")
)

// Devices is the repository of devices: what they are, what was tried with them, and
// what is asked of them.
//
// Rows are locked in one order everywhere, so that no two writes wait for each other:
// effects, failures, users, devices, and then what belongs to them. Whoever adds or
// removes a device, or trusts a browser, holds the row of the user meanwhile.
type Devices struct {
	db   *DB
	ring Ring
	now  func() time.Time
}

// NewDevices keeps devices in db, with seeds sealed by ring.
func NewDevices(db *DB, ring Ring, now func() time.Time) *Devices {
	return &Devices{db: db, ring: ring, now: now}
}

// List returns the devices of a user, active or not, in the order in which they are
// tried (device.Order).
func (s *Devices) List(ctx context.Context, env, userID string) ([]device.Device, error) {
	rows, err := s.db.reader.QueryContext(ctx, `SELECT `+deviceColumns+`, u.device_order FROM `+deviceTables+`
		JOIN users u ON u.env = d.env AND u.id = d.user_id WHERE d.env = $1 AND d.user_id = $2`, env, userID)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	defer rows.Close()
	var out []device.Device
	var listed string
	for rows.Next() {
		d, err := scanDevice(rows, &listed)
		if err != nil {
			return nil, fmt.Errorf("list devices: %w", err)
		}
		out = append(out, d)
	}
	return device.Order(out, strings.Fields(listed)), rows.Err()
}

// Get returns a device of a user; flow.ErrUnknown when there is none.
func (s *Devices) Get(ctx context.Context, env, userID, id string) (device.Device, error) {
	return scanDevice(s.db.reader.QueryRowContext(ctx, `SELECT `+deviceColumns+` FROM `+deviceTables+`
		WHERE d.env = $1 AND d.id = $2 AND d.user_id = $3`, env, id, userID))
}

// Answering returns a device of a user as its answers are judged: what it is, where codes
// go to, and how it stands. Its credential, what it calls itself and since when it is
// there are left out; of a phone that is paired nothing is. flow.ErrUnknown when there is
// none.
func (s *Devices) Answering(ctx context.Context, env, userID, id string) (device.Device, error) {
	a := answering{d: device.Device{Env: env, UserID: userID, ID: id}}
	to := a.columns()
	d, err := a.scanned(s.db.reader.QueryRowContext(ctx, `SELECT `+answeringColumns+` FROM `+deviceTables+`
		WHERE d.env = $1 AND d.id = $2 AND d.user_id = $3`, env, id, userID).Scan(to[:]...))
	if err == nil && d.Type == device.Mobile {
		return s.Get(ctx, env, userID, id)
	}
	return d, err
}

// AnsweringCredential is Answering for the device that has a credential, with that,
// whoever's it is.
func (s *Devices) AnsweringCredential(ctx context.Context, env string, id []byte) (device.Device, error) {
	a := answering{d: device.Device{Env: env}}
	var text string
	var count int64
	to := a.columns()
	d, err := a.scanned(s.db.reader.QueryRowContext(ctx, `SELECT `+answeringColumns+`, d.user_id, d.id, d.credential, d.sign_count FROM `+deviceTables+`
		WHERE d.env = $1 AND d.credential_id = $2`, env, id).Scan(append(to[:], &a.d.UserID, &a.d.ID, &text, &count)...))
	if err == nil {
		d.Credential, err = readCredential(id, text, count)
	}
	return d, err
}

// answering is a device as it is read for an answer. Texts and numbers are scanned into
// what database/sql need not convert: this is read for every answer.
type answering struct {
	d                                 device.Device
	wrong, all, locked, blocked, used int64
}

// answeringColumns are what is read, of deviceTables.
const answeringColumns = `d.type, d.status, d.nickname, d.phone, d.email, COALESCE(f.count, 0), COALESCE(a.count, 0), COALESCE(f.locked_until, 0), d.blocked_at, d.last_used_at`

func (a *answering) columns() [10]any {
	d := &a.d
	return [...]any{(*string)(&d.Type), (*string)(&d.Status), &d.Nickname, &d.Phone, &d.Email, &a.wrong, &a.all, &a.locked, &a.blocked, &a.used}
}

func (a *answering) scanned(err error) (device.Device, error) {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return device.Device{}, flow.ErrUnknown
	case err != nil:
		return device.Device{}, err
	}
	a.d.Wrong, a.d.WrongOfAll = int(a.wrong), int(a.all)
	a.d.LockedUntil, a.d.BlockedAt, a.d.LastUsedAt = instant(a.locked), instant(a.blocked), instant(a.used)
	return a.d, nil
}

// Mobile returns an active device of type MOBILE, whoever's it is; flow.ErrUnknown
// when there is none.
func (s *Devices) Mobile(ctx context.Context, env, id string) (device.Device, error) {
	return scanDevice(s.db.reader.QueryRowContext(ctx, `SELECT `+deviceColumns+` FROM `+deviceTables+`
		WHERE d.env = $1 AND d.id = $2 AND d.type = $3 AND d.status = $4`, env, id, string(device.Mobile), string(device.Active)))
}

// handleSize is the length of a user handle. Source: WebAuthn level 3, 5.4.3 (at most
// 64 bytes), 14.6.1 (random, and nothing of the user in it).
const handleSize = 64

// Handle is by what passkeys know a user in an environment: random, made when it is
// asked for first, and the same ever after. flow.ErrUnknown when there is no such
// user.
func (s *Devices) Handle(ctx context.Context, env, userID string) (handle []byte, err error) {
	err = s.db.reader.QueryRowContext(ctx, `SELECT handle FROM users WHERE env = $1 AND id = $2`, env, userID).Scan(&handle)
	if err == nil && len(handle) == 0 {
		err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `UPDATE users SET handle = CASE WHEN length(handle) = 0 THEN $3 ELSE handle END
				WHERE env = $1 AND id = $2 RETURNING handle`, env, userID, random(handleSize)).Scan(&handle)
		})
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, flow.ErrUnknown
	}
	return handle, err
}

// Seed opens the seed of a device that is yet to be activated, to be shown; of any
// other it is flow.ErrUnknown: whoever can read it can make every code.
func (s *Devices) Seed(ctx context.Context, env, userID, id string) ([]byte, error) {
	var sealed []byte
	err := s.db.reader.QueryRowContext(ctx, `SELECT seed FROM devices WHERE env = $1 AND id = $2 AND user_id = $3 AND status = $4 AND created_at > $5`,
		env, id, userID, string(device.ActivationRequired), millis(s.now().Add(-unactivatedKept))).Scan(&sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && len(sealed) == 0:
		return nil, flow.ErrUnknown
	case err != nil:
		return nil, fmt.Errorf("read a seed: %w", err)
	}
	return s.ring.Open(sealed, env, seedColumn(id))
}

// FreshSeed opens the seed of a MOBILE device until a code of it was accepted: an app
// whose pairing was answered into the void asks again. Of any other device, and of one
// that has none, it is flow.ErrUnknown.
func (s *Devices) FreshSeed(ctx context.Context, env, id string) ([]byte, error) {
	var sealed []byte
	err := s.db.reader.QueryRowContext(ctx, `SELECT seed FROM devices WHERE env = $1 AND id = $2 AND type = $3 AND status = $4 AND step < 0`,
		env, id, string(device.Mobile), string(device.Active)).Scan(&sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && len(sealed) == 0:
		return nil, flow.ErrUnknown
	case err != nil:
		return nil, fmt.Errorf("read a seed: %w", err)
	}
	return s.ring.Open(sealed, env, seedColumn(id))
}

// seedColumn is what the seed of a device is sealed for.
func seedColumn(id string) string { return "devices/" + id + "/seed" }

// CodesLeft is how many recovery codes of a device are not used yet.
func (s *Devices) CodesLeft(ctx context.Context, env, id string) (n int, err error) {
	err = s.db.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM recovery_codes WHERE env = $1 AND device = $2`, env, id).Scan(&n)
	return n, err
}

// deviceColumns are what scanDevice reads, of deviceTables.
const (
	deviceColumns = `d.env, d.user_id, d.id, d.type, d.status, d.nickname, d.name, d.phone, d.email, d.application, d.policy, d.public_key, d.alert,
		d.credential_id, d.credential, d.sign_count, COALESCE(f.count, 0), COALESCE(a.count, 0), COALESCE(f.locked_until, 0), d.blocked_at,
		d.created_at, d.updated_at, d.activated_at, d.last_used_at, d.type = 'MOBILE' AND length(d.seed) > 0`
	deviceTables = `devices d LEFT JOIN failures f ON f.env = d.env AND f.key = 'device/' || d.id
		LEFT JOIN failures a ON a.env = d.env AND a.key = 'mfa/' || d.user_id`
)

// scanDevice reads one row of deviceColumns, and what comes after them;
// flow.ErrUnknown when there is none.
func scanDevice(row interface{ Scan(to ...any) error }, more ...any) (device.Device, error) {
	var d device.Device
	var credentialID []byte
	var credential string
	var count, locked, blocked, created, updated, activated, used int64
	err := row.Scan(append([]any{
		&d.Env, &d.UserID, &d.ID, &d.Type, &d.Status, &d.Nickname, &d.Name, &d.Phone, &d.Email, &d.Application, &d.Policy, &d.Key, &d.Alert,
		&credentialID, &credential, &count, &d.Wrong, &d.WrongOfAll, &locked, &blocked, &created, &updated, &activated, &used, &d.Codes,
	}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return device.Device{}, flow.ErrUnknown
	}
	if err != nil {
		return device.Device{}, err
	}
	if len(d.Key) == 0 {
		d.Key = nil
	}
	d.LockedUntil, d.BlockedAt = instant(locked), instant(blocked)
	d.CreatedAt, d.UpdatedAt, d.ActivatedAt, d.LastUsedAt = instant(created), instant(updated), instant(activated), instant(used)
	d.Credential, err = readCredential(credentialID, credential, count)
	return d, err
}

// do performs a change once per effect of that kind, in one transaction, and returns
// what it came to the first time.
func (s *Devices) do(ctx context.Context, kind, effect string, now time.Time, change func(ctx context.Context, tx *sql.Tx) (string, error)) (result string, err error) {
	if effect != "" {
		effect = kind + "/" + effect
	}
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		result, err = once(ctx, tx, effect, now, func() (string, error) { return change(ctx, tx) })
		return err
	})
	return result, err
}

// ownDevices makes the devices of a user ours until the transaction ends, and lets
// them be asked for from now on if mfa says so; flow.ErrUnknown when there is no such
// user.
func ownDevices(ctx context.Context, tx *sql.Tx, env, userID string, mfa bool, now time.Time) error {
	found, err := changed(tx.ExecContext(ctx, `UPDATE users SET updated_at = CASE WHEN $3 AND NOT mfa_enabled THEN $4 ELSE updated_at END,
			mfa_enabled = mfa_enabled OR $3 WHERE env = $1 AND id = $2`, env, userID, mfa, millis(now)))
	if err == nil && !found {
		err = flow.ErrUnknown
	}
	return err
}

package directory

import (
	"context"
	"database/sql"
	"fmt"
	"time"
	"unicode/utf8"

	"doorward/runtime/flow"

	"github.com/google/uuid"
)

const (
	// logMost is how many entries a device may leave; the oldest give way.
	logMost = 100
	// logMax is how long an entry may be, in bytes; what is over is cut off.
	logMax = 16 << 10
	// logKept is how long an entry is kept.
	logKept = 30 * 24 * time.Hour
)

// DeviceLog is what an application on a device has told of itself. It is the
// application's word, and nothing else.
type DeviceLog struct {
	ID   string
	Body string
	At   time.Time
}

// AddLog keeps an entry; flow.ErrUnknown when there is no such device.
func (s *Devices) AddLog(ctx context.Context, env, deviceID, body string) error {
	now := s.now()
	if len(body) > logMax {
		end := logMax
		for end > 0 && !utf8.RuneStart(body[end]) {
			end--
		}
		body = body[:end]
	}
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO device_logs (env, device, id, body, at) VALUES ($1, $2, $3, $4, $5)`,
			env, deviceID, uuid.NewString(), body, millis(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM device_logs WHERE env = $1 AND device = $2 AND id NOT IN (
				SELECT id FROM device_logs WHERE env = $1 AND device = $2 ORDER BY at DESC, id LIMIT $3)`, env, deviceID, logMost)
		return err
	})
	if orphan(err) {
		return flow.ErrUnknown
	}
	return err
}

// Logs returns the entries of a device, the last one first; flow.ErrUnknown when the
// user has no such device.
func (s *Devices) Logs(ctx context.Context, env, userID, deviceID string) ([]DeviceLog, error) {
	if _, err := s.Get(ctx, env, userID, deviceID); err != nil {
		return nil, err
	}
	rows, err := s.db.lists.QueryContext(ctx, `SELECT id, body, at FROM device_logs WHERE env = $1 AND device = $2 ORDER BY at DESC, id`, env, deviceID)
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	defer rows.Close()
	var out []DeviceLog
	for rows.Next() {
		var l DeviceLog
		var at int64
		if err := rows.Scan(&l.ID, &l.Body, &at); err != nil {
			return nil, fmt.Errorf("list logs: %w", err)
		}
		l.At = instant(at)
		out = append(out, l)
	}
	return out, rows.Err()
}

package directory

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// How long rows are kept after their last use.
const (
	// effectKept is longer than any execution lives.
	effectKept = 2 * time.Hour
	// failureKept is when a failure count is forgotten, known name or not, and the lock
	// that it led to, once that is over.
	failureKept = 30 * 24 * time.Hour
	// messageKept is how long a message is kept after it was worth sending.
	messageKept = 24 * time.Hour
)

// sweepBatch is how many rows one transaction deletes, so that others get in
// between.
const sweepBatch = 500

// Sweep deletes what has expired and returns how many rows that were. On a full
// disk it gives up the reserve to get room, and takes it back afterwards.
func (d *DB) Sweep(ctx context.Context) (int64, error) {
	n, err := d.sweep(ctx)
	if !diskFull(err) {
		return n, err
	}
	if err := d.reserve.release(); err != nil {
		return n, fmt.Errorf("reserve: %w", err)
	}
	more, err := d.sweep(ctx)
	if err != nil {
		return n + more, err
	}
	return n + more, d.reserve.restore()
}

func (d *DB) sweep(ctx context.Context) (int64, error) {
	now := d.options.Now()
	type rule struct {
		table, key, where string
		before            time.Time
	}
	rules := []rule{
		{"effects", "key", "at < $1", now.Add(-effectKept)},
		{"failures", "env, key", "at < $1 AND locked_until < $1", now.Add(-failureKept)},
		{"secret_codes", "env, purpose, account", "expires_at < $1", now.Add(-mailWindow)},
		{"mail_counts", "env, kind, account", "sent_at < $1", now.Add(-mailWindow)},
		{"outbox", "id", "expires_at < $1", now.Add(-messageKept)},
		{"grants", "env, id", "ends_at < $1", now},
		{"devices", "env, id", "created_at < $1 AND status = 'ACTIVATION_REQUIRED'", now.Add(-unactivatedKept)},
		{"used_challenges", "env, challenge", "expires_at < $1", now},
		{"pairings", "env, id", "expires_at < $1", now.Add(-pairingKept)},
		{"pending_addresses", "env, user_id, kind", "expires_at < $1", now},
		{"pushes", "env, id", "expires_at < $1", now.Add(-pushKept)},
		{"trusted_browsers", "env, user_id, hash", "expires_at < $1", now},
		{"device_logs", "env, device, id", "at < $1", now.Add(-logKept)},
		{"sessions", "env, hash", "expires_at < $1", now},
		{"signing_keys", "env, id", "retires_at > 0 AND retires_at < $1", now},
		{"certificates", "env, id", "expires_at < $1", now},
		{"certificate_authorities", "env, generation", "ends_at < $1", now},
	}
	if d.options.KeepEvents > 0 {
		rules = append(rules, rule{"events", "seq", "at < $1", now.Add(-d.options.KeepEvents)})
	}
	var total int64
	for _, r := range rules {
		// The condition stands there twice, since a row that was found may be
		// written anew, by another process, before it is deleted.
		n, err := d.purge(ctx, fmt.Sprintf(`DELETE FROM %[1]s WHERE (%[2]s) IN (SELECT %[2]s FROM %[1]s WHERE %[3]s LIMIT %[4]d) AND %[3]s`,
			r.table, r.key, r.where, sweepBatch), r.before)
		total += n
		if err != nil {
			return total, fmt.Errorf("sweep %s: %w", r.table, err)
		}
	}
	return total, nil
}

// purge repeats a bounded DELETE until it finds little left.
func (d *DB) purge(ctx context.Context, statement string, before time.Time) (int64, error) {
	for total := int64(0); ; {
		var n int64
		err := d.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
			res, err := tx.ExecContext(ctx, statement, before.UnixMilli())
			if err == nil {
				n, err = res.RowsAffected()
			}
			return err
		})
		if err != nil {
			return total, err
		}
		if total += n; n < sweepBatch {
			return total, nil
		}
	}
}

package directory

import (
	"context"
	"database/sql"

	"doorward/runtime/flow"
)

// AuditLog keeps security events in the directory.
type AuditLog struct{ db *DB }

// NewAuditLog keeps events in db.
func NewAuditLog(db *DB) *AuditLog { return &AuditLog{db: db} }

// Append keeps a batch, all of it or nothing.
func (l *AuditLog) Append(ctx context.Context, events []flow.Event) error {
	return l.db.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO events (env, type, flow, application, user_id, session_id, remote_ip, reason, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, e := range events {
			if _, err := insert.ExecContext(ctx, e.Env, string(e.Type), e.Flow, e.Application, e.User, e.Session, e.RemoteIP, e.Reason, millis(e.At)); err != nil {
				return err
			}
		}
		return nil
	})
}

// List returns the youngest events of an environment, youngest first, at most
// limit of them.
func (l *AuditLog) List(ctx context.Context, env string, limit int) ([]flow.Event, error) {
	rows, err := l.db.lists.QueryContext(ctx, `SELECT type, flow, application, user_id, session_id, remote_ip, reason, at
		FROM events WHERE env = $1 ORDER BY seq DESC LIMIT $2`, env, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []flow.Event
	for rows.Next() {
		e := flow.Event{Env: env}
		var at int64
		if err := rows.Scan(&e.Type, &e.Flow, &e.Application, &e.User, &e.Session, &e.RemoteIP, &e.Reason, &at); err != nil {
			return nil, err
		}
		e.At = instant(at)
		out = append(out, e)
	}
	return out, rows.Err()
}

package directory

import (
	"context"
	"database/sql"
	"slices"
	"strconv"

	"doorward/runtime/flow"
)

// AuditLog keeps security events in the directory.
type AuditLog struct{ db *DB }

// NewAuditLog keeps events in db.
func NewAuditLog(db *DB) *AuditLog { return &AuditLog{db: db} }

// eventsAtOnce is how many events one statement inserts at most: beside so many,
// what a statement costs no longer shows.
const eventsAtOnce = 16

// Append keeps a batch, all of it or nothing. What a store cannot hold of a text, which
// may have come from anybody, is U+FFFD there: one event holds up no others.
func (l *AuditLog) Append(ctx context.Context, events []flow.Event) error {
	return l.db.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for some := range slices.Chunk(events, eventsAtOnce) {
			args := make([]any, 0, eventColumns*len(some))
			for _, e := range some {
				for _, text := range []string{e.Env, string(e.Type), e.Flow, e.Application, e.User, e.Session, e.RemoteIP, e.Reason} {
					args = append(args, storedText(text))
				}
				args = append(args, millis(e.At))
			}
			if _, err := tx.ExecContext(ctx, insertEvents(len(some)), args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// eventColumns is the number of parameters that one event takes.
const eventColumns = 9

// insertEvents inserts n events.
func insertEvents(n int) string {
	b := []byte(`INSERT INTO events (env, type, flow, application, user_id, session_id, remote_ip, reason, at) VALUES `)
	for i := range n * eventColumns {
		lead := ", $"
		switch {
		case i == 0:
			lead = "($"
		case i%eventColumns == 0:
			lead = "), ($"
		}
		b = strconv.AppendInt(append(b, lead...), int64(i+1), 10)
	}
	return string(append(b, ')'))
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

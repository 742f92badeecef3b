package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"doorward/runtime/flow"
)

// hot is how many sessions are kept in memory beside the database.
const hot = 10_000

// readTimeout is how long a query may take, the wait for a connection included.
// Source: an answer within 500 ms when a store is broken.
const readTimeout = 400 * time.Millisecond

// SQL is the database with the table
//
//	sessions(env, hash, id, user_id, body, put_at, expires_at, PRIMARY KEY (env, hash))
//
// of text, bytes and 64-bit numbers, where expires_at is in milliseconds since 1970, for whoever sweeps it.
type SQL interface {
	// Reader is the pool that reads.
	Reader() *sql.DB
	// Write runs fn in a transaction and commits it. Statements run under the
	// context that fn is given.
	Write(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error
}

// SQLSessions keeps the sign-on sessions of one process in a database and the
// recent ones in memory as well. A second process on the same database would not
// learn of an ended session.
type SQLSessions struct {
	db  SQL
	now func() time.Time

	mu     sync.Mutex
	cache  map[id][]byte
	writes uint64 // that may have changed a row since the process began
}

// NewSQLSessions uses db.
func NewSQLSessions(db SQL, now func() time.Time) *SQLSessions {
	return &SQLSessions{db: db, now: now, cache: map[id][]byte{}}
}

// find reads a session; nil when there is none.
func (s *SQLSessions) find(ctx context.Context, env string, st flow.Digest) (*flow.Session, error) {
	if st.IsZero() {
		return nil, nil //nolint:nilnil // none is an answer
	}
	name := ofSession(env, st)
	s.mu.Lock()
	body, ok := s.cache[name]
	writes := s.writes
	s.mu.Unlock()
	if ok {
		return decodeSession(body, s.now())
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row := s.db.Reader().QueryRowContext(ctx, `SELECT body FROM sessions WHERE env = $1 AND hash = $2`, env, st[:])
	if err := row.Scan(&body); errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is an answer
	} else if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	s.remember(name, body, writes)
	return decodeSession(body, s.now())
}

// remember caches a row that was read when writes stood where it did then: a row
// that has been written meanwhile may be an older one.
func (s *SQLSessions) remember(name id, body []byte, writes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes != writes {
		return
	}
	if len(s.cache) >= hot {
		for some := range s.cache {
			delete(s.cache, some)
			break
		}
	}
	s.cache[name] = body
}

// forget drops what a write may have changed, whether or not it succeeded.
func (s *SQLSessions) forget(env string, hashes ...flow.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for _, h := range hashes {
		delete(s.cache, ofSession(env, h))
	}
}

func (s *SQLSessions) put(ctx context.Context, env string, st flow.Digest, x *flow.Session) error {
	body, err := encodeSession(x)
	if err != nil {
		return err
	}
	defer s.forget(env, st)
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { //nolint:wrapcheck // wrapped inside
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (env, hash, id, user_id, body, put_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (env, hash) DO UPDATE SET id = excluded.id, user_id = excluded.user_id, body = excluded.body, put_at = excluded.put_at, expires_at = excluded.expires_at`,
			env, st[:], x.ID, x.User.ID, body, s.now().UnixNano(), x.ExpiresAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("write session: %w", err)
		}
		return nil
	})
}

// key finds where the session with an id was put last.
func (s *SQLSessions) key(ctx context.Context, env, session string) (st flow.Digest, err error) {
	var hash []byte
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row := s.db.Reader().QueryRowContext(ctx, `SELECT hash FROM sessions WHERE env = $1 AND id = $2 ORDER BY put_at DESC LIMIT 1`, env, session)
	if err := row.Scan(&hash); errors.Is(err, sql.ErrNoRows) {
		return st, nil
	} else if err != nil {
		return st, fmt.Errorf("find session: %w", err)
	}
	if copy(st[:], hash) != len(st) {
		return flow.Digest{}, errDamaged
	}
	return st, nil
}

// of lists the sessions of a user, the one that was put last first.
func (s *SQLSessions) of(ctx context.Context, env, user string) ([]flow.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT body FROM sessions WHERE env = $1 AND user_id = $2 AND expires_at > $3 ORDER BY put_at DESC LIMIT $4`,
		env, user, s.now().UnixMilli(), mostListed)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	defer rows.Close()
	var out []flow.Session
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		x, err := decodeSession(body, s.now())
		if err != nil {
			return nil, err
		}
		out = listed(out, x, user)
	}
	return out, rows.Err() //nolint:wrapcheck // says it all
}

func (s *SQLSessions) end(ctx context.Context, env string, st flow.Digest) (*flow.Session, error) {
	var body []byte
	defer s.forget(env, st)
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		body = nil // the transaction may run again
		err := tx.QueryRowContext(ctx, `DELETE FROM sessions WHERE env = $1 AND hash = $2 RETURNING body`, env, st[:]).Scan(&body)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("end session: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // wrapped inside
	}
	return decodeSession(body, s.now())
}

package directory

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"doorward/keys"
	"doorward/runtime/flow"
)

const (
	// keysFresh is how long a process may go on with the keys it has read.
	keysFresh = 5 * time.Second
	// leadMin is the least time between publishing a key and signing with it:
	// every process has read it by then.
	leadMin = 2 * keysFresh
)

// SigningKeys is the repository of the keys that sign tokens, per environment
// and algorithm, sealed by the key ring. Keys that were read are kept open for
// 5 s.
type SigningKeys struct {
	db   *DB
	ring Sealer
	now  func() time.Time

	mu   sync.Mutex
	read map[string]keysRead
}

type keysRead struct {
	at   time.Time
	keys []*keys.SigningKey // by algorithm, oldest first
}

// NewSigningKeys keeps signing keys in db, sealed by ring.
func NewSigningKeys(db *DB, ring Sealer, now func() time.Time) *SigningKeys {
	return &SigningKeys{db: db, ring: ring, now: now, read: map[string]keysRead{}}
}

// Ensure makes the environment's first key of an algorithm unless there is one,
// and reports whether it did. Of several processes one makes it. The first key
// signs at once, so Ensure belongs before the first token, at start.
func (s *SigningKeys) Ensure(ctx context.Context, env, algorithm string) (bool, error) {
	newest, err := s.newest(ctx, env, algorithm)
	if err != nil || newest > 0 {
		return false, err
	}
	return s.add(ctx, env, algorithm, 1, 0, 0)
}

// Rotate publishes a new key that signs after lead, at least 10 s, and lets the
// older ones of its algorithm be published for keep, the life of a token, after
// that. It reports false when another process has just rotated.
func (s *SigningKeys) Rotate(ctx context.Context, env, algorithm string, lead, keep time.Duration) (bool, error) {
	if lead < leadMin {
		return false, fmt.Errorf("rotate %s: a new key is published at least %s before it signs", algorithm, leadMin)
	}
	newest, err := s.newest(ctx, env, algorithm)
	if err != nil {
		return false, err
	}
	return s.add(ctx, env, algorithm, newest+1, lead, keep)
}

// newest is the generation of the youngest key, 0 when there is none.
func (s *SigningKeys) newest(ctx context.Context, env, algorithm string) (n int, err error) {
	err = s.db.reader.QueryRowContext(ctx, `SELECT COALESCE(MAX(generation), 0) FROM signing_keys WHERE env = $1 AND algorithm = $2`, env, algorithm).Scan(&n)
	return n, err
}

func (s *SigningKeys) add(ctx context.Context, env, algorithm string, generation int, lead, keep time.Duration) (bool, error) {
	k, err := keys.NewSigningKey(algorithm, env, s.now())
	if err != nil {
		return false, err
	}
	plain, err := k.MarshalPrivate()
	if err != nil {
		return false, err
	}
	sealed, err := s.ring.Seal(plain, env, keyColumn(k.ID))
	if err != nil {
		return false, err
	}
	k.ActiveAt = k.CreatedAt.Add(lead)
	var made int64
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO signing_keys (env, algorithm, generation, id, sealed, certificate, created_at, active_at, retires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT (env, algorithm, generation) DO NOTHING`,
			env, algorithm, generation, k.ID, sealed, k.Certificate, millis(k.CreatedAt), millis(k.ActiveAt))
		if err != nil {
			return err
		}
		if made, err = res.RowsAffected(); err != nil || made == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE signing_keys SET retires_at = $4 WHERE env = $1 AND algorithm = $2 AND generation < $3 AND retires_at = 0`,
			env, algorithm, generation, millis(k.ActiveAt.Add(keep)))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keep %s key: %w", algorithm, err)
	}
	s.mu.Lock()
	delete(s.read, env)
	s.mu.Unlock()
	return made == 1, nil
}

// Active returns the key that signs now; flow.ErrUnknown when there is none.
func (s *SigningKeys) Active(ctx context.Context, env, algorithm string) (*keys.SigningKey, error) {
	all, err := s.load(ctx, env)
	if err != nil {
		return nil, err
	}
	var active *keys.SigningKey
	for _, k := range all {
		if k.Algorithm == algorithm && !k.ActiveAt.After(s.now()) {
			active = k
		}
	}
	if active == nil {
		return nil, fmt.Errorf("%s key: %w", algorithm, flow.ErrUnknown)
	}
	return active, nil
}

// All returns every key that is published now: those that sign, are about to,
// or signed something that has not expired.
func (s *SigningKeys) All(ctx context.Context, env string) ([]*keys.SigningKey, error) {
	all, err := s.load(ctx, env)
	if err != nil {
		return nil, err
	}
	var out []*keys.SigningKey
	for _, k := range all {
		if k.RetiresAt.IsZero() || k.RetiresAt.After(s.now()) {
			out = append(out, k)
		}
	}
	return out, nil
}

func (s *SigningKeys) load(ctx context.Context, env string) ([]*keys.SigningKey, error) {
	now := s.now()
	s.mu.Lock()
	have, ok := s.read[env]
	s.mu.Unlock()
	if age := now.Sub(have.at); ok && age >= 0 && age < keysFresh {
		return have.keys, nil
	}
	all, err := s.query(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	if len(all) > 0 {
		s.mu.Lock()
		s.read[env] = keysRead{at: now, keys: all}
		s.mu.Unlock()
	}
	return all, nil
}

func (s *SigningKeys) query(ctx context.Context, env string) ([]*keys.SigningKey, error) {
	rows, err := s.db.reader.QueryContext(ctx, `SELECT algorithm, id, sealed, certificate, created_at, active_at, retires_at
		FROM signing_keys WHERE env = $1 ORDER BY algorithm, generation`, env)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*keys.SigningKey
	for rows.Next() {
		k := &keys.SigningKey{}
		var sealed []byte
		var created, active, retires int64
		if err := rows.Scan(&k.Algorithm, &k.ID, &sealed, &k.Certificate, &created, &active, &retires); err != nil {
			return nil, err
		}
		plain, err := s.ring.Open(sealed, env, keyColumn(k.ID))
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
		if k.Private, err = keys.ParsePrivate(plain); err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
		k.CreatedAt, k.ActiveAt, k.RetiresAt = instant(created), instant(active), instant(retires)
		out = append(out, k)
	}
	return out, rows.Err()
}

func keyColumn(id string) string { return "signingKeys/" + id }

package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"doorward/keys"
	"doorward/runtime/certificate"
	"doorward/runtime/flow"
)

// Certificates is the repository of certificate authorities and of the certificates of
// people. It fills certificate.Store.
type Certificates struct {
	db   *DB
	ring Sealer
	now  func() time.Time

	mu   sync.Mutex
	read map[string]authoritiesRead
}

type authoritiesRead struct {
	at  time.Time
	all []*certificate.Authority
}

// NewCertificates keeps certificates in db, with keys and PINs sealed by ring.
func NewCertificates(db *DB, ring Sealer, now func() time.Time) *Certificates {
	return &Certificates{db: db, ring: ring, now: now, read: map[string]authoritiesRead{}}
}

var _ certificate.Store = (*Certificates)(nil)

func authorityColumn(generation int) string {
	return "certificateAuthorities/" + strconv.Itoa(generation)
}

func pinColumn(id string) string { return "certificates/" + id + "/pin" }

// AddAuthority implements certificate.Store.
func (s *Certificates) AddAuthority(ctx context.Context, a *certificate.Authority) (bool, error) {
	plain, err := (&keys.SigningKey{Private: a.Private}).MarshalPrivate()
	if err != nil {
		return false, err
	}
	sealed, err := s.ring.Seal(plain, a.Env, authorityColumn(a.Generation))
	if err != nil {
		return false, err
	}
	var made bool
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		made, err = changed(tx.ExecContext(ctx, `INSERT INTO certificate_authorities (env, generation, sealed, certificate, created_at, active_at, ends_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (env, generation) DO NOTHING`,
			a.Env, a.Generation, sealed, a.Certificate, millis(a.CreatedAt), millis(a.ActiveAt), millis(a.EndsAt)))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keep certificate authority: %w", err)
	}
	s.mu.Lock()
	delete(s.read, a.Env)
	s.mu.Unlock()
	return made, nil
}

// Authorities implements certificate.Store. What was read is kept open for 5 s.
func (s *Certificates) Authorities(ctx context.Context, env string) ([]*certificate.Authority, error) {
	now := s.now()
	s.mu.Lock()
	have, ok := s.read[env]
	s.mu.Unlock()
	if age := now.Sub(have.at); ok && age >= 0 && age < keysFresh {
		return have.all, nil
	}
	all, err := s.authorities(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("certificate authorities: %w", err)
	}
	if len(all) > 0 {
		s.mu.Lock()
		s.read[env] = authoritiesRead{now, all}
		s.mu.Unlock()
	}
	return all, nil
}

func (s *Certificates) authorities(ctx context.Context, env string) ([]*certificate.Authority, error) {
	rows, err := s.db.reader.QueryContext(ctx, `SELECT generation, sealed, certificate, created_at, active_at, ends_at
		FROM certificate_authorities WHERE env = $1 ORDER BY generation`, env)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*certificate.Authority
	for rows.Next() {
		a := &certificate.Authority{Env: env}
		var sealed []byte
		var created, active, ends int64
		if err := rows.Scan(&a.Generation, &sealed, &a.Certificate, &created, &active, &ends); err != nil {
			return nil, err
		}
		plain, err := s.ring.Open(sealed, env, authorityColumn(a.Generation))
		if err != nil {
			return nil, fmt.Errorf("generation %d: %w", a.Generation, err)
		}
		if a.Private, err = keys.ParsePrivate(plain); err != nil {
			return nil, fmt.Errorf("generation %d: %w", a.Generation, err)
		}
		a.CreatedAt, a.ActiveAt, a.EndsAt = instant(created), instant(active), instant(ends)
		out = append(out, a)
	}
	return out, rows.Err()
}

// The reasons for which certificates are revoked. Source: RFC 5280 5.3.1.
const (
	superseded  = 4
	ceased      = 5 // the user or the device is gone
	onHold      = 6 // for as long as the user or the device may prove nothing
	unspecified = 0
)

// Add implements certificate.Store. The oldest certificates of the user that are over
// Most are revoked.
func (s *Certificates) Add(ctx context.Context, n certificate.New) (certificate.Issued, error) {
	now := s.now()
	var pin []byte
	if n.PIN != "" {
		var err error
		if pin, err = s.ring.Seal([]byte(n.PIN), n.Env, pinColumn(n.ID)); err != nil {
			return certificate.Issued{}, err
		}
	}
	var word string
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		key := n.Effect
		if key != "" {
			key = "certificate/" + n.Env + "/" + key
		}
		word, err = once(ctx, tx, key, now, func() (string, error) {
			if _, err := tx.ExecContext(ctx, `INSERT INTO certificates (env, id, user_id, device, generation, serial, thumbprint, pin, pin_reads, pin_read_at, revoked_at, reason, created_at, expires_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, $9, $10)`,
				n.Env, n.ID, n.UserID, n.Device, n.Generation, n.Serial, n.Thumbprint[:], bytesOf(pin), millis(n.CreatedAt), millis(n.ExpiresAt)); err != nil {
				return "", err
			}
			_, err := tx.ExecContext(ctx, `UPDATE certificates SET revoked_at = $3, reason = $4, pin = $5 WHERE env = $1 AND user_id = $2 AND revoked_at = 0 AND id NOT IN (
					SELECT id FROM certificates WHERE env = $1 AND user_id = $2 AND revoked_at = 0 ORDER BY created_at DESC, id LIMIT $6)`,
				n.Env, n.UserID, millis(now), superseded, []byte{}, n.Most)
			return n.ID + " " + base64.StdEncoding.EncodeToString(n.Certificate), err
		})
		return err
	})
	if err != nil {
		return certificate.Issued{}, err
	}
	id, text, _ := strings.Cut(word, " ")
	if id == n.ID {
		return n.Issued, nil
	}
	first, err := s.Get(ctx, n.Env, n.UserID, id)
	if err != nil {
		return certificate.Issued{}, err
	}
	first.Certificate, err = base64.StdEncoding.DecodeString(text)
	return first.Issued, err
}

// A certificate c with its user u and its device d, at $1.
const (
	certificateTables = `certificates c
		LEFT JOIN users u ON u.env = c.env AND u.id = c.user_id
		LEFT JOIN devices d ON d.env = c.env AND d.id = c.device AND d.user_id = c.user_id`
	certificateGone = `(u.id IS NULL OR d.id IS NULL)`
	certificateHeld = `(NOT u.enabled OR u.locked_at > 0 AND (u.lock_until = 0 OR u.lock_until > $1) OR d.blocked_at > 0)`
)

// PIN implements certificate.Store.
func (s *Certificates) PIN(ctx context.Context, env, userID, id string) (string, error) {
	now := millis(s.now())
	var sealed []byte
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE certificates SET pin_reads = pin_reads + 1, pin_read_at = $1
			WHERE env = $2 AND user_id = $3 AND id = $4 AND revoked_at = 0 AND expires_at > $1 AND length(pin) > 0
				AND EXISTS (SELECT 1 FROM `+certificateTables+` WHERE c.env = $2 AND c.id = $4 AND NOT `+certificateGone+` AND NOT `+certificateHeld+`)
			RETURNING pin`, now, env, userID, id).Scan(&sealed)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", flow.ErrUnknown
	}
	if err != nil {
		return "", fmt.Errorf("read a PIN: %w", err)
	}
	plain, err := s.ring.Open(sealed, env, pinColumn(id))
	return string(plain), err
}

// HasPIN implements certificate.Store.
func (s *Certificates) HasPIN(ctx context.Context, env, userID string) (bool, error) {
	var there bool
	err := s.db.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+certificateTables+` WHERE c.env = $2 AND c.user_id = $3
		AND c.revoked_at = 0 AND c.expires_at > $1 AND length(c.pin) > 0 AND NOT `+certificateGone+` AND NOT `+certificateHeld+`)`,
		millis(s.now()), env, userID).Scan(&there)
	return there, err
}

// Revoked implements certificate.Store. Of somebody who is gone, or may not sign on
// now, every certificate is; and likewise of a device.
func (s *Certificates) Revoked(ctx context.Context, env string, generation int) ([]certificate.Revoked, error) {
	now := s.now()
	rows, err := s.db.lists.QueryContext(ctx, `SELECT c.serial, c.revoked_at, c.reason, `+certificateGone+` FROM `+certificateTables+`
		WHERE c.env = $2 AND c.generation = $3 AND c.expires_at > $1 AND (c.revoked_at > 0 OR `+certificateGone+` OR `+certificateHeld+`)
		ORDER BY c.serial`, millis(now), env, generation)
	if err != nil {
		return nil, fmt.Errorf("list revoked certificates: %w", err)
	}
	defer rows.Close()
	var out []certificate.Revoked
	for rows.Next() {
		var r certificate.Revoked
		var at int64
		var gone bool
		if err := rows.Scan(&r.Serial, &at, &r.Reason, &gone); err != nil {
			return nil, fmt.Errorf("list revoked certificates: %w", err)
		}
		switch r.At = instant(at); {
		case at > 0:
		case gone:
			r.At, r.Reason = now, ceased
		default:
			r.At, r.Reason = now, onHold
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

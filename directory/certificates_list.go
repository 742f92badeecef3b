package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/certificate"
	"doorward/runtime/flow"
)

// CertificateStatus is what holds of a certificate now.
type CertificateStatus string

// The statuses.
const (
	CertificateGood    CertificateStatus = "GOOD"
	CertificateHeld    CertificateStatus = "ON_HOLD" // while the user or the device may prove nothing
	CertificateRevoked CertificateStatus = "REVOKED" // for good
	CertificateEnded   CertificateStatus = "EXPIRED"
)

// Certificate is one of somebody's, as it is kept.
type Certificate struct {
	certificate.Issued // without the certificate itself
	Status             CertificateStatus
	PIN                bool // there is one
	PINReads           int
	PINReadAt          time.Time
	RevokedAt          time.Time
}

const certificateColumns = `c.env, c.user_id, c.id, c.device, c.generation, c.serial, c.thumbprint, length(c.pin) > 0, c.pin_reads, c.pin_read_at,
	c.revoked_at, c.created_at, c.expires_at, ` + certificateGone + `, ` + certificateHeld

// List returns the certificates of a user, the youngest first.
func (s *Certificates) List(ctx context.Context, env, userID string) ([]Certificate, error) {
	now := s.now()
	rows, err := s.db.lists.QueryContext(ctx, `SELECT `+certificateColumns+` FROM `+certificateTables+`
		WHERE c.env = $2 AND c.user_id = $3 ORDER BY c.created_at DESC, c.id`, millis(now), env, userID)
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	defer rows.Close()
	var out []Certificate
	for rows.Next() {
		c, err := scanCertificate(rows, now)
		if err != nil {
			return nil, fmt.Errorf("list certificates: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Get returns a certificate of a user; flow.ErrUnknown when there is none.
func (s *Certificates) Get(ctx context.Context, env, userID, id string) (Certificate, error) {
	now := s.now()
	c, err := scanCertificate(s.db.reader.QueryRowContext(ctx, `SELECT `+certificateColumns+` FROM `+certificateTables+`
		WHERE c.env = $2 AND c.user_id = $3 AND c.id = $4`, millis(now), env, userID, id), now)
	if errors.Is(err, sql.ErrNoRows) {
		return Certificate{}, flow.ErrUnknown
	}
	return c, err
}

func scanCertificate(row interface{ Scan(to ...any) error }, now time.Time) (Certificate, error) {
	var c Certificate
	var sum []byte
	var read, revoked, created, expires int64
	var gone bool
	var held sql.NullBool // of nobody's
	err := row.Scan(&c.Env, &c.UserID, &c.ID, &c.Device, &c.Generation, &c.Serial, &sum, &c.PIN, &c.PINReads, &read, &revoked, &created, &expires, &gone, &held)
	copy(c.Thumbprint[:], sum)
	c.PINReadAt, c.RevokedAt, c.CreatedAt, c.ExpiresAt = instant(read), instant(revoked), instant(created), instant(expires)
	switch {
	case revoked > 0 || gone:
		c.Status = CertificateRevoked
	case !now.Before(c.ExpiresAt):
		c.Status = CertificateEnded
	case held.Bool:
		c.Status = CertificateHeld
	default:
		c.Status = CertificateGood
	}
	return c, err
}

// Revoke makes a certificate of a user good no more, for good, and forgets its PIN; one
// that was revoked stays so. flow.ErrUnknown when there is none.
func (s *Certificates) Revoke(ctx context.Context, env, userID, id string) error {
	now := millis(s.now())
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changed(tx.ExecContext(ctx, `UPDATE certificates SET reason = CASE WHEN revoked_at = 0 THEN $5 ELSE reason END,
				revoked_at = CASE WHEN revoked_at = 0 THEN $4 ELSE revoked_at END, pin = $6
			WHERE env = $1 AND user_id = $2 AND id = $3`, env, userID, id, now, unspecified, []byte{}))
		if err == nil && !found {
			err = flow.ErrUnknown
		}
		return err
	})
}

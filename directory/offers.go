package directory

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// PasskeyOffer is how often somebody was offered a passkey, and what they said.
type PasskeyOffer struct {
	Times  int       // that they were asked
	LastAt time.Time // when they were asked last, or answered; zero: never
	Answer OfferAnswer
	// Parties are the relying parties that they have an active passkey for.
	Parties []string
}

// OfferAnswer is what somebody said to the last offer; empty: nothing yet.
type OfferAnswer string

// The answers.
const (
	OfferLater OfferAnswer = "LATER"
	OfferNever OfferAnswer = "NEVER"
)

// PasskeyOffer reads it, in one look; flow.ErrUnknown when there is no such user.
func (s *Devices) PasskeyOffer(ctx context.Context, env, userID string) (PasskeyOffer, error) {
	rows, err := s.db.reader.QueryContext(ctx, `SELECT COALESCE(o.times, 0), COALESCE(o.last_at, 0), COALESCE(o.answer, ''), d.credential_id, COALESCE(d.credential, '')
		FROM users u LEFT JOIN passkey_offers o ON o.env = u.env AND o.user_id = u.id
			LEFT JOIN devices d ON d.env = u.env AND d.user_id = u.id AND d.status = $3 AND d.credential_id IS NOT NULL
		WHERE u.env = $1 AND u.id = $2`, env, userID, string(device.Active))
	if err != nil {
		return PasskeyOffer{}, fmt.Errorf("offer of a passkey: %w", err)
	}
	defer rows.Close()
	var o PasskeyOffer
	err = flow.ErrUnknown
	for rows.Next() {
		var last int64
		var id []byte
		var credential string
		if err = rows.Scan(&o.Times, &last, &o.Answer, &id, &credential); err != nil {
			return PasskeyOffer{}, fmt.Errorf("offer of a passkey: %w", err)
		}
		o.LastAt = instant(last)
		c, wrong := readCredential(id, credential, 0)
		if wrong != nil {
			return PasskeyOffer{}, fmt.Errorf("offer of a passkey: %w", wrong)
		}
		if c != nil {
			o.Parties = append(o.Parties, c.RPID)
		}
	}
	if rows.Err() != nil {
		err = rows.Err()
	}
	return o, err
}

// OfferedPasskey keeps that somebody is asked now. It is counted unless they are asked
// since a time at which they were not asked before: a page that is shown again is the
// same offer.
func (s *Devices) OfferedPasskey(ctx context.Context, env, userID string, since time.Time) error {
	now := millis(s.now())
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO passkey_offers (env, user_id, times, last_at, answer) VALUES ($1, $2, 1, $3, '')
			ON CONFLICT (env, user_id) DO UPDATE SET times = passkey_offers.times + 1, last_at = excluded.last_at, answer = ''
				WHERE passkey_offers.answer <> '' OR passkey_offers.last_at <= $4`, env, userID, now, millis(since))
		return err
	})
}

// AnswerPasskeyOffer keeps what somebody said who was asked. Whoever wants never to be
// asked again is not.
func (s *Devices) AnswerPasskeyOffer(ctx context.Context, env, userID string, a OfferAnswer) error {
	return s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE passkey_offers SET answer = $3, last_at = $4 WHERE env = $1 AND user_id = $2 AND answer = ''`,
			env, userID, string(a), millis(s.now()))
		return err
	})
}

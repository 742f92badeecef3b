package directory

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// Secret codes are 8 letters and digits, none of which looks like another: 40
// bits. Source: reference/flows.md 5.4.
const (
	secretAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	secretLength   = 8
	// secretTries is how many wrong codes are compared; then the code is void.
	secretTries = 5
)

// purpose is what a secret code is for. Each account has one live code of each.
type purpose string

const (
	recovering   purpose = "recovery"
	verifying    purpose = "verification"
	provingMail  purpose = "email" // a new address
	provingPhone purpose = "phone" // a new number
)

// life is how long a code is good. Source: reference/flows.md 5.4 (recovery);
// account verification codes live 24 hours by our own choice, and those that change an
// address half an hour.
func (p purpose) life() time.Duration {
	switch p {
	case recovering:
		return 5 * time.Minute
	case provingMail, provingPhone:
		return 30 * time.Minute
	case verifying:
	}
	return 24 * time.Hour
}

// secret makes a code of the purpose: of digits where it is an SMS, which phones
// recognise.
func (p purpose) secret() string {
	if p != provingPhone {
		return newSecret()
	}
	return fmt.Sprintf("%08d", binary.BigEndian.Uint64(random(8))%100_000_000)
}

// newSecret makes a code. There are 32 letters, so that five bits are one.
func newSecret() string {
	b := random(secretLength)
	for i := range b {
		b[i] = secretAlphabet[b[i]%byte(len(secretAlphabet))]
	}
	return string(b)
}

// normalSecret is a code as it was typed, without its case, spaces and hyphens.
func normalSecret(typed string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			return -1
		}
		return r
	}, typed))
}

// secretPurpose is the purpose of the key under which codes are kept.
const secretPurpose = "directory.code"

// secretCode is one code of one account, bound to the address that it is mailed
// to: when the address on file becomes another, the code is no longer right.
type secretCode struct {
	env     string
	purpose purpose
	account string // user id, or key of a stranger
	address string // empty: nobody's
}

func (c secretCode) parts(code string) []string {
	return []string{c.env, string(c.purpose), c.account, c.address, code}
}

// put makes code the live one and voids the one before, with its tries. Unless
// allowed, all stays as it is. Both are one statement of the same shape.
func (c secretCode) put(ctx context.Context, tx *sql.Tx, ring Ring, code string, allowed bool, now time.Time) error {
	mac := ring.Derive(secretPurpose, c.parts(code)...)
	_, err := tx.ExecContext(ctx, `INSERT INTO secret_codes (env, purpose, account, id, mac, tries, expires_at, used_at)
		VALUES ($1, $2, $3, $4, $5, 0, $6, 0)
		ON CONFLICT (env, purpose, account) DO UPDATE SET
			id = excluded.id, mac = excluded.mac, tries = 0, expires_at = excluded.expires_at, used_at = 0 WHERE $7`,
		c.env, string(c.purpose), c.account, uuid.NewString(), mac[:], millis(now.Add(c.purpose.life())), allowed)
	return err
}

// try counts a try and then compares: the row is ours until the transaction
// ends, so that of tries at once, in all processes, secretTries are compared.
// When typed is the right code it returns the code's id, else nothing. An account
// without a code gets a row as well.
func (c secretCode) try(ctx context.Context, tx *sql.Tx, ring Ring, typed string, now time.Time) (id string, err error) {
	var mac []byte
	var tries, expires, used int64
	err = tx.QueryRowContext(ctx, `INSERT INTO secret_codes (env, purpose, account, id, mac, tries, expires_at, used_at)
		VALUES ($1, $2, $3, '', $4, 1, $5, $5)
		ON CONFLICT (env, purpose, account) DO UPDATE SET tries = secret_codes.tries + 1
		RETURNING id, mac, tries, expires_at, used_at`,
		c.env, string(c.purpose), c.account, make([]byte, 32), millis(now)).Scan(&id, &mac, &tries, &expires, &used)
	if err != nil {
		return "", err
	}
	if len(mac) != 32 || tries > secretTries || used != 0 || expires <= millis(now) ||
		!ring.Matches(secretPurpose, [32]byte(mac), c.parts(normalSecret(typed))...) {
		return "", nil
	}
	return id, nil
}

// use uses up the code of that id, and reports whether this was the first time.
func (c secretCode) use(ctx context.Context, tx *sql.Tx, id string, now time.Time) (bool, error) {
	return changed(tx.ExecContext(ctx, `UPDATE secret_codes SET used_at = $5
		WHERE env = $1 AND purpose = $2 AND account = $3 AND id = $4 AND used_at = 0`,
		c.env, string(c.purpose), c.account, id, millis(now)))
}

// voidSecrets ends every code of an account, and what waits for one: also its pairing
// keys, which whoever began a sign-on with the old password may have been shown.
func voidSecrets(ctx context.Context, tx *sql.Tx, env, account string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE secret_codes SET used_at = $3 WHERE env = $1 AND account = $2 AND used_at = 0`, env, account, millis(now))
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, `DELETE FROM pending_addresses WHERE env = $1 AND user_id = $2`, env, account); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM pairings WHERE env = $1 AND user_id = $2 AND used_at = 0`, env, account)
	return err
}

// What mail is counted, and how much of it one account gets until it has had none
// for an hour. So no hour has more.
const (
	codeMail   = "code"   // by account
	noticeMail = "notice" // of registrations, by address

	codesAnHour   = 5
	noticesAnHour = 3
	mailWindow    = time.Hour
)

// countMail counts one mail and reports whether it may be sent. It is one
// statement, so that two processes count together.
func countMail(ctx context.Context, tx *sql.Tx, env, kind, account string, most int, now time.Time) (bool, error) {
	var refused int64
	err := tx.QueryRowContext(ctx, `INSERT INTO mail_counts (env, kind, account, sent, sent_at, refused) VALUES ($1, $2, $3, 1, $4, 0)
		ON CONFLICT (env, kind, account) DO UPDATE SET
			sent = CASE WHEN mail_counts.sent_at <= $5 THEN 1 WHEN mail_counts.sent < $6 THEN mail_counts.sent + 1 ELSE mail_counts.sent END,
			sent_at = CASE WHEN mail_counts.sent_at <= $5 OR mail_counts.sent < $6 THEN $4 ELSE mail_counts.sent_at END,
			refused = CASE WHEN mail_counts.sent_at <= $5 OR mail_counts.sent < $6 THEN 0 ELSE mail_counts.refused + 1 END
		RETURNING refused`, env, kind, account, millis(now), millis(now.Add(-mailWindow)), most).Scan(&refused)
	return refused == 0, err
}

// changed reports whether a statement changed a row.
func changed(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

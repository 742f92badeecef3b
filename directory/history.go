package directory

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"doorward/runtime/passwordpolicy"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// judge says whether an account may have a new password: Done, or why not. It
// costs up to as many hashes as the policy remembers passwords, so it is asked
// last, of whoever has proven to be the owner. current is empty unless it was
// typed beside the new one, and right.
func (s *Accounts) judge(ctx context.Context, a *account, p passwordpolicy.Policy, password, current string, now time.Time) (Changed, error) {
	// A temporary password is somebody else's too, and may go at once.
	if old := instant(a.changedAt).Add(p.MinAge); !a.mustChange && p.MinAge > 0 && old.After(now) {
		return Changed{Result: TooYoung, UnlockIn: old.Sub(now)}, nil
	}
	return s.judgeText(ctx, a, p, password, current, now)
}

// judgeText is judge but for the age of the password in use.
func (s *Accounts) judgeText(ctx context.Context, a *account, p passwordpolicy.Policy, password, current string, now time.Time) (Changed, error) {
	broken := p.Unsatisfied(passwordpolicy.Candidate{Password: password, Current: current, Profile: attributes(a.subject, a.email, a.profile)})
	// To change a password into itself is no change, whatever the policy says.
	if current != "" && norm.NFC.String(password) == norm.NFC.String(current) && !slices.Contains(broken, passwordpolicy.NotSimilarToCurrent) {
		broken = append(broken, passwordpolicy.NotSimilarToCurrent)
	}
	if len(broken) > 0 {
		return Changed{Result: Unsatisfying, Unsatisfied: broken}, nil
	}
	old, err := s.remembered(ctx, a, p, current == "", now)
	if err != nil {
		return Changed{}, err
	}
	for _, stored := range old {
		match, _, err := s.hasher.Verify(ctx, password, stored)
		if err != nil {
			return Changed{}, err
		}
		if match {
			return Changed{Result: Unsatisfying, Unsatisfied: []string{passwordpolicy.History}}, nil
		}
	}
	return Changed{Result: Done}, nil
}

// remembered are the last passwords that may not come again, youngest first: as
// many as the policy counts, with the one in use, which is left out unless
// wanted.
func (s *Accounts) remembered(ctx context.Context, a *account, p passwordpolicy.Policy, inUse bool, now time.Time) ([]string, error) {
	var out []string
	if p.History.Count <= 0 {
		return nil, nil
	}
	if inUse && a.password != "" {
		out = append(out, a.password)
	}
	rows, err := s.db.reader.QueryContext(ctx, `SELECT password FROM password_history
		WHERE env = $1 AND user_id = $2 AND replaced_at > $3 ORDER BY replaced_at DESC, id LIMIT $4`,
		a.env, a.subject.ID, forgotten(p, now), p.History.Count-1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var stored string
		if err := rows.Scan(&stored); err != nil {
			return nil, err
		}
		out = append(out, stored)
	}
	return out, rows.Err()
}

// forgotten is until when, in milliseconds, a password was in use that may come
// again.
func forgotten(p passwordpolicy.Policy, now time.Time) int64 {
	if p.History.RetentionDays <= 0 {
		return 0
	}
	return millis(now.AddDate(0, 0, -p.History.RetentionDays))
}

// remember keeps the password that was in use so far, and forgets those that the
// policy no longer counts.
func remember(ctx context.Context, tx *sql.Tx, a *account, p passwordpolicy.Policy, now time.Time) error {
	if a.password != "" {
		_, err := tx.ExecContext(ctx, `INSERT INTO password_history (env, user_id, id, password, replaced_at) VALUES ($1, $2, $3, $4, $5)`,
			a.env, a.subject.ID, uuid.NewString(), a.password, millis(now))
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM password_history WHERE env = $1 AND user_id = $2 AND id NOT IN (
			SELECT id FROM password_history WHERE env = $1 AND user_id = $2 AND replaced_at > $3
			ORDER BY replaced_at DESC, id LIMIT $4)`,
		a.env, a.subject.ID, forgotten(p, now), max(0, p.History.Count-1))
	return err
}

package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

// AddressProof is a code that was sent to a new address, as it was typed.
type AddressProof struct {
	Env, UserID, Session string
	Kind                 AddressKind
	Code                 string
	Effect               string
}

// What a proof comes to, as its effect keeps it.
const (
	isProven  = "proven"
	notProven = "refused"
)

// Prove judges the code of the address that waits, and puts that in the place of the
// user's own: in one transaction with the end of every other code of the user, and the
// notice to the address on file until then. It reports whether it did. Every wrong code
// counts, and the fifth voids it. An address that has become somebody else's meanwhile
// is not taken, and nothing tells that from a wrong code.
//
// Devices stay as they are, also one by mail at the address before: that it belongs to
// the person was proven by itself.
func (s *Accounts) Prove(ctx context.Context, p AddressProof) (bool, error) {
	a := whom(s.ring, p.Env, p.UserID, "", "prove", p.Effect)
	if err := s.db.readAccount(ctx, &a); err != nil {
		return false, fmt.Errorf("prove an address: %w", err)
	}
	word, now := a.first, s.now()
	if word == "" {
		var err error
		word, err = s.once(ctx, &a, now, func(ctx context.Context, tx *sql.Tx) (string, error) { return s.prove(ctx, tx, &a, p, now) })
		switch {
		case duplicate(err): // somebody else has proven it in the same moment
			return false, nil
		case err != nil:
			return false, fmt.Errorf("prove an address: %w", err)
		}
	}
	return word == isProven, nil
}

func (s *Accounts) prove(ctx context.Context, tx *sql.Tx, a *account, p AddressProof, now time.Time) (string, error) {
	pending, err := pendingAddress(ctx, tx, a.env, a.subject.ID, p.Kind, now)
	switch {
	case errors.Is(err, flow.ErrUnknown), err == nil && pending.Session != p.Session:
		return notProven, nil
	case err != nil:
		return "", err
	}
	code := secretCode{a.env, p.Kind.purpose(), a.key(), pending.Address}
	id, err := code.try(ctx, tx, s.ring, p.Code, now)
	_, locked := a.locked(now)
	if err != nil || id == "" || !a.enabled || locked {
		return notProven, err
	}
	if first, err := code.use(ctx, tx, id, now); err != nil || !first {
		return notProven, err
	}
	before, err := holdUser(ctx, tx, a.env, a.subject.ID)
	if err != nil {
		return "", err
	}
	if p.Kind == PhoneNumber {
		err = s.setPhone(ctx, tx, before, pending.Address, phoneChangedMail, now)
		return isProven, err
	}
	moved, err := s.setMail(ctx, tx, before, pending.Address, now)
	if err != nil || !moved {
		return notProven, err
	}
	return isProven, nil
}

// setMail gives a user an address that is proven, unless it is another's. Of several
// users at once, in all processes, one gets it: it is kept from the others as one that
// was registered.
func (s *Accounts) setMail(ctx context.Context, tx *sql.Tx, before User, address string, now time.Time) (bool, error) {
	key := emailKey(address)
	moved, err := changed(tx.ExecContext(ctx, `UPDATE users SET email = $3, email_key = $4, registered = TRUE, email_verified = TRUE, unverified = FALSE, updated_at = $5
		WHERE env = $1 AND id = $2 AND NOT EXISTS (SELECT 1 FROM users WHERE env = $6 AND email_key = $7 AND id <> $8)`,
		before.Env, before.ID, address, key, millis(now), before.Env, key, before.ID))
	if err != nil || !moved {
		return false, err
	}
	if err := voidSecrets(ctx, tx, before.Env, before.ID, now); err != nil {
		return false, err
	}
	if before.Email == address { // it is only proven now
		return true, nil
	}
	return true, tell(ctx, tx, s.ring, before, mailChangedMail, now)
}

// setPhone gives a user a number, or none, and tells them. Every other code is void, as
// by a new address.
func (s *Accounts) setPhone(ctx context.Context, tx *sql.Tx, before User, number, template string, now time.Time) error {
	var members map[string]any
	if err := json.Unmarshal(before.Profile, &members); err != nil {
		return err
	}
	flow.Put(members, "mobilePhone", number)
	u := before
	var err error
	if u.Profile, err = json.Marshal(members); err != nil {
		return err
	}
	if _, err = rewrite(ctx, tx, before, u, now); err != nil {
		return err
	}
	if err := voidSecrets(ctx, tx, before.Env, before.ID, now); err != nil {
		return err
	}
	return tell(ctx, tx, s.ring, before, template, now)
}

// tell mails a user, at the address that they have had until now, what was changed.
// more are names and values of further parameters, in turn.
func tell(ctx context.Context, tx *sql.Tx, ring Sealer, u User, template string, now time.Time, more ...string) error {
	if u.Email == "" {
		return nil
	}
	params := map[string]string{"username": u.Username, "given": u.Given}
	for i := 0; i+1 < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	return post(ctx, tx, ring, flow.Message{
		Env: u.Env, Template: template, Locales: u.PreferredLanguage, To: u.Email,
		Params: params, CreatedAt: now, ExpiresAt: now.Add(noticeLife),
	})
}

// RemovePhone takes a user's number away, with every code of theirs, and reports whether
// there was one. Without one, only a number that waits is dropped. flow.ErrUnknown when
// there is no such user.
func (s *Accounts) RemovePhone(ctx context.Context, env, userID string) (had bool, err error) {
	now := s.now()
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		u, err := holdUser(ctx, tx, env, userID)
		if err != nil {
			return err
		}
		if had = u.ProfileText("mobilePhone") != ""; !had {
			return dropPending(ctx, tx, env, userID, PhoneNumber)
		}
		return s.setPhone(ctx, tx, u, "", phoneRemovedMail, now)
	})
	return had, err
}

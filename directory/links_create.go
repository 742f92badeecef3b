package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// NewLinked is an account here for somebody who has one at an identity provider.
type NewLinked struct {
	Env        string
	Population string // id
	Provider   string // id
	ExternalID string
	Attributes flow.Attributes
	// EmailVerified is what is kept of the address, if there is one; unless it is, the
	// account is one whose address is yet to be verified.
	EmailVerified bool
	Locales       string // languages of the browser, as Accept-Language; kept as the preferred ones when the attributes have none
	MFAEnabled    bool
	Effect        string
}

// Create makes a user without a password who has that account elsewhere, both or none,
// and reports whether it did: not when the name or the address is somebody's, or cannot
// be one, and then nothing was done. The address is kept from others as one that was
// registered. The same effect again gets the same answer. ErrLinked when the account
// elsewhere is somebody's by now; flow.ErrUnknown when the user whom the effect made is
// gone.
func (s *Links) Create(ctx context.Context, n NewLinked) (flow.Subject, bool, error) {
	if err := CheckExternalID(n.ExternalID); err != nil {
		return flow.Subject{}, false, err
	}
	now := s.now()
	who, fits, err := n.newcomer(now)
	if err != nil || !fits {
		return flow.Subject{}, false, err
	}
	effect := n.Effect
	if effect != "" {
		effect = "linked/" + effect
	}
	var word string
	err = s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		word, err = once(ctx, tx, effect, now, func() (string, error) { return n.insert(ctx, tx, who, now) })
		return err
	})
	if err != nil {
		return flow.Subject{}, false, fmt.Errorf("create linked user: %w", err)
	}
	id, made := strings.CutPrefix(word, registeredAs)
	if !made {
		return flow.Subject{}, false, nil
	}
	u, err := s.SignOn(ctx, n.Env, id)
	return u.Subject, err == nil, err
}

// newcomer is the user that is asked for, if it can be one.
func (n NewLinked) newcomer(now time.Time) (newcomer, bool, error) {
	var u User
	if err := u.Set(n.Attributes); err != nil {
		return newcomer{}, false, err
	}
	r := Registration{
		Env: n.Env, Population: n.Population, Username: u.Username, Email: strings.TrimSpace(u.Email), Given: u.Given, Family: u.Family, Locales: n.Locales,
		Opening: Usable, Type: u.Type, Locale: u.Locale, PreferredLanguage: u.PreferredLanguage, Profile: u.Profile, MFAEnabled: n.MFAEnabled,
	}
	if r.fault() != "" {
		return newcomer{}, false, nil
	}
	who, err := r.newcomer(now)
	if errors.Is(err, ErrProfile) {
		return newcomer{}, false, nil
	}
	who.EmailVerified = r.Email != "" && n.EmailVerified
	who.Unverified = r.Email != "" && !n.EmailVerified
	return who, err == nil, err
}

// insert makes user and link, or neither.
func (n NewLinked) insert(ctx context.Context, tx *sql.Tx, who newcomer, now time.Time) (string, error) {
	made, err := who.insert(ctx, tx, now)
	if err != nil {
		return "", err
	}
	if !made { // perhaps by the same person, in another tab
		var linked bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM linked_accounts WHERE env = $1 AND provider = $2 AND external_id = $3)`,
			n.Env, n.Provider, n.ExternalID).Scan(&linked)
		if err == nil && linked {
			err = ErrLinked
		}
		return isSomebodys, err
	}
	a := newLink(who.ID, n.Provider, n.ExternalID, now)
	there, err := a.put(ctx, tx, n.Env)
	if err == nil && there.ID != a.ID {
		err = ErrLinked
	}
	return registeredAs + who.ID, err
}

// Set gives a user attributes; an empty one clears what is there.
func (u *User) Set(a flow.Attributes) error {
	profile := map[string]any{}
	if len(u.Profile) > 0 {
		if err := json.Unmarshal(u.Profile, &profile); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	fields := map[string]*string{
		"username": &u.Username, "email": &u.Email, "name.given": &u.Given, "name.family": &u.Family,
		"type": &u.Type, "locale": &u.Locale, "preferredLanguage": &u.PreferredLanguage,
	}
	for name, value := range a {
		if field, ok := fields[name]; ok {
			*field = value
			continue
		}
		flow.Put(profile, name, value)
	}
	var err error
	u.Profile, err = json.Marshal(profile)
	return err
}

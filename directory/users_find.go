package directory

import (
	"context"
	"fmt"
	"slices"

	"doorward/runtime/flow"
)

// UniqueAttributes are those by which Find finds one user.
func UniqueAttributes() []string { return []string{"username", "email", "externalId", "id"} }

// Find returns the one user of that attribute, one of UniqueAttributes, compared
// as a filter compares it. flow.ErrUnknown when there is none, and when several
// have it: addresses and external ids may be shared. Whose address is verified is
// found all the same beside those who only say that it is theirs. It is the same
// statement whether or not there is one.
func (s *Users) Find(ctx context.Context, env, attribute, value string) (User, error) {
	if !slices.Contains(UniqueAttributes(), attribute) {
		return User{}, fmt.Errorf("users are not found by %q", attribute)
	}
	column, key := soughtIn(attribute, value, false)
	if !storable(value) {
		key = ""
	}
	first := ""
	if attribute == "email" {
		first = ` ORDER BY email_verified DESC` // as users_email has them
	}
	rows, err := s.db.reader.QueryContext(ctx, `SELECT `+userColumns+` FROM users
		WHERE env = $1 AND `+column+` = $2 AND `+column+` <> ''`+first+` LIMIT 2`, env, key)
	if err != nil {
		return User{}, fmt.Errorf("find user: %w", err)
	}
	defer rows.Close()
	var found []User
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return User{}, fmt.Errorf("find user: %w", err)
		}
		found = append(found, u)
	}
	if err := rows.Err(); err != nil {
		return User{}, fmt.Errorf("find user: %w", err)
	}
	switch {
	case len(found) == 0:
	case len(found) == 1, attribute == "email" && found[0].EmailVerified && !found[1].EmailVerified:
		return found[0], nil
	}
	return User{}, flow.ErrUnknown
}

// EmailTaken reports whether an address, compared as Find compares it, is that of
// another user than the one of the id; empty: of anybody.
func (s *Users) EmailTaken(ctx context.Context, env, address, id string) (taken bool, err error) {
	err = s.db.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE env = $1 AND email_key = $2 AND email_key <> '' AND id <> $3)`,
		env, emailKey(address), id).Scan(&taken)
	return taken, err
}

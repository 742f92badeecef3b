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
// have it: addresses and external ids may be shared. It is the same statement
// whether or not there is one.
func (s *Users) Find(ctx context.Context, env, attribute, value string) (User, error) {
	if !slices.Contains(UniqueAttributes(), attribute) {
		return User{}, fmt.Errorf("users are not found by %q", attribute)
	}
	column, key := soughtIn(attribute, value, false)
	if !storable(value) {
		key = ""
	}
	rows, err := s.db.reader.QueryContext(ctx, `SELECT `+userColumns+` FROM users
		WHERE env = $1 AND `+column+` = $2 AND `+column+` <> '' LIMIT 2`, env, key)
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
	if len(found) != 1 {
		return User{}, flow.ErrUnknown
	}
	return found[0], nil
}

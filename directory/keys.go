package directory

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// keyMax is the longest key, in bytes: PostgreSQL indexes none over 2,704.
const keyMax = 1000

// foldKey is the normal form in which names of people are looked for: case and
// compatibility do not count. What is over keyMax does not either.
func foldKey(s string) string { return cut(fold(s)) }

// phoneKey is the normal form of a phone number, without what only makes it
// easier to read. It is empty for none.
func phoneKey(number string) string {
	return foldKey(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()\u00a0", r) {
			return -1
		}
		return r
	}, number))
}

// externalKey is under which an external id is looked for: itself, or its digest
// when it is over keyMax. It is empty for none.
func externalKey(id string) string {
	switch {
	case id == "":
		return ""
	case len(id) < keyMax:
		return "=" + id
	}
	sum := sha256.Sum256([]byte(id))
	return "#" + hex.EncodeToString(sum[:])
}

func cut(key string) string {
	if len(key) <= keyMax {
		return key
	}
	end := keyMax
	for !utf8.RuneStart(key[end]) {
		end--
	}
	return key[:end]
}

// storable reports whether both stores can hold a text, so that it can be asked
// for.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// storedText is a text as both stores can hold it.
func storedText(s string) string {
	if storable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// fillKeys makes the keys of users who were made by a version that knew none.
// Such a version may still be running beside this one; its users get their keys
// when the directory is opened next.
func (d *DB) fillKeys(ctx context.Context) error {
	for {
		users, err := d.unkeyed(ctx)
		if err != nil || len(users) == 0 {
			return err
		}
		err = d.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for _, u := range users {
				if _, err := tx.ExecContext(ctx, `UPDATE users SET given_key = $1, family_key = $2 WHERE env = $3 AND id = $4 AND given_key IS NULL AND given = $5 AND family = $6`,
					foldKey(u.Given), foldKey(u.Family), u.Env, u.ID, u.Given, u.Family); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("keys of users: %w", err)
		}
	}
}

// unkeyed are some of the users without keys.
func (d *DB) unkeyed(ctx context.Context) ([]User, error) {
	rows, err := d.lists.QueryContext(ctx, fmt.Sprintf(`SELECT env, id, given, family FROM users WHERE given_key IS NULL LIMIT %d`, sweepBatch))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []User
	for rows.Next() {
		var u User
		if err := rows.Scan(&u.Env, &u.ID, &u.Given, &u.Family); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

package hash

import (
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// The cost of bcrypt is the logarithm of its rounds.
const (
	bcryptMin    = 4
	bcryptCap    = 14
	bcryptRounds = 75 * time.Microsecond // for 1, of the 2^cost
)

// parseBcrypt takes OpenBSD's form: $2b$, two digits of cost, "$", 22 characters
// of salt and 31 of hash. As everywhere, bytes of a password after the 72nd do
// not count.
func parseBcrypt(s string) (Hash, error) {
	const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	if len(s) != 60 || s[6] != '$' || strings.Trim(s[7:], alphabet) != "" || strings.Trim(s[4:6], "0123456789") != "" {
		return Hash{}, ErrForm
	}
	switch cost := int(s[4]-'0')*10 + int(s[5]-'0'); {
	case cost < bcryptMin:
		return Hash{}, ErrForm
	case cost > bcryptCap:
		return Hash{}, ErrCost
	default:
		return Hash{
			cost:  bcryptRounds << cost,
			check: func(password string) bool { return bcrypt.CompareHashAndPassword([]byte(s), []byte(password)) == nil },
		}, nil
	}
}

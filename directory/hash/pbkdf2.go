package hash

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // what others stored with; it is replaced at the next sign-on
	"crypto/sha256"
	"crypto/sha512"
	"strings"
	"time"
)

// iterationsCap is the most iterations, over all blocks of the key.
const iterationsCap = 2_000_000

// parsePBKDF2 takes "29000$salt$key" and "i=29000,l=32$salt$key". name is
// pbkdf2, or pbkdf2- and the digest.
func parsePBKDF2(name, s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 3 {
		return Hash{}, ErrForm
	}
	salt, key, err := saltAndKey(part[1], part[2])
	if err != nil {
		return Hash{}, err
	}
	iterations, ok := number(part[0])
	if n, named := numbers(part[0], "i", "l"); named {
		iterations, ok = n[0], n[1] == len(key)
	}
	if !ok {
		return Hash{}, ErrForm
	}
	var size int
	var iteration time.Duration
	var derive func(password string) ([]byte, error)
	switch name {
	case "pbkdf2", "pbkdf2-sha1":
		size, iteration = sha1.Size, 250*time.Nanosecond
		derive = func(password string) ([]byte, error) {
			return pbkdf2.Key(sha1.New, password, salt, iterations, len(key))
		}
	case "pbkdf2-sha256":
		size, iteration = sha256.Size, 250*time.Nanosecond
		derive = func(password string) ([]byte, error) {
			return pbkdf2.Key(sha256.New, password, salt, iterations, len(key))
		}
	case "pbkdf2-sha512":
		size, iteration = sha512.Size, 550*time.Nanosecond
		derive = func(password string) ([]byte, error) {
			return pbkdf2.Key(sha512.New, password, salt, iterations, len(key))
		}
	default:
		return Hash{}, ErrForm
	}
	blocks := (len(key) + size - 1) / size
	if iterations > iterationsCap/blocks {
		return Hash{}, ErrCost
	}
	return derived(key, iteration*time.Duration(iterations*blocks), func(password string) []byte {
		b, _ := derive(password) // fails where FIPS 140 forbids the digest, and then matches nothing
		return b
	}), nil
}

// Package hash reads the forms in which passwords are stored: argon2id, which
// this server writes, and those that accounts bring along from elsewhere. It is
// pure functions; what may run at once is decided by those who call them.
//
// Read are
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>    also behind {ARGON2}
//	$2a$, $2b$, $2y$ of bcrypt                     also behind {BCRYPT} or {CRYPT}
//	$scrypt$ln=14,r=8,p=1$<salt>$<key>             also behind {SCRYPT}
//	$s0$e0801$<salt>$<key>                         also behind {SCRYPT}
//	$pbkdf2-sha256$29000$<salt>$<key>              also $i=29000,l=32$; pbkdf2, pbkdf2-sha1, pbkdf2-sha512
//	{PBKDF2-SHA256}29000$<salt>$<key>              also PBKDF2, PBKDF2-SHA1, PBKDF2-SHA512
//	{SSHA512}<base64 of digest and salt>           also SSHA, SSHA256, SSHA384
//
// whose names in braces count in any case. Whatever asks for more work than one
// sign-on is worth is refused when it is read.
// Sources: reference/management.md 5.3 and 5.4; RFC 2307, RFC 7914, RFC 8018,
// RFC 9106; the formats of OpenLDAP, OpenBSD and Passlib.
package hash

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// The refusals of Parse. Neither says anything of what was read.
var (
	ErrForm = errors.New("password hash is in no form that is read here")
	ErrCost = errors.New("password hash asks for more work than a sign-on is worth")
)

// storedMax is the longest stored form, in bytes.
const storedMax = 512

// Salts and keys of other lengths are not what they seem.
const (
	saltMin, saltMax = 4, 64
	keyMin, keyMax   = 16, 64
)

// Hash is a stored password hash within the caps.
type Hash struct {
	check  func(password string) bool
	cost   time.Duration
	params Params // of argon2id, zero for all others
}

// Matches reports whether the hash was made from the password. The password is
// taken as it is, and compared in constant time.
func (h Hash) Matches(password string) bool { return h.check(password) }

// Current reports whether the hash is what this server would write today.
func (h Hash) Current(p Params) bool { return h.params == p }

// Cost is about how long Matches keeps one core of today.
func (h Hash) Cost() time.Duration { return h.cost }

// Parse reads a stored hash. It fails with ErrForm or ErrCost.
func Parse(stored string) (Hash, error) {
	if len(stored) > storedMax {
		return Hash{}, ErrForm
	}
	scheme, rest := cutScheme(stored)
	switch scheme {
	case "SSHA", "SSHA256", "SSHA384", "SSHA512":
		return parseSalted(scheme, rest)
	case "PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512":
		return parsePBKDF2(strings.ToLower(scheme), rest)
	case "":
		return parseModular(rest)
	}
	for _, within := range wraps()[scheme] {
		if strings.HasPrefix(rest, within) {
			return parseModular(rest)
		}
	}
	return Hash{}, ErrForm
}

// wraps are the schemes that only say what follows says again.
func wraps() map[string][]string {
	return map[string][]string{
		"ARGON2": {"$argon2id$"},
		"BCRYPT": {"$2"},
		"CRYPT":  {"$2"},
		"SCRYPT": {"$scrypt$", "$s0$"},
	}
}

// parseModular reads "$name$...".
func parseModular(s string) (Hash, error) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(s, "$"), "$")
	switch {
	case !strings.HasPrefix(s, "$"):
	case name == "argon2id":
		return parseArgon2id(s)
	case name == "2a", name == "2b", name == "2y":
		return parseBcrypt(s)
	case name == "scrypt":
		return parseScrypt(rest)
	case name == "s0":
		return parseLambdaworks(rest)
	case name == "pbkdf2", strings.HasPrefix(name, "pbkdf2-"):
		return parsePBKDF2(name, rest)
	}
	return Hash{}, ErrForm
}

// Encoded reports whether a value that may be a password in clear or a stored
// form claims to be the latter: it begins with a name in braces, or with one of
// the names between dollars that are read here. The claim may be wrong; then
// Parse refuses it, and nobody gets a password that they do not know.
func Encoded(value string) bool {
	if scheme, _ := cutScheme(value); scheme != "" {
		return true
	}
	for _, prefix := range []string{"$argon2id$", "$2a$", "$2b$", "$2y$", "$scrypt$", "$s0$", "$pbkdf2$", "$pbkdf2-"} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	return false
}

// cutScheme splits "{NAME}rest"; without such a name all is rest.
func cutScheme(s string) (scheme, rest string) {
	name, rest, closed := strings.Cut(strings.TrimPrefix(s, "{"), "}")
	outside := func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_'
	}
	if !strings.HasPrefix(s, "{") || !closed || name == "" || strings.ContainsFunc(name, outside) {
		return "", s
	}
	return strings.ToUpper(name), rest
}

// derived is a Hash of a function whose whole output is stored.
func derived(key []byte, cost time.Duration, derive func(password string) []byte) Hash {
	return Hash{cost: cost, check: func(password string) bool { return subtle.ConstantTimeCompare(derive(password), key) == 1 }}
}

// saltAndKey decodes the last two parts of most forms.
func saltAndKey(salt, key string) (s, k []byte, err error) {
	s, okSalt := unbase64(salt)
	k, okKey := unbase64(key)
	if !okSalt || !okKey || len(s) < saltMin || len(s) > saltMax || len(k) < keyMin || len(k) > keyMax {
		return nil, nil, ErrForm
	}
	return s, k, nil
}

// unbase64 takes the standard alphabet and the one with "." in the place of "+",
// with and without padding.
func unbase64(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would skip
		return nil, false
	}
	padded := strings.ReplaceAll(s, ".", "+")
	bare := strings.TrimRight(padded, "=")
	if len(bare) != len(padded) && len(padded)%4 != 0 {
		return nil, false
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(bare)
	return b, err == nil
}

// number reads a plain decimal number from 1.
func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0 && strconv.Itoa(n) == s
}

// numbers reads "a=1,b=2" with exactly these names.
func numbers(s string, names ...string) ([]int, bool) {
	parts := strings.Split(s, ",")
	out := make([]int, len(names))
	if len(parts) != len(names) {
		return nil, false
	}
	for i, name := range names {
		value, found := strings.CutPrefix(parts[i], name+"=")
		n, ok := number(value)
		if !found || !ok {
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

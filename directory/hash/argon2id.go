package hash

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// Params are the costs of one argon2id hash. Source: RFC 9106; OWASP password
// storage cheat sheet.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// DefaultParams is 19 MiB, 2 passes, 1 lane: about 40 ms of one core.
func DefaultParams() Params { return Params{Memory: 19 * 1024, Time: 2, Threads: 1} }

// Cost is about how long one hash keeps one core of today.
func (p Params) Cost() time.Duration {
	d := DefaultParams()
	cost := 40 * time.Millisecond * time.Duration(p.Memory) * time.Duration(p.Time) / time.Duration(d.Memory*d.Time)
	return max(time.Microsecond, cost)
}

// The most that a stored argon2id hash may ask of us.
const (
	memoryCap  = 64 * 1024
	timeCap    = 10
	threadsCap = 4
)

// The sizes of what is written, in bytes.
const (
	SaltSize = 16
	KeySize  = 32
)

// Derive makes the stored form of a password.
func Derive(password string, p Params, salt []byte) string {
	return Write(p, salt, argon2id(password, p, salt))
}

// Write is the stored form of a salt and the key that was derived with it, in
// the string format of the Password Hashing Competition.
func Write(p Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.Memory, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// Argon2id is the hash that Write writes.
func Argon2id(p Params, salt, key []byte) Hash {
	h := derived(key, p.Cost(), func(password string) []byte { return argon2id(password, p, salt) })
	h.params = p
	return h
}

func argon2id(password string, p Params, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, KeySize)
}

// parseArgon2id takes exactly what Write writes, within the caps.
func parseArgon2id(s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 {
		return Hash{}, ErrForm
	}
	var p Params
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil {
		return Hash{}, ErrForm
	}
	salt, key, err := saltAndKey(part[4], part[5])
	switch {
	case err != nil:
		return Hash{}, err
	case Write(p, salt, key) != s, len(key) != KeySize, len(salt) < 8, p.Memory < 1, p.Time < 1, p.Threads < 1:
		return Hash{}, ErrForm
	case p.Memory > memoryCap, p.Time > timeCap, p.Threads > threadsCap:
		return Hash{}, ErrCost
	}
	return Argon2id(p, salt, key), nil
}

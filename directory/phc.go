package directory

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

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

// The most a stored hash may ask of us, so that an imported one cannot be used
// to exhaust the machine.
const (
	memoryCap  = 64 * 1024
	timeCap    = 10
	threadsCap = 4
)

const (
	saltSize = 16
	hashSize = 32
)

var errPHC = errors.New("stored password hash is not argon2id, or costs too much")

// phc is a hash in the string format of the Password Hashing Competition:
// $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>.
type phc struct {
	params     Params
	salt, hash []byte
}

func derive(password string, p Params, salt []byte) phc {
	return phc{params: p, salt: salt, hash: argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, hashSize)}
}

func (h phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.params.Memory, h.params.Time, h.params.Threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.hash))
}

// parsePHC takes exactly what String writes, within the caps.
func parsePHC(s string) (phc, error) {
	var h phc
	part := strings.Split(s, "$")
	if len(part) != 6 {
		return phc{}, errPHC
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &h.params.Memory, &h.params.Time, &h.params.Threads); err != nil {
		return phc{}, errPHC
	}
	h.salt, _ = base64.RawStdEncoding.DecodeString(part[4])
	h.hash, _ = base64.RawStdEncoding.DecodeString(part[5])
	if h.String() != s || len(h.hash) != hashSize || len(h.salt) < 8 ||
		h.params.Memory > memoryCap || h.params.Time > timeCap || h.params.Threads > threadsCap ||
		h.params.Time < 1 || h.params.Threads < 1 {
		return phc{}, errPHC
	}
	return h, nil
}

// matches hashes the password at the cost of h and compares in constant time.
func (h phc) matches(password string) bool {
	return subtle.ConstantTimeCompare(derive(password, h.params, h.salt).hash, h.hash) == 1
}

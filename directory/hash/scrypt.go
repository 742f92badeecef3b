package hash

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/scrypt"
)

// The most that a stored scrypt hash may ask of us. N*r blocks of 128 bytes are
// its memory, N*r*p is its time.
const (
	scryptMemoryCap = 64 << 20 / 128              // 64 MiB
	scryptTimeCap   = 2 * scryptMemoryCap         // p = 2 at the most memory
	scryptBlock     = 90 * time.Millisecond >> 18 // for 1, of N*r*p
)

// parseScrypt takes "ln=14,r=8,p=1$salt$key".
func parseScrypt(s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 3 {
		return Hash{}, ErrForm
	}
	n, ok := numbers(part[0], "ln", "r", "p")
	if !ok {
		return Hash{}, ErrForm
	}
	return scryptHash(n[0], n[1], n[2], part[1], part[2])
}

// parseLambdaworks takes "e0801$salt$key", where the hexadecimal number is
// log2(N)<<16 | r<<8 | p.
func parseLambdaworks(s string) (Hash, error) {
	part := strings.Split(s, "$")
	if len(part) != 3 {
		return Hash{}, ErrForm
	}
	n, err := strconv.ParseUint(part[0], 16, 24)
	if err != nil || strconv.FormatUint(n, 16) != part[0] {
		return Hash{}, ErrForm
	}
	return scryptHash(int(n>>16), int(n>>8&0xff), int(n&0xff), part[1], part[2])
}

func scryptHash(ln, r, p int, salt64, key64 string) (Hash, error) {
	salt, key, err := saltAndKey(salt64, key64)
	switch {
	case err != nil:
		return Hash{}, err
	case ln < 1 || r < 1 || p < 1:
		return Hash{}, ErrForm
	case ln > 30, r > scryptTimeCap, p > scryptTimeCap, r<<ln > scryptMemoryCap, (r<<ln)*p > scryptTimeCap:
		return Hash{}, ErrCost
	}
	cost := scryptBlock * time.Duration((r<<ln)*p)
	return derived(key, cost, func(password string) []byte {
		b, _ := scrypt.Key([]byte(password), salt, 1<<ln, r, p, len(key)) // fails for parameters only, which are in range
		return b
	}), nil
}

package hash

import (
	"crypto/sha1" //nolint:gosec // what others stored with; it is replaced at the next sign-on
	"crypto/sha256"
	"crypto/sha512"
	"strings"
	"time"
)

// parseSalted takes the base64 of a digest over password and salt, and the salt
// behind it. What is all hexadecimal digits is not meant as base64.
func parseSalted(scheme, s string) (Hash, error) {
	b, ok := unbase64(s)
	if !ok || strings.Trim(s, "0123456789abcdef") == "" || strings.Trim(s, "0123456789ABCDEF") == "" {
		return Hash{}, ErrForm
	}
	var size int
	var sum func(b []byte) []byte
	switch scheme {
	case "SSHA":
		size, sum = sha1.Size, func(b []byte) []byte { d := sha1.Sum(b); return d[:] } //nolint:gosec // see the import
	case "SSHA256":
		size, sum = sha256.Size, func(b []byte) []byte { d := sha256.Sum256(b); return d[:] }
	case "SSHA384":
		size, sum = sha512.Size384, func(b []byte) []byte { d := sha512.Sum384(b); return d[:] }
	default:
		size, sum = sha512.Size, func(b []byte) []byte { d := sha512.Sum512(b); return d[:] }
	}
	if len(b) < size+saltMin || len(b) > size+saltMax {
		return Hash{}, ErrForm
	}
	digest, salt := b[:size], b[size:]
	return derived(digest, time.Microsecond, func(password string) []byte {
		return sum(append([]byte(password), salt...))
	}), nil
}

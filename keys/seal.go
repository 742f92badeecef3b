package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrSealed says that a sealed value cannot be opened: it is damaged, was sealed
// for another environment or column, or by a generation that is gone.
var ErrSealed = errors.New("sealed value cannot be opened: this key ring lacks its generation (put FILE.old, or the ring of the other nodes, in place), or it is damaged")

// sealed values begin with their format, so that it can change.
const sealFormat = 1

func newAEAD(g *generation) (cipher.AEAD, error) {
	key, err := g.derive("seal")
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	return aead, nil
}

// Seal encrypts plain with AES-256-GCM for one environment and column under the
// first generation: format, length and text of the generation's id, nonce,
// ciphertext, tag. The same plaintext never seals to the same bytes twice. One
// generation seals at most 2^32 values.
func (r *Ring) Seal(plain []byte, env, column string) ([]byte, error) {
	g := r.gens[0]
	out := make([]byte, 0, 2+len(g.id)+len(plain)+g.aead.Overhead())
	out = append(out, sealFormat, byte(len(g.id))) //nolint:gosec // at most maxID
	out = append(out, g.id...)
	return g.aead.Seal(out, nil, plain, associated(out, env, column)), nil //nolint:gosec // it makes the nonce itself
}

// Open decrypts what Seal made for the same environment and column under any live
// generation; everything else is ErrSealed.
func (r *Ring) Open(sealed []byte, env, column string) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != sealFormat || len(sealed) < 2+int(sealed[1]) {
		return nil, ErrSealed
	}
	front := sealed[:2+int(sealed[1])]
	for _, g := range r.gens {
		if g.id != string(front[2:]) {
			continue
		}
		plain, err := g.aead.Open(nil, nil, sealed[len(front):], associated(front, env, column))
		if err != nil {
			return nil, ErrSealed
		}
		return plain, nil
	}
	return nil, ErrSealed
}

// associated binds a sealed value to its front, environment and column.
func associated(front []byte, env, column string) []byte {
	b := make([]byte, 0, len(front)+16+len(env)+len(column))
	b = append(b, front...)
	for _, s := range []string{env, column} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

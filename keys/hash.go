package keys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"maps"
	"sync"
	"sync/atomic"
)

// hashes keeps one pool of keyed HMACs for each purpose, so that Derive neither
// locks nor derives a key twice. Purposes are constants of the program; the map
// grows to their number.
type hashes struct {
	mu    sync.Mutex // held to add a purpose
	pools atomic.Pointer[map[string]*sync.Pool]
}

// mac is a keyed HMAC with room for its message.
type mac struct {
	hash hash.Hash
	buf  []byte
}

// derive returns a 32-byte key for one purpose of g.
func (g *generation) derive(info string) ([]byte, error) {
	return hkdf.Key(sha256.New, g.secret[:], nil, "doorward/"+info, sha256.Size)
}

func (g *generation) pool(purpose string) *sync.Pool {
	if m := g.hashes.pools.Load(); m != nil {
		if p, ok := (*m)[purpose]; ok {
			return p
		}
	}
	g.hashes.mu.Lock()
	defer g.hashes.mu.Unlock()
	next := map[string]*sync.Pool{}
	if m := g.hashes.pools.Load(); m != nil {
		if p, ok := (*m)[purpose]; ok {
			return p
		}
		next = maps.Clone(*m)
	}
	key, err := g.derive("hash/" + purpose)
	if err != nil {
		panic("keys: " + err.Error()) // HKDF refuses only lengths that we do not ask for
	}
	p := &sync.Pool{New: func() any { return &mac{hash: hmac.New(sha256.New, key)} }}
	next[purpose] = p
	g.hashes.pools.Store(&next)
	return p
}

func (g *generation) sum(purpose string, parts []string) (out [sha256.Size]byte) {
	pool := g.pool(purpose)
	m, ok := pool.Get().(*mac)
	if !ok {
		panic("keys: foreign value in pool")
	}
	m.buf = m.buf[:0]
	for _, p := range parts {
		m.buf = binary.BigEndian.AppendUint64(m.buf, uint64(len(p)))
		m.buf = append(m.buf, p...)
	}
	m.hash.Reset()
	_, _ = m.hash.Write(m.buf) // never fails
	clear(m.buf)               // parts may be secrets
	m.buf = m.hash.Sum(m.buf[:0])
	copy(out[:], m.buf)
	pool.Put(m)
	return out
}

// Derive returns the HMAC-SHA256 of parts under the first generation's key for
// purpose. Parts are length-prefixed: ("ab", "c") and ("a", "bc") differ.
func (r *Ring) Derive(purpose string, parts ...string) [32]byte {
	return r.gens[0].sum(purpose, parts)
}

// Matches reports whether any live generation derives sum from parts. How long it
// takes depends on the number of generations only.
func (r *Ring) Matches(purpose string, sum [32]byte, parts ...string) bool {
	found := 0
	for _, g := range r.gens {
		got := g.sum(purpose, parts)
		found |= subtle.ConstantTimeCompare(got[:], sum[:])
	}
	return found == 1
}

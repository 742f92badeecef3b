package keys

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	format      = 1
	secretSize  = 32
	generations = 2  // live at once
	maxID       = 16 // bytes of a generation's id
	maxRing     = 4096
)

// ErrRing says that a document is no key ring. What is wrong follows; the secrets
// never do.
var ErrRing = errors.New("key ring")

// Ring is the deployment's key ring. It does not change after it is made and may
// be used by many goroutines.
type Ring struct{ gens []*generation }

// generation is one secret with what is derived from it.
type generation struct {
	id      string
	secret  [secretSize]byte
	created time.Time // zero when the document does not say
	staged  bool      // makes nothing yet
	hashes  hashes
	aead    cipher.AEAD
}

// document is the stored form of a ring.
type document struct {
	Format      int       `json:"format"`
	Generations []written `json:"generations"`
}

type written struct {
	ID        string    `json:"id"`
	Secret    string    `json:"secret"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	Staged    bool      `json:"staged,omitzero"`
}

// Generate makes a ring of one random generation.
func Generate() (*Ring, error) {
	g, err := generate()
	if err != nil {
		return nil, err
	}
	return &Ring{gens: []*generation{g}}, nil
}

func generate() (*generation, error) {
	var id [4]byte
	var secret [secretSize]byte
	_, _ = rand.Read(id[:]) // never fails: it ends the process instead
	_, _ = rand.Read(secret[:])
	return newGeneration(hex.EncodeToString(id[:]), secret, time.Time{})
}

func newGeneration(id string, secret [secretSize]byte, created time.Time) (*generation, error) {
	g := &generation{id: id, secret: secret, created: created}
	var err error
	if g.aead, err = newAEAD(g); err != nil {
		return nil, err
	}
	return g, nil
}

// Parse reads a ring:
//
//	{"format":1,"generations":[{"id":"9f2c01aa","secret":"<32 bytes, base64>","createdAt":"2026-01-02T15:04:05Z"}]}
//
// It takes one or two generations, the one that makes first; the second may have
// "staged":true, which makes nothing before it is rotated in. An id is 1 to 16
// letters, digits, "-" or "_"; createdAt is for people and may be left out. Every
// fault is an ErrRing.
func Parse(b []byte) (*Ring, error) {
	if len(b) > maxRing {
		return nil, fmt.Errorf("%w: over %d bytes", ErrRing, maxRing)
	}
	var doc document
	if err := json.Unmarshal(b, &doc, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: not the JSON of one", ErrRing) // err may quote a secret
	}
	if doc.Format != format {
		return nil, fmt.Errorf("%w: format %d, want %d", ErrRing, doc.Format, format)
	}
	if n := len(doc.Generations); n < 1 || n > generations {
		return nil, fmt.Errorf("%w: %d generations, want 1 or %d", ErrRing, n, generations)
	}
	r := &Ring{}
	for i, w := range doc.Generations {
		g, err := w.generation()
		if err != nil {
			return nil, fmt.Errorf("%w: generation %d: %w", ErrRing, i+1, err)
		}
		for _, other := range r.gens {
			if other.id == g.id || other.secret == g.secret {
				return nil, fmt.Errorf("%w: generation %d repeats another", ErrRing, i+1)
			}
		}
		if g.staged = w.Staged; g.staged && i == 0 {
			return nil, fmt.Errorf("%w: generation 1 is staged, and there is none that makes", ErrRing)
		}
		r.gens = append(r.gens, g)
	}
	return r, nil
}

func (w written) generation() (*generation, error) {
	if !validID(w.ID) {
		return nil, fmt.Errorf("id is not 1 to %d letters, digits, - or _", maxID)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(w.Secret)
	if err != nil || len(b) != secretSize {
		return nil, fmt.Errorf("secret is not the base64 of %d bytes", secretSize)
	}
	secret := [secretSize]byte(b)
	if secret == [secretSize]byte{} {
		return nil, errors.New("secret is all zero")
	}
	return newGeneration(w.ID, secret, w.CreatedAt)
}

func validID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// ErrStaged says that a ring has a generation that waits for Rotate.
var ErrStaged = errors.New("the key ring has a staged generation already; rotate it in")

// staged reports whether the last generation is the next one, and not the one
// before.
func (r *Ring) staged() bool { return r.gens[len(r.gens)-1].staged }

// Stage returns a ring whose first generation is r's and whose second is new: one
// that makes nothing yet, so that every node can be given it before any uses it.
// The generation that was second is gone. The error is ErrStaged when r has a
// staged one.
func (r *Ring) Stage() (*Ring, error) {
	if r.staged() {
		return nil, ErrStaged
	}
	g, err := generate()
	if err != nil {
		return nil, err
	}
	g.staged = true
	return &Ring{gens: []*generation{r.gens[0], g}}, nil
}

// Rotate returns a ring whose first generation is the staged one, or a new one
// where none is, and whose second is r's first.
func (r *Ring) Rotate() (*Ring, error) {
	if r.staged() {
		next, err := newGeneration(r.gens[1].id, r.gens[1].secret, r.gens[1].created)
		if err != nil {
			return nil, err
		}
		return &Ring{gens: []*generation{next, r.gens[0]}}, nil
	}
	g, err := generate()
	if err != nil {
		return nil, err
	}
	return &Ring{gens: []*generation{g, r.gens[0]}}, nil
}

// Fresh reports whether Seal made a value under the first generation.
func (r *Ring) Fresh(sealed []byte) bool {
	id := r.gens[0].id
	return len(sealed) > 2+len(id) && sealed[0] == sealFormat && int(sealed[1]) == len(id) && string(sealed[2:2+len(id)]) == id
}

// Marshal writes the ring as Parse reads it. The result is the deployment's most
// valuable secret.
func (r *Ring) Marshal() []byte {
	doc := document{Format: format}
	for _, g := range r.gens {
		doc.Generations = append(doc.Generations, written{
			ID: g.id, Secret: base64.StdEncoding.EncodeToString(g.secret[:]), CreatedAt: g.created, Staged: g.staged,
		})
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic("keys: marshal ring: " + err.Error()) // two strings and a time
	}
	return append(b, '\n')
}

// String keeps a ring that is logged by mistake to itself.
func (r *Ring) String() string { return fmt.Sprintf("key ring of %d generations", len(r.gens)) }

// GoString is String.
func (r *Ring) GoString() string { return r.String() }

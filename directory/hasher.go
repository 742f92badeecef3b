package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"
)

// ErrBusy says that the work that waits would take more than a second. Nothing
// was done; ask again shortly.
var ErrBusy = errors.New("password hashing is at its limit")

// queueMax is how much hashing may wait, as time until a new one starts.
const queueMax = time.Second

// defaultCost is what a hash at DefaultParams takes on a core of today.
const defaultCost = 40 * time.Millisecond

// Hasher hashes passwords, as many at a time as it has workers. What would wait
// longer than a second is refused on arrival, judged by the measured cost, so
// that a flood of sign-ons slows nothing but sign-ons.
//
// Passwords are composed (NFC, RFC 8265 OpaqueString) before hashing and taken
// as they are otherwise.
type Hasher struct {
	params Params
	slots  chan struct{}
	now    func() time.Time
	dummy  string

	mu       sync.Mutex
	inflight int
	cost     time.Duration // of one hash: a guess, then a moving average
	measured bool
}

// NewHasher makes a pool of as many workers as there are cores to spend. It hashes
// nothing itself: the dummy is random bytes in the place of a hash, and the cost
// is that of a usual core until the first hash has been timed.
func NewHasher(p Params, workers int, now func() time.Time) *Hasher {
	d := DefaultParams()
	return &Hasher{
		params: p, slots: make(chan struct{}, max(1, workers)), now: now,
		dummy: phc{params: p, salt: random(saltSize), hash: random(hashSize)}.String(),
		cost:  defaultCost * time.Duration(p.Memory*p.Time) / time.Duration(d.Memory*d.Time),
	}
}

// Hash returns the password's PHC string. It fails with ErrBusy or ctx's error.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var out string
	err := h.work(ctx, func() { out = derive(norm.NFC.String(password), h.params, random(saltSize)).String() })
	return out, err
}

// Verify reports whether the password is the one that stored was made from, and
// whether stored was made at another cost than today's. It fails with ErrBusy,
// ctx's error, or when stored cannot be read.
func (h *Hasher) Verify(ctx context.Context, password, stored string) (match, outdated bool, err error) {
	parsed, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	err = h.work(ctx, func() { match = parsed.matches(norm.NFC.String(password)) })
	return match, parsed.params != h.params, err
}

// Dummy is a hash at today's cost of a password nobody knows: what is verified
// when there is nothing to verify against.
func (h *Hasher) Dummy() string { return h.dummy }

func (h *Hasher) work(ctx context.Context, fn func()) error {
	if !h.enter() {
		return ErrBusy
	}
	var took time.Duration
	defer func() { h.leave(took) }()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	start := h.now()
	fn()
	took = h.now().Sub(start)
	return nil
}

// enter counts a caller in, unless the rounds of work ahead of it take longer
// than queueMax.
func (h *Hasher) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rounds := h.inflight / cap(h.slots); time.Duration(rounds)*h.cost > queueMax {
		return false
	}
	h.inflight++
	return true
}

func (h *Hasher) leave(took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inflight--
	switch {
	case took > 0 && h.measured:
		h.cost += (took - h.cost) / 8
	case took > 0:
		h.cost, h.measured = took, true
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

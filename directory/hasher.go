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
	cost     time.Duration // of one hash, moving average
}

// NewHasher makes a pool of as many workers as there are cores to spend. It
// hashes once, to learn the cost.
func NewHasher(p Params, workers int, now func() time.Time) *Hasher {
	h := &Hasher{params: p, slots: make(chan struct{}, max(1, workers)), now: now}
	start := now()
	h.dummy = derive(rand.Text(), p, salt()).String()
	h.cost = now().Sub(start)
	return h
}

// Hash returns the password's PHC string. It fails with ErrBusy or ctx's error.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var out string
	err := h.work(ctx, func() { out = derive(norm.NFC.String(password), h.params, salt()).String() })
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
	if took > 0 {
		h.cost += (took - h.cost) / 8
	}
}

func salt() []byte {
	b := make([]byte, saltSize)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

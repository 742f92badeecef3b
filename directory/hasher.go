package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"doorward/directory/hash"
)

// ErrBusy says that the work that waits would take more than a second. Nothing
// was done; ask again shortly.
var ErrBusy = errors.New("password hashing is at its limit")

// queueMax is how much hashing may wait, as time until a new one starts.
const queueMax = time.Second

// Params are the costs of the hashes that are written.
type Params = hash.Params

// DefaultParams is 19 MiB, 2 passes, 1 lane: about 40 ms of one core.
func DefaultParams() Params { return hash.DefaultParams() }

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
	decoy  hash.Hash // the dummy, read
	beside func() (done func())

	mu       sync.Mutex
	inflight int           // in shares
	cost     time.Duration // of one hash: a moving average that begins with a guess
}

// share is the work of one hash at today's parameters; that of another is
// counted in thousandths of it.
const share = 1000

// NewHasher makes a pool of as many workers as there are cores to spend. It hashes
// nothing itself: the dummy is random bytes in the place of a hash, and the cost
// is that of a usual core until the first hash has been timed.
func NewHasher(p Params, workers int, now func() time.Time) *Hasher {
	salt, key := random(hash.SaltSize), random(hash.KeySize)
	return &Hasher{
		params: p, slots: make(chan struct{}, max(1, workers)), now: now, cost: p.Cost(),
		dummy: hash.Write(p, salt, key), decoy: hash.Argon2id(p, salt, key),
		beside: func() func() { return func() {} },
	}
}

// Beside has room called when a hash begins, and what it returns when that is done. It
// is set before the first.
func (h *Hasher) Beside(room func() (done func())) { h.beside = room }

// Hash returns the password's PHC string. It fails with ErrBusy or ctx's error.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var out string
	err := h.work(ctx, share, func() { out = hash.Derive(norm.NFC.String(password), h.params, random(hash.SaltSize)) })
	return out, err
}

// Verify reports whether the password is the one that stored was made from, and
// whether stored was made in another way or at another cost than today's. It
// fails with ErrBusy, ctx's error, or when stored cannot be read.
//
// A hash that is cheaper than today's is verified beside the dummy, so that no
// account answers faster than one that is not there. One that is dearer answers
// slower, until its owner has signed on once.
func (h *Hasher) Verify(ctx context.Context, password, stored string) (match, outdated bool, err error) {
	parsed, err := hash.Parse(stored)
	if err != nil {
		return false, false, fmt.Errorf("stored password: %w", err)
	}
	composed, shares := norm.NFC.String(password), h.shares(parsed)
	err = h.work(ctx, shares, func() {
		if match = parsed.Matches(composed); parsed.Cost() < h.params.Cost() {
			h.decoy.Matches(composed)
		}
	})
	return match, !parsed.Current(h.params), err
}

// Import reports whether a password that another system has hashed may be stored
// as it is: that Verify will read it, and that it costs no more than a sign-on is
// worth. Its error says which, and nothing of what is in it.
func (*Hasher) Import(stored string) error {
	_, err := hash.Parse(stored)
	return err
}

// Dummy is a hash at today's cost of a password nobody knows: what is verified
// when there is nothing to verify against.
func (h *Hasher) Dummy() string { return h.dummy }

// shares is how much work it is to verify parsed.
func (h *Hasher) shares(parsed hash.Hash) int {
	if parsed.Current(h.params) {
		return share
	}
	n := int(share * parsed.Cost() / h.params.Cost())
	if n < share { // the decoy
		n += share
	}
	return n
}

func (h *Hasher) work(ctx context.Context, shares int, fn func()) error {
	if !h.enter(shares) {
		return ErrBusy
	}
	var took time.Duration
	defer func() { h.leave(shares, took) }()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	defer h.beside()()
	start := h.now()
	fn()
	took = h.now().Sub(start)
	return nil
}

// enter counts a caller in, unless the rounds of work ahead of it take longer
// than queueMax.
func (h *Hasher) enter(shares int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rounds := h.inflight / share / cap(h.slots); time.Duration(rounds)*h.cost > queueMax {
		return false
	}
	h.inflight += shares
	return true
}

// leave counts a caller out. Only hashes at today's parameters are timed: how the
// cost of others compares is an estimate.
func (h *Hasher) leave(shares int, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inflight -= shares
	if took > 0 && shares == share {
		h.cost += (took - h.cost) / 8
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

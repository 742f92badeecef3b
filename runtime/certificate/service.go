package certificate

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"doorward/runtime/flow"
)

// Store is what lasts.
type Store interface {
	Authorities
	// Add keeps a certificate, and returns what was kept first under the effect.
	Add(ctx context.Context, n New) (Issued, error)
	// PIN gives a PIN to its owner and counts that; flow.ErrUnknown where the
	// certificate is not the user's, is good no more, or was kept without one.
	PIN(ctx context.Context, env, userID, id string) (string, error)
	// HasPIN reports whether there is a PIN that the user may be given.
	HasPIN(ctx context.Context, env, userID string) (bool, error)
	// Revoked are those of an authority that are good no more, and have not ended.
	Revoked(ctx context.Context, env string, generation int) ([]Revoked, error)
}

// Authorities keeps them, with their keys sealed.
type Authorities interface {
	// Authorities of an environment, oldest first.
	Authorities(ctx context.Context, env string) ([]*Authority, error)
	// AddAuthority reports whether it is the one of its generation: of several at once,
	// in all processes, one is.
	AddAuthority(ctx context.Context, a *Authority) (bool, error)
}

// Places says how an environment is called and where it is met: the address below which
// its certificates are published.
type Places interface {
	Place(env string) (name, base string, err error)
}

// New is a certificate to be kept.
type New struct {
	Issued
	PIN    string // empty: none
	Most   int    // how many a user may have: the oldest are revoked
	Effect string
}

// Issued is a certificate of a person. The certificate itself is not kept for longer
// than its effect: its names are the person's.
type Issued struct {
	Env, UserID, ID string
	Device          string // id, of what has proven the person
	Generation      int    // of the authority
	Serial          string // hexadecimal
	Thumbprint      [32]byte
	Certificate     []byte // DER
	CreatedAt       time.Time
	ExpiresAt       time.Time
}

// Order asks for a certificate of somebody who has been proven.
type Order struct {
	Env, UserID, Username string
	Device                string // id, of what has proven them
	Request               string // as PublicKey takes it
	PIN                   string // that protects the private key; empty: none is kept
	Effect                string
}

// Bundle is a certificate with those by which it is verified.
type Bundle struct {
	ID          string
	Certificate string // PEM
	Chain       string // PEM, the authority
	ExpiresAt   time.Time
}

const (
	// most is how many certificates a user may have that are good.
	most = 20
	// remembered is how long a list of revoked certificates is given again.
	remembered = time.Minute
)

// Service is the certificate authority of every environment.
type Service struct {
	store  Store
	places Places
	now    func() time.Time

	mu     sync.Mutex
	lists  map[place]*List
	making map[place]bool
}

type place struct {
	env        string
	generation int
}

// NewService makes a Service.
func NewService(store Store, places Places, now func() time.Time) *Service {
	return &Service{store: store, places: places, now: now, lists: map[place]*List{}, making: map[place]bool{}}
}

// Ensure makes the authority that an environment needs and does not have: the first, or
// the one after that which ends within a year. It reports whether it has made one.
func (s *Service) Ensure(ctx context.Context, env string) (bool, error) {
	all, err := s.store.Authorities(ctx, env)
	if err != nil {
		return false, err
	}
	now := s.now()
	next, active := 1, now
	if len(all) > 0 {
		last := all[len(all)-1]
		if now.Before(last.EndsAt.Add(-renewed)) {
			return false, nil
		}
		next = last.Generation + 1
		if at := last.EndsAt.Add(-changed); at.After(now) {
			active = at
		}
	}
	name, _, err := s.places.Place(env)
	if err != nil {
		return false, err
	}
	a, err := NewAuthority(env, name, next, active, now)
	if err != nil {
		return false, err
	}
	return s.store.AddAuthority(ctx, a)
}

// signer is the authority that signs now.
func (s *Service) signer(ctx context.Context, env string) (*Authority, error) {
	all, err := s.store.Authorities(ctx, env)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var found *Authority
	for _, a := range all {
		if !a.ActiveAt.After(now) && a.EndsAt.After(now) {
			found = a
		}
	}
	if found == nil {
		return nil, fmt.Errorf("authority of environment %s: %w", env, flow.ErrUnknown)
	}
	return found, nil
}

// Issue makes a certificate. The error is an Unfit where the request is not taken. The
// same effect again is answered with the certificate that it made first.
func (s *Service) Issue(ctx context.Context, o Order) (Bundle, error) {
	key, err := PublicKey(o.Request)
	if err != nil {
		return Bundle{}, err
	}
	_, base, err := s.places.Place(o.Env)
	if err != nil {
		return Bundle{}, err
	}
	a, err := s.signer(ctx, o.Env)
	if errors.Is(err, flow.ErrUnknown) { // the definition was published a moment ago
		if _, err = s.Ensure(ctx, o.Env); err == nil {
			a, err = s.signer(ctx, o.Env)
		}
	}
	if err != nil {
		return Bundle{}, err
	}
	serial, err := newSerial()
	if err != nil {
		return Bundle{}, err
	}
	cert, err := a.sign(leaf{serial, o.Username, o.UserID, key, base}, s.now())
	if err != nil {
		return Bundle{}, err
	}
	kept, err := s.store.Add(ctx, New{PIN: o.PIN, Most: most, Effect: o.Effect, Issued: Issued{
		Env: o.Env, UserID: o.UserID, ID: uuid.NewString(), Device: o.Device, Generation: a.Generation, Serial: serial.Text(16),
		Thumbprint: sha256.Sum256(cert.Raw), Certificate: cert.Raw, CreatedAt: s.now(), ExpiresAt: cert.NotAfter,
	}})
	if err != nil {
		return Bundle{}, fmt.Errorf("keep certificate: %w", err)
	}
	if kept.Generation != a.Generation { // the effect was had of the authority before
		if a, err = s.published(ctx, o.Env, kept.Generation); err != nil {
			return Bundle{}, err
		}
	}
	return Bundle{kept.ID, PEM("CERTIFICATE", kept.Certificate), PEM("CERTIFICATE", a.Certificate), kept.ExpiresAt}, nil
}

// PEM is DER as text.
func PEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// PIN is that of a certificate of the user, who has just been proven anew;
// flow.ErrUnknown where there is none to be had.
func (s *Service) PIN(ctx context.Context, env, userID, id string) (string, error) {
	return s.store.PIN(ctx, env, userID, id)
}

// HasPIN reports whether there is a PIN that the user may be given.
func (s *Service) HasPIN(ctx context.Context, env, userID string) (bool, error) {
	return s.store.HasPIN(ctx, env, userID)
}

// Published are the authorities of an environment that have not ended, that which signs
// now first. flow.ErrUnknown where there is none.
func (s *Service) Published(ctx context.Context, env string) ([]*Authority, error) {
	first, err := s.signer(ctx, env)
	if err != nil {
		return nil, err
	}
	all, err := s.store.Authorities(ctx, env)
	if err != nil {
		return nil, err
	}
	out := []*Authority{first}
	for _, a := range all {
		if a.Generation != first.Generation && a.EndsAt.After(s.now()) {
			out = append(out, a)
		}
	}
	return out, nil
}

// published is one of them; 0: that which signs now. flow.ErrUnknown where there is no
// such authority.
func (s *Service) published(ctx context.Context, env string, generation int) (*Authority, error) {
	all, err := s.Published(ctx, env)
	if err != nil {
		return nil, err
	}
	if generation == 0 {
		return all[0], nil
	}
	for _, a := range all {
		if a.Generation == generation {
			return a, nil
		}
	}
	return nil, flow.ErrUnknown
}

// List is a list of revoked certificates.
type List struct {
	DER        []byte
	At         time.Time // when it was made
	NextUpdate time.Time
}

// Revocations is the list of an authority; 0: of that which signs now. It is made at
// most once a minute, whoever asks. flow.ErrUnknown where there is no such authority.
func (s *Service) Revocations(ctx context.Context, env string, generation int) (*List, error) {
	of, err := s.published(ctx, env, generation)
	if err != nil {
		return nil, err
	}
	return s.revocations(ctx, of)
}

// revocations is the list of an authority, as it was made within a minute, or while
// somebody else makes it anew.
func (s *Service) revocations(ctx context.Context, of *Authority) (*List, error) {
	now, at := s.now(), place{of.Env, of.Generation}
	s.mu.Lock()
	have := s.lists[at]
	if have != nil && now.Before(have.NextUpdate) && (s.making[at] || now.Sub(have.At) < remembered) {
		s.mu.Unlock()
		return have, nil
	}
	s.making[at] = true
	s.mu.Unlock()
	made, err := s.revoke(ctx, of, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.making, at)
	if err == nil {
		s.lists[at] = made
	}
	return made, err
}

func (s *Service) revoke(ctx context.Context, of *Authority, now time.Time) (*List, error) {
	revoked, err := s.store.Revoked(ctx, of.Env, of.Generation)
	if err != nil {
		return nil, err
	}
	der, err := of.list(revoked, now)
	return &List{DER: der, At: now, NextUpdate: now.Add(listed)}, err
}

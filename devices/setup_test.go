package devices_test

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/devices"
	"doorward/devices/client"
	"doorward/keys"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/session"
	"doorward/wire"
)

const (
	envID    = "d0000000-0000-4000-8000-000000000001"
	otherEnv = "d0000000-0000-4000-8000-000000000002"
	native   = "d0000000-0000-4000-8000-0000000000a2"
	ada      = "ada00000-0000-4000-8000-000000000001"
	bob      = "b0b00000-0000-4000-8000-000000000001"
	firefox  = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)

// house is a face behind a real listener.
type house struct {
	*httptest.Server
	*store
	t        testing.TB
	face     *devices.Face
	ring     *keys.Ring
	ahead    atomic.Int64
	stopping chan struct{}
}

func (h *house) now() time.Time       { return time.Now().Add(time.Duration(h.ahead.Load())) }
func (h *house) pass(d time.Duration) { h.ahead.Add(int64(d)) }
func (h *house) base(env string) string {
	return h.URL + "/" + env
}

func open(t testing.TB) *house {
	t.Helper()
	mux := http.NewServeMux()
	h := &house{Server: httptest.NewServer(mux), t: t, stopping: make(chan struct{})}
	t.Cleanup(h.Close)
	h.store = &store{now: h.now, pairings: map[[32]byte]*device.Pairing{}, devices: map[string]device.Device{}, pushes: map[string]device.Push{}}
	var err error
	if h.ring, err = keys.Generate(); err != nil {
		t.Fatal(err)
	}
	tries := session.NewMemory(session.DefaultMemory, h.now)
	t.Cleanup(func() { _ = tries.Close() })
	all := tenants{}
	for _, env := range []string{envID, otherEnv} {
		all[env] = configs.NewBundle(configs.Environment{ID: env, Name: "Acme", AuthBase: h.URL}, &configs.Application{ID: native, Name: "Acme App", Enabled: true})
	}
	h.face = devices.New(devices.Parts{
		Tenants: all, Devices: h.store, Codes: h.store, Pushes: h.store, Board: h.store, Names: names{}, Tries: tries, Keys: h.ring,
		Problems: problems{}, Events: h.store, Now: h.now, Stopping: h.stopping,
	})
	h.face.Register(router{mux})
	return h
}

type router struct{ *http.ServeMux }

func (m router) Handle(method, path string, h http.Handler) {
	m.ServeMux.Handle(method+" "+strings.NewReplacer(":env", "{env}", ":id", "{id}").Replace(path), h)
}

type tenants map[string]*configs.Bundle

func (t tenants) Resolve(_, path string) (*configs.Bundle, string, error) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	b, ok := t[id]
	if !ok {
		return nil, "", &flow.Fault{Code: flow.NotFound, Message: "no environment"}
	}
	return b, "/" + rest, nil
}

type names struct{}

func (names) Username(_ context.Context, _, userID string) (string, error) {
	return map[string]string{ada: "ada", bob: "bob"}[userID], nil
}

type problems struct{}

func (problems) Problem(w http.ResponseWriter, _ *http.Request, _ *configs.Bundle, f *flow.Fault) {
	status, body, header := wire.Problem(f, "00000000-0000-4000-8000-000000000000", wire.Place{})
	for k, v := range header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// store is a directory of one process.
type store struct {
	mu       sync.Mutex
	now      func() time.Time
	pairings map[[32]byte]*device.Pairing
	devices  map[string]device.Device // by environment and id
	pushes   map[string]device.Push   // likewise
	used     map[[32]byte]string      // which device a pairing has become
	full     bool
	seedless bool // devices are given no seed
	accepted bool // a code was
	untaken  bool // codes are not
	events   []flow.Event
}

func (s *store) Record(_ context.Context, e flow.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

func (s *store) said(t flow.EventType) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Type == t {
			n++
		}
	}
	return n
}

func (s *store) Mobile(_ context.Context, env, id string) (device.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.devices[env+id]
	if !ok {
		return d, flow.ErrUnknown
	}
	return d, nil
}

func (s *store) Pair(_ context.Context, c devices.Claim) (device.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pairings[c.Hash]
	switch {
	case !ok || p.Env != c.Env || !s.now().Before(p.ExpiresAt):
		return device.Device{}, flow.ErrUnknown
	case s.used[c.Hash] != "":
		if d := s.devices[p.Env+p.ID]; string(d.Key) == string(c.Key) {
			return d, nil
		}
		return device.Device{}, flow.ErrUnknown
	case s.full:
		return device.Device{}, devices.ErrTooMany
	}
	for _, d := range s.devices {
		if d.Env == c.Env && string(d.Key) == string(c.Key) {
			return device.Device{}, devices.ErrPaired
		}
	}
	d := device.Device{
		Env: p.Env, UserID: p.UserID, ID: p.ID, Type: device.Mobile, Status: device.Active, Application: p.Application,
		Key: c.Key, Name: c.Name, Alert: c.Alert, Codes: !s.seedless, CreatedAt: s.now(), ActivatedAt: s.now(),
	}
	if s.used == nil {
		s.used = map[[32]byte]string{}
	}
	s.devices[d.Env+d.ID], s.used[c.Hash] = d, d.ID
	return d, nil
}

// seed is that of every device: the one of RFC 6238 appendix B.
func seed() []byte { return []byte("12345678901234567890") }

func (s *store) FreshSeed(_ context.Context, env, id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.devices[env+id]; !d.Codes || s.accepted {
		return nil, flow.ErrUnknown
	}
	return seed(), nil
}

func (s *store) Computed(d *device.Device) (device.Computed, bool) {
	return device.Computed{Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second, Taken: !s.untaken}, d.Codes
}

func (s *store) Unpair(_ context.Context, d device.Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.devices, d.Env+d.ID)
	return nil
}

// change changes a device as an administrator would.
func (s *store) change(id string, how func(*device.Device)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[envID+id]
	how(&d)
	s.devices[envID+id] = d
}

func (s *store) Pushes(_ context.Context, env, id string) ([]device.Push, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []device.Push
	for _, p := range s.pushes {
		if p.Env == env && p.Device == id && p.State == device.PushPending && s.now().Before(p.ExpiresAt) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b device.Push) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

func (s *store) WaitingPushes(context.Context) ([]device.WaitingPush, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []device.WaitingPush
	for _, p := range s.pushes {
		if p.State == device.PushPending && s.now().Before(p.ExpiresAt) {
			out = append(out, device.WaitingPush{Env: p.Env, Device: p.Device, ID: p.ID})
		}
	}
	return out, nil
}

func (s *store) Push(_ context.Context, env, of, id string) (device.Push, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.push(env, of, id)
}

func (s *store) push(env, of, id string) (device.Push, error) {
	p, ok := s.pushes[env+id]
	if !ok || p.Device != of {
		return device.Push{}, flow.ErrUnknown
	}
	if p.State == device.PushPending && !s.now().Before(p.ExpiresAt) {
		p.State = device.PushGone
	}
	return p, nil
}

func (s *store) AnswerPush(_ context.Context, env, of, id string, approve bool) (device.Push, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.push(env, of, id)
	if err != nil || p.State != device.PushPending {
		return p, err
	}
	if p.State = device.PushRejected; approve {
		p.State = device.PushApproved
	}
	s.pushes[env+id] = p
	return p, nil
}

// state is what has become of a push.
func (s *store) state(id string) device.PushState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pushes[envID+id].State
}

// send asks a device; the number may be empty.
func (h *house) send(of, number string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := uuid.NewString()
	h.pushes[envID+id] = device.Push{
		Env: envID, ID: id, UserID: ada, Device: of, Number: number, Client: device.ClientOf(netip.MustParseAddr("203.0.113.7"), firefox),
		Application: "Acme Portal", State: device.PushPending, CreatedAt: h.now(), ExpiresAt: h.now().Add(40 * time.Second),
	}
	return id
}

// key is a pairing key of a user.
func (h *house) key(env, user string) string {
	h.t.Helper()
	code, err := device.NewPairingKey(rand.Reader, device.Numeric)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	hash := h.ring.Derive(device.PairingPurpose, env, code)
	h.pairings[hash] = &device.Pairing{Env: env, UserID: user, ID: uuid.NewString(), Application: native, Hash: hash, ExpiresAt: h.now().Add(10 * time.Minute)}
	return code
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// fresh is a device that is not paired.
func (h *house) fresh(env string, key crypto.Signer) *client.Client {
	return &client.Client{Environment: h.base(env), Key: key, HTTP: h.Client(), Now: h.now, Random: rand.Reader}
}

// paired is a device of a user.
func (h *house) paired(env, user string) *client.Client {
	h.t.Helper()
	c := h.fresh(env, p256(h.t))
	if _, err := c.Pair(h.t.Context(), h.key(env, user), "Pixel", ""); err != nil {
		h.t.Fatal(err)
	}
	return c
}

package mfa_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

const (
	env  = "e1"
	user = "u1"
	rpID = "auth.example"
	site = "https://auth.example"
)

// rig is a Service over things in memory, with a clock that is set.
type rig struct {
	*mfa.Service
	t        testing.TB
	clock    time.Time
	store    *store
	secrets  *secrets
	tries    *counts
	messages *messages
	policy   *mfapolicy.Policy
	others   map[string]*mfapolicy.Policy // by id; policy has all others
	fido     *mfapolicy.FIDO2Policy
	settings *mfapolicy.Settings
	contact  mfa.Contact
	// attributes are the user's, as policies name them.
	attributes map[string]any
	turns      int
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	r := &rig{
		t: tb, clock: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), policy: mfapolicy.Default(), fido: mfapolicy.DefaultFIDO2(rpID),
		settings: mfapolicy.DefaultSettings(), contact: mfa.Contact{Email: "ada@example.com", Given: "Ada", Username: "ada"},
	}
	now := func() time.Time { return r.clock }
	r.store = newStore(now)
	r.secrets = &secrets{now: now, of: map[string]*secret{}}
	r.tries = &counts{now: now, of: map[string]*count{}}
	r.messages = &messages{now: now, sent: map[string][]time.Time{}, done: map[string]string{}}
	r.policy.Voice.Enabled, r.policy.OathToken.Enabled = true, true
	r.Service = mfa.New(mfa.Options{
		Store: r.store, Secrets: r.secrets, Tries: r.tries, Messages: r.messages, People: people{r}, Policies: policies{r}, Keys: keys{},
		NormalEmail: func(s string) (string, error) {
			if !strings.Contains(s, "@") {
				return "", errAway
			}
			return strings.ToLower(s), nil
		},
		NormalName: func(s string) (string, error) { return strings.ToLower(strings.TrimSpace(s)), nil },
		Random:     rand.Reader, Now: now,
	})
	return r
}

// who is the user in an execution, in a turn of its own.
func (r *rig) who(execution string) mfa.Who {
	r.turns++
	return mfa.Who{
		Env: env, UserID: user, Username: "ada", DisplayName: "Ada L.", Flow: execution, Application: "Shop", Locales: "de",
		Effect: fmt.Sprintf("%s/n/%d", execution, r.turns),
	}
}

// add puts an active device into the store.
func (r *rig) add(d device.Device, seed []byte) device.Device {
	r.t.Helper()
	d.Env, d.Status = env, device.Active
	if d.UserID == "" {
		d.UserID = user
	}
	d.Codes = d.Type == device.Mobile && len(seed) > 0
	made, err := r.store.Create(context.Background(), mfa.NewDevice{Device: d, Seed: seed, Most: 99})
	if err != nil {
		r.t.Fatal(err)
	}
	return made
}

func (r *rig) phone() device.Device {
	return r.add(device.Device{Type: device.SMS, Phone: "+15550100"}, nil)
}

func seed() []byte { return []byte("12345678901234567890") }

func (r *rig) app() device.Device { return r.add(device.Device{Type: device.TOTP}, seed()) }

// challenge asks a device in an execution.
func (r *rig) challenge(execution string, d device.Device) mfa.Challenge {
	r.t.Helper()
	c, err := r.Challenge(context.Background(), mfa.Start{Who: r.who(execution), Device: d})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// otp tries a code.
func (r *rig) otp(execution string, c mfa.Challenge, code string) mfa.Verdict {
	r.t.Helper()
	v, err := r.CheckOTP(context.Background(), mfa.OTP{Who: r.who(execution), Challenge: c, Code: code})
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// wrong is a code that is not the one.
func wrong(code string) string {
	return string('0'+(code[0]-'0'+1)%10) + code[1:]
}

func same(t testing.TB, want, got any, what string) {
	t.Helper()
	if fmt.Sprint(want) != fmt.Sprint(got) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// detail is the one detail of what somebody is told.
func detail(t testing.TB, f *flow.Fault) flow.Detail {
	t.Helper()
	if f == nil || len(f.Details) != 1 {
		t.Fatalf("fault %v", f)
	}
	return f.Details[0]
}

type keys struct{}

func (keys) Derive(purpose string, parts ...string) [32]byte {
	mac := hmac.New(sha256.New, []byte(purpose))
	for _, p := range parts {
		_, _ = fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return [32]byte(mac.Sum(nil))
}

type policies struct{ r *rig }

func (p policies) Policy(_, id string) (*mfapolicy.Policy, error) {
	if other := p.r.others[id]; other != nil {
		return other, nil
	}
	return p.r.policy, nil
}

func (p policies) FIDO2(string, string) (*mfapolicy.FIDO2Policy, error) { return p.r.fido, nil }
func (p policies) Settings(string) *mfapolicy.Settings                  { return p.r.settings }
func (p policies) Party(string) passkey.Party {
	return passkey.Party{ID: rpID, Name: "Acme Travel", Origins: []string{site}}
}

type people struct{ r *rig }

func (p people) Attributes(context.Context, string, string) (map[string]any, error) {
	return p.r.attributes, nil
}

func (p people) Contact(_ context.Context, _, userID string) (mfa.Contact, error) {
	if userID != user {
		return mfa.Contact{}, flow.ErrUnknown
	}
	return p.r.contact, nil
}

// secrets holds the contract of the session store.
type secrets struct {
	mu       sync.Mutex
	now      func() time.Time
	of       map[string]*secret
	compared int
}

type secret struct {
	hash        [32]byte
	left        int
	until       time.Time
	used, tried string
}

func (s *secrets) PutSecret(_ context.Context, name string, hash [32]byte, tries int, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[name] = &secret{hash: hash, left: tries, until: s.now().Add(ttl)}
	return nil
}

func (s *secrets) UseSecret(_ context.Context, name string, hash [32]byte, effect string) (mfa.SecretVerdict, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, try := s.of[name], fmt.Sprintf("%s/%x", effect, hash)
	switch {
	case x == nil || !s.now().Before(x.until):
		return mfa.SecretVerdict{}, nil
	case x.used != "":
		return mfa.SecretVerdict{OK: x.used == try}, nil
	case x.tried == try:
		return mfa.SecretVerdict{Wrong: true, Left: x.left}, nil
	case x.left < 1:
		return mfa.SecretVerdict{}, nil
	}
	x.left--
	s.compared++
	if x.hash == hash {
		x.used = try
		return mfa.SecretVerdict{OK: true}, nil
	}
	x.tried = try
	return mfa.SecretVerdict{Wrong: true, Left: x.left}, nil
}

// counts holds the contract of the session store's counters.
type counts struct {
	mu  sync.Mutex
	now func() time.Time
	of  map[string]*count
}

type count struct {
	n    int
	ends time.Time
}

func (c *counts) Count(_ context.Context, limits []flow.Limit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var passed error
	for _, l := range limits {
		x := c.of[l.Key]
		if x == nil || !c.now().Before(x.ends) {
			x = &count{ends: c.now().Add(l.Window)}
			c.of[l.Key] = x
		}
		if x.n++; x.n > l.Max && passed == nil {
			passed = &flow.LimitError{Limit: l, RetryAfter: int(x.ends.Sub(c.now()).Seconds())}
		}
	}
	return passed
}

func (c *counts) Uncount(_ context.Context, limits []flow.Limit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range limits {
		if x := c.of[l.Key]; x != nil && x.n > 0 {
			x.n--
		}
	}
	return nil
}

// messages holds the contract of the outbox.
type messages struct {
	mu   sync.Mutex
	now  func() time.Time
	sent map[string][]time.Time // by limit
	done map[string]string
	all  []mfa.Message
}

func (m *messages) Post(_ context.Context, p mfa.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id, again := m.done[p.Effect]; again && p.Effect != "" {
		return id, nil
	}
	for _, l := range p.Limits {
		n := 0
		for _, at := range m.sent[l.Kind+l.Of] {
			if m.now().Sub(at) < time.Hour {
				n++
			}
		}
		if n >= l.Number {
			return "", nil
		}
	}
	for _, l := range p.Limits {
		m.sent[l.Kind+l.Of] = append(m.sent[l.Kind+l.Of], m.now())
	}
	m.all = append(m.all, p)
	id := fmt.Sprintf("m%d", len(m.all))
	m.done[p.Effect] = id
	return id, nil
}

// last is the code that was sent last.
func (m *messages) last(t testing.TB) string {
	t.Helper()
	for i := len(m.all) - 1; i >= 0; i-- {
		if m.all[i].Template == "otp" {
			return m.all[i].Params["code"]
		}
	}
	t.Fatal("no code was sent")
	return ""
}

// mail is the templates of what was sent, beside codes.
func (m *messages) mail() (out []string) {
	for _, p := range m.all {
		if p.Template != "otp" {
			out = append(out, p.Template+" to "+p.To)
		}
	}
	return out
}

package engine_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

const (
	env = "d0000000-0000-4000-8000-000000000001"
	app = "d0000000-0000-4000-8000-0000000000a1"
)

// house is an engine with everything it is given, in memory and in reach.
type house struct {
	*engine.Engine
	t        testing.TB
	store    *store
	sessions engine.Sessions     // the store
	index    engine.SessionIndex // the store
	keys     *ring
	ask      *ask
	plan     *flow.Plan
	others   []*flow.Plan // to be tried when plan fails
	facts    func(user string) (map[string]any, error)
	rates    engine.Rates
	standing func(user string) (flow.Standing, error)

	mu     sync.Mutex
	at     time.Time
	events []flow.Event
	more   []flow.Kind // besides those that every house has
}

func monday() time.Time { return time.Date(2031, 5, 5, 9, 0, 0, 0, time.UTC) }

// newHouse serves one plan: the nodes in their order, those without outlets of
// their own leading to the next one.
func newHouse(t testing.TB, nodes ...*flow.Node) *house {
	t.Helper()
	h := &house{t: t, at: monday(), keys: &ring{{1}}, ask: &ask{}}
	h.store = newStore(h.now)
	h.plan = planOf(nodes...)
	h.build()
	return h
}

func (h *house) build() {
	h.t.Helper()
	if h.sessions == nil {
		h.sessions, h.index = h.store, h.store
	}
	e, err := engine.New(engine.Parts{
		Executions: h.store, Sessions: h.sessions, Index: h.index, Plans: h, Users: h, Keys: h.keys, Events: h,
		Kinds: append([]flow.Kind{h.ask, pass{}, odd{}, fill{}, step{}}, h.more...), Rates: h.rates, Now: h.now, Random: rand.NewChaCha8([32]byte{7}),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.Engine = e
}

func planOf(nodes ...*flow.Node) *flow.Plan {
	p := &flow.Plan{Hash: flow.Sum("plan"), Name: "Single_Factor", Entry: nodes[0].Key, Nodes: map[string]*flow.Node{}}
	for i, n := range nodes {
		if n.Outlets == nil {
			next := ""
			if i+1 < len(nodes) {
				next = nodes[i+1].Key
			}
			n.Skip, n.Outlets = next, map[string]string{"DONE": next}
		}
		p.Nodes[n.Key] = n
	}
	return p
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func (h *house) Plan(_ context.Context, in string, hash flow.Digest) (*flow.Plan, error) {
	for _, p := range append([]*flow.Plan{h.plan}, h.others...) {
		if in == env && hash == p.Hash {
			return p, nil
		}
	}
	return nil, flow.ErrUnknown
}

// plans names what an application is assigned.
func (h *house) plans() []flow.Digest {
	out := []flow.Digest{h.plan.Hash}
	for _, p := range h.others {
		out = append(out, p.Hash)
	}
	return out
}

func (h *house) Standing(_ context.Context, _, user string) (flow.Standing, error) {
	if h.standing == nil {
		return flow.Standing{Enabled: true}, nil
	}
	return h.standing(user)
}

// everybody may sign on, and nobody has facts.
type everybody struct{}

func (everybody) Standing(context.Context, string, string) (flow.Standing, error) {
	return flow.Standing{Enabled: true}, nil
}

func (everybody) Facts(context.Context, string, string) (map[string]any, error) { return nil, nil }

func (h *house) Facts(_ context.Context, _, user string) (map[string]any, error) {
	if h.facts == nil {
		return nil, nil
	}
	return h.facts(user)
}

func (h *house) Record(_ context.Context, e flow.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// heard is the types of the events since the last call.
func (h *house) heard() []flow.EventType {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []flow.EventType
	for _, e := range h.events {
		out = append(out, e.Type)
	}
	h.events = nil
	return out
}

// record is what the store keeps.
func (h *house) record(v flow.View) *flow.Execution {
	h.t.Helper()
	x, _, err := h.store.Load(h.t.Context(), v.Ref, flow.Digest{})
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

// fail makes the named batch fail once; it runs when ran is set.
func (h *house) fail(batch string, ran bool) {
	done := false
	h.store.gate = func(_ context.Context, name string, run func() error) error {
		if name != batch || done {
			return run()
		}
		done = true
		if ran {
			_ = run()
		}
		return errors.New("i/o timeout")
	}
}

// ring is keys with generations, youngest first.
type ring [][]byte

func (r *ring) Derive(purpose string, parts ...string) [32]byte {
	return derive((*r)[0], purpose, parts)
}

func (r *ring) Matches(purpose string, sum [32]byte, parts ...string) bool {
	return slices.ContainsFunc(*r, func(key []byte) bool { return derive(key, purpose, parts) == sum })
}

// Seal hides plain behind a key stream; the tests ask only that it is not plain.
func (r *ring) Seal(plain []byte, in, column string) ([]byte, error) {
	stream := derive((*r)[0], "seal", []string{in, column})
	out := append([]byte{(*r)[0][0]}, plain...)
	for i := range plain {
		out[i+1] ^= stream[i%len(stream)]
	}
	return out, nil
}

func (r *ring) Open(sealed []byte, in, column string) ([]byte, error) {
	for _, key := range *r {
		if len(sealed) > 0 && key[0] == sealed[0] {
			plain, err := (&ring{key}).Seal(sealed[1:], in, column)
			return plain[1:], err
		}
	}
	return nil, errors.New("no such key")
}

func (r *ring) rotate() { *r = ring{{(*r)[0][0] + 1}, (*r)[0]} }

func derive(key []byte, purpose string, parts []string) [32]byte {
	m := hmac.New(sha256.New, key)
	for _, p := range append([]string{purpose}, parts...) {
		_ = binary.Write(m, binary.BigEndian, uint32(len(p)))
		_, _ = m.Write([]byte(p))
	}
	return [32]byte(m.Sum(nil))
}

// browser is a client with a cookie jar, or with a Flow-Token in its place.
type browser struct {
	h      *house
	cookie string
	token  string
	ip     netip.Addr
}

func (h *house) browser() *browser {
	return &browser{h: h, ip: netip.MustParseAddr("192.0.2.1")}
}

func (b *browser) caller() flow.Caller {
	return flow.Caller{Cookie: b.cookie, FlowToken: b.token, Client: flow.Client{RemoteIP: b.ip, UserAgent: "test"}}
}

// keep takes what an answer sets. A client with a token has no jar.
func (b *browser) keep(v flow.View, err error) {
	var f *flow.Fault
	if errors.As(err, &f) && f.View != nil {
		v = *f.View
	}
	if v.FlowToken != "" {
		b.token = v.FlowToken
	}
	if v.Cookie != "" && b.token == "" {
		b.cookie = v.Cookie
	}
}

func (b *browser) begin(edit ...func(*flow.Start)) (flow.View, *flow.Completion, error) {
	s := flow.Start{Env: env, Plans: b.h.plans(), Caller: b.caller(), Request: flow.Request{Application: app, MaxAge: -1, ReturnTo: "https://app.example/back", Payload: []byte("payload")}}
	for _, e := range edit {
		e(&s)
	}
	v, done, err := b.h.Start(b.h.t.Context(), s)
	b.keep(v, err)
	return v, done, err
}

// start begins an execution that asks a question.
func (b *browser) start(edit ...func(*flow.Start)) flow.View {
	b.h.t.Helper()
	v, done, err := b.begin(edit...)
	if err != nil || done != nil {
		b.h.t.Fatalf("start: completion %v, error %v", done, err)
	}
	return v
}

func (b *browser) send(ref flow.Ref, s flow.Submit) (flow.View, error) {
	ctx, cancel := context.WithTimeout(b.h.t.Context(), 2*time.Second)
	defer cancel()
	v, err := b.h.Act(ctx, ref, b.caller(), s)
	b.keep(v, err)
	return v, err
}

func say(user, answer string) flow.Submit {
	s := flow.Submit{Action: "answer", Values: flow.Values{"answer": answer}}
	if user != "" {
		s.Values["user"] = user
	}
	return s
}

// answer submits one as a page does, with the step token, and expects it to be
// taken.
func (b *browser) answer(v flow.View, user, answer string) flow.View {
	b.h.t.Helper()
	s := say(user, answer)
	s.Token = v.Token
	v, err := b.send(v.Ref, s)
	if err != nil {
		b.h.t.Fatalf("answer %q as %q: %v", answer, user, err)
	}
	return v
}

func (b *browser) reset(v flow.View) flow.View {
	b.h.t.Helper()
	v, err := b.send(v.Ref, flow.Submit{Action: engine.ResetAction})
	if err != nil {
		b.h.t.Fatalf("reset: %v", err)
	}
	return v
}

func (b *browser) see(v flow.View) (flow.View, error) {
	return b.h.View(b.h.t.Context(), v.Ref, b.caller())
}

func (b *browser) resume(v flow.View) (flow.View, *flow.Completion, error) {
	return b.h.Resume(b.h.t.Context(), v.Ref, b.caller())
}

// signOn leaves the browser with a session of user.
func (b *browser) signOn(user string) flow.View {
	b.h.t.Helper()
	v := b.start()
	for v.Status == asks {
		v = b.answer(v, user, "right")
	}
	if v.Status != flow.Completed {
		b.h.t.Fatalf("sign-on ended in %s", v.Status)
	}
	return v
}

// wants fails the test unless err is a fault with code.
func wants(t testing.TB, err error, code flow.Code) *flow.Fault {
	t.Helper()
	var f *flow.Fault
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("error %v, want a %s fault", err, code)
	}
	return f
}

// same compares without what only the package flow can see of a field.
func same[T any](t testing.TB, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(flow.Field{})); diff != "" {
		t.Error(diff)
	}
}

package management_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
	"doorward/management"
	"doorward/oidc"
	"doorward/runtime/definition"
	"doorward/runtime/filter"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
	"doorward/steps"
	"doorward/steps/call"
	"doorward/steps/complete"
	"doorward/steps/form"
	"doorward/steps/passwordcheck"
	"doorward/steps/terminate"
	"doorward/steps/userlookup"
)

// log is a log that may be read while it is written.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newHouse(t testing.TB) *house {
	t.Helper()
	mux := http.NewServeMux()
	h := &house{Server: httptest.NewServer(mux), t: t, events: &events{}, logs: &log{}, tokens: map[string]string{}}
	t.Cleanup(h.Close)
	db, err := directory.Open(t.Context(), directory.Options{Path: ":memory:", Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	hasher := directory.NewHasher(directory.Params{Memory: 8, Time: 1, Threads: 1}, 1, h.now)
	policies := func(env, population string) passwordpolicy.Policy {
		b, _ := h.registry.Bundle(env)
		return b.PasswordPolicy(population)
	}
	h.users = directory.NewUsers(db, hasher, h.now)
	h.outbox = directory.NewOutbox(db, ring, h.now)
	store := directory.NewResources(db, ring)
	kinds := kinds()
	h.registry = configs.NewRegistry(store, kinds, h.URL)
	loaded, err := configs.Load(files(t), kinds)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := configs.Apply(t.Context(), loaded, store, seeds{}); err != nil {
		t.Fatal(err)
	}
	if err := h.registry.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.logger = slog.New(slog.NewTextHandler(h.logs, nil))
	codes := directory.NewCodes(db, h.now)
	provider := oidc.New(oidc.Parts{
		Tenants: h.registry, Codes: codes, Grants: codes, Users: h.users, SigningKeys: directory.NewSigningKeys(db, ring, h.now),
		Forms: ring, Events: h.events, Log: h.logger, Now: h.now,
	})
	provider.Register(router{mux})
	editor := configs.NewEditor(store, kinds, h.URL, h.now, uuid.NewString)
	editor.Counting("population", func(ctx context.Context, env, id string) (int, error) {
		return h.users.Count(ctx, env, filter.Compare{Attribute: "population.id", Op: filter.Equal, Value: id})
	})
	h.devices = directory.NewDevices(db, ring, h.now)
	h.issued = directory.NewCertificates(db, ring, h.now)
	h.api = management.New(management.Parts{
		Tenants: h.registry, Workers: provider, Editor: editor, Reload: h.registry.Reload, Users: h.users,
		Passwords: directory.NewPasswords(db, hasher, ring, policies, h.now), Accounts: directory.NewAccounts(db, hasher, ring, policies, h.now),
		Consents: directory.NewConsents(db, h.now), Devices: h.devices, Certificates: h.issued, Links: directory.NewLinks(db, ring, h.now), Factors: h.factors(h.devices, ring), Events: h.events, Log: h.logger, Now: h.now, Posted: func() {}, Outbox: h.outbox, Phones: phones{h.registry},
		Metadata:       management.Metadata{Kinds: kinds, Describe: describe, Triggers: definition.Triggers},
		Administrators: otherID,
	})
	h.api.Register(router{mux})
	return h
}

func describe(kind flow.Stepper, trigger string, configuration json.RawMessage, of management.Resources) (json.RawMessage, error) {
	return definition.Metadata(kind, trigger, configuration, of)
}

// phones are those that are configured.
type phones struct{ *configs.Registry }

// Reaches implements management.Phones.
func (p phones) Reaches(env string, channel flow.Channel) bool {
	b, _ := p.Bundle(env)
	_, known := b.PhoneRequest(channel)
	return known
}

// seeds are for files with users; there are none.
type seeds struct{}

// mail is the mail that waits, one; nil when there is none.
func (h *house) mail() *flow.Message {
	h.t.Helper()
	all, err := h.outbox.Claim(h.t.Context(), 1, time.Minute, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if len(all) == 0 {
		return nil
	}
	if err := h.outbox.Sent(h.t.Context(), all[0].ID); err != nil {
		h.t.Fatal(err)
	}
	return &all[0]
}

func (seeds) Seed(context.Context, configs.User) error { return nil }

// kinds are the step kinds, with nothing behind them.
func kinds() []flow.Kind {
	all := steps.Builtin(steps.Parts{Enrollments: unaware{}})
	for _, k := range []flow.Kind{
		form.New(nil, nil), userlookup.New(nil), passwordcheck.New(nil), complete.New(), terminate.New(), call.New(),
	} {
		if !slices.ContainsFunc(all, func(other flow.Kind) bool { return other.Meta().Name == k.Meta().Name }) {
			all = append(all, k)
		}
	}
	return all
}

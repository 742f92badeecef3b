package steps_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"doorward/keys"
	"doorward/runtime/engine"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/session"
	"doorward/steps"
)

const env = "d0000000-0000-4000-8000-0000000000e1"

// house is the real engine with the real kinds, plans and store, over a town.
type house struct {
	*engine.Engine
	t      *testing.T
	town   *town
	plan   *flow.Plan
	at     atomic.Int64 // Unix nanoseconds: the store's sweeper reads it too
	events []flow.EventType
}

// newHouse serves a policy of these actions.
func newHouse(t *testing.T, actions ...string) *house {
	t.Helper()
	h := &house{t: t, town: newTown()}
	kinds := steps.Builtin(steps.Parts{Passwords: h.town, Changes: h.town, Recoveries: h.town, Registrations: h.town, Verifications: h.town})
	raw := make([]json.RawMessage, len(actions))
	for i, a := range actions {
		raw[i] = json.RawMessage(a)
	}
	src, _, err := policy.Source(json.RawMessage(`{"name":"P"}`), raw, nil, nil)
	h.must(err)
	h.plan, err = policy.Compile(src, kinds)
	h.must(err)
	h.serve(kinds)
	return h
}

// serve runs the plan.
func (h *house) serve(kinds []flow.Kind) {
	t := h.t
	t.Helper()
	h.at.Store(time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC).UnixNano())
	ring, _, err := keys.LoadOrCreate(filepath.Join(t.TempDir(), "keyring.json"))
	h.must(err)
	memory := session.NewMemory(session.DefaultMemory, h.now)
	t.Cleanup(func() { _ = memory.Close() })
	store := session.NewEmbedded(memory, session.NewSQLSessions(newDatabase(t), h.now))
	h.Engine, err = engine.New(engine.Parts{
		Executions: store, Sessions: store, Index: store, Plans: h, Users: h.town, Keys: ring, Events: h,
		Kinds: kinds, Now: h.now, Random: rand.Reader,
	})
	h.must(err)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) now() time.Time { return time.Unix(0, h.at.Load()).UTC() }

func (h *house) Plan(_ context.Context, _ string, hash flow.Digest) (*flow.Plan, error) {
	if hash != h.plan.Hash {
		return nil, flow.ErrUnknown
	}
	return h.plan, nil
}

func (h *house) Record(_ context.Context, e flow.Event) { h.events = append(h.events, e.Type) }

// heard is the events since the last call.
func (h *house) heard() []flow.EventType {
	out := h.events
	h.events = nil
	return out
}

// database is the table in which sessions rest.
type database struct{ *sql.DB }

func newDatabase(t *testing.T) database {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(t.Context(), `CREATE TABLE sessions (env TEXT, hash BLOB, id TEXT, user_id TEXT, body BLOB, put_at INTEGER, expires_at INTEGER, PRIMARY KEY (env, hash))`)
	if err != nil {
		t.Fatal(err)
	}
	return database{db}
}

func (d database) Reader() *sql.DB { return d.DB }

func (d database) Write(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // a no-op after Commit
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// browser is one with a cookie, on its way through one execution.
type browser struct {
	h      *house
	cookie string
	flow.View
}

// open starts an execution in a browser, which may have a cookie already.
func (h *house) open(cookie string) *browser {
	h.t.Helper()
	b := &browser{h: h, cookie: cookie}
	v, done, err := h.Start(h.t.Context(), flow.Start{
		Env: env, Plans: []flow.Digest{h.plan.Hash}, Caller: b.caller(), Request: flow.Request{MaxAge: -1, Fresh: cookie != "", Locales: "de"},
	})
	if err != nil || done != nil {
		h.t.Fatalf("started with completion %v, error %v", done, err)
	}
	b.keep(v)
	return b
}

func (b *browser) caller() flow.Caller {
	return flow.Caller{Cookie: b.cookie, Client: flow.Client{RemoteIP: netip.MustParseAddr("192.0.2.1"), Locales: "en"}}
}

func (b *browser) keep(v flow.View) {
	if b.View = v; v.Cookie != "" {
		b.cookie = v.Cookie
	}
}

// does submits an action that must be taken, and leads to a status.
func (b *browser) does(action string, in flow.Values, status string) {
	b.h.t.Helper()
	b.h.at.Add(int64(time.Second))
	v, err := b.h.Act(b.h.t.Context(), b.Ref, b.caller(), flow.Submit{Action: action, Values: in, Token: b.Token})
	if err != nil {
		b.h.t.Fatalf("%s: %v", action, err)
	}
	if b.keep(v); b.Status != status {
		b.h.t.Fatalf("%s leads to %s, want %s", action, b.Status, status)
	}
}

// fails submits an action that must be refused, and returns why.
func (b *browser) fails(action string, in flow.Values, code flow.Code) flow.Fault {
	b.h.t.Helper()
	b.h.at.Add(int64(time.Second))
	_, err := b.h.Act(b.h.t.Context(), b.Ref, b.caller(), flow.Submit{Action: action, Values: in, Token: b.Token})
	var f *flow.Fault
	if !errors.As(err, &f) || f.Code != code || f.View == nil {
		b.h.t.Fatalf("%s: %v, want %s with the execution", action, err, code)
	}
	b.keep(*f.View)
	return *f
}

// signedOn holds that the execution is complete and hands a sign-on back.
func (b *browser) signedOn(username string) {
	b.h.t.Helper()
	_, done, err := b.h.Resume(b.h.t.Context(), b.Ref, b.caller())
	if err != nil || done == nil {
		b.h.t.Fatalf("%s gives no completion: %v", b.Status, err)
	}
	if done.User.Username != username || len(done.AMR) != 1 || done.AMR[0] != "pwd" {
		b.h.t.Errorf("signed on as %q by %v, want %q by one password", done.User.Username, done.AMR, username)
	}
}

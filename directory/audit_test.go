package directory_test

import (
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
)

func testAudit(t *testing.T, open opener) {
	log := directory.NewAuditLog(open(t, directory.Options{}))
	e := flow.Event{
		Type: flow.PasswordRefused, Env: env, Flow: "f", Application: "a", User: "u", Session: "s", RemoteIP: "::1", Reason: "r",
		At: newClock().Now(),
	}
	later := e
	later.Type = flow.PasswordAccepted
	if err := log.Append(t.Context(), []flow.Event{e, later, {Env: "other"}}); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int][]flow.Event{10: {later, e}, 1: {later}} {
		got, err := log.List(t.Context(), env, limit)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Error(err, d)
		}
	}
}

// testAuditOfAnything: what a text has that a store cannot hold keeps out no event, neither
// that one nor those beside it.
func testAuditOfAnything(t *testing.T, open opener) {
	log := directory.NewAuditLog(open(t, directory.Options{}))
	at := newClock().Now()
	if err := log.Append(t.Context(), []flow.Event{{Env: env, Reason: "A\x00B \xff", At: at}, {Env: env, Reason: "next", At: at}}); err != nil {
		t.Fatal(err)
	}
	got, err := log.List(t.Context(), env, 10)
	if d := cmp.Diff([]flow.Event{{Env: env, Reason: "next", At: at}, {Env: env, Reason: "A\uFFFDB \uFFFD", At: at}}, got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestEventsStayInOrderWhateverTheirNumber(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		log := directory.NewAuditLog(inMemory(t, directory.Options{}))
		want := make([]flow.Event, n)
		for i := range want {
			want[n-1-i] = flow.Event{Type: flow.FlowReset, Env: env, Flow: strconv.Itoa(i), At: newClock().Now()}
		}
		given := slices.Clone(want)
		slices.Reverse(given)
		if err := log.Append(t.Context(), given); err != nil {
			t.Fatal(err)
		}
		got, err := log.List(t.Context(), env, n+1)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Errorf("%d events: error %v, %s", n, err, d)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	db, err := directory.Open(b.Context(), directory.Options{Path: filepath.Join(b.TempDir(), "directory.db"), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	events := make([]flow.Event, 500)
	for i := range events {
		events[i] = flow.Event{Type: flow.FlowReset, Env: env, Flow: uuid.NewString(), Application: env, RemoteIP: "192.0.2.1", At: time.Now()}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := directory.NewAuditLog(db).Append(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
}

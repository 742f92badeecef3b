package main_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// TestBudget counts what a request costs in batches of Redis, on the wire. A
// client that sees each batch of a cluster counts in budget_internal_test.go.
func TestBudget(t *testing.T) {
	t.Parallel()
	relay := newRelay(t, redistest.Start(t).Addr)
	data := t.TempDir()
	n := nodetest.Start(t, nodetest.Options{
		Redis: "redis://" + relay.addr, Keys: nodetest.NewKeys(t, data), DB: filepath.Join(data, "doorward.db"),
		Args: []string{"--rate-address", "100000"}, // limits are part of the cost
	})
	w := at(n)
	whole := func(check func(name string, want int64, d deed)) {
		w.flow, w.cookie = "", ""
		check("authorize", 1, w.authorize())
		check("GET", 1, w.look())
		check("an action", 2, w.submit(resetAction, "{}"))
		check("a refused action", 2, w.submit(checkAction, `{"username":"nobody","password":"wrong"}`))
		check("an action that does not fit", 2, w.submit(checkAction, `{"username":"ada"}`))
		check("an action that signs in", 3, w.submit(checkAction, rightOne))
		check("resume", 1, w.resume())
		check("authorize when signed on", 1, w.authorize())
	}
	whole(func(_ string, _ int64, d deed) { step(t, w, d) }) // connections are made
	whole(func(name string, want int64, d deed) {
		before := relay.batches.Load()
		step(t, w, d)
		if got := relay.batches.Load() - before; got != want {
			t.Errorf("%s costs %d batches, want %d", name, got, want)
		}
	})
}

// step does what may also be refused for its content.
func step(t *testing.T, w *witness, d deed) {
	t.Helper()
	a, err := w.do(d)
	if err != nil || (a.status != http.StatusOK && a.status != http.StatusBadRequest) {
		t.Fatalf("%s %s: %v, %v", d.method, d.path, a, err)
	}
	if w.flow == "" {
		w.flow = member(a.body, "id")
	}
}

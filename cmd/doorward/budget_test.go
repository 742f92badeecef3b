package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
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
	costs := func() (wrong []string) {
		whole(func(name string, want int64, d deed) {
			before := relay.batches.Load()
			a, err := w.do(d)
			if got := relay.batches.Load() - before; got != want || err != nil || (a.status != http.StatusOK && a.status != http.StatusBadRequest) {
				wrong = append(wrong, fmt.Sprintf("%s costs %d batches, want %d: %v, %v", name, got, want, a, err))
			}
			if w.flow == "" && err == nil {
				w.flow = member(a.body, "id")
			}
		})
		return wrong
	}
	costs() // connections are made
	affordable(t, costs)
}

// affordable holds that requests can be had at their cost. On a machine that stands
// still for a moment a batch is late and asked for again, which costs another one.
func affordable(t *testing.T, costs func() []string) {
	t.Helper()
	var wrong []string
	for range 3 {
		if wrong = costs(); len(wrong) == 0 {
			return
		}
	}
	t.Error(strings.Join(wrong, "\n"))
}

package directory_test

import (
	"testing"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
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

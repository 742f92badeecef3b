package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"doorward/directory"

	"github.com/google/go-cmp/cmp"
)

// shape is what an outsider could measure of a call: its statements, one by one,
// its commits and its hashes.
func (e *estate) shape(call func()) []string {
	e.t.Helper()
	e.count.statements()
	looks, commits, waiting := e.looks.Load(), e.count.commits.Load(), e.number(`SELECT COUNT(*) FROM outbox`)
	e.count.statements()
	call()
	out := slices.Clone(e.count.statements())
	return append(out, fmt.Sprint(e.count.commits.Load()-commits, " commits"), fmt.Sprint((e.looks.Load()-looks)/2, " hashes"),
		fmt.Sprint(e.number(`SELECT COUNT(*) FROM outbox`)-waiting, " messages"))
}

// sameShape calls with each name and compares with the first.
func (e *estate) sameShape(names []string, call func(name string)) {
	e.t.Helper()
	var want []string
	for i, name := range names {
		got := e.shape(func() { call(name) })
		if i == 0 {
			want = got
			e.t.Logf("%d statements, %s", len(got)-3, strings.Join(got[len(got)-3:], ", "))
		} else if diff := cmp.Diff(want, got); diff != "" {
			e.t.Errorf("%s: %s", name, diff)
		}
	}
}

// everybody are accounts that a stranger must not tell apart, known ones first.
func everybody() []string {
	return []string{"ada", "nobody", "disabled", "locked", "external", "passwordless", "addressless", "unverified", "bea", "zero\u200bwidth"}
}

func testNoOracle(t *testing.T, open opener) {
	t.Run("recovery", func(t *testing.T) {
		e := newEstate(t, open)
		for range 5 {
			e.signOn("bea", "wrong") // locked by failures
		}
		ids := map[string]string{}
		for round := range 8 { // the sixth and later ones send no code
			e.sameShape(everybody(), func(name string) {
				id, err := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: name, UserID: ids[name], Effect: e.effect()})
				if err != nil || id != e.ids[name] {
					t.Errorf("%s: %q %v", name, id, err)
				}
				ids[name] = id
			})
			if round == 0 {
				e.mail()
			}
		}
		for range 7 { // past the tries of a code
			e.sameShape(everybody(), func(name string) {
				if got := e.recover(directory.Recovering{UserID: ids[name], Username: name, Code: "WRONGWRO", Password: newPassword}); got.Result != directory.WrongCode {
					t.Errorf("%s: %+v", name, got)
				}
			})
		}
	})
	t.Run("mail goes to those who may recover, and to nobody else", func(t *testing.T) {
		e := newEstate(t, open)
		for range 5 {
			e.signOn("bea", "wrong")
		}
		to := map[string]string{"ada": "ada@example.com", "unverified": "unverified@example.com", "bea": "bea@example.com"}
		for _, name := range everybody() {
			if m := e.forgot(name); m.To != to[name] || m.Template != "recovery" || len(m.Params["code"]) != 8 {
				t.Errorf("%s: %s to %q", name, m.Template, m.To)
			}
		}
	})
	t.Run("verification", func(t *testing.T) {
		e := newEstate(t, open)
		names := []string{"unverified", "nobody", "ada", "disabled", "locked", "external", "addressless"}
		for range 7 {
			e.sameShape(names, func(name string) {
				_, err := e.SendVerification(t.Context(), directory.Send{Env: env, UserID: e.ids[name], Effect: e.effect()})
				if err != nil {
					t.Error(err)
				}
			})
		}
		for range 7 {
			e.sameShape(names, func(name string) {
				v, err := e.Verify(t.Context(), directory.Verification{Env: env, UserID: e.ids[name], Code: "WRONGWRO", Effect: e.effect()})
				if err != nil || v != (directory.Verified{}) {
					t.Errorf("%s: %+v %v", name, v, err)
				}
			})
		}
	})
	t.Run("passwords", func(t *testing.T) {
		e := newEstate(t, open)
		names := []string{"ada", "nobody", "disabled", "locked", "external", "passwordless", "unverified"}
		for n := range 7 {
			e.sameShape(names, func(name string) {
				if got := e.signOn(name, "wrong").Result; (got == locked) != (n >= 4) {
					t.Errorf("%s, attempt %d: %v", name, n+1, got)
				}
			})
		}
	})
	t.Run("change of passwords", func(t *testing.T) {
		e := newEstate(t, open)
		e.ids["nobody"] = "d0000000-0000-4000-8000-0000000000ff"
		names := []string{"ada", "nobody", "disabled", "locked", "external", "passwordless", "unverified"}
		for n := range 7 {
			e.sameShape(names, func(name string) {
				got := e.change(directory.Change{UserID: e.ids[name], Current: "wrong", Password: newPassword})
				if want := map[bool]directory.ChangeResult{true: directory.Locked, false: directory.WrongPassword}[n >= 4]; got.Result != want {
					t.Errorf("%s, attempt %d: %+v", name, n+1, got)
				}
			})
		}
	})
}

package lookup_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/lookup"
)

var _ flow.Kind = (*lookup.Kind)(nil)

const required = "SIGN_ON_REQUIRED"

func turn(t *testing.T, config string) *flow.Turn {
	t.Helper()
	c, err := lookup.New().Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.lookup", c, time.Time{}, nil, 0, flow.Digest{})
	ft.Status = required
	return ft
}

func submit(t *testing.T, at *flow.Turn, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	for _, a := range lookup.New().Meta().Actions {
		if a.Name == "user.lookup" && a.Offered(at.Status) {
			return a.Run(context.Background(), at, v)
		}
	}
	t.Fatalf("user.lookup is not offered in %s", at.Status)
	return flow.Outcome{}, nil
}

func TestItAsksWhoSignsOnUnlessItIsKnown(t *testing.T) {
	for name, tt := range map[string]struct {
		user flow.Subject
		want flow.Outcome
	}{
		"nobody is known":     {flow.Subject{}, flow.Wait(required)},
		"somebody signs on":   {flow.Subject{ID: "u1"}, flow.Result("LOCAL")},
		"a name without user": {flow.Subject{Username: "ada"}, flow.Wait(required)},
	} {
		at := turn(t, "")
		at.User = tt.user
		got, err := lookup.New().Enter(t.Context(), at)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Error(name, err, diff)
		}
	}
}

func TestEveryNameIsTaken(t *testing.T) {
	const rules = `{"discoveryRules":[
		{"condition":{"contains":"@example.com","value":"${identifier}"},"identityProvider":{"id":"p1"}},
		{"condition":{"contains":"partner","value":"${identifier}"},"identityProvider":{"id":"p2"}}]}`
	for name, tt := range map[string]struct{ config, username, want string }{
		"without rules":                {"{}", "ada@example.com", "LOCAL"},
		"of no rule":                   {rules, "ada", "LOCAL"},
		"of the first rule":            {rules, "ada@example.com", "EXTERNAL"},
		"of a later rule":              {rules, "ada.partner", "EXTERNAL"},
		"whatever the case":            {rules, "Ada@EXAMPLE.Com", "EXTERNAL"},
		"that only looks like a name":  {rules, "  ", "LOCAL"},
		"that is nobody's, of no rule": {rules, "no such user", "LOCAL"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := submit(t, turn(t, tt.config), flow.Values{"username": tt.username})
			want := flow.Result(tt.want).WithCandidate(flow.Candidate{Username: tt.username}).WithEvent(flow.UserLookedUp)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestAnInvalidSubmitNamesNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		in   flow.Values
		want string
	}{
		"nothing sent":              {flow.Values{}, "REQUIRED_VALUE@username"},
		"an empty name":             {flow.Values{"username": ""}, "REQUIRED_VALUE@username"},
		"a name of 129 letters":     {flow.Values{"username": strings.Repeat("ä", 129)}, "SIZE_LIMIT_EXCEEDED@username"},
		"a password, much too soon": {flow.Values{"username": "ada", "password": "p"}, "INVALID_VALUE@password"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := submit(t, turn(t, ""), tt.in)
			d := flow.AsFault(err).Details
			if out.Verdict != 0 || len(d) != 1 || d[0].Code+"@"+d[0].Target != tt.want {
				t.Errorf("outcome %v, details %v, want %s", out, d, tt.want)
			}
		})
	}
}

func TestItIsConfiguredByDiscoveryRules(t *testing.T) {
	rule := func(condition, provider string) string {
		return `{"discoveryRules":[{"condition":` + condition + `,"identityProvider":` + provider + `}]}`
	}
	const good, there = `{"contains":"@a","value":"${identifier}"}`, `{"id":"p"}`
	many := func(n int) string {
		one := fmt.Sprintf(`{"condition":%s,"identityProvider":%s}`, good, there)
		return `{"discoveryRules":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
	}
	for name, tt := range map[string]struct{ config, fault string }{
		"nothing":                   {"", ""},
		"an empty object":           {"{}", ""},
		"one rule":                  {rule(good, there), ""},
		"a hundred rules":           {many(100), ""},
		"one more":                  {many(101), "at most 100 rules, not 101"},
		"no object":                 {"[]", "LOOKUP takes discoveryRules"},
		"another member":            {`{"rules":[]}`, `unknown field "rules"`},
		"no text to look for":       {rule(`{"contains":"","value":"${identifier}"}`, there), "discoveryRules[0].condition takes"},
		"another variable":          {rule(`{"contains":"@a","value":"${user.email}"}`, there), "discoveryRules[0].condition takes"},
		"another rule":              {rule(`{"equals":"@a","value":"${identifier}"}`, there), `unknown field "equals"`},
		"nowhere to go":             {rule(good, `{}`), "discoveryRules[0].identityProvider.id is required"},
		"two mistakes, both of one": {rule(`{}`, `{}`), "discoveryRules[0].identityProvider.id is required"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lookup.New().Check(json.RawMessage(tt.config))
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("error %v, want %q", err, tt.fault)
			}
		})
	}
}

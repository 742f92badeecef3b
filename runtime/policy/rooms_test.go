package policy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/steps"
)

func compile(t interface {
	Helper()
	Fatal(...any)
}, actions ...json.RawMessage,
) *flow.Plan {
	t.Helper()
	src, hash, err := policy.Source(json.RawMessage(`{"name":"P"}`), actions, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := policy.Compile(src, steps.Builtin(steps.Parts{}))
	if err != nil {
		t.Fatal(err)
	}
	if plan.Hash != hash {
		t.Fatal("the plan has another digest than its source")
	}
	return plan
}

// node is one of a plan, told in a line.
func node(kind string, outlets map[string]string, beside ...string) *flow.Node {
	return &flow.Node{Kind: kind, Outlets: outlets, Beside: beside}
}

// after is what the only action, of priority 3, has behind its password.
func after() map[string]*flow.Node {
	change := map[string]string{"CHANGED": "", "VERIFICATION_REQUIRED": "3.verify"}
	return map[string]*flow.Node{
		"3.expired": node("CHANGE", change),
		"3.change":  node("CHANGE", change),
		"3.verify":  node("USER_ACCOUNT_VERIFY", map[string]string{"VERIFIED": ""}),
		"3.passkey": node("PASSKEY", map[string]string{"AUTHENTICATED": "", "PASSWORD_REQUIRED": "3.password", "MUST_CHANGE_PASSWORD": "3.change", "VERIFICATION_REQUIRED": "3.verify"}),
	}
}

func TestAnActionIsARoom(t *testing.T) {
	identify := func(next string) *flow.Node {
		return node("IDENTIFY", map[string]string{"IDENTIFIED": "3.password", "UNIDENTIFIED": next})
	}
	lookup := map[string]string{"NAMED": "3.password"}
	password := func(beside ...string) *flow.Node {
		leads := map[string]string{"AUTHENTICATED": "", "PASSWORD_EXPIRED": "3.expired", "MUST_CHANGE_PASSWORD": "3.change", "VERIFICATION_REQUIRED": "3.verify"}
		return node("PASSWORD", leads, append([]string{"3.passkey"}, beside...)...)
	}
	recovers := node("RECOVER", map[string]string{"RECOVERED": ""})
	registers := node("REGISTER", map[string]string{"REGISTERED": "3.verify"})
	recovers.Sends, registers.Sends = true, true
	tests := map[string]struct {
		action string
		want   map[string]*flow.Node
	}{
		"LOGIN": {`"type":"LOGIN"`, map[string]*flow.Node{
			"3.identify": identify("3.password"), "3.password": password(),
		}},
		"LOGIN with recovery": {`"type":"LOGIN","recovery":{"enabled":true}`, map[string]*flow.Node{
			"3.identify": identify("3.password"), "3.password": password("3.recover"), "3.recover": recovers,
		}},
		"LOGIN with both": {`"type":"LOGIN","recovery":{"enabled":true},"registration":{"enabled":true}`, map[string]*flow.Node{
			"3.identify": identify("3.password"), "3.password": password("3.recover", "3.register"),
			"3.recover": recovers, "3.register": registers,
		}},
		"IDENTIFIER_FIRST": {`"type":"IDENTIFIER_FIRST"`, map[string]*flow.Node{
			"3.identify": identify("3.lookup"), "3.lookup": node("LOOKUP", lookup, "3.passkey"), "3.password": password(),
		}},
		"IDENTIFIER_FIRST with both": {`"type":"IDENTIFIER_FIRST","recovery":{"enabled":true},"registration":{"enabled":true}`, map[string]*flow.Node{
			"3.identify": identify("3.lookup"), "3.lookup": node("LOOKUP", lookup, "3.passkey", "3.recover", "3.register"),
			"3.password": password("3.recover"), "3.recover": recovers, "3.register": registers,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan := compile(t, list(`{"priority":3,`+tt.action+`}`)...)
			maps.Copy(tt.want, after())
			for key, n := range tt.want {
				n.Key = key
			}
			tt.want["3.identify"].Factors = flow.Knowledge
			if diff := cmp.Diff(tt.want, plan.Nodes, cmpopts.IgnoreFields(flow.Node{}, "Config"), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if plan.Name != "P" || plan.Entry != "3.identify" {
				t.Errorf("plan %q begins at %q", plan.Name, plan.Entry)
			}
		})
	}
}

// Rules are asked before anything is looked up, also of whom the session names, and what
// is linked is linked behind everything else.
func TestDiscoveryRulesAreARoomOfTheirOwn(t *testing.T) {
	const rules = `"discoveryRules":[{"condition":{"contains":"@partner.example","value":"${identifier}"},"identityProvider":{"id":"p1"}}]`
	plan := compile(t, list(
		`{"type":"IDENTIFIER_FIRST","priority":3,"recovery":{"enabled":true},"registration":{"enabled":true,"population":{"id":"pop"}},"enforceLockoutForIdentityProviders":true,`+rules+`}`,
		`{"type":"MULTI_FACTOR_AUTHENTICATION","priority":7}`)...)
	after := map[string]string{"AUTHENTICATED": "7.identify", "PASSWORD_EXPIRED": "3.expired", "MUST_CHANGE_PASSWORD": "3.change", "VERIFICATION_REQUIRED": "3.verify"}
	for key, want := range map[string]*flow.Node{
		"3.identify": {Kind: "IDENTIFY", Skip: "7.identify", Factors: flow.Knowledge, Outlets: map[string]string{"IDENTIFIED": "3.external", "UNIDENTIFIED": "3.lookup"}},
		"3.lookup":   node("LOOKUP", map[string]string{"NAMED": "3.external"}, "3.passkey", "3.recover", "3.register"),
		"3.external": node("EXTERNAL", map[string]string{"LOCAL": "3.password", "AUTHENTICATED": "7.identify", "VERIFICATION_REQUIRED": "3.verify", "UNLINKED": "3.linking"}),
		"3.linking":  node("PASSWORD", after, "3.recover"),
		"3.password": node("PASSWORD", after, "3.passkey", "3.recover"),
		"link":       node("LINK", map[string]string{"DONE": ""}),
	} {
		want.Key = key
		if diff := cmp.Diff(want, plan.Nodes[key], cmpopts.IgnoreFields(flow.Node{}, "Config"), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
	if got := plan.Nodes["7.challenge"].Outlets["SUCCEEDED"]; got != "link" {
		t.Errorf("behind the last action is %q", got)
	}
	for _, written := range []string{`{"type":"IDENTIFIER_FIRST","priority":3}`, `{"type":"IDENTIFIER_FIRST","priority":3,"discoveryRules":[]}`} {
		if plan := compile(t, list(written)...); plan.Nodes["link"] != nil || plan.Nodes["3.external"] != nil {
			t.Errorf("%s leads elsewhere", written)
		}
	}
}

func TestTheWayElsewhereIsConfigured(t *testing.T) {
	for source, want := range map[string]string{
		``:                                 `"registers":false,"population":"","enforceLockout":false}`,
		`"enforceLockout":true,`:           `"registers":false,"population":"","enforceLockout":true}`,
		`"registration":{"enabled":true},`: `"registers":true,"population":"","enforceLockout":false}`,
		`"registration":{"enabled":true,"population":{"id":"pop"}},`:         `"registers":true,"population":"pop","enforceLockout":false}`,
		`"registration":{"enabled":true,"flowDefinition":{"id":"joining"}},`: `"registers":false,"population":"","enforceLockout":false}`, // makes them instead
	} {
		plan, err := policy.Compile([]byte(`{"actions":[{`+source+`"discoveryRules":[{"contains":"@a","provider":"p"}],"priority":3,"type":"IDENTIFIER_FIRST"}],"format":1,"name":"P"}`), steps.Builtin(steps.Parts{}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(plan.Nodes["3.external"].Config)
		if want = `{"rules":[{"contains":"@a","provider":"p"}],` + want; err != nil || string(got) != want {
			t.Errorf("%s: configured by %s, %v; want %s", source, got, err, want)
		}
	}
}

func TestNodesAreConfigured(t *testing.T) {
	plan := compile(t, list(`{"type":"LOGIN","priority":1,"registration":{"enabled":true,"population":{"id":"p1"}}}`, `{"type":"LOGIN","priority":2,"registration":{"enabled":true}}`)...)
	ctx, turn := t.Context(), func(key string) *flow.Turn {
		turn := flow.NewTurn(flow.Ref{}, key, plan.Nodes[key].Config, time.Time{}, nil, 0, flow.Digest{})
		turn.User = flow.Subject{ID: "u1"}
		return turn
	}
	for _, k := range steps.Builtin(steps.Parts{}) {
		switch k.Meta().Name {
		case "REGISTER":
			for key, want := range map[string]string{"1.register": "p1", "2.register": ""} {
				if got := k.(flow.Shower).Show(turn(key)).Population; got != want {
					t.Errorf("%s registers in %q, want %q", key, got, want)
				}
			}
		case "CHANGE":
			for key, want := range map[string]string{"1.expired": "PASSWORD_EXPIRED", "2.change": "MUST_CHANGE_PASSWORD"} {
				if out, err := k.Enter(ctx, turn(key)); err != nil || out.Status != want {
					t.Errorf("%s waits in %s, want %s: %v", key, out.Status, want, err)
				}
			}
		}
	}
}

func TestAnActionIsEnteredByItsCondition(t *testing.T) {
	plan := compile(t, list(`{"type":"IDENTIFIER_FIRST","priority":7}`, `{"type":"LOGIN","priority":3,"condition":{"secondsSince":"${session.lastSignOn.at}","greater":60}}`)...)
	if plan.Entry != "3.identify" || plan.Nodes["3.identify"].Skip != "7.identify" || plan.Nodes["7.identify"].Skip != "" {
		t.Errorf("begins at %s, goes on at %s", plan.Entry, plan.Nodes["3.identify"].Skip)
	}
	if got := plan.Nodes["3.password"].Outlets["AUTHENTICATED"]; got != "7.identify" {
		t.Errorf("a right password leads to %q", got)
	}
	if plan.Nodes["7.identify"].Guard != nil {
		t.Error("an action without a condition has a guard")
	}
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]bool{time.Minute: false, time.Hour: true} {
		if got := plan.Nodes["3.identify"].Guard.Holds(now, func(string) any { return now.Add(-ago) }); got != want {
			t.Errorf("the guard holds %v after a sign-on: %v, want %v", ago, got, want)
		}
	}
}

// drawActions draws a policy of one to six actions of every make.
func drawActions(t *rapid.T) (actions []json.RawMessage, priorities []int) {
	priorities = rapid.SliceOfNDistinct(rapid.IntRange(1, 1<<31-1), 1, 6, rapid.ID[int]).Draw(t, "priorities")
	for _, p := range priorities {
		a := map[string]any{"type": rapid.SampledFrom([]string{"LOGIN", "IDENTIFIER_FIRST", "MULTI_FACTOR_AUTHENTICATION"}).Draw(t, "type"), "priority": p}
		if a["type"] == "MULTI_FACTOR_AUTHENTICATION" {
			drawMultiFactor(t, a)
		} else if rapid.Bool().Draw(t, "recovery said") {
			a["recovery"] = map[string]any{"enabled": rapid.Bool().Draw(t, "recovery")}
		}
		if a["type"] != "MULTI_FACTOR_AUTHENTICATION" && rapid.Bool().Draw(t, "registration said") {
			r := map[string]any{"enabled": rapid.Bool().Draw(t, "registration")}
			if rapid.Bool().Draw(t, "population said") {
				r["population"] = map[string]any{"id": "p"}
			}
			a["registration"] = r
		}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, b)
	}
	return actions, priorities
}

func drawMultiFactor(t *rapid.T, a map[string]any) {
	if rapid.Bool().Draw(t, "block") {
		a["noDevicesMode"] = "BLOCK"
	}
	if rapid.Bool().Draw(t, "policy said") {
		a["deviceAuthenticationPolicy"] = map[string]any{"id": "p"}
	}
	if rapid.Bool().Draw(t, "methods said") {
		a["sms"], a["securityKey"] = map[string]any{"enabled": true}, map[string]any{"enabled": rapid.Bool().Draw(t, "key")}
	}
}

// again reports whether a node leads back to one that asks for the password, or from
// there: both wait for a person.
func again(from, to *flow.Node) bool {
	asks := func(n *flow.Node) bool { return n.Kind == "MFA_ENROLLMENT" || n.Kind == "MFA_CHALLENGE" }
	return to.Kind == "PASSWORD" && (from.Kind == "PASSKEY" || asks(from)) || asks(to) && from.Kind == "PASSWORD"
}

// ways are the nodes to which one leads.
func ways(n *flow.Node) []string {
	out := append(slices.Collect(maps.Values(n.Outlets)), n.Beside...)
	if n.Kind == "IDENTIFY" {
		out = append(out, n.Skip)
	}
	return out
}

// TestEveryWayThroughAPlanEnds holds that a graph is closed: wherever a person
// goes there is a node, every node can be reached, and none a second time but where
// the password is asked for once more.
func TestEveryWayThroughAPlanEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		actions, _ := drawActions(t)
		plan := compile(t, actions...)
		met := map[string]bool{}
		var walk func(key string, past []string)
		walk = func(key string, past []string) {
			if key == "" || met[key] && !slices.Contains(past, key) {
				return
			}
			n := plan.Nodes[key]
			if n != nil && len(past) > 0 && again(plan.Nodes[past[len(past)-1]], n) && slices.Contains(past, key) {
				return
			}
			if n == nil || n.Key != key || slices.Contains(past, key) {
				t.Fatalf("%v lead to %q, which is %v", past, key, n)
			}
			met[key] = true
			for _, next := range ways(n) {
				walk(next, append(past[:len(past):len(past)], key))
			}
		}
		walk(plan.Entry, nil)
		if len(met) != len(plan.Nodes) {
			t.Fatalf("of %v only %v are reached", slices.Sorted(maps.Keys(plan.Nodes)), slices.Sorted(maps.Keys(met)))
		}
	})
}

func TestAPlanRunsEveryActionByPriority(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		actions, priorities := drawActions(t)
		plan := compile(t, actions...)
		slices.Sort(priorities)
		for _, skip := range []bool{false, true} {
			var met []int
			for key := plan.Entry; key != ""; {
				n := plan.Nodes[key]
				p, part, _ := strings.Cut(key, ".")
				if i, err := strconv.Atoi(p); err == nil && part == "identify" {
					met = append(met, i)
				}
				if key = n.Skip; !skip || n.Kind != "IDENTIFY" {
					key = n.Outlets[map[string]string{"IDENTIFY": "UNIDENTIFIED", "LOOKUP": "NAMED", "PASSWORD": "AUTHENTICATED", "MFA_CHALLENGE": "SUCCEEDED"}[n.Kind]]
				}
			}
			if !slices.Equal(met, priorities) {
				t.Errorf("ran %v, want %v", met, priorities)
			}
		}
	})
}

func TestPopulationsAreThoseThatPeopleAreRegisteredIn(t *testing.T) {
	got := policy.Populations(list(
		`{"type":"LOGIN","priority":1}`,
		`{"type":"LOGIN","priority":2,"registration":{"enabled":true,"population":{"id":"a"}}}`,
		`{"type":"LOGIN","priority":3,"registration":{"enabled":false,"population":{"id":"b"}}}`,
		`{"type":"IDENTIFIER_FIRST","priority":4,"registration":{"enabled":true,"population":{"id":"c"}}}`,
		`{"type":"LOGIN","priority":5,"registration":{"enabled":true,"population":{"id":7}}}`,
		`7`,
	))
	want := []policy.Reference{
		{Path: "$.actions[1].registration.population.id", ID: "a"},
		{Path: "$.actions[3].registration.population.id", ID: "c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

package policy_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/definition"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/steps"
	"doorward/steps/branch"
	"doorward/steps/call"
	"doorward/steps/complete"
	"doorward/steps/terminate"
)

// builtin is every kind, and the steps of definitions that these tests need.
func builtin() []flow.Kind {
	all := steps.Builtin(steps.Parts{})
	for _, k := range []flow.Kind{branch.New(), call.New(), complete.New(), terminate.New()} {
		if !slices.ContainsFunc(all, func(is flow.Kind) bool { return is.Meta().Name == k.Meta().Name }) {
			all = append(all, k)
		}
	}
	return all
}

// shelf is flow definitions by id.
type shelf map[string]string

func (s shelf) Resource(kind, id string) (json.RawMessage, bool) {
	body, ok := s[id]
	return json.RawMessage(body), ok && kind == "flowDefinition"
}

// ask goes one of two ways, and round.
const ask = `{"id":"ask","name":"Ask","enabled":true,"trigger":{"type":"SIGN_ON_POLICY","next":"which"},"stepDefinitions":{
	"which":{"type":"BRANCH","configuration":{"conditions":[{"result":"STOP","condition":{"value":"${user.type}","equals":"robot"}}]},"outlets":{"STOP":{"next":"stop"},"NO_MATCH":{"next":"done"},"ERROR":{"next":"which"}}},
	"stop":{"type":"TERMINATE_FLOW","input":{"error":{"code":"ROBOT","message":"No."}}},
	"done":{"type":"COMPLETE_FLOW","configuration":{"result":"COMPLETE"},"input":{"context":{"user":{"id":"${flow.context.user.id}"}}}}}}`

func definitions() shelf {
	return shelf{
		"ask":    ask,
		"alone":  `{"id":"alone","name":"Alone","enabled":true,"trigger":{"type":"EXPERIENCE","next":"done"},"stepDefinitions":{"done":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"}}}}`,
		"broken": `{"id":"broken","name":"Broken","trigger":{"type":"EXPERIENCE","next":"done"},"stepDefinitions":{}}`,
	}
}

func withDefinitions(t *testing.T, actions ...string) *flow.Plan {
	t.Helper()
	src, hash, err := policy.Source(json.RawMessage(`{"name":"P"}`), list(actions...), definitions(), builtin())
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := policy.Canonical(src)
	if err != nil || string(canonical) != string(src) {
		t.Fatalf("%s is not canonical: %v", src, err)
	}
	plan, err := policy.Compile(src, builtin())
	if err != nil {
		t.Fatal(err)
	}
	if plan.Hash != hash {
		t.Fatal("the plan has another digest than its source")
	}
	return plan
}

func TestAnActionRunsADefinition(t *testing.T) {
	plan := withDefinitions(t,
		`{"type":"LOGIN","priority":10}`,
		`{"type":"FLOW_DEFINITION","priority":20,"flowDefinition":{"id":"ask"},"condition":{"secondsSince":"${session.lastSignOn.at}","greater":60}}`,
		`{"type":"FLOW_DEFINITION","priority":30,"flowDefinition":{"id":"ask"}}`,
	)
	got := map[string]string{}
	for key, n := range plan.Nodes {
		if strings.HasPrefix(key, "10.") {
			continue
		}
		for _, result := range slices.Sorted(maps.Keys(n.Outlets)) {
			got[key] += result + ">" + n.Outlets[result] + " "
		}
		got[key] += "as " + n.As + " skips to " + n.Skip
	}
	want := map[string]string{
		"20":       "SUCCEEDED>20.which as 20/ skips to 30",
		"20.which": "ERROR>20.which NO_MATCH>20.done STOP>20.stop as 20/which skips to ",
		"20.stop":  "as 20/stop skips to ",
		"20.done":  "COMPLETE>30 as 20/done skips to ",
		"30":       "SUCCEEDED>30.which as 30/ skips to ",
		"30.which": "ERROR>30.which NO_MATCH>30.done STOP>30.stop as 30/which skips to ",
		"30.stop":  "as 30/stop skips to ",
		"30.done":  "COMPLETE> as 30/done skips to ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if next := plan.Nodes["10.password"].Outlets["AUTHENTICATED"]; next != "20" || plan.Entry != "10.identify" || plan.Definition != "" {
		t.Errorf("a right password leads to %q", next)
	}
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	for ago, holds := range map[time.Duration]bool{time.Second: false, time.Hour: true} {
		if got := plan.Nodes["20"].Guard.Holds(now, func(string) any { return now.Add(-ago) }); got != holds {
			t.Errorf("the guard holds %v after a sign-on: %v", ago, got)
		}
	}
	if plan.Nodes["30"].Guard != nil || plan.Nodes["20.which"].Guard != nil {
		t.Error("a guard stands at another node than the door")
	}
}

func TestADefinitionMayBeTheFirstAction(t *testing.T) {
	if plan := withDefinitions(t, `{"type":"FLOW_DEFINITION","priority":1,"flowDefinition":{"id":"ask"}}`); plan.Entry != "1" || len(plan.Nodes) != 4 {
		t.Errorf("begins at %q with %d nodes", plan.Entry, len(plan.Nodes))
	}
}

func TestADefinitionRegistersInsteadOfUs(t *testing.T) {
	for asks, action := range map[string]string{"1.password": "LOGIN", "1.lookup": "IDENTIFIER_FIRST"} {
		plan := withDefinitions(t,
			`{"type":"`+action+`","priority":1,"recovery":{"enabled":true},"registration":{"enabled":true,"flowDefinition":{"id":"alone"}}}`,
			`{"type":"LOGIN","priority":2}`,
		)
		want := []flow.Link{{
			Name: "registration.experience", Prompt: flow.Text{Key: "user.register.submit", Default: "Create account"}, Definition: "alone",
			When: []string{"USERNAME_PASSWORD_REQUIRED", "SIGN_ON_REQUIRED"}, Next: "2.identify",
		}}
		for key, n := range plan.Nodes {
			if key == asks {
				if diff := cmp.Diff(want, n.Links); diff != "" {
					t.Error(diff)
				}
			} else if n.Links != nil {
				t.Errorf("%s has links too", key)
			}
			if slices.Contains(n.Beside, "1.register") || n.Kind == "REGISTER" {
				t.Errorf("%s: the door of REGISTER is there too", key)
			}
		}
	}
}

func TestWhatADefinitionDoesIsPartOfThePolicy(t *testing.T) {
	hash := func(res shelf, action string) flow.Digest {
		_, hash, err := policy.Source(json.RawMessage(`{"name":"P"}`), list(action), res, builtin())
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	changed := definitions()
	changed["ask"] = strings.Replace(ask, "robot", "machine", 1)
	changed["alone"] = strings.Replace(changed["alone"], "Alone", "Lonely", 1)
	runs := `{"type":"FLOW_DEFINITION","priority":1,"flowDefinition":{"id":"ask"}}`
	if hash(definitions(), runs) == hash(changed, runs) {
		t.Error("a policy stays the same when what it runs has changed")
	}
	leads := `{"type":"LOGIN","priority":1,"registration":{"enabled":true,"flowDefinition":{"id":"alone"}}}`
	if hash(definitions(), leads) != hash(changed, leads) {
		t.Error("a policy changes with what it only leads to")
	}
}

func TestEveryMistakeWithADefinitionIsNamed(t *testing.T) {
	const at = "$.actions[0]."
	for name, tt := range map[string]struct {
		action string
		want   []string
	}{
		"none":                    {`"type":"FLOW_DEFINITION"`, []string{at + "flowDefinition: takes the id of a flow definition"}},
		"null":                    {`"type":"FLOW_DEFINITION","flowDefinition":null`, []string{at + "flowDefinition: takes the id of a flow definition"}},
		"no object":               {`"type":"FLOW_DEFINITION","flowDefinition":"ask"`, []string{at + "flowDefinition: takes an object"}},
		"no id":                   {`"type":"FLOW_DEFINITION","flowDefinition":{}`, []string{at + "flowDefinition.id: takes the id of a flow definition"}},
		"an unknown one":          {`"type":"FLOW_DEFINITION","flowDefinition":{"id":"x"}`, []string{at + "flowDefinition.id: there is no such flow definition"}},
		"a broken one":            {`"type":"FLOW_DEFINITION","flowDefinition":{"id":"broken"}`, []string{at + "flowDefinition.id: names a flow definition that cannot run: $.enabled: takes"}},
		"one of the other kind":   {`"type":"FLOW_DEFINITION","flowDefinition":{"id":"alone"}`, []string{at + "flowDefinition.id: names a flow definition with the trigger EXPERIENCE"}},
		"members of another type": {`"type":"FLOW_DEFINITION","flowDefinition":{"id":"ask"},"recovery":{"enabled":true},"registration":{"enabled":true}`, []string{at + "recovery: is no member of the action FLOW_DEFINITION", at + "registration: is no member"}},
		"a login that runs one":   {`"type":"LOGIN","flowDefinition":{"id":"ask"}`, []string{at + "flowDefinition: is no member of the action LOGIN"}},
		"a user who is not known": {`"type":"FLOW_DEFINITION","flowDefinition":{"id":"ask"},"condition":{"value":"${user.type}","equals":"a"}`, []string{at + "condition: asks for ${user.type}, but nobody"}},
		"registration by none":    {`"type":"LOGIN","registration":{"enabled":true,"flowDefinition":{"id":"x"}}`, []string{at + "registration.flowDefinition.id: there is no such flow definition"}},
		"registration by no id":   {`"type":"LOGIN","registration":{"enabled":true,"flowDefinition":{"id":""}}`, []string{at + "registration.flowDefinition.id: takes the id"}},
		"a population beside it":  {`"type":"LOGIN","registration":{"enabled":true,"flowDefinition":{"id":"alone"},"population":{"id":"p"}}`, []string{at + "registration.population: is not taken beside flowDefinition"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := policy.Source(json.RawMessage(`{"name":"P"}`), list(`{"priority":1,`+tt.action+`}`), definitions(), builtin())
			if err == nil {
				t.Fatal("is taken")
			}
			got := strings.Split(err.Error(), "\n")
			for i, w := range tt.want {
				if i >= len(got) || !strings.HasPrefix(got[i], w) || len(got) != len(tt.want) {
					t.Fatalf("faults:\n%s\nwant:\n%s", err, strings.Join(tt.want, "\n"))
				}
			}
		})
	}
	if _, _, err := policy.Source(json.RawMessage(`{"name":"P"}`), list(`{"type":"FLOW_DEFINITION","priority":1,"flowDefinition":{"id":"ask"}}`), nil, nil); err == nil || !strings.Contains(err.Error(), "there is no such flow definition") {
		t.Errorf("where there are none: %v", err)
	}
}

func TestDefinitionsAreThoseThatActionsName(t *testing.T) {
	got := policy.Definitions(list(
		`{"type":"LOGIN","priority":1,"registration":{"enabled":true,"flowDefinition":{"id":"a"}}}`,
		`{"type":"FLOW_DEFINITION","priority":2,"flowDefinition":{"id":"b"}}`,
		`{"type":"LOGIN","priority":3,"registration":{"enabled":false,"flowDefinition":{"id":"c"}}}`,
		`{"type":"FLOW_DEFINITION","priority":4,"flowDefinition":{"id":7}}`, `{"type":"LOGIN","priority":5}`, `7`,
	))
	want := []policy.Reference{{Path: "$.actions[0].registration.flowDefinition.id", ID: "a"}, {Path: "$.actions[1].flowDefinition.id", ID: "b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOneFunctionCompilesEverySource(t *testing.T) {
	src, hash, err := definition.Source(json.RawMessage(ask), nil, builtin())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := policy.Compile(src, builtin())
	if err != nil || plan.Hash != hash || plan.Definition != "ask" || plan.Trigger != flow.TriggerSignOnPolicy || plan.Nodes["done"].Outlets["COMPLETE"] != "" {
		t.Errorf("%+v, %v", plan, err)
	}
}

// The plan of a policy that was published before there were definitions is found
// by its digest as long as that stays what it was.
func TestThePolicyOfTheDemoKeepsItsSource(t *testing.T) {
	body, err := os.ReadFile("../../configs/demo/signOnPolicies/single-factor.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct{ Actions []json.RawMessage }
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatal(err)
	}
	const want = `{"actions":[{"condition":{"greater":28800,"secondsSince":"${session.lastSignOn.withAuthenticator.pwd.at}"},"priority":1,"recovery":{"enabled":true},"registration":{"enabled":true},"type":"LOGIN"}],"format":1,"name":"Single_Factor"}`
	src, hash, err := policy.Source(body, d.Actions, definitions(), builtin())
	if err != nil || string(src) != want {
		t.Fatalf("%s, %v", src, err)
	}
	if got := hash.String(); got != "c1260c748ef5bdde9e24d2706f492d26c20fd6251ab8dfbb4aba24bdbc85e926" {
		t.Errorf("digest %s", got)
	}
}

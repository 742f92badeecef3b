package branch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/branch"
)

var _ flow.Stepper = branch.New()

// three conditions, of which the first two lead the same way.
const three = `{"conditions":[
	{"result":"GOLD","displayName":"Gold","condition":{"value":"${user.type}","equals":"gold"}},
	{"result":"GOLD","condition":{"value":"${steps.count.outputs.points}","equals":100}},
	{"result":"SILVER","condition":{"and":[{"value":"${user.type}","equals":"silver"},{"secondsSince":"${session.lastSignOn.at}","greater":60}]}}]}`

func TestTheFirstConditionThatHoldsDecides(t *testing.T) {
	k := branch.New()
	config, err := k.Check(json.RawMessage(three))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		facts map[string]any
		want  string
	}{
		"the first":              {map[string]any{"user.type": "gold"}, "GOLD"},
		"a number of an output":  {map[string]any{"user.type": "silver", "steps.count.outputs.points": 100.0}, "GOLD"},
		"the last":               {map[string]any{"user.type": "silver"}, "SILVER"},
		"none, as time is short": {map[string]any{"user.type": "silver", "session.lastSignOn.at": now}, "NO_MATCH"},
		"none":                   {map[string]any{}, "NO_MATCH"},
		"nothing known":          {nil, "NO_MATCH"},
	} {
		t.Run(name, func(t *testing.T) {
			turn := flow.NewTurn(flow.Ref{}, "b", config, now, nil, 0, flow.Digest{})
			if tt.facts != nil {
				turn.Fact = func(name string) any { return tt.facts[name] }
			}
			out, err := k.Enter(t.Context(), turn)
			if err != nil || out.Verdict != flow.Results || out.Name != tt.want {
				t.Errorf("leads to %q, want %q: %v", out.Name, tt.want, err)
			}
		})
	}
}

func TestABranchIsDescribedByItsConditions(t *testing.T) {
	k := branch.New()
	config, err := k.Check(json.RawMessage(three))
	if err != nil {
		t.Fatal(err)
	}
	s := k.Step(flow.TriggerExperience, config)
	var results []string
	for _, r := range s.Results {
		results = append(results, r.Name+" "+r.Title)
	}
	if diff := cmp.Diff([]string{"GOLD Gold", "SILVER ", "NO_MATCH No match"}, results); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"user.type", "steps.count.outputs.points", "session.lastSignOn.at"}, s.Reads); diff != "" {
		t.Error(diff)
	}
	if general := k.Step("", nil); len(general.Results) != 1 || general.Results[0].Name != "NO_MATCH" || !json.Valid(general.Configuration) {
		t.Errorf("in general: %+v", general)
	}
}

func TestAWrongBranchIsRefused(t *testing.T) {
	const holds = `"condition":{"value":"${user.type}","equals":"a"}`
	many := strings.TrimSuffix(strings.Repeat(`{"result":"A",`+holds+`},`, 51), ",")
	for name, tt := range map[string]struct{ config, want string }{
		"no conditions":         {`{"conditions":[]}`, "$.conditions: takes 1 to 50 conditions, not 0"},
		"too many":              {`{"conditions":[` + many + `]}`, "$.conditions: takes 1 to 50 conditions, not 51"},
		"another member":        {`{"rules":[]}`, "BRANCH takes a list of conditions"},
		"nothing":               {``, "BRANCH takes a list of conditions"},
		"no result":             {`{"conditions":[{` + holds + `}]}`, "$.conditions[0].result: takes 1 to 128"},
		"a result with a space": {`{"conditions":[{"result":"A B",` + holds + `}]}`, "$.conditions[0].result: takes"},
		"the way of the others": {`{"conditions":[{"result":"NO_MATCH",` + holds + `}]}`, "$.conditions[0].result: takes"},
		"the way of errors":     {`{"conditions":[{"result":"ERROR",` + holds + `}]}`, "$.conditions[0].result: takes"},
		"no condition":          {`{"conditions":[{"result":"A"}]}`, "$.conditions[0].condition: is not one JSON value"},
		"a wrong condition":     {`{"conditions":[{"result":"A","condition":{"or":[{"value":"${user.a}","equals":[]}]}}]}`, "$.conditions[0].condition.or[0].equals: takes"},
		"what was typed":        {`{"conditions":[{"result":"A","condition":{"value":"${identifier}","contains":"a"}}]}`, "$.conditions[0].condition: asks for ${identifier}"},
		"a step's inputs":       {`{"conditions":[{"result":"A","condition":{"value":"${steps.a.input.b}","contains":"a"}}]}`, "$.conditions[0].condition: asks for ${steps.a.input.b}"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := branch.New().Check(json.RawMessage(tt.config)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	if _, err := branch.New().Enter(t.Context(), &flow.Turn{}); err == nil || !strings.Contains(fmt.Sprint(err), "is configured with") {
		t.Error("one that was not checked is entered")
	}
}

package call_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/call"
)

var _ flow.Stepper = call.New()

func TestACallHandsOnWhatItIsGiven(t *testing.T) {
	failure := &flow.Failure{Code: "NO", Message: "m", HTML: "<b>m</b>"}
	for name, tt := range map[string]struct {
		config string
		input  map[string]any
		failed *flow.Failure
		want   flow.Outcome
	}{
		"parameters":             {`{}`, map[string]any{"parameters": map[string]any{"a": 1.0}}, nil, flow.Result("SUCCEEDED").WithOutputs(map[string]any{"parameters": map[string]any{"a": 1.0}})},
		"nothing":                {``, nil, nil, flow.Result("SUCCEEDED").WithOutputs(map[string]any{})},
		"after a failure before": {`{"flowDefinition":{"id":"d"}}`, nil, failure, flow.Result("SUCCEEDED").WithOutputs(map[string]any{})},
		"a failure from inside":  {`{"raises":true}`, nil, failure, flow.FailWith(*failure)},
	} {
		t.Run(name, func(t *testing.T) {
			k := call.New()
			config, err := k.Check(json.RawMessage(tt.config))
			if err != nil {
				t.Fatal(err)
			}
			turn := flow.NewTurn(flow.Ref{}, "c", config, time.Time{}, nil, 0, flow.Digest{})
			turn.Input, turn.Failed = tt.input, tt.failed
			out, err := k.Enter(t.Context(), turn)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACallIsDescribedByWhatItDoes(t *testing.T) {
	k := call.New()
	raises, err := k.Check(json.RawMessage(`{"raises":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if s := k.Step("", raises); len(s.Results) != 0 {
		t.Errorf("one that raises has results %v", s.Results)
	}
	if s := k.Step("", nil); len(s.Results) != 1 || !s.References[0].Pinned || s.References[0].Kind != "flowDefinition" {
		t.Errorf("in general: %+v", s)
	}
	if _, err := k.Enter(t.Context(), flow.NewTurn(flow.Ref{}, "c", raises, time.Time{}, nil, 0, flow.Digest{})); err == nil {
		t.Error("raises what is not there")
	}
	for _, config := range []string{`[]`, `{"flow":1}`, `{"raises":"yes"}`} {
		if _, err := k.Check(json.RawMessage(config)); err == nil {
			t.Errorf("takes %s", config)
		}
	}
}

package complete_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/complete"
)

var _ flow.Stepper = complete.New()

func TestAnEndSaysWhatTheFlowCameTo(t *testing.T) {
	end := func(e flow.End, parameters map[string]any) flow.Outcome {
		outputs := map[string]any{}
		if parameters != nil {
			outputs["parameters"] = parameters
		}
		return flow.Result("REDIRECT").WithEnd(e).WithOutputs(outputs)
	}
	refused := func(target string) flow.Outcome {
		return flow.FailWith(flow.Failure{
			Code: "INVALID_DATA", Message: "The flow ended with a value that cannot be handed over.",
			Details: []flow.Detail{{Code: flow.InvalidValue, Target: target, Message: "This takes text, a number, true or false."}},
		})
	}
	for name, tt := range map[string]struct {
		input map[string]any
		want  flow.Outcome
	}{
		"nothing": {nil, end(flow.End{}, nil)},
		"a user and methods": {
			map[string]any{"context": map[string]any{"amr": []any{"pwd", "otp"}, "user": map[string]any{"id": "u1"}}},
			end(flow.End{User: "u1", AMR: []string{"pwd", "otp"}}, nil),
		},
		"a user who was nobody": {map[string]any{"context": map[string]any{"amr": []any{}, "user": map[string]any{}}}, end(flow.End{}, nil)},
		"parameters of every scalar": {
			map[string]any{"parameters": map[string]any{"s": "a&b", "b": true, "n": 3.0, "f": 0.5, "w": json.Number("9007199254740993")}},
			end(flow.End{Parameters: map[string]string{"s": "a&b", "b": "true", "n": "3", "f": "0.5", "w": "9007199254740993"}}, map[string]any{"s": "a&b", "b": "true", "n": "3", "f": "0.5", "w": "9007199254740993"}),
		},
		"a parameter that is an object": {map[string]any{"parameters": map[string]any{"o": map[string]any{}}}, refused("parameters.o")},
		"a parameter that is a secret":  {map[string]any{"parameters": map[string]any{"o": flow.Secret("hunter2")}}, refused("parameters.o")},
		"a method that is no text":      {map[string]any{"context": map[string]any{"amr": []any{1.0}}}, refused("context.amr")},
		"a user who is no text":         {map[string]any{"context": map[string]any{"user": map[string]any{"id": 1.0}}}, refused("context.user.id")},
	} {
		t.Run(name, func(t *testing.T) {
			turn := flow.NewTurn(flow.Ref{}, "end", "REDIRECT", time.Time{}, nil, 0, flow.Digest{})
			turn.Input = tt.input
			out, err := complete.New().Enter(t.Context(), turn)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheTriggerDecidesHowAFlowEnds(t *testing.T) {
	k := complete.New()
	for trigger, want := range map[string]string{flow.TriggerExperience: "REDIRECT", flow.TriggerSignOnPolicy: "COMPLETE", "": "REDIRECT,COMPLETE"} {
		s := k.Step(trigger, nil)
		var names []string
		for _, r := range s.Results {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, ","); got != want || s.Ends != flow.Finishes {
			t.Errorf("%q ends with %s, want %s", trigger, got, want)
		}
		var schema struct {
			Properties struct{ Result struct{ Enum []string } }
		}
		if err := json.Unmarshal(s.Configuration, &schema); err != nil || strings.Join(schema.Properties.Result.Enum, ",") != want {
			t.Errorf("%q is configured by %s: %v", trigger, s.Configuration, err)
		}
	}
	config, err := k.Check(json.RawMessage(`{"result":"COMPLETE"}`))
	if err != nil {
		t.Fatal(err)
	}
	if s := k.Step(flow.TriggerExperience, config); len(s.Results) != 1 || s.Results[0].Name != "COMPLETE" {
		t.Errorf("inside a definition of the other trigger: %v", s.Results)
	}
	for _, wrong := range []string{``, `{}`, `{"result":"END"}`, `{"result":"COMPLETE","x":1}`} {
		if _, err := k.Check(json.RawMessage(wrong)); err == nil {
			t.Errorf("takes %s", wrong)
		}
	}
	if _, err := k.Enter(t.Context(), &flow.Turn{}); err == nil {
		t.Error("one that was not checked is entered")
	}
}

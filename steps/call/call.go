// Package call is the step kind FLOW_INVOKE: it runs another flow definition and
// goes on with what that came to.
//
// The other definition is part of the plan: the compiler puts its steps behind
// the node of this kind, under "<key of the call>/", and leads its end to where
// the call leads. So there is no stack at run time.
package call

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"doorward/runtime/flow"
)

//go:embed config.schema.json
var configuration []byte

//go:embed input.schema.json
var input []byte

//go:embed output.schema.json
var output []byte

// Kind is the step kind.
type Kind struct{}

// New makes the kind.
func New() *Kind { return &Kind{} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "FLOW_INVOKE",
		Doc:     "runs another flow definition and goes on with what it came to",
		Source:  "ours, after reference/management.md 2.6",
		Results: []string{"SUCCEEDED"},
	}
}

// Step describes the kind to definitions.
func (*Kind) Step(_ string, config any) flow.Step {
	s := flow.Step{
		Title: "Invoke Flow", Configuration: configuration, Input: input,
		References: []flow.Reference{{Member: "flowDefinition.id", Kind: "flowDefinition", Pinned: true}},
		Results: []flow.StepResult{{
			Name: "SUCCEEDED", Title: "Succeeded", Doc: "The definition came to its end. Its parameters are the outputs.", Output: output,
		}},
	}
	if c, _ := config.(place); c.raises {
		s.Results = nil
	}
	return s
}

// place is the configuration of a node. One that raises stands where the failures
// of the steps inside leave the call.
type place struct{ raises bool }

// Check takes {"flowDefinition":{"id":...}}, or of the compiler {} for a node
// that leads inside and {"raises":true} for one that hands a failure on.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		FlowDefinition json.RawMessage `json:"flowDefinition"`
		Raises         bool            `json:"raises"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("FLOW_INVOKE takes the id of a flow definition: %w", err)
		}
	}
	return place{c.Raises}, nil
}

// Enter hands the parameters to the steps inside, or a failure of theirs outside.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	if c, _ := t.Config.(place); c.raises {
		if t.Failed == nil {
			return flow.Outcome{}, errors.New("FLOW_INVOKE hands on a failure that is not there")
		}
		return flow.FailWith(*t.Failed), nil
	}
	out := flow.Result("SUCCEEDED")
	if parameters, ok := t.Input["parameters"].(map[string]any); ok {
		out = out.WithOutputs(map[string]any{"parameters": parameters})
	} else {
		out = out.WithOutputs(map[string]any{}) // nothing is left of an earlier call
	}
	return out, nil
}

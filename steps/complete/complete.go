// Package complete is the step kind COMPLETE_FLOW: it ends a flow definition and
// says what it came to.
package complete

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"

	"doorward/runtime/flow"
)

// The results, one for each trigger. Source: reference/management.md 2.6.
const (
	redirect = "REDIRECT"
	complete = "COMPLETE"
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
		Name:    "COMPLETE_FLOW",
		Doc:     "ends the definition and says what it came to",
		Source:  "reference/management.md 2.6; reference/flows.md 7.5",
		Results: []string{redirect, complete},
	}
}

// Step describes the kind to definitions: the trigger decides how one ends.
func (*Kind) Step(trigger string, config any) flow.Step {
	s := flow.Step{Title: "Complete Flow", Configuration: configuration, Input: input, Ends: flow.Finishes}
	results := map[string][]string{flow.TriggerExperience: {redirect}, flow.TriggerSignOnPolicy: {complete}}[trigger]
	if results == nil {
		results = []string{redirect, complete}
	} else {
		s.Configuration = bytes.Replace(configuration, []byte(`["REDIRECT", "COMPLETE"]`), []byte(`["`+results[0]+`"]`), 1)
	}
	if chosen, ok := config.(string); ok {
		results = []string{chosen}
	}
	for _, name := range results {
		r := flow.StepResult{Name: name, Title: "Redirected", Doc: "The browser goes back to the application with the parameters.", Output: output}
		if name == complete {
			r.Title, r.Doc = "Completed", "The sign-on goes on with the user."
		}
		s.Results = append(s.Results, r)
	}
	return s
}

// Check takes {"result":"REDIRECT"} or {"result":"COMPLETE"}; which of them the
// trigger allows, the schema says.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Result string `json:"result"`
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("COMPLETE_FLOW takes a result: %w", err)
	}
	if c.Result != redirect && c.Result != complete {
		return nil, fmt.Errorf("COMPLETE_FLOW takes the result %s or %s", redirect, complete)
	}
	return c.Result, nil
}

// Enter ends the definition. Whether the user and the methods that it claims are
// proven is for the engine to judge.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	result, ok := t.Config.(string)
	if !ok {
		return flow.Outcome{}, fmt.Errorf("COMPLETE_FLOW is configured with %T", t.Config)
	}
	end, wrong := read(t.Input)
	if wrong != "" {
		return flow.FailWith(flow.Failure{
			Code: string(flow.InvalidData), Message: "The flow ended with a value that cannot be handed over.",
			Details: []flow.Detail{{Code: flow.InvalidValue, Target: wrong, Message: "This takes text, a number, true or false."}},
		}), nil
	}
	outputs := map[string]any{}
	if len(end.Parameters) > 0 {
		parameters := make(map[string]any, len(end.Parameters))
		for name, value := range end.Parameters {
			parameters[name] = value
		}
		outputs["parameters"] = parameters
	}
	return flow.Result(result).WithEnd(end).WithOutputs(outputs), nil
}

// read returns what the input claims, or else the path of what is wrong in it.
func read(input map[string]any) (end flow.End, wrong string) {
	parameters, _ := input["parameters"].(map[string]any)
	for name, value := range parameters {
		text, ok := scalar(value)
		if !ok {
			return end, "parameters." + name
		}
		if end.Parameters == nil {
			end.Parameters = map[string]string{}
		}
		end.Parameters[name] = text
	}
	about, _ := input["context"].(map[string]any)
	methods, _ := about["amr"].([]any)
	for _, m := range methods {
		method, ok := m.(string)
		if !ok {
			return end, "context.amr"
		}
		end.AMR = append(end.AMR, method)
	}
	user, _ := about["user"].(map[string]any)
	switch id := user["id"].(type) {
	case nil:
	case string:
		end.User = id
	default:
		return end, "context.user.id"
	}
	return end, ""
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case float64: // that lay in the document
		b, err := json.Marshal(v)
		return string(b), err == nil
	}
	return "", false
}

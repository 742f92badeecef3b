// Package lookup is the step kind LOOKUP: it asks who signs on, before it is
// asked how they prove it.
package lookup

import (
	"context"
	"encoding/json"

	"doorward/runtime/flow"
)

// required is the status in which the kind waits. Source: reference/flows.md 3.1.
const required = "SIGN_ON_REQUIRED"

// Kind is the step kind. It reads no directory, so that nothing it does can tell
// whether a name is anybody's.
type Kind struct{}

// New makes the kind.
func New() *Kind { return &Kind{} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "LOOKUP",
		Doc:     "asks for the username alone",
		Source:  "reference/flows.md 3.1, 3.2",
		Results: []string{"NAMED"},
		Actions: []flow.Action{
			flow.On("user.lookup", k.lookup).In(required).Labelled("user.lookup.submit", "Continue"),
		},
	}
}

// Enter asks, unless it is known already who signs on.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	if t.User.ID != "" {
		return flow.Result("NAMED"), nil
	}
	return flow.Wait(required), nil
}

type identifier struct {
	Username string `json:"username" required:"true" max:"128" autocomplete:"username" label:"lookup.username.label=Username"`
}

// lookup takes every name.
func (*Kind) lookup(_ context.Context, _ *flow.Turn, in identifier) (flow.Outcome, error) {
	return flow.Result("NAMED").WithCandidate(flow.Candidate{Username: in.Username}).WithEvent(flow.UserLookedUp), nil
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) { return flow.Unconfigured("LOOKUP", config) }

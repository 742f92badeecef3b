// Package identify is the step kind IDENTIFY: it names who signs on from what is
// known already, and asks nothing.
package identify

import (
	"context"
	"encoding/json"

	"doorward/runtime/flow"
)

// Kind is the step kind.
type Kind struct{}

// New makes the kind.
func New() *Kind { return &Kind{} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "IDENTIFY",
		Doc:     "takes over the user that the browser's session names",
		Source:  "reference/flows.md 3.2, 4",
		Results: []string{"IDENTIFIED", "UNIDENTIFIED"},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("IDENTIFY", config)
}

// Enter leaves at once. Who signs on is never replaced by whom the session names.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	switch {
	case t.User.ID != "":
		return flow.Result("IDENTIFIED"), nil
	case t.SessionUser.ID != "":
		return flow.Result("IDENTIFIED").WithUser(t.SessionUser), nil
	}
	return flow.Result("UNIDENTIFIED"), nil
}

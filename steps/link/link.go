// Package link is the step kind LINK: once everything is proven, it links the account
// that somebody has elsewhere to theirs here.
package link

import (
	"context"
	"encoding/json"
	"fmt"

	"doorward/runtime/flow"
)

// Links keeps whose accounts elsewhere are.
type Links interface {
	// Link makes the account the user's. It reports whether it is now: one that is
	// somebody else's by now stays theirs. To do it again is harmless.
	Link(ctx context.Context, env, user string, a flow.ForeignAccount) (bool, error)
}

// Kind is the step kind.
type Kind struct{ links Links }

// New makes the kind.
func New(links Links) *Kind { return &Kind{links} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "LINK",
		Doc:     "links the account that was signed on with elsewhere to the user",
		Source:  "reference/flows.md 9.2",
		Results: []string{"DONE"},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) { return flow.Unconfigured("LINK", config) }

// Enter asks nothing. Whose account it is was proven in this execution, here and there.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	done := flow.Result("DONE")
	if t.Foreign == (flow.ForeignAccount{}) || t.User.ID == "" || !t.Proven {
		return done, nil
	}
	linked, err := k.links.Link(ctx, t.Ref.Env, t.User.ID, t.Foreign)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("link account: %w", err))
	}
	if linked {
		done = done.WithEvent(flow.AccountLinked)
	}
	return done.WithForeign(flow.ForeignAccount{}), nil
}

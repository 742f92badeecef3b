package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"doorward/runtime/flow"
)

// astray takes the outlet that a node has for its failure, if it has one.
func (t *turn) astray(n *flow.Node, why *flow.Failure) (next string, leads bool, err error) {
	if why == nil {
		return "", false, nil
	}
	if next, leads = n.Outlets[why.Outlet]; why.Outlet == "" || !leads {
		next, leads = n.Outlets[flow.ErrorResult]
	}
	if !leads {
		return "", false, nil
	}
	x, key := t.x, n.Place()
	b, err := json.Marshal(map[string]any{"code": why.Code, "message": why.Message})
	if err != nil {
		return "", false, fmt.Errorf("failure of node %q: %w", n.Key, err)
	}
	if x.Outputs == nil {
		x.Outputs = map[string][]byte{}
	}
	x.Outputs[failed(key)] = b
	t.astrayBy, x.Failure = why, why
	delete(x.Steps, n.Key)
	return next, true, nil
}

// errClaims says that a definition claims what its steps did not take.
var errClaims = errors.New("definition claims a proof that was not taken")

// finish takes over what a definition came to. A user who is not the execution's,
// or an AMR that no proof of theirs has, is a claim that is not believed.
func (t *turn) finish(e flow.End) error {
	x := t.x
	amr := x.Proofs.Of(x.User.ID).AMR()
	for _, claimed := range e.AMR {
		if !slices.Contains(amr, claimed) {
			return errClaims
		}
	}
	if e.User != "" && e.User != x.User.ID {
		return errClaims
	}
	if x.Request.Definition == "" { // an action of a sign-on, which goes on
		return nil
	}
	x.Named = e.User != ""
	q := url.Values{}
	for name, value := range e.Parameters {
		q.Set(name, value)
	}
	x.Return = q.Encode()
	return nil
}

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"doorward/runtime/flow"
)

// astray takes the outlet that a node has for its failure, if it has one.
func (t *turn) astray(n *flow.Node, why *flow.Failure, outlet string) (next string, leads bool, err error) {
	if why == nil {
		return "", false, nil
	}
	if next, leads = n.Outlets[outlet]; outlet == "" || !leads {
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

// end closes a plan that has no more nodes: completed when the ledger says so,
// failed otherwise. Nothing else completes an execution. It returns where to go
// on when another plan takes over.
func (t *turn) end(ctx context.Context) (string, error) {
	x := t.x
	x.Node, x.Steps, x.Person, x.Foreign = "", nil, flow.Candidate{}, flow.ForeignAccount{}
	x.Inputs, x.Outputs, x.Secrets, x.Failure = nil, nil, nil, nil
	if x.Request.Definition != "" && !x.Named { // its end signs nobody on
		x.User, x.Proofs, x.Status = flow.Subject{}, nil, flow.Completed
		return "", nil
	}
	if x.Request.Owner != "" { // nobody hands it back, where it would be looked at again
		if err := t.e.prune(ctx, x); err != nil {
			return "", err
		}
	}
	if x.Proofs.Satisfies(x.Demand, x.User.ID, t.now) {
		x.Status = flow.Completed
		return "", nil
	}
	return t.unproven(ctx)
}

// unproven fails an execution whose end is not backed by its ledger.
func (t *turn) unproven(ctx context.Context) (string, error) {
	t.e.record(ctx, flow.FlowUnproven, t.x.Ref, t.x, t.caller, "demand not met")
	return t.fail(ctx, &flow.Failure{Code: "AUTHENTICATION_REQUIRED", Message: "The sign-on could not be completed. Start again from the application."})
}

// fail ends the plan. When the application has been assigned another policy the
// sign-on begins anew with that one, of which the entry is returned; what this
// one took of the person counts no more. Source: reference/management.md 4.5.
func (t *turn) fail(ctx context.Context, why *flow.Failure) (string, error) {
	x := t.x
	if len(x.Others) == 0 {
		x.Status, x.Node, x.Failure = flow.Failed, "", why
		x.Inputs, x.Outputs, x.Secrets, x.Steps = nil, nil, nil, nil
		return "", nil
	}
	next := x.Others[0]
	plan, err := t.e.Plans.Plan(ctx, x.Ref.Env, next)
	if err != nil {
		return "", flow.Busy(fmt.Errorf("plan %s: %w", next, err))
	}
	t.plan, x.Plan, x.Others, t.fresh = plan, next, x.Others[1:], 0
	x.User, x.Person, x.Foreign, x.Proofs, x.Steps = x.Request.User, flow.Candidate{}, flow.ForeignAccount{}, nil, nil
	x.Outputs, x.Secrets, x.Failure, x.Named, x.Return, t.astrayBy = nil, nil, nil, false, "", nil
	x.Demand = flow.Demand{NotBefore: x.Demand.NotBefore, ACR: plan.Name}
	t.events = append(t.events, flow.FlowNextPlan)
	return plan.Entry, nil
}

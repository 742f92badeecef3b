package engine

import (
	"context"
	"slices"

	"doorward/runtime/flow"
)

// ReturnAction is the submit that brings back the execution of a flow definition
// that this one led to. It is made here and taken from nobody else.
// Source: reference/flows.md 7.5.
const ReturnAction = "flowExecutionCallback"

// Return goes on with an execution after one of a flow definition, that its view
// linked to, has come back: what that one proved of its user counts here, with
// its own time. One that failed, or signed nobody on, changes nothing. A browser
// that comes back a second time, by a double click, gets the answer of the first:
// that one replaced the session which the other execution is bound to.
func (e *Engine) Return(ctx context.Context, ref flow.Ref, from string, c flow.Caller) (flow.View, error) {
	other := flow.Ref{Env: ref.Env, ID: from}
	x, session, err := e.Executions.Load(ctx, other, e.sessionKey(ref.Env, c))
	if err != nil {
		return flow.View{}, e.storeFault(ctx, other, c, err)
	}
	brings := flow.Submit{Action: ReturnAction, Values: flow.Values{"flowExecutionId": from}}
	now := e.clock()
	switch {
	case x.Request.For != ref.ID || !x.Terminal() || now.After(x.ExpiresAt):
		if _, err := e.show(ctx, x, session, c); err != nil {
			return flow.View{}, err // a stranger's look is recorded
		}
		return flow.View{}, flow.Gone()
	case e.standing(x, session, c, now) == foreign:
		v, err := e.act(ctx, ref, c, brings, ours{})
		if err != nil && flow.AsFault(err).Code != flow.Unavailable {
			return flow.View{}, flow.Gone() // it is no repeat
		}
		return v, err
	case x.Status == flow.Failed || !x.Named:
		return e.View(ctx, ref, c)
	}
	return e.act(ctx, ref, c, brings, ours{returned: x})
}

// Callback goes on with an execution after its person has come back from an external
// provider, with what that one sent: whoever calls it has seen that the answer is to
// what the execution asks now. The errors are those of Act.
func (e *Engine) Callback(ctx context.Context, ref flow.Ref, c flow.Caller, v flow.Values) (flow.View, error) {
	return e.act(ctx, ref, c, flow.Submit{Action: flow.CallbackAction, Values: v}, ours{calls: true})
}

// link is the way that an execution came back by; nil when it is not offered.
func (t *turn) link() *flow.Link {
	n, ok := t.plan.Nodes[t.x.Node]
	if !ok || t.own.returned == nil {
		return nil
	}
	for i := range n.Links {
		l := &n.Links[i]
		if l.Definition == t.own.returned.Request.Definition && l.Offered(t.x.Status) {
			return l
		}
	}
	return nil
}

// comeBack takes over what the other execution proved and goes on behind the node
// that led to it.
func (t *turn) comeBack(ctx context.Context) error {
	x, from := t.x, t.own.returned
	next := t.link().Next
	if x.User.ID != "" && x.User.ID != from.User.ID {
		if err := t.forgetSessionUser(ctx, from.User.ID); err != nil {
			return err
		}
	}
	x.User, x.Person = from.User, flow.Candidate{}
	for _, p := range from.Proofs.Of(from.User.ID) {
		if !slices.Contains(x.Proofs, p) {
			x.Proofs = append(x.Proofs, p)
			t.fresh++
		}
	}
	x.Attempt++
	delete(x.Steps, x.Node)
	return t.walk(ctx, next)
}

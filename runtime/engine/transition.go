package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"doorward/runtime/flow"
)

// Act submits one action. It is the one transition function: whatever moves a
// stored execution comes through here.
//
// An error is a *flow.Fault for the client, or a failure of ours. A Fault carries
// the execution as it stands when the caller owns it.
func (e *Engine) Act(ctx context.Context, ref flow.Ref, c flow.Caller, s flow.Submit) (flow.View, error) {
	return e.act(ctx, ref, c, s, ours{})
}

// ours is what a submit of our own has, and one that was sent never.
type ours struct {
	returned *flow.Execution // what a ReturnAction brings back
	polls    bool            // it is the PollAction
	calls    bool            // it is the CallbackAction
}

func (e *Engine) act(ctx context.Context, ref flow.Ref, c flow.Caller, s flow.Submit, own ours) (flow.View, error) {
	digest, err := e.submitDigest(ref, s)
	if err != nil {
		return flow.View{}, err
	}
	var id [16]byte
	if _, err := io.ReadFull(e.Random, id[:]); err != nil {
		return flow.View{}, fmt.Errorf("lease holder: %w", err)
	}
	claim := flow.Claim{Holder: hex.EncodeToString(id[:]), Submit: digest, Session: e.sessionKey(ref.Env, c)}
	x, session, err := e.acquire(ctx, ref, c, claim)
	if err != nil {
		return flow.View{}, err
	}
	t := &turn{e: e, x: x, session: session, caller: c, now: e.clock(), submit: digest, holder: claim.Holder, own: own}
	v, err := t.run(ctx, s)
	if !t.saved {
		e.release(ctx, ref, claim.Holder)
	}
	return v, err
}

// submitDigest is the HMAC by which a repeat is known. Equal submits have equal
// digests on every node.
func (e *Engine) submitDigest(ref flow.Ref, s flow.Submit) (flow.Digest, error) {
	var body []byte
	if s.Form != nil {
		body = s.Form.Body
	} else {
		var err error
		if body, err = json.Marshal(s.Values); err != nil { // sorts names
			return flow.Digest{}, &flow.Fault{Code: flow.InvalidRequest, Err: err, Message: "The request body cannot be read. Send one JSON object."}
		}
	}
	return e.Keys.Derive(forSubmit, ref.Env, ref.ID, s.Action, string(body), s.Token, s.Key), nil
}

// acquire takes the lease. While another request holds it for an equal submit we
// wait for that one's answer; for a different one it is a conflict at once.
func (e *Engine) acquire(ctx context.Context, ref flow.Ref, c flow.Caller, claim flow.Claim) (*flow.Execution, *flow.Session, error) {
	limits := limit("a", ref.Env, c.Client.RemoteIP, e.Rates.Submits)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		x, session, err := e.Executions.Acquire(ctx, ref, claim, limits)
		var held *flow.HeldError
		if !errors.As(err, &held) {
			err = e.storeFault(ctx, ref, c, err)
			if err != nil && flow.AsFault(err).Code == flow.Unavailable {
				e.giveUp(ctx, ref, claim.Holder, err) // it may be ours although we were not told
			}
			return x, session, err
		}
		if held.Submit != claim.Submit {
			return nil, nil, e.contended(ctx, ref, c, "another submit is running")
		}
		limits = nil
		select {
		case <-ctx.Done():
			return nil, nil, flow.Busy(ctx.Err())
		case <-time.After(wait):
		}
	}
}

// contended answers a submit that lost, with the execution as it stands.
func (e *Engine) contended(ctx context.Context, ref flow.Ref, c flow.Caller, reason string) error {
	_, v, err := e.read(ctx, ref, c) // what is due would wait for the same submit
	if err != nil {
		return err
	}
	e.record(ctx, flow.FlowConflict, ref, nil, c, reason)
	return conflict(&v)
}

func conflict(v *flow.View) *flow.Fault {
	return &flow.Fault{
		Code: flow.Conflict, View: v,
		Message: "Another submit of this step was taken. Nothing of this one was; go on from the state that is sent along.",
	}
}

// run judges the submit and, when it is to be evaluated, evaluates and saves it.
func (t *turn) run(ctx context.Context, s flow.Submit) (flow.View, error) {
	e, x := t.e, t.x
	if t.now.After(x.ExpiresAt) {
		return flow.View{}, flow.Gone()
	}
	var err error
	if t.plan, err = e.Plans.Plan(ctx, x.Ref.Env, x.Plan); err != nil {
		return flow.View{}, flow.Busy(fmt.Errorf("plan %s: %w", x.Plan, err))
	}
	stands := e.standing(x, t.session, t.caller, t.now)
	switch repeats, err := t.repeats(ctx, stands); {
	case err != nil:
		return flow.View{}, err
	case repeats:
		return t.again(ctx)
	}
	switch stands {
	case foreign:
		e.record(ctx, flow.FlowForeign, x.Ref, nil, t.caller, "submit")
		return flow.View{}, flow.Gone()
	case heir:
		adopt(x, t.session, t.caller)
	case owner:
	}
	if f := t.refusal(ctx, s); f != nil {
		v := e.view(x, t.plan)
		f.View = &v
		return v, f
	}
	if s.Form != nil {
		v := e.view(x, t.plan)
		o, _ := v.Find(s.Action)
		if s.Values, err = s.Form.Read(o.Fields); err != nil {
			return t.unevaluated(ctx, err)
		}
	}
	return t.evaluate(ctx, s)
}

// credential is the digest of what the caller proves ownership with.
func (t *turn) credential() flow.Digest { return credential(t.caller) }

func credential(c flow.Caller) flow.Digest {
	if c.Cookie != "" {
		return flow.Sum(c.Cookie)
	}
	return flow.Sum(c.FlowToken)
}

// answer shows the execution after the turn that led to its present version.
func (t *turn) answer(refused *flow.Fault) (flow.View, error) {
	v := t.e.view(t.x, t.plan)
	v.Cookie, v.Trust = t.cookie(), t.trust
	v.Members = append(v.Members, t.once...)
	if t.x.TokenAt == t.x.Version && !t.beyond() {
		v.FlowToken = t.e.derive(forFlowToken, t.x.Ref, t.x.TokenAt)
	}
	if refused == nil {
		return v, nil
	}
	f := *refused
	f.View = &v
	return v, &f
}

// refusal says why a submit of the owner is not evaluated.
func (t *turn) refusal(ctx context.Context, s flow.Submit) *flow.Fault {
	x, e := t.x, t.e
	stale := s.Token != "" && !e.stepTokenIs(s.Token, x.Ref, x.Version)
	reused := s.Key != "" && flow.Sum(s.Key) == x.Repeat.Key
	switch {
	case stale:
		e.record(ctx, flow.FlowStaleToken, x.Ref, x, t.caller, "step token of another state")
		return conflict(nil)
	case reused:
		e.record(ctx, flow.FlowConflict, x.Ref, x, t.caller, "idempotency key used for another submit")
		return &flow.Fault{Code: flow.Conflict, Message: "This Idempotency-Key was used for another submit. Send a new key with a new submit."}
	case x.Terminal():
		e.record(ctx, flow.FlowNotOffered, x.Ref, x, t.caller, "flow has ended")
		return &flow.Fault{
			Code: flow.InvalidRequest, Message: "The flow has ended and takes no action. Go on at its resumeUrl.",
			Details: []flow.Detail{{Code: flow.ActionNotOffered, Target: "Content-Type", Message: "No action is offered in status " + x.Status + "."}},
		}
	case s.Action == flow.PollAction && !t.own.polls, s.Action == flow.CallbackAction && !t.own.calls, s.Action == ReturnAction && t.link() == nil, s.Action != ReturnAction && s.Action != ResetAction && t.offer(s.Action).action == nil:
		e.record(ctx, flow.FlowNotOffered, x.Ref, x, t.caller, "action not offered")
		return &flow.Fault{
			Code: flow.InvalidRequest, Message: "The action is not offered now. Send one of those in _links.",
			Details: []flow.Detail{{Code: flow.ActionNotOffered, Target: "Content-Type", Message: "Status " + x.Status + " does not offer this action.", Inner: map[string]any{"allowedValues": e.offered(x, t.plan)}}},
		}
	case s.Action == ResetAction && len(s.Values) > 0:
		return flow.Bind(s.Values, nil, &struct{}{})
	}
	return nil
}

// offer is an action and the node that it belongs to: the waiting one, or one
// beside it.
type offer struct {
	action *flow.Action // nil: there is none
	node   *flow.Node
}

// offer finds what is offered now under name.
func (t *turn) offer(name string) offer {
	here := t.plan.Nodes[t.x.Node]
	if a := t.e.find(here, name, t.x.Status, (*flow.Action).Offered); a != nil && (!a.Open || t.e.opens(t.x, here, name)) {
		return offer{a, here}
	}
	for _, key := range here.Beside {
		n := t.plan.Nodes[key]
		a := t.e.find(n, name, t.x.Status, (*flow.Action).OfferedBeside)
		if a == nil {
			continue
		}
		if opens := t.e.kinds[n.Kind].opens; opens == nil || opens(t.e.seen(t.x, n)) {
			return offer{a, n}
		}
	}
	return offer{}
}

func (e *Engine) find(n *flow.Node, name, status string, offered func(*flow.Action, string) bool) *flow.Action {
	k, ok := e.kinds[n.Kind]
	if !ok {
		return nil
	}
	for i := range k.meta.Actions {
		if a := &k.meta.Actions[i]; a.Name == name && offered(a, status) {
			return a
		}
	}
	return nil
}

// evaluate runs the action and saves what came of it.
func (t *turn) evaluate(ctx context.Context, s flow.Submit) (flow.View, error) {
	e, x := t.e, t.x
	repeat := flow.Once
	var refused *flow.Fault
	calls, done := flow.Within(ctx, flow.TurnTimeout)
	defer done()
	switch s.Action {
	case ResetAction:
		if err := t.reset(calls); err != nil {
			return flow.View{}, e.ourFault(ctx, x.Ref, err)
		}
	case ReturnAction:
		if err := t.comeBack(calls); err != nil {
			return flow.View{}, e.ourFault(ctx, x.Ref, err)
		}
	default:
		o := t.offer(s.Action)
		repeat = o.action.Repeat
		ft, err := t.step(calls, o.node)
		if err != nil {
			return flow.View{}, err
		}
		out, err := o.action.Run(calls, ft, s.Values)
		if err != nil {
			return t.unevaluated(ctx, err)
		}
		x.Attempt++
		x.Failure = nil
		if o.node.Key != x.Node && out.Verdict != flow.Rejects { // through the door
			delete(x.Steps, x.Node)
			x.Node = o.node.Key
		}
		next, waits, err := t.settle(calls, o.node, ft, out)
		if err == nil && !waits {
			repeat = flow.Once // whoever is led on learns of it, were the first answer lost
			err = t.walk(calls, next)
		}
		if err != nil {
			return flow.View{}, e.ourFault(ctx, x.Ref, fmt.Errorf("%s: %w", s.Action, err))
		}
		refused = out.Fault
	}
	return t.save(ctx, s, repeat, refused)
}

// unevaluated answers a submit that changed nothing: one that does not fit the
// action's input, or one that we could not evaluate.
func (t *turn) unevaluated(ctx context.Context, err error) (flow.View, error) {
	var f *flow.Fault
	if !errors.As(err, &f) {
		return flow.View{}, t.e.ourFault(ctx, t.x.Ref, err)
	}
	v := t.e.view(t.x, t.plan)
	g := *f
	g.View = &v
	return v, &g
}

// save ends the turn: the new session first, then the execution, then the end
// of the old session.
func (t *turn) save(ctx context.Context, s flow.Submit, repeat flow.Repeat, refused *flow.Fault) (flow.View, error) {
	e, x := t.e, t.x
	was := t.credential()
	x.Version++
	if x.ExpiresAt = t.now.Add(flow.Idle); x.ExpiresAt.After(x.EndsAt) {
		x.ExpiresAt = x.EndsAt
	}
	if err := t.rotate(ctx); err != nil {
		return flow.View{}, err
	}
	x.Repeat = flow.Mark{}
	if repeat == flow.Once {
		x.Repeat = flow.Mark{Submit: t.submit, Key: flow.Sum(s.Key), Binding: was, Version: x.Version, At: t.now, Fault: refused}
	}
	if err := e.Executions.Save(ctx, x, t.holder); err != nil {
		t.saved = true // there is nothing of ours to release any more
		if errors.Is(err, flow.ErrLost) {
			return flow.View{}, e.contended(ctx, x.Ref, t.caller, "lease lost")
		}
		e.giveUp(ctx, x.Ref, t.holder, err)
		return flow.View{}, e.storeFault(ctx, x.Ref, t.caller, err)
	}
	t.saved = true
	e.flush(ctx, t, "")
	if err := t.forgetOld(ctx); err != nil {
		return flow.View{}, err
	}
	return t.answer(refused)
}

// giveUp releases a lease after the store has failed. A store that gave no answer
// within its own time is not waited for again: that would break the half second
// in which a failure is promised.
func (e *Engine) giveUp(ctx context.Context, ref flow.Ref, holder string, failure error) {
	var t interface{ Timeout() bool }
	if ctx.Err() == nil && errors.As(failure, &t) && t.Timeout() {
		go e.release(ctx, ref, holder)
		return
	}
	e.release(ctx, ref, holder)
}

// release gives the lease back, also when the request's own time is up; a lease
// that cannot be given back ends by itself. It is brief, so that a request whose
// store has stopped answering still ends within half a second.
func (e *Engine) release(ctx context.Context, ref flow.Ref, holder string) {
	c, cancel := context.WithTimeout(context.WithoutCancel(ctx), 150*time.Millisecond)
	defer cancel()
	_ = e.Executions.Release(c, ref, holder)
}

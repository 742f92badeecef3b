package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// View reads an execution for its owner; it changes nothing and slides nothing,
// unless what a flow.Poller waits for has happened: then the execution moves as by a
// submit, and whoever did not get the answer gets it again as for one.
func (e *Engine) View(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, error) {
	x, session, err := e.Executions.Load(ctx, ref, e.sessionKey(ref.Env, c))
	if err != nil {
		return flow.View{}, e.storeFault(ctx, ref, c, err)
	}
	if e.missed(x, session, c) {
		return e.poll(ctx, x.Ref, x.Version-1, c)
	}
	v, err := e.show(ctx, x, session, c)
	if err != nil || x.Terminal() {
		return v, err
	}
	return e.polled(ctx, x, v, c)
}

// missed reports whether a read of this caller has led to the present version of x and
// made it somebody's whom the caller does not know to be: the answer was lost.
func (e *Engine) missed(x *flow.Execution, session *flow.Session, c flow.Caller) bool {
	if x.Repeat.Submit.IsZero() || x.Repeat.Binding != credential(c) || e.standing(x, session, c, e.clock()) != foreign {
		return false
	}
	digest, err := e.submitDigest(x.Ref, e.polling(x.Ref, x.Version-1))
	return err == nil && digest == x.Repeat.Submit
}

// polling is the submit of a read that finds what is due in a version.
func (e *Engine) polling(ref flow.Ref, version uint64) flow.Submit {
	return flow.Submit{Action: flow.PollAction, Token: e.derive(forStepToken, ref, version)}
}

// poll moves what is due in a version, and is the execution after it. Another submit
// that comes first is as good.
func (e *Engine) poll(ctx context.Context, ref flow.Ref, version uint64, c flow.Caller) (flow.View, error) {
	v, err := e.act(ctx, ref, c, e.polling(ref, version), ours{polls: true})
	var f *flow.Fault
	if errors.As(err, &f) && f.View != nil {
		return *f.View, nil
	}
	return v, err
}

// read is an execution as it stands, whatever it waits for.
func (e *Engine) read(ctx context.Context, ref flow.Ref, c flow.Caller) (*flow.Execution, flow.View, error) {
	x, session, err := e.Executions.Load(ctx, ref, e.sessionKey(ref.Env, c))
	if err != nil {
		return nil, flow.View{}, e.storeFault(ctx, ref, c, err)
	}
	v, err := e.show(ctx, x, session, c)
	return x, v, err
}

// polled is the view v of x, or, where it is due, that of the execution after
// PollAction.
func (e *Engine) polled(ctx context.Context, x *flow.Execution, v flow.View, c flow.Caller) (flow.View, error) {
	plan, err := e.Plans.Plan(ctx, x.Ref.Env, x.Plan)
	if err != nil {
		return flow.View{}, flow.Busy(fmt.Errorf("plan %s: %w", x.Plan, err))
	}
	n := plan.Nodes[x.Node]
	k := e.kinds[n.Kind]
	if k == nil || k.due == nil {
		return v, nil
	}
	t := e.seen(x, n)
	t.Now = e.clock()
	due, err := k.due(ctx, t)
	switch {
	case err != nil:
		return flow.View{}, e.ourFault(ctx, x.Ref, err)
	case !due:
		return v, nil
	}
	return e.poll(ctx, x.Ref, x.Version, c)
}

// show is a read of x by the caller, who must be the owner or the heir.
func (e *Engine) show(ctx context.Context, x *flow.Execution, session *flow.Session, c flow.Caller) (flow.View, error) {
	now := e.clock()
	if now.After(x.ExpiresAt) {
		return flow.View{}, flow.Gone()
	}
	if e.standing(x, session, c, now) == foreign {
		e.record(ctx, flow.FlowForeign, x.Ref, nil, c, "read")
		return flow.View{}, flow.Gone()
	}
	plan, err := e.Plans.Plan(ctx, x.Ref.Env, x.Plan)
	if err != nil {
		return flow.View{}, flow.Busy(fmt.Errorf("plan %s: %w", x.Plan, err))
	}
	return e.view(x, plan), nil
}

// Resume hands a finished execution back. Completed: the Completion from which
// the face issues. Failed: the View says why. Anything else: the View waits. The
// same browser gets the same again for flow.ResumedLife; then the execution is gone.
// One that is no sign-on (flow.Request.IsSignOn) is not handed back.
func (e *Engine) Resume(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, *flow.Completion, error) {
	key := e.sessionKey(ref.Env, c)
	binding := flow.Sum(c.Cookie)
	var bound flow.Digest
	if c.Cookie == "" && c.FlowToken != "" { // a client without cookies: what binds it is known once loaded
		x, session, err := e.Executions.Load(ctx, ref, key)
		if err == nil && e.standing(x, session, c, e.clock()) == owner {
			binding, bound, key = x.Binding, x.SessionHash, x.SessionHash
		}
	}
	x, session, err := e.Executions.Resume(ctx, ref, binding, key)
	if err != nil {
		return flow.View{}, nil, e.storeFault(ctx, ref, c, err)
	}
	if session == nil && !bound.IsZero() { // a sign-off ends what rests on the session, as it does for a cookie
		return flow.View{}, nil, flow.Gone()
	}
	v, err := e.show(ctx, x, session, c)
	if err == nil && !x.Request.IsSignOn() {
		return flow.View{}, nil, flow.Gone()
	}
	if err != nil || x.Status != flow.Completed {
		return v, nil, err
	}
	if err := e.prune(ctx, x); err != nil {
		return v, nil, err
	}
	done, err := e.complete(x, e.clock())
	return v, done, err
}

// view is what the owner may see.
func (e *Engine) view(x *flow.Execution, plan *flow.Plan) flow.View {
	v := flow.View{
		Ref: x.Ref, Status: x.Status, Version: x.Version, Token: e.derive(forStepToken, x.Ref, x.Version),
		User: x.User, Population: x.User.Population, Locales: locales(x.Request.Locales, x.User.Locales),
		Application: x.Request.Application, SessionID: x.SessionID, PiFlow: x.Request.PiFlow,
		ReturnTo: x.Request.ReturnTo, Payload: x.Request.Payload, LoginHint: x.Request.LoginHint, AMR: x.Proofs.Of(x.User.ID).Since(x.Demand.NotBefore).AMR(),
		Failure: x.Failure, CreatedAt: x.CreatedAt, ExpiresAt: x.ExpiresAt,
	}
	switch {
	case v.User.ID == "":
		v.User.Username = x.Person.Username
	case x.IsNamed() && len(x.Proofs) == 0: // who has proven nothing sees what was said of them
		v.User.Given, v.User.Family = "", ""
	}
	if n := len(x.Proofs); n > 0 && x.Request.Owner != "" {
		v.Authenticator = x.Proofs[n-1].Authenticator
	}
	v.Definition = x.Request.Definition
	switch {
	case !x.Terminal():
		l := look{e: e, x: x}
		v.Offers = l.offers(plan)
		l.shown(&v, plan)
	case v.Definition != "":
		v.Redirect = redirect(x)
	}
	return v
}

// look is a look at an execution: one turn that is taken from node to node.
type look struct {
	e *Engine
	x *flow.Execution
	t *flow.Turn
}

// at is the turn as it is at a node for who only looks. It is good until the next at.
func (l *look) at(n *flow.Node) *flow.Turn {
	if l.t == nil {
		l.t = l.e.seen(l.x, n)
	} else {
		l.t.Visit(n.Key, n.Config, l.x.Steps[n.Key])
	}
	return l.t
}

// shown adds what the waiting node shows, and what the nodes beside it do.
func (l *look) shown(v *flow.View, plan *flow.Plan) {
	x := l.x
	n, ok := plan.Nodes[x.Node]
	if !ok {
		return
	}
	for i := range n.Links {
		if n.Links[i].Offered(x.Status) {
			v.Links = append(v.Links, n.Links[i])
		}
	}
	s := l.show(v, n)
	v.Address, v.Form, v.Values = s.Address, s.Form, s.Values
	v.External = asked(s.External, &x.Request)
	for _, key := range n.Beside {
		l.show(v, plan.Nodes[key])
	}
}

// show adds what one node shows of everybody's.
func (l *look) show(v *flow.View, n *flow.Node) (s flow.Show) {
	if k, ok := l.e.kinds[n.Kind]; ok && k.show != nil {
		s = k.show(l.at(n))
	}
	if v.Population == "" {
		v.Population = s.Population
	}
	v.Members, v.Embedded = append(v.Members, s.Members...), append(v.Embedded, s.Embedded...)
	return s
}

// asked is where somebody signs on elsewhere, with what the request says of how.
func asked(at *flow.External, r *flow.Request) *flow.External {
	if at != nil {
		at.Fresh, at.MaxAge, at.Locales = r.Fresh, r.MaxAge, r.Locales
	}
	return at
}

// offers are the actions of the waiting node, those that open the nodes beside
// it, and the engine's own.
func (l *look) offers(plan *flow.Plan) []flow.Offer {
	e, x := l.e, l.x
	n, ok := plan.Nodes[x.Node]
	if !ok {
		return nil
	}
	k, ok := e.kinds[n.Kind]
	if !ok {
		return nil
	}
	own := k.offers(x.Status)
	if k.own != nil {
		own = k.merged(l.at(n), own)
	}
	if len(n.Beside) == 0 {
		return own
	}
	last := len(own) - 1 // the engine's own
	out := append(make([]flow.Offer, 0, len(own)+len(n.Beside)), own[:last]...)
	for _, key := range n.Beside {
		n := plan.Nodes[key]
		if k, ok := e.kinds[n.Kind]; ok && (k.opens == nil || k.opens(l.at(n))) {
			out = append(out, k.doors(x.Status)...)
		}
	}
	return append(out, own[last])
}

// seen is the turn as it is for who only looks.
func (e *Engine) seen(x *flow.Execution, n *flow.Node) *flow.Turn {
	t := flow.NewTurn(x.Ref, n.Key, n.Config, time.Time{}, x.Steps[n.Key], x.Attempt, flow.Digest{})
	t.Status, t.User, t.Person, t.Foreign, t.Named = x.Status, x.User, x.Person, x.Foreign, x.IsNamed()
	t.Proofs, t.Derive = x.Proofs.Of(x.User.ID), e.Keys.Derive
	return t
}

// merged is the offers of a node's own making, before those of its kind that are
// the same for all nodes.
func (k *kind) merged(t *flow.Turn, always []flow.Offer) []flow.Offer {
	own := k.own(t)
	out := make([]flow.Offer, 0, len(own)+len(always))
	out = append(out, own...)
	for _, o := range always {
		if !o.Open && !slices.ContainsFunc(own, func(p flow.Offer) bool { return p.Name == o.Name }) {
			out = append(out, o)
		}
	}
	return out
}

// opens reports whether the node itself offers an action whose values are its own.
func (e *Engine) opens(x *flow.Execution, n *flow.Node, name string) bool {
	k := e.kinds[n.Kind]
	return k.own != nil && slices.ContainsFunc(k.own(e.seen(x, n)), func(o flow.Offer) bool { return o.Name == name })
}

// redirect is where the execution of a definition ends: with its parameters, with
// the code of its failure, and with its own id where another one waits for it.
func redirect(x *flow.Execution) string {
	q, err := url.ParseQuery(x.Return)
	if err != nil { // it is our own writing
		q = url.Values{}
	}
	if x.Failure != nil {
		q.Set("error", x.Failure.Code)
	}
	if x.Request.For != "" {
		q.Set("flowExecutionId", x.Ref.ID)
	}
	return withQuery(x.Request.ReturnTo, q.Encode())
}

func withQuery(to, query string) string {
	if to == "" || query == "" {
		return to
	}
	base, fragment, cut := strings.Cut(to, "#")
	sep := "?"
	if strings.Contains(base, "?") {
		sep = "&"
	}
	base += sep + query
	if cut {
		base += "#" + fragment
	}
	return base
}

func (e *Engine) offered(x *flow.Execution, plan *flow.Plan) []string {
	var names []string
	for _, o := range (&look{e: e, x: x}).offers(plan) {
		names = append(names, o.Name)
	}
	return names
}

// flush records the events of a turn that was saved.
func (e *Engine) flush(ctx context.Context, t *turn, first flow.EventType) {
	events := t.events
	if first != "" {
		events = append([]flow.EventType{first}, events...)
	}
	for _, ev := range events {
		e.record(ctx, ev, t.x.Ref, t.x, t.caller, "")
	}
	if t.x.Status == flow.Completed && first != flow.FlowCompleted {
		e.record(ctx, flow.FlowCompleted, t.x.Ref, t.x, t.caller, "")
	}
	if t.x.Status == flow.Failed {
		e.record(ctx, flow.FlowFailed, t.x.Ref, t.x, t.caller, t.x.Failure.Code)
	}
}

// ourFault keeps a Fault as it is; anything else is a failure of ours, named
// once with the execution.
func (e *Engine) ourFault(_ context.Context, ref flow.Ref, err error) error {
	var f *flow.Fault
	if errors.As(err, &f) {
		return err
	}
	return fmt.Errorf("execution %s: %w", ref.ID, err)
}

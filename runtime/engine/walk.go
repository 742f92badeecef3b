package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// mostOutputs is what the outputs of steps come to at most, in bytes of JSON, once
// a step has added to them that nobody has typed: a record takes 16 KiB in all.
const mostOutputs = 12 << 10

// turn is one move of one execution, from load to save.
type turn struct {
	e       *Engine
	x       *flow.Execution
	session *flow.Session // under the caller's cookie; nil when none
	plan    *flow.Plan
	caller  flow.Caller
	now     time.Time
	submit  flow.Digest
	holder  string

	fresh    int         // proofs taken in this turn
	st       string      // what derived made; empty: nothing yet
	forget   flow.Digest // session to end once the turn is saved; zero: none
	wasReset bool
	saved    bool
	returned *flow.Execution // one of a definition that has come back; nil: none
	used     []string        // secrets that the present node was handed
	astrayBy *flow.Failure   // the last ERROR outlet of this turn was taken for; nil: none was
	events   []flow.EventType
}

// walk enters nodes, from key on, until one waits or the plan ends.
func (t *turn) walk(ctx context.Context, key string) error {
	for range flow.MostNodes {
		if key == "" {
			var err error
			if key, err = t.end(ctx); err != nil || key == "" {
				return err
			}
		}
		n, ok := t.plan.Nodes[key]
		if !ok {
			return fmt.Errorf("plan %s has no node %q", t.plan.Hash, key)
		}
		enter, err := t.guard(ctx, n)
		if err != nil {
			return flow.Busy(fmt.Errorf("guard of node %q: %w", key, err))
		}
		if !enter {
			key = n.Skip
			continue
		}
		k, err := t.e.kind(n)
		if err != nil {
			return err
		}
		t.x.Node, t.x.Status = key, ""
		ft, err := t.step(ctx, n)
		if err != nil {
			return err
		}
		out, err := k.Enter(ctx, ft)
		if err != nil {
			return fmt.Errorf("enter node %q: %w", key, err)
		}
		next, waits, err := t.settle(ctx, n, ft, out)
		if err != nil || waits {
			return err
		}
		key = next
	}
	return fmt.Errorf("plan %s did not settle after %d nodes, at %q", t.plan.Hash, flow.MostNodes, key)
}

// guard decides whether a node is entered, and puts on the demand what it stands
// for: proven from now on when it runs; proven at any time when only the age of
// the session spares the person.
func (t *turn) guard(ctx context.Context, n *flow.Node) (bool, error) {
	f := &facts{ctx: ctx, t: t, session: true}
	if n.Guard != nil && !n.Guard.Holds(t.now, f.fact) {
		if f.err == nil && n.Factors != 0 {
			f.session = false
			if n.Guard.Holds(t.now, f.fact) {
				t.x.Demand.Add(flow.Need{Factors: n.Factors})
			}
		}
		return false, f.err
	}
	if n.Factors != 0 {
		t.x.Demand.Add(flow.Need{Factors: n.Factors, NotBefore: t.x.CreatedAt})
	}
	return true, f.err
}

// step is the turn as the kind may see it.
func (t *turn) step(ctx context.Context, n *flow.Node) (*flow.Turn, error) {
	x := t.x
	ft := flow.NewTurn(x.Ref, n.Key, n.Config, t.now, x.Steps[n.Key], x.Attempt, t.submit)
	ft.Client, ft.Status, ft.LoginHint = t.caller.Client, x.Status, x.Request.LoginHint
	ft.User, ft.SessionUser, ft.Person = x.User, x.User, x.Person
	ft.Locales = locales(x.Request.Locales, x.User.Locales, t.caller.Client.Locales)
	ft.Failed = t.astrayBy
	k, ok := t.e.kinds[n.Kind]
	if !ok || !k.defined {
		return ft, nil
	}
	d := t.data(ctx)
	in, used, err := d.input(n, k.secrets)
	if err != nil {
		return nil, flow.Busy(fmt.Errorf("input of node %q: %w", n.Key, err))
	}
	ft.Trigger, ft.Input, t.used = t.plan.Trigger, in, used
	ft.Proven = slices.ContainsFunc(x.Proofs.Of(x.User.ID), func(p flow.Proof) bool { return p.Origin != flow.FromSession })
	ft.Before = func() map[string]any {
		m, _ := d.parse(n.Place(), x.Outputs[n.Place()]).(map[string]any)
		return m
	}
	ft.Fact = (&facts{ctx: ctx, t: t, session: true, data: d}).fact
	return ft, nil
}

// locales are languages from several sources, the first source first.
func locales(sources ...string) string {
	return strings.Join(slices.DeleteFunc(sources, func(s string) bool { return s == "" }), ",")
}

// settle applies an outcome. It returns where to go on when the node is left.
func (t *turn) settle(ctx context.Context, n *flow.Node, ft *flow.Turn, out flow.Outcome) (next string, waits bool, err error) {
	x := t.x
	if kept := ft.Kept(); kept != nil {
		if x.Steps == nil {
			x.Steps = map[string][]byte{}
		}
		x.Steps[n.Key] = kept
	}
	t.events = append(t.events, out.Events...)
	if err := t.learn(n, out); err != nil {
		return "", false, err
	}
	switch out.Verdict {
	case flow.Waits, flow.Rejects:
		if out.Verdict == flow.Rejects && x.Node != n.Key {
			return "", true, nil // a door that did not open: the person stands where they stood
		}
		if out.Status == "" || out.Status == flow.Completed || out.Status == flow.Failed {
			return "", false, fmt.Errorf("node %q cannot wait in status %q", n.Key, out.Status)
		}
		x.Status = out.Status
		return "", true, nil
	case flow.Fails:
		return t.refuse(ctx, n, out.Failure)
	case flow.Results:
		next, ok := n.Outlets[out.Name]
		if !ok {
			return "", false, fmt.Errorf("node %q has no outlet %q", n.Key, out.Name)
		}
		delete(x.Steps, n.Key)
		t.useUp()
		if out.Outputs != nil {
			if err := t.store(n, out.Outputs); err != nil {
				return "", false, err
			}
			if ft.Status == "" && t.full() { // nobody has typed it, so that nobody can shorten it
				delete(x.Outputs, n.Place())
				return t.refuse(ctx, n, flow.CallFailed("OUTPUT_TOO_LARGE").Failure)
			}
		}
		if out.End != nil && t.finish(*out.End) != nil {
			next, err := t.unproven(ctx)
			return next, next == "", err
		}
		return next, false, nil
	}
	return "", false, fmt.Errorf("node %q gave no answer", n.Key)
}

// refuse leaves a node that has failed: by an outlet that is for it, or by ending
// the execution.
func (t *turn) refuse(ctx context.Context, n *flow.Node, why *flow.Failure) (next string, waits bool, err error) {
	t.useUp()
	if next, leads, err := t.astray(n, why); leads || err != nil {
		return next, false, err
	}
	next, err = t.fail(ctx, why)
	return next, next == "", err
}

// full reports whether what the steps have put out leaves no room in the record
// for what is to come.
func (t *turn) full() bool {
	size := 0
	for _, b := range t.x.Outputs {
		size += len(b)
	}
	return size > mostOutputs
}

// useUp forgets the secrets that the node just left was handed.
func (t *turn) useUp() {
	for _, name := range t.used {
		delete(t.x.Secrets, name)
	}
	t.used = nil
}

// learn takes over what an outcome says of who the person is.
func (t *turn) learn(n *flow.Node, out flow.Outcome) error {
	x := t.x
	if out.Person != nil {
		if err := t.forgetSessionUser(); err != nil {
			return fmt.Errorf("node %q named a candidate: %w", n.Key, err)
		}
		x.Person = *out.Person
		for i := range x.Person.Proofs {
			x.Person.Proofs[i].At, x.Person.Proofs[i].Origin = t.taken(), flow.FromFlow
		}
	}
	for _, u := range out.Users {
		if x.User.ID != "" && x.User.ID != u.ID {
			return fmt.Errorf("node %q changed the user of the execution", n.Key)
		}
		x.User = u
		if x.Person.UserID == u.ID {
			out.Proofs = append(x.Person.Proofs, out.Proofs...)
		}
		x.Person = flow.Candidate{}
	}
	for _, p := range out.Proofs {
		if p.Subject == "" || p.Subject != x.User.ID {
			return fmt.Errorf("node %q proved somebody who is not the user", n.Key)
		}
		p.At, p.Origin = t.taken(), flow.FromFlow
		x.Proofs = append(x.Proofs, p)
		t.fresh++
	}
	return nil
}

// forgetSessionUser makes room for somebody else: whom only the browser's session
// names is not the user of this execution any more. It fails when the user was
// proven in it.
func (t *turn) forgetSessionUser() error {
	x := t.x
	if x.User.ID == "" {
		return nil
	}
	if slices.ContainsFunc(x.Proofs, func(p flow.Proof) bool { return p.Origin != flow.FromSession }) {
		return errors.New("the execution has another user")
	}
	x.User, x.Proofs, x.SessionID = flow.Subject{}, nil, ""
	return nil
}

// taken is the time of a proof of this turn: never before the execution began,
// though this node's clock may be behind the one that started it.
func (t *turn) taken() time.Time {
	if t.now.Before(t.x.CreatedAt) {
		return t.x.CreatedAt
	}
	return t.now
}

// end closes a plan that has no more nodes: completed when the ledger says so,
// failed otherwise. Nothing else completes an execution. It returns where to go
// on when another plan takes over.
func (t *turn) end(ctx context.Context) (string, error) {
	x := t.x
	x.Node, x.Steps, x.Person = "", nil, flow.Candidate{}
	x.Inputs, x.Outputs, x.Secrets, x.Failure = nil, nil, nil, nil
	if x.Request.Definition != "" && !x.Named { // its end signs nobody on
		x.User, x.Proofs, x.Status = flow.Subject{}, nil, flow.Completed
		return "", nil
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
	x.User, x.Person, x.Proofs, x.Steps = flow.Subject{}, flow.Candidate{}, nil, nil
	x.Outputs, x.Secrets, x.Failure, x.Named, x.Return, t.astrayBy = nil, nil, nil, false, "", nil
	x.Demand = flow.Demand{NotBefore: x.Demand.NotBefore, ACR: plan.Name}
	t.events = append(t.events, flow.FlowNextPlan)
	return plan.Entry, nil
}

func (e *Engine) kind(n *flow.Node) (*kind, error) {
	k, ok := e.kinds[n.Kind]
	if !ok {
		return nil, fmt.Errorf("node %q: unknown kind %q", n.Key, n.Kind)
	}
	return k, nil
}

// facts answers what guards ask. User attributes are read once, and only when
// one is asked for.
type facts struct {
	ctx     context.Context //nolint:containedctx // lives for one evaluation
	t       *turn
	session bool // false: as if the browser had no session
	user    map[string]any
	data    *data // of a flow definition; nil: none
	err     error
}

// Names. Source: reference/management.md 4.4, Variables.
const (
	factRemoteIP      = "flow.request.http.remoteIp"
	factLastSignOn    = "session.lastSignOn.at"
	factAuthenticator = "session.lastSignOn.withAuthenticator."
	factUser          = "user."
)

func (f *facts) fact(name string) any {
	x := f.t.x
	switch {
	case name == factRemoteIP:
		if ip := f.t.caller.Client.RemoteIP; ip.IsValid() {
			return ip.Unmap()
		}
	case name == factLastSignOn:
		return f.last("")
	case strings.HasPrefix(name, factAuthenticator) && strings.HasSuffix(name, ".at"):
		return f.last(strings.TrimSuffix(strings.TrimPrefix(name, factAuthenticator), ".at"))
	case strings.HasPrefix(name, factUser) && x.User.ID != "":
		if f.user == nil && f.err == nil {
			f.user, f.err = f.t.e.Users.Facts(f.ctx, x.Ref.Env, x.User.ID)
		}
		return f.user[strings.TrimPrefix(name, factUser)]
	case f.data != nil:
		return plain(f.data.find(strings.Split(name, ".")))
	}
	return nil
}

// plain is a value as conditions compare it: a list of strings as one.
func plain(v any) any {
	list, ok := v.([]any)
	if !ok {
		if _, hidden := v.(flow.Secret); hidden {
			return nil
		}
		return v
	}
	out := make([]string, 0, len(list))
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// last is the youngest sign-on by method that still counts, or nil.
func (f *facts) last(method string) any {
	if !f.session {
		return nil
	}
	at := f.t.x.Proofs.Of(f.t.x.User.ID).Last(method)
	if at.IsZero() || at.Before(f.t.x.Demand.NotBefore) {
		return nil
	}
	return at
}

package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorward/runtime/flow"
)

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

	silent   bool        // flow.Start.Silent
	trust    *flow.Trust // what the browser is to show from now on
	once     []flow.Member
	fresh    int         // proofs taken in this turn
	st       string      // what derived made; empty: nothing yet
	forget   flow.Digest // session to end once the turn is saved; zero: none
	wasReset bool
	saved    bool
	own      ours
	needed   string        // node whose need came onto the demand last, in this turn
	used     []string      // secrets that the present node was handed
	astrayBy *flow.Failure // the last ERROR outlet of this turn was taken for; nil: none was
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
		if t.waived(n) {
			key = n.Skip
			continue
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
		need, was := t.need(n), len(t.x.Demand.Needs)
		if t.x.Demand.Add(need); len(t.x.Demand.Needs) > was {
			t.needed = n.Key
		}
	}
	return true, f.err
}

// need is what entering a node demands.
func (t *turn) need(n *flow.Node) flow.Need {
	return flow.Need{Factors: n.Factors, NotBefore: t.x.CreatedAt}
}

// waived passes a node by where an application answers for the user: what its action
// has just come to demand is demanded no more, and what another one has demanded stays.
// The policy is not what was lived up to then, so that nothing is told by its name.
// Source: reference/management.md 4.3, noDevicesMode; reference/flows.md 8.1.
func (t *turn) waived(n *flow.Node) bool {
	x := t.x
	if n.Waives == "" || !x.IsNamed() || x.Request.Owner != "" {
		return false
	}
	if from, ok := t.plan.Nodes[n.Waives]; ok && t.needed == n.Waives {
		need := t.need(from)
		x.Demand.Needs = slices.DeleteFunc(x.Demand.Needs, func(other flow.Need) bool { return other == need })
	}
	x.Demand.Vouched, x.Demand.ACR = true, ""
	t.events = append(t.events, flow.FactorWaived)
	return true
}

// step is the turn as the kind may see it.
func (t *turn) step(ctx context.Context, n *flow.Node) (*flow.Turn, error) {
	x := t.x
	ft := flow.NewTurn(x.Ref, n.Key, n.Config, t.now, x.Steps[n.Key], x.Attempt, t.submit)
	ft.Client, ft.Status, ft.LoginHint, ft.Application = t.caller.Client, x.Status, x.Request.LoginHint, x.Request.Application
	ft.User, ft.SessionUser, ft.Person, ft.Foreign, ft.Named = x.User, x.User, x.Person, x.Foreign, x.IsNamed()
	ft.Browser, ft.Silent = flow.Sum(t.caller.Browser), t.silent
	ft.Proofs, ft.Derive = x.Proofs.Of(x.User.ID), t.e.Keys.Derive
	ft.Locales = locales(x.Request.Locales, x.User.Locales, t.caller.Client.Locales)
	ft.Proven = slices.ContainsFunc(x.Proofs.Of(x.User.ID), func(p flow.Proof) bool { return p.Origin != flow.FromSession })
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

func (e *Engine) kind(n *flow.Node) (*kind, error) {
	k, ok := e.kinds[n.Kind]
	if !ok {
		return nil, fmt.Errorf("node %q: unknown kind %q", n.Key, n.Kind)
	}
	return k, nil
}

package rehearsal

import (
	"context"
	"sync"

	"doorward/runtime/flow"
)

// trail is the way that executions have gone, step by step.
type trail struct {
	plan *flow.Plan // set before the first step; nil: none was begun

	mu   sync.Mutex
	hops []hop
	seen map[string]map[string]bool // step to the outlets that it was left by
}

func newTrail() *trail { return &trail{seen: map[string]map[string]bool{}} }

// watch is the kinds, each of which says where it was met and left.
func (t *trail) watch(kinds []flow.Kind) []flow.Kind {
	out := make([]flow.Kind, 0, len(kinds))
	for _, k := range kinds {
		w := watched{Kind: k, meta: k.Meta(), trail: t}
		w.meta.Actions = nil
		for _, a := range k.Meta().Actions {
			w.meta.Actions = append(w.meta.Actions, t.action(a))
		}
		if s, ok := k.(flow.Stepper); ok {
			out = append(out, watchedStep{w, s})
		} else {
			out = append(out, w)
		}
	}
	return out
}

// action is an action that says what it came to. It binds its values itself.
func (t *trail) action(a flow.Action) flow.Action {
	out := flow.OnValues(a.Name, func(ctx context.Context, turn *flow.Turn, v flow.Values) (flow.Outcome, error) {
		o, err := a.Run(ctx, turn, v)
		if err == nil {
			t.note(turn.Key, o)
		}
		return o, err
	})
	out.Prompt, out.Repeat, out.When, out.Fields, out.Open = a.Prompt, a.Repeat, a.When, a.Fields, a.Open
	out.Opens, out.Doors, out.Ignores = a.Opens, a.Doors, a.Ignores
	return out
}

func (t *trail) note(key string, o flow.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	outlet := o.Name
	if o.Verdict == flow.Fails {
		outlet = t.astray(key, o.Outlet)
	}
	if t.seen[key] == nil {
		t.seen[key] = map[string]bool{}
	}
	if outlet != "" {
		t.seen[key][outlet] = true
	}
	t.hops = append(t.hops, hop{key, outlet})
}

// astray is the outlet that a failure leaves by: its own where that is drawn.
func (t *trail) astray(key, outlet string) string {
	if outlet != "" && t.plan != nil && t.plan.Nodes[key] != nil {
		if _, drawn := t.plan.Nodes[key].Outlets[outlet]; drawn {
			return outlet
		}
	}
	return flow.ErrorResult
}

// take is the way since it was taken last.
func (t *trail) take() []hop {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.hops
	t.hops = nil
	return out
}

// watched is a kind that is traced.
type watched struct {
	flow.Kind
	meta  flow.Meta
	trail *trail
}

func (w watched) Meta() flow.Meta { return w.meta }

func (w watched) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	o, err := w.Kind.Enter(ctx, t)
	if err == nil {
		w.trail.note(t.Key, o)
	}
	return o, err
}

// Show shows what the kind does, if it does.
func (w watched) Show(t *flow.Turn) flow.Show {
	if s, ok := w.Kind.(flow.Shower); ok {
		return s.Show(t)
	}
	return flow.Show{}
}

// Offers are those that the kind makes, if it makes any.
func (w watched) Offers(t *flow.Turn) []flow.Offer {
	if o, ok := w.Kind.(flow.Offerer); ok {
		return o.Offers(t)
	}
	return nil
}

// watchedStep is one that flow definitions are made of.
type watchedStep struct {
	watched
	stepper flow.Stepper
}

// Step describes the kind.
func (w watchedStep) Step(trigger string, config any) flow.Step {
	return w.stepper.Step(trigger, config)
}

package verifier

import (
	"maps"
	"slices"

	"doorward/runtime/flow"
)

// chart is a plan with what its steps say of themselves. Steps are numbered in
// the order of their keys, so that everything is found in one order.
type chart struct {
	plan    *flow.Plan
	steps   []*step
	byKey   map[string]int
	byName  map[string][]int // steps by the name that their outputs are kept under
	entry   int
	schemas map[string]*schema

	found   []Finding
	visited int // proof states that were explored
}

// step is a node.
type step struct {
	key, name string
	node      *flow.Node
	says      flow.Step
	ways      []way
	missing   []string // results that lead nowhere
	input     *schema  // nil: takes none
	reached   bool
	silent    bool // its kind is unknown
	stops     bool // it can only end the plan, or fail it
}

// Where a way leads when it does not lead to a step.
const (
	theEnd  = -1 // of the plan
	nowhere = -2
)

// way is one way from a step to the next.
type way struct {
	outlet string
	to     int
	result *flow.StepResult // nil: the ones below
	failed bool             // by ERROR, or an outlet for one sort of failure
	skips  bool             // the guard did not hold
	link   bool             // another execution has come back with a user
	id     int              // of the result, among those of the whole plan
}

func newChart(plan *flow.Plan, kinds []flow.Kind) *chart {
	c := &chart{plan: plan, byKey: map[string]int{}, byName: map[string][]int{}, entry: nowhere, schemas: map[string]*schema{}}
	for _, key := range slices.Sorted(maps.Keys(plan.Nodes)) {
		n := plan.Nodes[key]
		s := &step{key: key, name: key, node: n}
		if n.As != "" {
			s.name = n.As
		}
		c.byKey[key] = len(c.steps)
		c.byName[s.name] = append(c.byName[s.name], len(c.steps))
		c.steps = append(c.steps, s)
	}
	if i, ok := c.byKey[plan.Entry]; ok {
		c.entry = i
	}
	byName := map[string]flow.Kind{}
	for _, k := range kinds {
		byName[k.Meta().Name] = k
	}
	for _, s := range c.steps {
		k, ok := byName[s.node.Kind]
		if !ok {
			s.silent = true
			for _, outlet := range slices.Sorted(maps.Keys(s.node.Outlets)) {
				c.add(s, way{outlet: outlet}, s.node.Outlets[outlet])
			}
			continue
		}
		s.says = describe(k, plan.Trigger, s.node.Config)
		s.input = c.schema(s.says.Input)
		c.lead(s, byName)
	}
	return c
}

// Teller is a kind of sign-on policies alone whose results are not all alike.
type Teller interface {
	Told() []flow.StepResult
}

// describe is what a kind says of itself, or what is assumed of one that says
// little.
func describe(k flow.Kind, trigger string, config any) flow.Step {
	if k, ok := k.(flow.Stepper); ok {
		return k.Step(trigger, config)
	}
	m := k.Meta()
	out := flow.Step{Waits: len(m.Actions) > 0}
	if k, ok := k.(Teller); ok {
		out.Results = k.Told()
		return out
	}
	for _, name := range m.Results {
		r := flow.StepResult{Name: name}
		if m.Factors != 0 {
			r.Takes, r.Confirms = []flow.Taken{{Factors: m.Factors, Authenticator: m.Name}}, true
		}
		out.Results = append(out.Results, r)
	}
	return out
}

// lead lists the ways on from a step.
func (c *chart) lead(s *step, kinds map[string]flow.Kind) {
	n := s.node
	if s.says.Ends == flow.Terminates {
		s.stops = true
		return
	}
	s.stops = s.says.Ends == flow.Finishes || len(s.says.Results) == 0 && !s.says.Waits
	for i := range s.says.Results {
		r := &s.says.Results[i]
		next, ok := n.Outlets[r.Name]
		if !ok && s.says.Ends != flow.Finishes {
			s.missing = append(s.missing, r.Name)
			continue
		}
		c.add(s, way{outlet: r.Name, result: r}, next)
	}
	if s.says.Ends == flow.Finishes && len(s.says.Results) == 0 {
		c.add(s, way{}, "")
	}
	if next, ok := n.Outlets[flow.ErrorResult]; ok {
		c.add(s, way{outlet: flow.ErrorResult, failed: true}, next)
	}
	for _, f := range s.says.Failures {
		if next, ok := n.Outlets[f.Name]; ok {
			c.add(s, way{outlet: f.Name, failed: true}, next)
		}
	}
	if n.Guard != nil {
		c.add(s, way{outlet: "skip", skips: true}, n.Skip)
	}
	for _, key := range n.Beside {
		c.add(s, way{outlet: c.door(key, kinds)}, key)
	}
	for _, l := range n.Links {
		c.add(s, way{outlet: l.Name, link: true}, l.Next)
	}
}

func (c *chart) add(s *step, w way, next string) {
	w.to = theEnd
	if next != "" {
		i, ok := c.byKey[next]
		if !ok {
			s.missing = append(s.missing, w.outlet)
			return
		}
		w.to = i
	}
	s.ways = append(s.ways, w)
}

// door is the action that leads into a node from beside it.
func (c *chart) door(key string, kinds map[string]flow.Kind) string {
	n, ok := c.plan.Nodes[key]
	if !ok || kinds[n.Kind] == nil {
		return "door"
	}
	for _, a := range kinds[n.Kind].Meta().Actions {
		if a.Opens {
			return a.Name
		}
	}
	return "door"
}

// signOn reports whether the plan ends a sign-on by itself.
func (c *chart) signOn() bool {
	return c.plan.Definition == "" || c.plan.Trigger == flow.TriggerSignOnPolicy
}

package definition

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"doorward/runtime/flow"
)

// invoke is the kind of the node that leads into a definition.
const invoke = "FLOW_INVOKE"

// Part is a source that was read.
type Part struct{ source }

// Read reads a source that Source made. It fails when the source is of another
// format.
func Read(src []byte) (*Part, error) {
	var s source
	if err := json.Unmarshal(src, &s); err != nil {
		return nil, fmt.Errorf("definition source: %w", err)
	}
	if s.Format != format || s.Kind != marker || len(s.Steps) == 0 {
		return nil, fmt.Errorf("definition source %q: format %d of kind %q with %d steps is not read; this server reads format %d", s.ID, s.Format, s.Kind, len(s.Steps), format)
	}
	return &Part{s}, nil
}

// Trigger is what the definition is started by.
func (p *Part) Trigger() string { return p.source.Trigger.Type }

// Compile turns a source that Source made into the plan it names. It fails when
// the source is of another format, or when kinds lacks a type that it needs or
// has it with other results.
func Compile(src []byte, kinds []flow.Kind) (*flow.Plan, error) {
	p, err := Read(src)
	if err != nil {
		return nil, err
	}
	b := p.builder(kinds)
	if err := b.graph(p.graph, scope{}); err != nil {
		return nil, fmt.Errorf("flow definition %q: %w", p.Name, err)
	}
	return &flow.Plan{
		Hash: sha256.Sum256(src), Name: p.Name, Entry: p.source.Trigger.Next, Nodes: b.nodes,
		Definition: p.ID, Trigger: p.source.Trigger.Type,
	}, nil
}

// Nodes are those of the definition inside another plan, the entry first. The
// entry has the key at, the others begin with it and a dot; the end leads to
// next. The entry asks for the factors that every way through the definition
// takes.
func (p *Part) Nodes(at, next string, kinds []flow.Kind) ([]*flow.Node, error) {
	b := p.builder(kinds)
	s := scope{key: at + ".", as: at + "/", next: next}
	if err := b.graph(p.graph, s); err != nil {
		return nil, fmt.Errorf("flow definition %q: %w", p.Name, err)
	}
	door, says, err := b.node(at, invoke, nil, nil, flow.TriggerSignOnPolicy)
	if err != nil {
		return nil, err
	}
	door.As, door.Factors = s.as, b.assured(s.key+p.source.Trigger.Next)
	for _, r := range says.Results {
		door.Outlets[r.Name] = s.key + p.source.Trigger.Next
	}
	nodes := []*flow.Node{door}
	for _, key := range slices.Sorted(maps.Keys(b.nodes)) {
		nodes = append(nodes, b.nodes[key])
	}
	return nodes, nil
}

// builder makes the nodes of a definition and of those that it calls.
type builder struct {
	*source
	kinds   map[string]flow.Stepper
	nodes   map[string]*flow.Node
	results map[string][]flow.StepResult // of the nodes
	ends    map[string]bool              // nodes at which the outermost definition ends
}

func (p *Part) builder(kinds []flow.Kind) *builder {
	return &builder{source: &p.source, kinds: steppers(kinds), nodes: map[string]*flow.Node{}, results: map[string][]flow.StepResult{}, ends: map[string]bool{}}
}

// graph adds the nodes of a definition that stands in s.
func (b *builder) graph(g graph, s scope) error {
	for _, key := range slices.Sorted(maps.Keys(g.Steps)) {
		if err := b.step(g, key, s); err != nil {
			return fmt.Errorf("step %q: %w", s.key+key, err)
		}
		if len(b.nodes) > 2*maxSteps { // one that hands failures on for every call at most
			return fmt.Errorf("more than %d steps", maxSteps)
		}
	}
	return nil
}

// step adds one step, and what it calls.
func (b *builder) step(g graph, key string, s scope) error {
	st := g.Steps[key]
	kind := b.kinds[st.Type]
	if kind == nil {
		return fmt.Errorf("there is no step type %s", st.Type)
	}
	if id, ok := calls(kind, st.Configuration); ok {
		return b.call(st, key, id, s)
	}
	n, says, err := b.node(s.key+key, st.Type, st.Configuration, s.rename, g.Trigger.Type)
	if err != nil {
		return err
	}
	if n.Input, err = s.template(st.Input, &says); err != nil {
		return err
	}
	n.As = s.keeps(key)
	switch says.Ends {
	case flow.Finishes:
		if s.result != "" {
			n.As = s.result
		}
		for _, r := range says.Results {
			n.Outlets[r.Name] = s.next
		}
		b.ends[n.Key] = s.outermost()
	case flow.Terminates:
		s.fails(n)
	case flow.GoesOn:
		for result, next := range st.Outlets {
			n.Outlets[result] = s.key + next
		}
		s.fails(n)
		return fit(n, &says)
	}
	return nil
}

// node makes one node with its configuration checked. rename, unless it is nil,
// says under which path what the configuration reads is found.
func (b *builder) node(key, kind string, config json.RawMessage, rename func([]string) []string, trigger string) (*flow.Node, flow.Step, error) {
	k := b.kinds[kind]
	if k == nil {
		return nil, flow.Step{}, fmt.Errorf("there is no step type %s", kind)
	}
	n := &flow.Node{Key: key, Kind: kind, Sends: k.Meta().Sends, Outlets: map[string]string{}}
	whole, err := b.whole(config, k.Step(trigger, nil).References)
	if err != nil {
		return nil, flow.Step{}, err
	}
	if n.Config, err = k.Check(whole); err != nil {
		return nil, flow.Step{}, err
	}
	described := k.Step(trigger, n.Config)
	if renamed := reread(whole, described.Reads, rename); renamed != nil {
		if n.Config, err = k.Check(renamed); err != nil {
			return nil, flow.Step{}, err
		}
	}
	b.nodes[key], b.results[key] = n, described.Results
	return n, described, nil
}

// whole is a configuration with what was taken along.
func (b *builder) whole(config json.RawMessage, refs []flow.Reference) (json.RawMessage, error) {
	value := map[string]any{}
	if len(config) > 0 {
		if err := json.Unmarshal(config, &value); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
	}
	return json.Marshal(furnished(value, refs, b.Resources))
}

// fit makes sure that every result leads somewhere, and nothing else does.
func fit(n *flow.Node, says *flow.Step) error {
	for _, r := range says.Results {
		if _, ok := n.Outlets[r.Name]; !ok {
			return fmt.Errorf("result %s leads nowhere", r.Name)
		}
	}
	for name := range n.Outlets {
		if !says.FailsBy(name) && !slices.ContainsFunc(says.Results, named(name)) {
			return fmt.Errorf("there is no result %s", name)
		}
	}
	return nil
}

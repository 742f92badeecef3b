package policy

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"doorward/runtime/definition"
	"doorward/runtime/flow"
)

// Compile turns a source into the plan it names: one that Source made, or one of
// package definition. It fails when the source is of another format, or when
// kinds lacks a step it needs or has it with other results.
func Compile(src []byte, kinds []flow.Kind) (*flow.Plan, error) {
	if definition.Is(src) {
		return definition.Compile(src, kinds)
	}
	var s source
	if err := json.Unmarshal(src, &s); err != nil {
		return nil, fmt.Errorf("plan source: %w", err)
	}
	if s.Format != format || len(s.Actions) == 0 {
		return nil, fmt.Errorf("plan source of policy %q: format %d with %d actions is not read; this server reads format %d", s.Name, s.Format, len(s.Actions), format)
	}
	plan := &flow.Plan{Hash: sha256.Sum256(src), Name: s.Name, Entry: entry(s.Actions, 0), Nodes: map[string]*flow.Node{}}
	last, err := s.last(kinds)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", s.Name, err)
	}
	if last != nil {
		plan.Nodes[last.Key] = last
	}
	for i, a := range s.Actions {
		next := entry(s.Actions, i+1)
		if next == "" && last != nil {
			next = last.Key
		}
		nodes, err := s.nodes(a, next, kinds)
		if err != nil {
			return nil, fmt.Errorf("policy %q, action of priority %d: %w", s.Name, a.Priority, err)
		}
		for _, n := range nodes {
			plan.Nodes[n.Key] = n
		}
	}
	return plan, nil
}

// last is the node behind all actions, which links accounts of external providers once
// everything is proven; nil where no action leads to one.
func (s *source) last(kinds []flow.Kind) (*flow.Node, error) {
	if !slices.ContainsFunc(s.Actions, func(a action) bool { return len(a.DiscoveryRules) > 0 }) {
		return nil, nil
	}
	n := &flow.Node{Key: "link", Kind: "LINK", Outlets: map[string]string{"DONE": ""}}
	return n, fit(n, kinds)
}

// nodes is what an action comes to.
func (s *source) nodes(a action, next string, kinds []flow.Kind) ([]*flow.Node, error) {
	if a.Type == flowDefinition && a.FlowDefinition != nil {
		return s.invoked(a, next, kinds)
	}
	nodes, err := furnished(a, next)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if err := fit(n, kinds); err != nil {
			return nil, fmt.Errorf("node %s: %w", n.Key, err)
		}
	}
	return nodes, nil
}

// entry is the key of the first node of the i-th action; empty past the last.
func entry(actions []action, i int) string {
	if i >= len(actions) {
		return ""
	}
	if actions[i].Type == deviceAuthentication {
		return room{priority: actions[i].Priority}.key("device")
	}
	if actions[i].Type == flowDefinition {
		return strconv.FormatInt(actions[i].Priority, 10)
	}
	return room{priority: actions[i].Priority}.key("identify")
}

// fit finds the node's kind, lets it check the configuration, and makes sure that
// every result of the kind leads somewhere.
func fit(n *flow.Node, kinds []flow.Kind) error {
	i := slices.IndexFunc(kinds, func(k flow.Kind) bool { return k.Meta().Name == n.Kind })
	if i < 0 {
		return fmt.Errorf("there is no step kind %s", n.Kind)
	}
	n.Sends = kinds[i].Meta().Sends
	raw, _ := n.Config.(json.RawMessage)
	config, err := kinds[i].Check(raw)
	if err != nil {
		return err
	}
	n.Config = config
	results := results(kinds[i], config)
	for _, r := range results {
		if _, ok := n.Outlets[r]; !ok {
			return fmt.Errorf("result %s of step kind %s leads nowhere", r, n.Kind)
		}
	}
	for r := range n.Outlets {
		if !slices.Contains(results, r) {
			return fmt.Errorf("step kind %s has no result %s", n.Kind, r)
		}
	}
	return nil
}

// results are those of a node of that configuration.
func results(k flow.Kind, config any) []string {
	s, ok := k.(flow.Stepper)
	if !ok {
		return k.Meta().Results
	}
	var out []string
	for _, r := range s.Step("", config).Results {
		out = append(out, r.Name)
	}
	return out
}

package policy

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"doorward/runtime/flow"
)

// Compile turns a source that Source made into the plan it names. It fails when
// the source is of another format, or when kinds lacks a step it needs or has it
// with other results.
func Compile(src []byte, kinds []flow.Kind) (*flow.Plan, error) {
	var s source
	if err := json.Unmarshal(src, &s); err != nil {
		return nil, fmt.Errorf("plan source: %w", err)
	}
	if s.Format != format || len(s.Actions) == 0 {
		return nil, fmt.Errorf("plan source of policy %q: format %d with %d actions is not read; this server reads format %d", s.Name, s.Format, len(s.Actions), format)
	}
	plan := &flow.Plan{Hash: sha256.Sum256(src), Name: s.Name, Entry: entry(s.Actions, 0), Nodes: map[string]*flow.Node{}}
	for i, a := range s.Actions {
		nodes, err := furnished(a, entry(s.Actions, i+1))
		if err != nil {
			return nil, fmt.Errorf("policy %q, action of priority %d: %w", s.Name, a.Priority, err)
		}
		for _, n := range nodes {
			if err := fit(n, kinds); err != nil {
				return nil, fmt.Errorf("policy %q, node %s: %w", s.Name, n.Key, err)
			}
			plan.Nodes[n.Key] = n
		}
	}
	return plan, nil
}

// entry is the key of the first node of the i-th action; empty past the last.
func entry(actions []action, i int) string {
	if i >= len(actions) {
		return ""
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
	meta := kinds[i].Meta()
	n.Sends = meta.Sends
	results := meta.Results
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
	raw, _ := n.Config.(json.RawMessage)
	config, err := kinds[i].Check(raw)
	n.Config = config
	return err
}

package policy

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"doorward/runtime/condition"
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
		nodes, err := room(a, entry(s.Actions, i), entry(s.Actions, i+1))
		if err != nil {
			return nil, fmt.Errorf("policy %q, action of priority %d: %w", s.Name, a.Priority, err)
		}
		for _, n := range nodes {
			if err := furnish(n, kinds); err != nil {
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
	return strconv.FormatInt(actions[i].Priority, 10) + ".identify"
}

// room is the sub-graph of one LOGIN action. The condition guards its door: when
// it does not hold, the next action is entered, and what this one would have
// proven must come from the session.
func room(a action, first, next string) ([]*flow.Node, error) {
	password := strconv.FormatInt(a.Priority, 10) + ".password"
	identify := &flow.Node{
		Key: first, Kind: "IDENTIFY", Skip: next, Factors: flow.Knowledge,
		Outlets: map[string]string{"IDENTIFIED": password, "UNIDENTIFIED": password},
	}
	if a.Condition != nil {
		rule, err := condition.Compile(a.Condition)
		if err != nil {
			return nil, err
		}
		identify.Guard = rule
	}
	return []*flow.Node{identify, {
		Key: password, Kind: "PASSWORD",
		Outlets: map[string]string{"AUTHENTICATED": next},
	}}, nil
}

// furnish finds the node's kind, lets it check the configuration, and makes sure
// that every result of the kind leads somewhere.
func furnish(n *flow.Node, kinds []flow.Kind) error {
	i := slices.IndexFunc(kinds, func(k flow.Kind) bool { return k.Meta().Name == n.Kind })
	if i < 0 {
		return fmt.Errorf("there is no step kind %s", n.Kind)
	}
	results := kinds[i].Meta().Results
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
	config, err := kinds[i].Check(nil)
	n.Config = config
	return err
}

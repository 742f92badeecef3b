package verifier_test

import (
	"fmt"

	"pgregory.net/rapid"

	"doorward/runtime/flow"
)

// drawPlan draws a definition of up to nine steps, most of which lead on to the
// next one, and most of which are about whom a step before them named.
func drawPlan(rt *rapid.T) *flow.Plan {
	n := rapid.IntRange(3, 9).Draw(rt, "steps")
	p := &flow.Plan{Hash: flow.Sum("plan"), Name: "P", Definition: "d", Trigger: flow.TriggerSignOnPolicy, Entry: "s0", Nodes: map[string]*flow.Node{}}
	key := func(i int) string { return fmt.Sprintf("s%d", i) }
	draw := func(i int) *flow.Node {
		switch i {
		case 0:
			return &flow.Node{Config: script{waits: true, results: results(nil, "", "ON", "BACK")[:rapid.IntRange(1, 2).Draw(rt, "buttons")]}}
		case n - 1:
			return drawEnd(rt, n)
		}
		s := scripts()[rapid.IntRange(0, len(scripts())-1).Draw(rt, "script")]
		if i == 1 {
			s = scripts()[rapid.SampledFrom([]int{1, 1, 8, 9}).Draw(rt, "names")]
		}
		if s.ends == flow.Finishes {
			return drawEnd(rt, n)
		}
		return &flow.Node{Config: s, Input: template{"user": map[string]any{"id": drawUser(rt, n)}}}
	}
	for i := range n {
		node := draw(i)
		node.Key, node.Kind, node.Outlets = key(i), "ACT", map[string]string{}
		s := node.Config.(script)
		next := func() string {
			if rapid.IntRange(0, 9).Draw(rt, "far") < 7 && i+1 < n {
				return key(i + 1)
			}
			return key(rapid.IntRange(0, n-1).Draw(rt, "next"))
		}
		for _, r := range s.results {
			if s.ends == flow.GoesOn {
				node.Outlets[r.Name] = next()
			}
		}
		if s.ends == flow.Finishes {
			node.Outlets["DONE"] = ""
		}
		if s.ends == flow.GoesOn && rapid.IntRange(0, 3).Draw(rt, "caught") > 0 {
			node.Outlets[flow.ErrorResult] = rapid.SampledFrom([]string{key(0), key(0), key(0), next()}).Draw(rt, "catch")
		}
		p.Nodes[node.Key] = node
	}
	return p
}

func drawUser(rt *rapid.T, n int) string {
	if i := rapid.SampledFrom([]int{-1, 1, 1, 1, 1, n / 2}).Draw(rt, "user"); i >= 0 {
		return fmt.Sprintf("${steps.s%d.outputs.user.id}", i)
	}
	return "${flow.context.user.id}"
}

func drawEnd(rt *rapid.T, n int) *flow.Node {
	claims := []any{}
	for _, c := range []string{"pwd", "otp"} {
		if rapid.IntRange(0, 2).Draw(rt, "claim") == 0 {
			claims = append(claims, c)
		}
	}
	return &flow.Node{
		Config: script{ends: flow.Finishes, results: results(nil, "", "DONE")},
		Input:  template{"context": map[string]any{"amr": claims, "user": map[string]any{"id": drawUser(rt, n)}}},
	}
}

// scripts are what steps do: ask, name, prove with and without being sure, be
// sure, make an account, and end.
func scripts() []script {
	names := flow.StepResult{Name: "NAMED", Output: schema(userOutput), Names: true}
	makes := flow.StepResult{Name: "MADE", Output: schema(userOutput), Names: true, Takes: []flow.Taken{password}}
	usable := makes
	usable.Confirms = true
	return []script{
		{waits: true, results: results(nil, "", "ON", "BACK")},
		{results: []flow.StepResult{names}},
		{results: []flow.StepResult{names}},
		{results: results(&password, userOutput, "VALID")},
		{results: append(results(&password, userOutput, "VALID"), flow.StepResult{Name: "EXPIRED", Takes: []flow.Taken{password}, Candidate: true})},
		{results: results(&recovered, userOutput, "RECOVERED")},
		{waits: true, results: results(&totp, userOutput, "RIGHT")},
		{waits: true, results: []flow.StepResult{{Name: "VERIFIED", Confirms: true}, {Name: "SKIPPED"}}},
		{results: []flow.StepResult{makes}},
		{results: []flow.StepResult{usable}},
		{ends: flow.Finishes},
		{ends: flow.Terminates},
	}
}

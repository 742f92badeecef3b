package verifier

import "doorward/runtime/flow"

// Visited is how many proof states Check explores.
func Visited(plan *flow.Plan, kinds []flow.Kind) int {
	c := newChart(plan, kinds)
	check(c)
	return c.visited
}

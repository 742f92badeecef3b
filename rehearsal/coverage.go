package rehearsal

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// covering is what of a plan has been passed.
type covering struct {
	plan *flow.Plan
	seen map[string]map[string]bool
}

func (c *covering) add(seen map[string]map[string]bool) {
	for key, outlets := range seen {
		if c.seen[key] == nil {
			c.seen[key] = map[string]bool{}
		}
		maps.Copy(c.seen[key], outlets)
	}
}

// write lists the steps that were not passed, and of the others the outlets.
func (c *covering) write(b *strings.Builder) {
	var missed []string
	steps, outlets, left := 0, 0, 0
	for _, key := range slices.Sorted(maps.Keys(c.plan.Nodes)) {
		n := c.plan.Nodes[key]
		outlets += len(n.Outlets)
		if c.seen[key] == nil {
			missed = append(missed, "step "+key)
			continue
		}
		steps++
		for _, outlet := range slices.Sorted(maps.Keys(n.Outlets)) {
			if c.seen[key][outlet] {
				left++
			} else {
				missed = append(missed, fmt.Sprintf("%s -(%s)-> %s", key, outlet, cmp.Or(n.Outlets[outlet], "end")))
			}
		}
	}
	fmt.Fprintf(b, "coverage of %q: %d of %s, %d of %s\n", c.plan.Name, steps, counted(len(c.plan.Nodes), "step"), left, counted(outlets, "outlet"))
	for _, m := range missed {
		fmt.Fprintf(b, "    not passed: %s\n", m)
	}
}

func writeCoverage(w io.Writer, covered map[flow.Digest]*covering) error {
	all := slices.SortedFunc(maps.Values(covered), func(a, b *covering) int {
		return cmp.Or(cmp.Compare(a.plan.Name, b.plan.Name), cmp.Compare(a.plan.Hash.String(), b.plan.Hash.String()))
	})
	var b strings.Builder
	for _, c := range all {
		c.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

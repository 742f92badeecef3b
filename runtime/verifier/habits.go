package verifier

import (
	"slices"

	"doorward/runtime/flow"
)

// habits finds what is no hole and yet hardly ever meant.
func (c *chart) habits() {
	for i, s := range c.steps {
		if !s.reached || s.says.Waits {
			continue
		}
		_, caught := s.node.Outlets[flow.ErrorResult]
		takes := slices.ContainsFunc(s.says.Results, func(r flow.StepResult) bool { return len(r.Takes) > 0 })
		if (takes || len(s.says.Secrets) > 0) && !caught {
			c.report(Warning, NoErrorOutlet, i, c.path(i, ""), "One mistyped value ends the whole flow here; lead an ERROR outlet back to the form that asked for it.")
		}
		for _, r := range s.says.Results {
			switch {
			case !r.Names:
			case r.Confirms:
				c.report(Warning, TellsTakenNames, i, c.path(i, ""), "The account can be used at once, so that a refusal tells which names are taken; have the address verified first.")
			case len(r.Takes) == 0:
				c.tells(i, s)
			}
		}
	}
}

// tells finds a look-up whose failure leads elsewhere than back to the form that
// asked for the name, or on to where a success leads.
func (c *chart) tells(at int, s *step) {
	for _, w := range s.ways {
		if !w.fails() || w.to < 0 || c.asked(w.to, at) ||
			slices.ContainsFunc(s.ways, func(o way) bool { return o.result != nil && o.to == w.to }) {
			continue
		}
		path := append(c.path(at, flow.ErrorResult), Hop{Step: c.steps[w.to].key})
		c.report(Warning, TellsAccounts, at, path, "Where an unknown name leads tells which accounts exist; lead ERROR back to the form that asked for the name.")
	}
}

// asked reports whether a step asks a person and leads to another one without
// asking again.
func (c *chart) asked(from, to int) bool {
	return c.steps[from].says.Waits && c.route(from, func(i int) bool { return i == to }, func(i int, _ *way) bool {
		return i == from || !c.steps[i].says.Waits
	}) != nil
}

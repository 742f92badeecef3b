package verifier

import (
	"slices"

	"doorward/runtime/flow"
)

// habits finds what is no hole and yet hardly ever meant.
func (c *chart) habits() {
	for i, s := range c.steps {
		if s.reached && len(s.says.Failures) > 0 {
			c.opens(i, s)
		}
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
		if !w.failed || w.to < 0 || c.asked(w.to, at) ||
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

// opens finds a call of an outside service whose failure goes on as its answer
// does: who can make the service fail, or waits until it does, is let through.
func (c *chart) opens(at int, s *step) {
	for _, w := range s.ways {
		if !w.failed || w.to < 0 || c.steps[w.to].says.Ends == flow.Terminates ||
			!c.answers(s, w.to) && !c.finishes(w.to) {
			continue
		}
		path := append(c.path(at, w.outlet), Hop{Step: c.steps[w.to].key})
		c.report(Warning, FailsOpen, at, path, "When the service fails, %s goes on as if it had answered; if its answer may keep somebody out, lead %s to a step that asks for more, or that ends the flow.", w.outlet, w.outlet)
	}
}

// answers reports whether an answer of the step leads to another one at once.
func (c *chart) answers(s *step, to int) bool {
	return slices.ContainsFunc(s.ways, func(w way) bool { return w.result != nil && w.to == to })
}

// finishes reports whether the plan comes to its end from a step on without
// asking a person.
func (c *chart) finishes(from int) bool {
	ends := func(i int) bool { return c.steps[i].says.Ends == flow.Finishes }
	return !c.steps[from].says.Waits && (ends(from) || c.route(from, ends, func(i int, _ *way) bool { return !c.steps[i].says.Waits }) != nil)
}

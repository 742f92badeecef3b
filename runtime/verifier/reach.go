package verifier

import (
	"slices"

	"doorward/runtime/flow"
)

// route is the shortest path between two steps by ways that are let pass; nil
// when there is none. It does not include the last step.
func (c *chart) route(from int, arrived func(int) bool, pass func(from int, w *way) bool) []Hop {
	type arrival struct {
		by     int
		outlet string
	}
	came := map[int]arrival{}
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for i := range c.steps[at].ways {
			w := &c.steps[at].ways[i]
			if w.to < 0 || pass != nil && !pass(at, w) {
				continue
			}
			if _, before := came[w.to]; before {
				continue
			}
			came[w.to] = arrival{at, w.outlet}
			if !arrived(w.to) {
				queue = append(queue, w.to)
				continue
			}
			var hops []Hop
			for at = w.to; ; {
				a := came[at]
				hops, at = append(hops, Hop{c.steps[a.by].key, a.outlet}), a.by
				if at == from {
					slices.Reverse(hops)
					return hops
				}
			}
		}
	}
	return nil
}

// path is the shortest from the entry to a step, with the outlet that it is about.
func (c *chart) path(to int, outlet string) []Hop {
	last := Hop{c.steps[to].key, outlet}
	if to == c.entry {
		return []Hop{last}
	}
	return append(c.route(c.entry, func(i int) bool { return i == to }, nil), last)
}

// reach finds the steps that no path leads to, and those that no path leads on
// from.
func (c *chart) reach() {
	if c.entry == nowhere {
		c.found = append(c.found, Finding{Severity: Error, Code: DeadEnd, Step: c.plan.Entry, Message: "The first step is not there; name one that is."})
		return
	}
	back := make([][]int, len(c.steps))
	c.steps[c.entry].reached = true
	for queue := []int{c.entry}; len(queue) > 0; queue = queue[1:] {
		for _, w := range c.steps[queue[0]].ways {
			if w.to < 0 {
				continue
			}
			back[w.to] = append(back[w.to], queue[0])
			if s := c.steps[w.to]; !s.reached {
				s.reached = true
				queue = append(queue, w.to)
			}
		}
	}
	for i, s := range c.steps {
		if !s.reached {
			c.report(Warning, UnreachableStep, i, nil, "No path leads to this step; lead an outlet to it or take it out.")
			continue
		}
		if s.silent {
			c.report(Error, UnknownKind, i, c.path(i, ""), "There is no step type %q here; use one that there is.", s.node.Kind)
		}
		for _, outlet := range s.missing {
			c.report(Error, DeadEnd, i, c.path(i, outlet), "Whoever leaves this step by %s gets no further; lead that outlet to a step.", outlet)
		}
	}
	c.deadEnds(back)
}

// deadEnds finds where the steps begin from which no end can be reached.
func (c *chart) deadEnds(back [][]int) {
	alive := make([]bool, len(c.steps))
	var queue []int
	for i, s := range c.steps {
		if s.ends() || s.silent || len(s.missing) > 0 { // the last two are said already
			alive[i] = true
			queue = append(queue, i)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, from := range back[queue[0]] {
			if !alive[from] {
				alive[from] = true
				queue = append(queue, from)
			}
		}
	}
	for i, s := range c.steps {
		if !s.reached || alive[i] {
			continue
		}
		first := i == c.entry || slices.ContainsFunc(back[i], func(from int) bool { return alive[from] })
		if first {
			c.report(Error, DeadEnd, i, c.path(i, ""), "From this step on no end can be reached; lead an outlet to a step that completes or terminates.")
		}
	}
}

// loops finds circles that nobody has to submit anything to go round in.
func (c *chart) loops() {
	idle := func(from int, _ *way) bool { return !c.steps[from].says.Waits }
	var told []int
	for i, s := range c.steps {
		if !s.reached || s.says.Waits {
			continue
		}
		round := c.route(i, func(at int) bool { return at == i }, idle)
		if round == nil || slices.ContainsFunc(told, func(other int) bool {
			return slices.ContainsFunc(round, func(h Hop) bool { return h.Step == c.steps[other].key })
		}) {
			continue
		}
		told = append(told, i)
		path := c.path(i, "")
		c.report(Error, EndlessLoop, i, append(append(path[:len(path)-1:len(path)-1], round...), Hop{Step: s.key}),
			"The steps from here lead back here without asking anybody; put a step between them that waits, or lead on elsewhere.")
	}
	if len(told) == 0 {
		c.strides()
	}
}

// strides finds where a submit passes more steps than the engine takes at once.
// There is no loop of steps that ask nobody, so that each has a longest way on.
func (c *chart) strides() {
	longest := make([]int, len(c.steps)) // steps that are entered from here on, this one included; 0: not known yet
	var stride func(at int) int
	stride = func(at int) int {
		if at < 0 {
			return 1 // the end
		}
		if longest[at] == 0 {
			longest[at] = 1
			if s := c.steps[at]; !s.says.Waits {
				for _, w := range s.ways {
					longest[at] = max(longest[at], 1+stride(w.to))
				}
			}
		}
		return longest[at]
	}
	worst := -1
	for i, s := range c.steps {
		if s.reached && stride(i) > flow.MostNodes && (worst < 0 || longest[i] > longest[worst]) {
			worst = i
		}
	}
	if worst >= 0 {
		c.report(Error, TooManySteps, worst, c.path(worst, ""),
			"From here on %d steps ask nobody, and one submit passes %d at most; put a step between them that waits, or make it fewer.", longest[worst]-1, flow.MostNodes-1)
	}
}

func (s *step) ends() bool {
	return s.stops || slices.ContainsFunc(s.ways, func(w way) bool { return w.to == theEnd })
}

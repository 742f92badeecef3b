package verifier

import (
	"fmt"
	"math/bits"
	"slices"

	"doorward/runtime/flow"
)

// Who a person is said to be, beside the step that named them.
const (
	nobody  = -1
	session = -2 // whom the browser's session knows, or who came back by a link
)

// proofs is a set of the proofs that explorer.taken lists.
type proofs uint64

// mostProofs is how many different proofs one plan may take.
const mostProofs = 64

// state is what is known of a person at a step.
type state struct {
	who     int         // nobody, session, or the first like the step that named them
	sure    bool        // it is they: the user of the execution
	held    proofs      // of the user
	pending proofs      // of the candidate; they count once it is sure
	asked   flow.Factor // by the nodes that were entered
}

// least reports whether whatever x satisfies y does too. Where y has a proof of spoils
// that x has not, it may not: what comes after rests on it.
func (x state) least(y state, spoils proofs) bool {
	return x.who == y.who && x.sure == y.sure && x.held&^y.held == 0 && x.pending&^y.pending == 0 && x.asked.Has(y.asked) &&
		(y.held|y.pending)&spoils&^(x.held|x.pending) == 0
}

// taking is a proof that a step takes.
type taking struct {
	flow.Taken
	either bool // it may be this one, or another of the same result
}

// visit is a state in which a step was reached.
type visit struct {
	at     int
	state  state
	by     int // the visit before; -1: the entry
	outlet string
	gone   bool // a smaller state has come
}

type explorer struct {
	*chart
	taken  []taking
	spoils proofs // those on which what comes after rests
	visits []visit
	kept   [][]int // the least visits of each step
	ends   map[int]*ending
	alike  []int           // for each step the first that no end tells from it
	told   map[string]bool // findings, of which the first is the one with the shortest path
}

// explore walks every least proof state of every step, shortest paths first.
func (c *chart) explore() {
	if c.entry == nowhere {
		return
	}
	e := &explorer{chart: c, kept: make([][]int, len(c.steps)), ends: map[int]*ending{}, told: map[string]bool{}}
	for i, s := range c.steps {
		if s.says.Ends == flow.Finishes {
			e.ends[i] = c.ending(i)
		}
	}
	e.liken()
	more := e.arrive(c.entry, state{who: nobody}, -1, "")
	for i := 0; more && i < len(e.visits); i++ {
		v := e.visits[i]
		for j := range c.steps[v.at].ways {
			w := &c.steps[v.at].ways[j]
			if v.gone || !more {
				break
			}
			x, ok := e.leave(v.state, v.at, w)
			switch {
			case !ok:
				e.refuse(v.at)
				more = false
			case w.to == theEnd:
				e.planEnds(i, w, x)
			default:
				more = e.arrive(w.to, x, i, w.outlet)
			}
		}
	}
	c.visited = len(e.visits)
}

// liken finds which steps it makes no difference to have been named by: no end
// names whom one of them named without naming whom the other did.
func (e *explorer) liken() {
	first := map[string]int{}
	for i := range e.steps {
		named := newMarks(len(e.steps))
		for at, end := range e.ends {
			if slices.Contains(end.by, i) {
				named.add(at)
			}
		}
		like := fmt.Sprint(named)
		if _, ok := first[like]; !ok {
			first[like] = i
		}
		e.alike = append(e.alike, first[like])
	}
}

// arrive keeps a state unless a smaller one has been at the step. It returns false
// when there are too many.
func (e *explorer) arrive(at int, x state, by int, outlet string) bool {
	kept := e.kept[at]
	if slices.ContainsFunc(kept, func(i int) bool { return e.visits[i].state.least(x, e.spoils) }) {
		return true
	}
	kept = slices.DeleteFunc(kept, func(i int) bool {
		e.visits[i].gone = e.visits[i].gone || x.least(e.visits[i].state, e.spoils)
		return e.visits[i].gone
	})
	e.kept[at] = append(kept, len(e.visits))
	e.visits = append(e.visits, visit{at: at, state: x, by: by, outlet: outlet})
	if len(e.kept[at]) > MostStates {
		e.refuse(at)
		return false
	}
	if end := e.ends[at]; end != nil {
		e.judge(len(e.visits)-1, end)
	}
	return true
}

func (e *explorer) refuse(at int) {
	e.report(Error, TooManyStates, at, e.path(at, ""), "There are too many ways to have proven oneself here (more than %d) for all of them to be verified; split the definition.", MostStates)
}

// leave is the state behind a way. It returns false when the plan takes more
// different proofs than can be told apart.
func (e *explorer) leave(x state, at int, w *way) (state, bool) {
	n := e.steps[at].node
	switch {
	case w.skips:
		return x, n.Factors == 0 || e.take(&x.held, taking{Taken: flow.Taken{Factors: n.Factors, Authenticator: "session"}})
	case w.link:
		x.who, x.sure, x.pending = session, true, 0
		return x, e.take(&x.held, taking{Taken: flow.Taken{Factors: flow.Knowledge | flow.Possession | flow.Inherence, Authenticator: "link " + w.outlet}})
	}
	x.asked |= n.Factors
	r := w.result
	if r == nil {
		return x, true
	}
	if r.Names && !x.sure {
		x.who, x.pending = e.alike[at], 0
	}
	into, takes := &x.pending, r.Takes
	switch {
	case x.sure && r.Candidate:
		takes = nil
	case x.sure:
		into = &x.held
	}
	for _, t := range e.rested(x, takes) {
		if !e.take(into, t) {
			return x, false
		}
	}
	if r.Confirms && !x.sure {
		if x.who == nobody {
			x.who = e.alike[at]
			if e.asksSession(at) {
				x.who = session
			}
		}
		x.sure, x.held, x.pending = true, x.held|x.pending, 0
	}
	return x, true
}

// rested are the proofs of a result as they count behind others. An authenticator that
// came about by a channel in this execution rests on it from then on, and no device is
// asked whose codes go there.
func (e *explorer) rested(x state, takes []flow.Taken) []taking {
	var before []flow.Taken
	for _, t := range e.list((x.held | x.pending) & e.spoils) {
		before = append(before, t.Taken)
	}
	var out []taking
	for _, t := range takes {
		if len(takes) > 1 && t.Rests != "" && slices.ContainsFunc(before, func(b flow.Taken) bool { return b.Rests == t.Rests }) {
			continue
		}
		if i := slices.IndexFunc(before, func(b flow.Taken) bool { return b.Authenticator == t.Authenticator }); i >= 0 && t.Rests == "" {
			t.Rests = before[i].Rests
		}
		out = append(out, taking{t, len(takes) > 1})
	}
	return out
}

// take adds a proof to a set.
func (e *explorer) take(set *proofs, t taking) bool {
	i := slices.Index(e.taken, t)
	if i < 0 {
		i = len(e.taken)
		if i == mostProofs {
			return false
		}
		e.taken = append(e.taken, t)
		if t.Rests != "" && !t.either {
			e.spoils |= 1 << i
		}
	}
	*set |= 1 << i
	return true
}

// list is a set as what it holds.
func (e *explorer) list(set proofs) []taking {
	var out []taking
	for ; set != 0; set &= set - 1 {
		out = append(out, e.taken[bits.TrailingZeros64(uint64(set))])
	}
	return out
}

// way back to the entry, with the outlet that the last step is left by.
func (e *explorer) back(i int, outlet string) []Hop {
	path := []Hop{{e.steps[e.visits[i].at].key, outlet}}
	for v := e.visits[i]; v.by >= 0; v = e.visits[v.by] {
		path = append(path, Hop{e.steps[e.visits[v.by].at].key, v.outlet})
	}
	slices.Reverse(path)
	return path
}

// tell reports what a state shows, once for a step.
func (e *explorer) tell(s Severity, code string, visit int, outlet, message string, values ...any) {
	at := e.visits[visit].at
	before := len(e.found)
	e.report(s, code, at, nil, message, values...)
	f := &e.found[before]
	if id := code + "\x00" + f.Step + "\x00" + f.Message; !e.told[id] {
		e.told[id] = true
		f.Path = e.back(visit, outlet)
		return
	}
	e.found = e.found[:before]
}

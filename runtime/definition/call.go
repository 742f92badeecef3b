package definition

import (
	"fmt"
	"strings"
)

// call reads a definition that one step calls. It is read once, however often it
// is called.
func (r *reader) call(at Path, id string, faults *Faults) measured {
	if g, ok := r.called[id]; ok {
		return g
	}
	for i := range r.chain {
		if r.chain[i].ID == id {
			faults.Add(at, "makes a circle of calls: "+circle(r.chain[i:]))
			return measured{}
		}
	}
	if why, ok := r.failed[id]; ok {
		faults.Add(at, why)
		return measured{}
	}
	if len(r.chain) > maxCalls {
		faults.Add(at, fmt.Sprintf("lies deeper than %d calls", maxCalls))
		return measured{}
	}
	body, ok := r.resource(marker, id)
	if !ok {
		faults.Add(at, missing(marker))
		return measured{}
	}
	var found Faults
	g, is := r.definition(body, &found)
	if len(found) > 0 {
		r.failed[id] = fmt.Sprintf("calls the definition %q, in which %s", is.Name, found[0])
		faults.Add(at, r.failed[id])
		return measured{}
	}
	r.called[id] = g
	return g
}

// circle names definitions that call each other in turn.
func circle(chain []about) string {
	names := make([]string, 0, len(chain)+1)
	for _, is := range append(chain[:len(chain):len(chain)], chain[0]) {
		names = append(names, fmt.Sprintf("%q", is.Name))
	}
	return strings.Join(names, ", then ")
}

// count adds up what a definition comes to with those that it calls.
func (g *measured) count(called measured) {
	g.steps = min(g.steps+called.steps, maxSteps+1)
	g.calls = max(g.calls, 1+called.calls)
}

package verifier

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/flow"
)

// ending is what a step that finishes claims: whom it signs on and by what.
type ending struct {
	named    bool       // somebody
	known    bool       // whom the session knows
	by       []int      // the steps that name whom it names
	says     string     // how it names them
	claims   []string   // RFC 8176 values, sorted
	borrowed []flow.Use // claims that something else says
}

// ending reads the input of a step that finishes. Source: reference/management.md
// 2.6, COMPLETE_FLOW.
func (c *chart) ending(at int) *ending {
	out, in := &ending{}, c.steps[at].node.Input
	if in == nil {
		return out
	}
	literal := in.Resolve(func([]string) any { return nil })
	context, _ := literal["context"].(map[string]any)
	user, _ := context["user"].(map[string]any)
	if id, _ := user["id"].(string); id != "" {
		out.named, out.says = true, strconv.Quote(id)
	}
	claims := texts(context["amr"])
	if list, ok := context["amr"].([]string); ok {
		claims = list
	}
	for _, u := range in.Uses() {
		if path, ok := reaches(u, "/context/user/id"); ok {
			out.named, out.says = true, "${"+strings.Join(path, ".")+"}"
			switch {
			case !u.Whole:
			case slices.Equal(path, []string{"flow", "context", "user", "id"}):
				out.known = true
			default:
				out.by = c.names(path, map[string]bool{})
			}
		}
		if _, ok := reaches(u, "/context/amr"); ok || strings.HasPrefix(u.At, "/context/amr/") {
			out.borrowed = append(out.borrowed, u)
		}
	}
	out.claims = slices.Compact(slices.Sorted(slices.Values(claims)))
	return out
}

// reaches is the path that a placeholder stands for at a place that it lies at or
// around.
func reaches(u flow.Use, place string) ([]string, bool) {
	rest, ok := strings.CutPrefix(place, u.At)
	if !ok || rest != "" && rest[0] != '/' {
		return nil, false
	}
	return append(slices.Clone(u.Path), pointer(rest)...), true
}

// names is the steps that say who the id is that a path stands for: the one that
// puts it out, or, where that one was told by its own input, the one before it.
func (c *chart) names(path []string, seen map[string]bool) []int {
	if len(path) < 4 || path[0] != "steps" || path[2] != "outputs" || path[len(path)-1] != "id" || seen[path[1]] {
		return nil
	}
	seen[path[1]] = true
	var out []int
	for _, i := range c.byName[path[1]] {
		s := c.steps[i]
		told, does := c.subject(i), slices.ContainsFunc(s.says.Results, func(r flow.StepResult) bool { return r.Names || r.Confirms })
		switch {
		case slices.ContainsFunc(s.says.Results, func(r flow.StepResult) bool { return r.Names }), does && told == nil:
			out = append(out, i)
		case slices.Equal(told, []string{"flow", "context", "user", "id"}):
			out = append(out, session)
		default:
			out = append(out, c.names(told, seen)...)
		}
	}
	return out
}

// subject is what a step is told its user by; nil when it is not.
func (c *chart) subject(at int) []string {
	if in := c.steps[at].node.Input; in != nil {
		for _, u := range in.Uses() {
			for _, place := range []string{"/user/id", "/userId"} {
				if path, ok := reaches(u, place); ok && u.Whole {
					return path
				}
			}
		}
	}
	return nil
}

// asksSession reports whether a step is about whom the session knows.
func (e *explorer) asksSession(at int) bool {
	return slices.Equal(e.subject(at), []string{"flow", "context", "user", "id"})
}

// judge holds what an end claims against a state that reaches it.
func (e *explorer) judge(visit int, end *ending) {
	x := e.visits[visit].state
	switch {
	case !end.named:
		if last := slices.ContainsFunc(e.steps[e.visits[visit].at].ways, func(w way) bool { return w.to == theEnd }); last && e.signOn() {
			e.tell(Warning, NobodyNamed, visit, "", "The sign-on ends without naming a user, so that only whoever the session knows is signed on; give context.user.id.")
		}
	case end.known:
		if x.who != nobody && !x.sure {
			e.tell(Warning, UnprovenCandidate, visit, "", "Somebody was named on this path and nothing was proven of them, so that this signs on whom the session knows or nobody; lead this path through a step that proves it.")
		}
	case !x.sure || !slices.Contains(end.by, x.who) || e.classes(x.held) == 0:
		e.tell(Error, UnprovenUser, visit, "", "%s is signed on here without a proof that it is they; lead every path through a step that proves this user, or use ${flow.context.user.id}.", end.says)
		return // what is claimed of them comes after
	}
	for _, u := range end.borrowed {
		if !e.proves(u.Path) {
			e.tell(Error, UntakenClaim, visit, "", "context.amr claims what ${%s} says, which no step vouches for; claim what the steps prove.", strings.Join(u.Path, "."))
		}
	}
	e.judgeClaims(visit, end.claims)
}

// proves reports whether a path is an output of a step that takes a proof.
func (e *explorer) proves(path []string) bool {
	return len(path) > 2 && path[0] == "steps" && path[2] == "outputs" && slices.ContainsFunc(e.byName[path[1]], func(i int) bool {
		return slices.ContainsFunc(e.steps[i].says.Results, func(r flow.StepResult) bool { return len(r.Takes) > 0 })
	})
}

// several reports whether a claim is about more than one proof, as flow.Ledger.AMR
// makes it.
func several(claim string) bool { return claim == flow.MultiFactor }

// judgeClaims holds what an end claims against the proofs of the user.
func (e *explorer) judgeClaims(visit int, claims []string) {
	held := e.list(e.visits[visit].state.held)
	var single []string
	whole := true
	for _, claim := range claims {
		if several(claim) {
			continue
		}
		single = append(single, claim)
		if !claimed(held, claim) {
			whole = false
			e.tell(Error, UntakenClaim, visit, "", "context.amr claims %q, which no step on this path proves; lead the path through one that does, or end it at a step that does not claim it.", claim)
		}
	}
	if !whole {
		return
	}
	for _, claim := range claims {
		if several(claim) && acts(held) < 2 && !multiple(held) {
			e.tell(Error, UntakenClaim, visit, "", "context.amr claims %q, and this path proves one thing at most; lead it through a second factor, or end it at a step that does not claim it.", claim)
			return
		}
	}
	if backed(held, single, claims) {
		e.doubt(visit, held, single, claims)
		return
	}
	free := slices.Clone(held)
	for i := range free {
		free[i].Rests = ""
	}
	said := strings.Join(claims, ", ")
	if backed(free, single, claims) {
		e.tell(Error, RaisedByRecovery, visit, "", "context.amr claims %s, and on this path %s: who holds that one channel has both; ask for something that does not rest on it, or claim one of them.", said, resting(held))
		return
	}
	e.tell(Error, SameFactor, visit, "", "context.amr claims %s, and the proofs of this path are one factor twice; ask for a factor of another kind, or claim one of them.", said)
}

// claimed reports whether one of the proofs is called so.
func claimed(held []taking, claim string) bool {
	return slices.ContainsFunc(held, func(t taking) bool { return t.AMR == claim })
}

// doubt warns of claims that hold only where the right one of several devices answers.
// The ledger refuses them where another one has.
func (e *explorer) doubt(visit int, held []taking, single, claims []string) {
	for _, these := range outcomes(held) {
		for _, claim := range single {
			if !claimed(these, claim) {
				e.tell(Warning, UntakenClaim, visit, "", "context.amr claims %q, and on this path another device may answer, which proves %s: those who have it cannot sign on; claim what every device proves, such as mfa.", claim, others(these))
				return
			}
		}
		if !backed(these, single, claims) {
			e.tell(Warning, RaisedByRecovery, visit, "", "context.amr claims %s, and on this path %s: those who have nothing else cannot sign on; ask for the device after the password is set, or claim one of them.", strings.Join(claims, ", "), resting(these))
			return
		}
	}
}

// outcomes are the proofs that a path may come to: of those that are either of several
// there is one.
func outcomes(held []taking) [][]taking {
	out := [][]taking{nil}
	either := map[string][]taking{}
	for _, t := range held {
		if t.either {
			either[t.Authenticator] = append(either[t.Authenticator], t)
			continue
		}
		out[0] = append(out[0], t)
	}
	for _, of := range slices.Sorted(maps.Keys(either)) {
		var more [][]taking
		for _, before := range out {
			for _, t := range either[of] {
				more = append(more, append(slices.Clone(before), t))
			}
		}
		out = more
	}
	return out
}

// others are what devices prove.
func others(held []taking) string {
	var names []string
	for _, t := range held {
		if t.either {
			names = append(names, strconv.Quote(t.AMR))
		}
	}
	return strings.Join(names, " and ")
}

// resting says what rests on what.
func resting(held []taking) string {
	said := map[string]bool{}
	for _, t := range held {
		if t.Rests != "" {
			said[fmt.Sprintf("%s rests on %s", t.Authenticator, t.Rests)] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(said)), " and ")
}

// backed reports whether each single claim has a proof of its own that is
// independent of those of the others, and the others what they are about.
func backed(held []taking, single, claims []string) bool {
	for _, claim := range claims {
		if several(claim) && !multiple(held) {
			return false
		}
	}
	return assigned(held, single, nil)
}

func assigned(held []taking, claims []string, given []taking) bool {
	if len(claims) == 0 {
		return true
	}
	for _, t := range held {
		if t.AMR == claims[0] && !slices.ContainsFunc(given, func(u taking) bool { return same(t, u) }) &&
			assigned(held, claims[1:], append(given[:len(given):len(given)], t)) {
			return true
		}
	}
	return false
}

// multiple reports whether the proofs are of two classes that do not rest on one
// another.
func multiple(held []taking) bool {
	for i, t := range held {
		if t.Factors&(t.Factors-1) != 0 {
			return true // a passkey that verifies its user
		}
		for _, u := range held[:i] {
			if !same(t, u) && t.Factors != u.Factors {
				return true
			}
		}
	}
	return false
}

// acts is how many proofs there are. One that may be called by several names, such as
// that of a device of any type, is one.
func acts(held []taking) int {
	of := map[taking]bool{}
	for _, t := range held {
		if t.AMR = ""; t.either {
			t.Rests = ""
		}
		of[t] = true
	}
	return len(of)
}

// same reports whether two proofs may be one act of the person: one authenticator,
// or one channel that both rest on.
func same(t, u taking) bool {
	return t.Authenticator == u.Authenticator || channel(t) == channel(u)
}

func channel(t taking) string {
	if t.Rests != "" {
		return t.Rests
	}
	return t.Authenticator
}

// classes are the factor classes of a set of proofs. One of several classes stands
// for a password, as in flow.Ledger.
func (e *explorer) classes(set proofs) flow.Factor {
	var out flow.Factor
	for _, t := range e.list(set) {
		out |= t.Factors
		if t.Factors&(t.Factors-1) != 0 {
			out |= flow.Knowledge
		}
	}
	return out
}

// planEnds judges the end of a sign-on policy's plan: what its nodes ask for has
// been proven.
func (e *explorer) planEnds(visit int, w *way, x state) {
	if e.plan.Definition != "" {
		return
	}
	lacks := x.asked &^ e.classes(x.held)
	switch {
	case lacks != 0:
		e.tell(Error, UnprovenUser, visit, w.outlet, "The policy asks for %s, which no step on this path proves; lead the path through one that does.", factors(lacks))
	case x.held == 0 && e.ends[e.visits[visit].at] == nil:
		e.tell(Warning, NobodyNamed, visit, w.outlet, "The sign-on ends here without having proven anything, so that only whoever the session knows is signed on; lead the path through a step that proves somebody.")
	}
}

func factors(f flow.Factor) string {
	var names []string
	for i, name := range []string{"knowledge", "possession", "inherence"} {
		if f.Has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

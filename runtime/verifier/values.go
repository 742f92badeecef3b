package verifier

import (
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// supply is what steps have put out by the time a step is entered. The slots of
// must are two to each name of a step: its outputs, and its error. The bits of may
// are the ways by which what is in a slot can have come about.
type supply struct{ must, may marks }

// values holds what steps read against what steps put out.
type values struct {
	*chart
	names   []string // of the outputs of steps, sorted
	slot    map[string]int
	ways    []made  // by way.id
	fills   []marks // by slot: the ways that fill it
	entered []*supply
}

// made is a way that fills a slot.
type made struct {
	step int
	way  *way
	slot int
}

func (c *chart) values() {
	if c.entry == nowhere {
		return
	}
	v := &values{chart: c, slot: map[string]int{}, entered: make([]*supply, len(c.steps))}
	for _, s := range c.steps {
		if _, ok := v.slot[s.name]; !ok {
			v.slot[s.name] = 2 * len(v.names)
			v.names = append(v.names, s.name)
		}
	}
	for i, s := range c.steps {
		for j := range s.ways {
			w := &s.ways[j]
			w.id = -1
			if w.failed || w.result != nil && len(w.result.Output) > 0 {
				w.id = len(v.ways)
				slot := v.slot[s.name]
				if w.failed {
					slot++
				}
				v.ways = append(v.ways, made{i, w, slot})
			}
		}
	}
	v.fills = make([]marks, 2*len(v.names))
	for i := range v.fills {
		v.fills[i] = newMarks(len(v.ways))
	}
	for id, m := range v.ways {
		v.fills[m.slot].add(id)
	}
	v.flow()
	for i, s := range c.steps {
		if s.reached {
			v.uses(i, s)
		}
	}
}

// flow works out the supply of every step: what every path to it has put out, and
// what one of them may have.
func (v *values) flow() {
	v.entered[v.entry] = &supply{newMarks(len(v.fills)), newMarks(len(v.ways))}
	waiting := []int{v.entry}
	for ; len(waiting) > 0; waiting = waiting[1:] {
		at := waiting[0]
		for i := range v.steps[at].ways {
			w := &v.steps[at].ways[i]
			if w.to < 0 {
				continue
			}
			out := v.after(v.entered[at], w)
			in := v.entered[w.to]
			if in == nil {
				v.entered[w.to] = &out
				waiting = append(waiting, w.to)
				continue
			}
			less, more := in.must.meet(out.must), in.may.join(out.may)
			if less || more {
				waiting = append(waiting, w.to)
			}
		}
	}
}

// after is the supply behind a way. Outputs replace what the step put out before,
// and its error; an error leaves the outputs of an earlier visit.
func (v *values) after(in *supply, w *way) supply {
	out := supply{slices.Clone(in.must), slices.Clone(in.may)}
	if w.id < 0 {
		return out
	}
	slot := v.ways[w.id].slot
	out.may.drop(v.fills[slot])
	out.may.add(w.id)
	out.must.add(slot)
	if !w.failed {
		err := newMarks(len(v.fills))
		err.add(slot + 1)
		out.must.drop(err)
		out.may.drop(v.fills[slot+1])
	}
	return out
}

// use is one variable that a step reads.
type use struct {
	at       int
	flow.Use         // At is empty for a variable of the configuration
	want     *schema // of the input there; nil: not known
	required bool
}

func (v *values) uses(at int, s *step) {
	for _, name := range s.says.Reads {
		v.judge(use{at: at, Use: flow.Use{Path: variable(name)}})
	}
	if s.node.Input == nil {
		return
	}
	for _, u := range s.node.Input.Uses() {
		path := pointer(u.At)
		x := use{at: at, Use: u, want: s.input.at(path)}
		if len(path) > 0 && u.Whole && s.input != nil { // a text is there without it
			parent := s.input.at(path[:len(path)-1])
			x.required = parent != nil && slices.Contains(parent.needs, path[len(path)-1])
		}
		v.judge(x)
	}
}

// variable is the path of a name as conditions write it. The key of a step that
// was put into another plan has dots of its own.
func variable(name string) []string {
	rest, ok := strings.CutPrefix(name, "steps.")
	if !ok {
		return strings.Split(name, ".")
	}
	for _, part := range []string{".outputs", ".error"} {
		key, inside, ok := strings.Cut(rest+".", part+".")
		if ok {
			path := []string{"steps", key, part[1:]}
			if inside = strings.TrimSuffix(inside, "."); inside != "" {
				path = append(path, strings.Split(inside, ".")...)
			}
			return path
		}
	}
	return strings.Split(name, ".")
}

func (u *use) String() string { return "${" + strings.Join(u.Path, ".") + "}" }

// judge says what is wrong with a variable that stands for something of a step.
func (v *values) judge(u use) {
	if len(u.Path) < 3 || u.Path[0] != "steps" {
		return
	}
	slot, known := v.slot[u.Path[1]]
	switch {
	case !known:
		v.report(Error, UnknownOutput, u.at, v.path(u.at, ""), "%s reads a step that is not there; name one of this definition.", &u)
		return
	case u.Path[2] == "error":
		v.present(u, slot+1, nil)
		return
	}
	path := u.Path[3:]
	v.secret(u, path)
	possible := false
	for _, i := range v.byName[u.Path[1]] {
		for j := range v.steps[i].says.Results {
			out := v.schema(v.steps[i].says.Results[j].Output)
			possible = possible || out.at(path) != nil
		}
	}
	if !possible {
		v.report(Error, UnknownOutput, u.at, v.path(u.at, ""), "%s reads what no result of step %s puts out; name one of its outputs.", &u, u.Path[1])
		return
	}
	v.present(u, slot, path)
}

// present judges whether the value is there on every path, and of the type that
// the input takes.
func (v *values) present(u use, slot int, path []string) {
	in, there, always := v.entered[u.at], false, v.entered[u.at].must.has(slot)
	lack, clash := -1, false // the way that leaves the value out
	for id, m := range v.ways {
		if m.slot != slot || !in.may.has(id) {
			continue
		}
		if m.way.failed {
			there = true
			continue
		}
		out := v.schema(m.way.result.Output).at(path)
		if out == nil {
			lack = id
			continue
		}
		there = true
		if inner, wrong := out.clash(u.want, 0); u.Whole && wrong != "" && !clash {
			clash = true
			v.report(Error, TypeMismatch, u.at, v.through(id, u.at), "%s", mismatch(&u, m.way.result.Name, inner, wrong))
		}
	}
	switch {
	case !there:
		v.report(Error, MissingValue, u.at, v.path(u.at, ""), "%s is on no path to this step; use a step that comes before it.", &u)
	case always && lack < 0, u.Path[2] == "error" && !u.required:
	default:
		severity, what := Warning, "is left out then"
		if u.required {
			severity, what = Error, "is required here"
		}
		how := v.without(slot, u.at)
		if always {
			how = v.through(lack, u.at)
		}
		v.report(severity, MissingValue, u.at, how, "%s is not there on every path and %s; lead every path through step %s or use another value.", &u, what, u.Path[1])
	}
}

// without is the shortest path to a step by which a slot stays empty.
func (v *values) without(slot, to int) []Hop {
	if to == v.entry {
		return v.path(to, "")
	}
	hops := v.route(v.entry, func(i int) bool { return i == to }, func(_ int, w *way) bool {
		return w.id < 0 || v.ways[w.id].slot != slot
	})
	if hops == nil { // filled, and emptied again
		return v.path(to, "")
	}
	return append(hops, Hop{Step: v.steps[to].key})
}

// through is the shortest path to a step on which a way was the last to fill its
// slot.
func (v *values) through(id, to int) []Hop {
	m := v.ways[id]
	hops := v.path(m.step, m.way.outlet)
	if m.way.to == to {
		return append(hops, Hop{Step: v.steps[to].key})
	}
	rest := v.route(m.way.to, func(i int) bool { return i == to }, func(_ int, w *way) bool {
		return w.id < 0 || v.ways[w.id].slot != m.slot
	})
	return append(append(hops, rest...), Hop{Step: v.steps[to].key})
}

// secret judges a variable that is a password or an object with one inside.
func (v *values) secret(u use, path []string) {
	var inside []string
	for _, i := range v.byName[u.Path[1]] {
		for j := range v.steps[i].says.Results {
			inside = append(inside, v.schema(v.steps[i].says.Results[j].Output).at(path).secrets()...)
		}
	}
	slices.Sort(inside)
	s := v.steps[u.at]
	at := strings.Join(pointer(u.At), ".")
	for _, where := range slices.Compact(inside) {
		to := strings.Trim(at+"."+where, ".")
		switch {
		case u.At == "" && where != "": // a condition on the object, of which no password is part
		case u.At == "":
			v.report(Error, SecretMisused, u.at, v.path(u.at, ""), "The configuration reads the password %s; a password may only be handed to an input that takes one.", &u)
		case u.Whole && slices.Contains(s.says.Secrets, to):
		case where != "":
			v.report(Warning, SecretLeftOut, u.at, v.path(u.at, ""), "The password %s.%s is left out of %s, which takes none there; name the other values one by one.", strings.TrimSuffix(u.String(), "}"), where+"}", at)
		case !u.Whole:
			v.report(Error, SecretMisused, u.at, v.path(u.at, ""), "The password %s is part of a text in %s; a password may only be handed on as a whole, to an input that takes one.", &u, at)
		default:
			v.report(Error, SecretMisused, u.at, v.path(u.at, ""), "The password %s is handed to %s, which takes none; a password may only be handed to an input that takes one.", &u, at)
		}
	}
}

func mismatch(u *use, result, inner, wrong string) string {
	name, at := u.String(), strings.Join(pointer(u.At), ".")
	if inner != "" {
		name, at = strings.TrimSuffix(name, "}")+"."+inner+"}", at+"."+inner
	}
	return name + " of result " + result + " cannot be " + at + ": it " + wrong + "; use another value."
}

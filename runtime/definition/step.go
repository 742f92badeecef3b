package definition

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// isKey reports whether a step may have the key. Source:
// reference/management.md 2.2; how long it is at most is ours.
func isKey(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
}

// steps reads all steps of a definition.
func (r *reader) steps(g *measured, steps map[string]json.RawMessage, faults *Faults) {
	at := document.Root.Member("stepDefinitions")
	if n := len(steps); steps != nil && (n < 1 || n > maxSteps) {
		faults.Add(at, fmt.Sprintf("takes 1 to %d steps, not %d", maxSteps, n))
		return
	}
	g.steps = len(steps)
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		if !isKey(name) {
			faults.Add(at.Member(name), "takes a key of 1 to 128 letters, digits, _ and -")
			continue
		}
		s := stepReader{reader: r, at: at.Member(name), trigger: g.Trigger.Type, steps: steps, faults: faults}
		g.Steps[name] = s.read(steps[name])
		if s.call != nil {
			g.count(*s.call)
		}
	}
	if g.steps > maxSteps {
		faults.Add(at, fmt.Sprintf("comes to more than %d steps with the definitions that it calls", maxSteps))
	}
	if g.calls > maxCalls {
		faults.Add(at, fmt.Sprintf("calls definitions deeper than %d", maxCalls))
	}
}

// stepReader reads one step.
type stepReader struct {
	*reader
	at      Path
	trigger string
	steps   map[string]json.RawMessage // all of the definition
	faults  *Faults

	call *measured // the definition that it calls
}

func (r *stepReader) read(raw json.RawMessage) step {
	m := members(r.at, raw, r.faults, "type", "configuration", "input", "outlets", "displayName", "description", "iconUrl", "iconURL")
	if m == nil {
		return step{}
	}
	words(r.at, m, r.faults, "displayName", "description", "iconUrl", "iconURL")
	var name string
	_ = json.Unmarshal(m["type"], &name) // what is no string is no type either
	kind := r.kinds[name]
	if kind == nil {
		r.faults.Add(r.at.Member("type"), fmt.Sprintf("%q is no type of step here; there are %s", name, r.types()))
		r.outlets(m["outlets"], nil)
		return step{}
	}
	before := len(*r.faults)
	config, described := r.configuration(kind, m["configuration"])
	sure := len(*r.faults) == before // a configuration with faults says nothing of the results
	input := r.input(m["input"], described)
	r.reads(described)
	if !sure {
		return step{Outlets: r.outlets(m["outlets"], nil)}
	}
	return step{Type: kind.Meta().Name, Configuration: config, Input: input, Outlets: r.outlets(m["outlets"], &described)}
}

// configuration checks the configuration and returns it, with the step as it is
// described by it.
func (r *stepReader) configuration(kind flow.Stepper, raw json.RawMessage) (json.RawMessage, flow.Step) {
	at := r.at.Member("configuration")
	general := kind.Step(r.trigger, nil)
	before := len(*r.faults)
	config := r.shaped(at, raw, general.Configuration, "configuration")
	if config == nil || len(*r.faults) > before {
		return nil, general
	}
	for _, ref := range general.References {
		if id, ok := valueAt(config, ref.Member).(string); ok {
			r.refer(below(at, ref.Member), ref, id)
		}
	}
	if len(*r.faults) > before {
		return nil, general
	}
	whole, err := json.Marshal(furnished(config, general.References, r.pinned))
	if err != nil {
		r.err = errors.Join(r.err, err)
		return nil, general
	}
	checked, err := kind.Check(whole)
	if found := Faults(nil); errors.As(err, &found) {
		r.faults.Merge(at, found)
		return nil, general
	} else if err != nil {
		r.faults.Add(at, err.Error())
		return nil, general
	}
	if len(config) == 0 {
		raw = nil
	}
	return raw, kind.Step(r.trigger, checked)
}

// shaped decodes an object and checks it against a schema; nil when it is none.
func (r *stepReader) shaped(at Path, raw, schema json.RawMessage, what string) map[string]any {
	value := map[string]any{}
	if raw != nil && (json.Unmarshal(raw, &value) != nil || value == nil) {
		r.faults.Add(at, "takes an object")
		return nil
	}
	if len(schema) == 0 {
		if len(value) > 0 {
			r.faults.Add(at, "a step of this type takes no "+what)
		}
		return value
	}
	if err := known.check(at, schema, value, r.faults); err != nil {
		r.err = errors.Join(r.err, err)
	}
	return value
}

// refer looks up a resource that the configuration names.
func (r *stepReader) refer(at Path, ref flow.Reference, id string) {
	if ref.Kind == marker && ref.Pinned {
		g := r.reader.call(at, id, r.faults)
		r.call = &g
		return
	}
	body, ok := r.resource(ref.Kind, id)
	if !ok {
		r.faults.Add(at, missing(ref.Kind))
		return
	}
	if !ref.Pinned {
		return
	}
	canonical, err := document.Canonical(body)
	if err != nil {
		r.faults.Add(at, "names a resource that is not JSON: "+err.Error())
		return
	}
	if r.pinned == nil {
		r.pinned = map[string]bodies{}
	}
	if r.pinned[ref.Kind] == nil {
		r.pinned[ref.Kind] = bodies{}
	}
	r.pinned[ref.Kind][id] = lasting(canonical, id)
}

func (r *reader) resource(kind, id string) (json.RawMessage, bool) {
	if r.res == nil {
		return nil, false
	}
	return r.res.Resource(kind, id)
}

func missing(kind string) string { return "there is no such " + kind + " in this environment" }

// reads checks the variables that the configuration reads.
func (r *stepReader) reads(s flow.Step) {
	for _, name := range s.Reads {
		if path := strings.Split(name, "."); path[0] == "steps" && r.steps[path[1]] == nil {
			r.faults.Add(r.at.Member("configuration"), fmt.Sprintf("reads ${%s}, but there is no step %q", name, path[1]))
		}
	}
}

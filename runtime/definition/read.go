package definition

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// reader reads one definition and those that it calls.
type reader struct {
	kinds map[string]flow.Stepper // by name and alias
	res   Resources

	pinned map[string]bodies
	called map[string]measured // read without a fault, by id
	failed map[string]string   // the first fault of the others
	chain  []about             // the definitions that are being read, each called by the one before
	err    error               // a mistake of ours
}

// about is what a definition is called.
type about struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// measured is a graph with how many steps and calls it comes to.
type measured struct {
	graph
	steps, calls int
}

func newReader(res Resources, kinds []flow.Kind) *reader {
	return &reader{kinds: steppers(kinds), res: res, called: map[string]measured{}, failed: map[string]string{}}
}

// steppers are the kinds that definitions are made of, by name and alias.
func steppers(kinds []flow.Kind) map[string]flow.Stepper {
	m := map[string]flow.Stepper{}
	for _, k := range kinds {
		if s, ok := k.(flow.Stepper); ok {
			m[k.Meta().Name] = s
			for _, alias := range s.Step("", nil).Aliases {
				m[alias] = s
			}
		}
	}
	return m
}

// types are the names of the kinds, for people.
func (r *reader) types() string {
	var names []string
	for name, k := range r.kinds {
		if name == k.Meta().Name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// members is the object at p, members that are null left out; nil and a fault
// when it is none, or has a member that is not one of names.
func members(p Path, raw json.RawMessage, faults *Faults, names ...string) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		faults.Add(p, "takes an object")
		return nil
	}
	maps.DeleteFunc(m, func(_ string, v json.RawMessage) bool { return string(v) == "null" })
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(names, name) {
			faults.Add(p.Member(name), "is no member here; there are "+strings.Join(names, ", "))
		}
	}
	return m
}

// words checks members that only people read.
func words(p Path, m map[string]json.RawMessage, faults *Faults, names ...string) {
	for _, name := range names {
		if raw := m[name]; raw != nil && raw[0] != '"' {
			faults.Add(p.Member(name), "takes a string")
		}
	}
}

// definition reads one body. What it returns is of no use once there is a fault.
func (r *reader) definition(body json.RawMessage, faults *Faults) (measured, about) {
	canonical, err := document.Canonical(body)
	if err != nil {
		found := Faults(nil)
		errors.As(err, &found)
		faults.Merge(document.Root, found)
		return measured{}, about{}
	}
	at := document.Root
	m := members(at, canonical, faults, "id", "name", "description", "enabled", "trigger", "stepDefinitions", "environment", "createdAt", "updatedAt", "_links")
	if m == nil {
		return measured{}, about{}
	}
	var is about
	if json.Unmarshal(m["id"], &is.ID) != nil || is.ID == "" {
		faults.Add(at.Member("id"), "takes the id of the definition")
	}
	if json.Unmarshal(m["name"], &is.Name) != nil || is.Name == "" || utf8.RuneCountInString(is.Name) > maxName {
		faults.Add(at.Member("name"), fmt.Sprintf("takes a string of 1 to %d characters", maxName))
	}
	words(at, m, faults, "description")
	if v := string(m["enabled"]); v != "true" && v != "false" {
		faults.Add(at.Member("enabled"), "takes true or false")
	}
	r.chain = append(r.chain, is)
	defer func() { r.chain = r.chain[:len(r.chain)-1] }()
	steps := object(at.Member("stepDefinitions"), m["stepDefinitions"], faults)
	g := measured{graph: graph{Trigger: r.trigger(m["trigger"], steps, faults), Steps: map[string]step{}}}
	r.steps(&g, steps, faults)
	return g, is
}

// object is the object at p with whatever members; nil and a fault when it is none.
func object(p Path, raw json.RawMessage, faults *Faults) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		faults.Add(p, "takes an object")
		return nil
	}
	return m
}

// trigger reads what starts the definition. No trigger is configured here, or
// declares its inputs. Source: reference/management.md 2.2.
func (r *reader) trigger(raw json.RawMessage, steps map[string]json.RawMessage, faults *Faults) trigger {
	at := document.Root.Member("trigger")
	m := members(at, raw, faults, "type", "next", "configuration", "inputs")
	if m == nil {
		return trigger{}
	}
	var t trigger
	if _ = json.Unmarshal(m["type"], &t.Type); t.Type != flow.TriggerExperience && t.Type != flow.TriggerSignOnPolicy {
		faults.Add(at.Member("type"), "takes "+flow.TriggerExperience+" or "+flow.TriggerSignOnPolicy)
		t.Type = ""
	}
	t.Next = next(at.Member("next"), m["next"], steps, faults)
	for _, name := range []string{"configuration", "inputs"} {
		if v := m[name]; v != nil && string(v) != "{}" {
			faults.Add(at.Member(name), "takes nothing for this trigger; leave it out or write {}")
		}
	}
	return t
}

// next reads the key of a step.
func next(at Path, raw json.RawMessage, steps map[string]json.RawMessage, faults *Faults) string {
	var key string
	switch err := json.Unmarshal(raw, &key); {
	case err != nil || key == "":
		faults.Add(at, "takes the key of a step")
	case steps != nil && steps[key] == nil:
		faults.Add(at, fmt.Sprintf("names the step %q, which is not in stepDefinitions", key))
	}
	return key
}

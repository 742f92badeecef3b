package configs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorward/runtime/definition"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// flowDefinitionDocument is a flow definition, which runtime/definition judges.
// Source: reference/management.md 2.2.
type flowDefinitionDocument struct {
	id, name string
	enabled  bool
	trigger  string
	steps    map[string]object
}

func (d *flowDefinitionDocument) key() (string, string) { return d.id, d.name }
func (d *flowDefinitionDocument) check(*policy.Faults)  {} // where the plan is made

// readDefinition takes a definition as it is: what is wrong with it is said where
// its plan is made.
func readDefinition(body []byte, _ string) (document, policy.Faults) {
	d := &flowDefinitionDocument{}
	var m, trigger object
	_ = json.Unmarshal(body, &m)
	_ = json.Unmarshal(m["trigger"], &trigger)
	_ = json.Unmarshal(m["stepDefinitions"], &d.steps)
	d.id, d.name, d.trigger = text(m, "id"), text(m, "name"), text(trigger, "type")
	d.enabled = string(m["enabled"]) == "true"
	return d, nil
}

// definitionAcross holds that what cannot be run is led through by nothing.
// Source: reference/management.md 2.2.
func definitionAcross(t *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*flowDefinitionDocument)
	if d.enabled {
		return
	}
	for _, r := range t.named(kindFlowDefinition, e.id) {
		if r.Kind == kindSignOnPolicy || r.Kind == kindFlowDefinition {
			f.AddCode(root.Member("enabled"), flow.ConstraintViolation, fmt.Sprintf("takes true while the %s %q leads to it", kindOf(t.kinds, r.Kind).Title, r.Name))
			return
		}
	}
}

// definitionRefers is what the steps of a definition name, as their kinds say.
func definitionRefers(t *tree, e *entry) []link {
	d, _ := e.doc.(*flowDefinitionDocument)
	var out []link
	for _, key := range slices.Sorted(maps.Keys(d.steps)) {
		step := d.steps[key]
		kind := stepper(t.steps, text(step, "type"))
		if kind == nil {
			continue // is reported where the plan is made
		}
		at := root.Member("stepDefinitions").Member(key).Member("configuration")
		for _, r := range kind.Step(d.trigger, nil).References {
			if id, here := follow(step["configuration"], strings.Split(r.Member, "."), at); id != "" {
				out = append(out, link{here, r.Kind, id})
			}
		}
	}
	return out
}

// follow reads a member of a member of an object.
func follow(v json.RawMessage, names []string, at policy.Path) (string, policy.Path) {
	if len(names) == 0 {
		var id string
		_ = json.Unmarshal(v, &id) // what is no id names nothing
		return id, at
	}
	var m object
	_ = json.Unmarshal(v, &m)
	return follow(m[names[0]], names[1:], at.Member(names[0]))
}

// stepper is the kind of step of that name, or of which it is another name; nil
// when there is none.
func stepper(steps []flow.Kind, name string) flow.Stepper {
	for _, k := range steps {
		s, ok := k.(flow.Stepper)
		if ok && (k.Meta().Name == name || slices.Contains(s.Step("", nil).Aliases, name)) {
			return s
		}
	}
	return nil
}

// FlowDefinition is a flow definition that can be run.
type FlowDefinition struct {
	ID, Name string
	Enabled  bool
	Trigger  string      // flow.TriggerExperience or flow.TriggerSignOnPolicy
	Plan     flow.Digest // of the published one
}

// definitionPlan makes the plan of a definition with all that it takes in.
func definitionPlan(t *tree, e *entry) ([]byte, flow.Digest, error) {
	return definition.Source(e.body, t, t.steps)
}

package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"doorward/runtime/condition"
	"doorward/runtime/definition"
	"doorward/runtime/flow"
)

// pin takes along the definitions that actions run, and makes sure that there are
// those that are started by themselves. Source: reference/management.md 2.9.
func (s *source) pin(at Path, res definition.Resources, kinds []flow.Kind, faults *Faults) {
	for i := range s.Actions {
		a := &s.Actions[i]
		for _, named := range a.definitions(at.Index(i)) {
			if named.ID == "" {
				continue // has been reported
			}
			body, ok := json.RawMessage(nil), false
			if res != nil {
				body, ok = res.Resource("flowDefinition", named.ID)
			}
			switch {
			case !ok:
				faults.Add(named.Path, "there is no such flow definition in this environment")
			case a.FlowDefinition != nil && s.Definitions[named.ID] == nil:
				s.add(named, body, res, kinds, faults)
			}
		}
	}
}

// add takes one definition along.
func (s *source) add(named Reference, body json.RawMessage, res definition.Resources, kinds []flow.Kind, faults *Faults) {
	src, _, err := definition.Source(body, res, kinds)
	if err != nil {
		why := err.Error()
		if found := Faults(nil); errors.As(err, &found) {
			why = found[0].Error()
		}
		faults.Add(named.Path, "names a flow definition that cannot run: "+why)
		return
	}
	part, err := definition.Read(src)
	if err != nil {
		faults.Add(named.Path, err.Error())
		return
	}
	if part.Trigger() != flow.TriggerSignOnPolicy {
		faults.Add(named.Path, fmt.Sprintf("names a flow definition with the trigger %s; an action runs one with %s", part.Trigger(), flow.TriggerSignOnPolicy))
		return
	}
	if s.Definitions == nil {
		s.Definitions = map[string]json.RawMessage{}
	}
	s.Definitions[named.ID] = src
}

// invoked is the nodes of an action that runs a definition, the entry first. As
// with any action the condition guards the door.
func (s *source) invoked(a action, next string, kinds []flow.Kind) ([]*flow.Node, error) {
	part, err := definition.Read(s.Definitions[a.FlowDefinition.ID])
	if err != nil {
		return nil, err
	}
	nodes, err := part.Nodes(strconv.FormatInt(a.Priority, 10), next, kinds)
	if err != nil {
		return nil, err
	}
	nodes[0].Skip = next
	nodes[0].Guard, err = guarded(a.Condition)
	return nodes, err
}

// guarded is the condition of an action; nil when it has none.
func guarded(raw json.RawMessage) (flow.Guard, error) {
	if raw == nil {
		return nil, nil
	}
	rule, err := condition.Compile(raw)
	if err != nil {
		return nil, err
	}
	return rule, nil
}

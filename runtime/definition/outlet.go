package definition

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// outlets reads where the results of a step lead. described is nil where what the
// results are is not known.
func (r *stepReader) outlets(raw json.RawMessage, described *flow.Step) map[string]string {
	at := r.at.Member("outlets")
	var m map[string]json.RawMessage
	if raw != nil {
		m = object(at, raw, r.faults)
	}
	if described != nil && described.Ends != flow.GoesOn {
		if len(m) > 0 {
			r.faults.Add(at, "a step that ends the flow leads nowhere; leave it out")
		}
		return nil
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		in := at.Member(name)
		if o := members(in, m[name], r.faults, "next", "displayName", "description"); o != nil {
			words(in, o, r.faults, "displayName", "description")
			out[name] = next(in.Member("next"), o["next"], r.steps, r.faults)
		}
		if described != nil && !described.FailsBy(name) && !slices.ContainsFunc(described.Results, named(name)) {
			r.faults.Add(in, "is no result of this step; there are "+results(described)+" and "+flow.ErrorResult)
		}
	}
	if described == nil {
		return nil
	}
	for _, result := range described.Results {
		if m[result.Name] == nil {
			r.faults.AddCode(at.Member(result.Name), flow.RequiredValue, "is missing: every result of a step leads somewhere")
		}
	}
	return out
}

func named(name string) func(flow.StepResult) bool {
	return func(r flow.StepResult) bool { return r.Name == name }
}

func results(s *flow.Step) string {
	var names []string
	for i := range s.Results {
		names = append(names, s.Results[i].Name)
	}
	for i := range s.Failures {
		names = append(names, s.Failures[i].Name)
	}
	return strings.Join(names, ", ")
}

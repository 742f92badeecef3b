package definition

import (
	"encoding/json"
	"fmt"
	"slices"

	"doorward/runtime/flow"
)

// calls reports whether a step calls a definition, and which.
func calls(kind flow.Stepper, config json.RawMessage) (id string, ok bool) {
	refs := kind.Step("", nil).References
	i := slices.IndexFunc(refs, func(r flow.Reference) bool { return r.Kind == marker && r.Pinned })
	var m map[string]any
	if i < 0 || json.Unmarshal(config, &m) != nil {
		return "", false
	}
	id, ok = valueAt(m, refs[i].Member).(string)
	return id, ok
}

// call adds the node that leads into a definition, the definition, and, where the
// call says what becomes of its failures, the node that hands them on.
func (b *builder) call(st step, key, id string, s scope) error {
	g, ok := b.Definitions[id]
	if !ok {
		return fmt.Errorf("the definition %q was not taken along", id)
	}
	inner := scope{key: s.key + key + "/", as: s.as + key + "/", called: true, result: s.as + key}
	for result, next := range st.Outlets {
		if result != flow.ErrorResult {
			inner.next = s.key + next
		}
	}
	failure := s.failed
	if next, said := st.Outlets[flow.ErrorResult]; said {
		failure = s.key + next
	}
	if failure != "" {
		raises, _, err := b.node(inner.key, st.Type, json.RawMessage(`{"raises":true}`), nil, g.Trigger.Type)
		if err != nil {
			return err
		}
		raises.As, raises.Outlets[flow.ErrorResult], inner.failed = inner.result, failure, inner.key
	}
	enter, says, err := b.node(s.key+key, st.Type, nil, nil, g.Trigger.Type)
	if err != nil {
		return err
	}
	if enter.Input, err = s.template(st.Input, &says); err != nil {
		return err
	}
	enter.As = inner.as
	for _, r := range says.Results {
		enter.Outlets[r.Name] = inner.key + g.Trigger.Next
	}
	return b.graph(g, inner)
}

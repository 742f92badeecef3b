package definition

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/placeholder"
)

// input checks the input of a step and returns it; nil when there is none.
func (r *stepReader) input(raw json.RawMessage, described flow.Step) json.RawMessage {
	at := r.at.Member("input")
	value := r.shaped(at, raw, described.Input, "input")
	if len(value) == 0 {
		return nil
	}
	t, err := placeholder.Compile(value, nil, rules(&described))
	if found := placeholder.Faults(nil); errors.As(err, &found) {
		for _, f := range found {
			r.faults.Add(pointed(at, value, f.At), f.Message)
		}
		return nil
	}
	for _, u := range t.Uses() {
		if u.Path[0] == "steps" && r.steps[u.Path[1]] == nil {
			r.faults.Add(pointed(at, value, u.At), fmt.Sprintf("reads ${%s}, but there is no step %q", strings.Join(u.Path, "."), u.Path[1]))
		}
	}
	if described.CheckInput != nil {
		err := described.CheckInput(value)
		if found := Faults(nil); errors.As(err, &found) {
			r.faults.Merge(at, found)
		} else if err != nil {
			r.faults.Add(at, err.Error())
		}
	}
	return raw
}

// pointed is the path of what a JSON pointer names inside the value at p.
func pointed(p Path, value any, pointer string) Path {
	if pointer == "" {
		return p
	}
	elements := strings.Split(pointer[1:], "/")
	for i, e := range elements {
		elements[i] = strings.ReplaceAll(strings.ReplaceAll(e, "~1", "/"), "~0", "~")
	}
	return located(p, value, elements)
}

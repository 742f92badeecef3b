package definition

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/placeholder"
)

// scope is where a definition stands in a plan.
type scope struct {
	key    string // what the keys of its nodes begin with
	as     string // what the keys that they keep their outputs under begin with
	next   string // where its end leads
	called bool   // by a step of another definition
	result string // key that its end keeps its outputs under; empty: its own
	failed string // node that its failures lead to; empty: they fail the plan
}

// outermost reports whether the definition is not called by another one.
func (s *scope) outermost() bool { return !s.called }

// keeps is the key that a step keeps its outputs under; empty where that is the
// key of its node.
func (s *scope) keeps(key string) string {
	if s.as == s.key {
		return ""
	}
	return s.as + key
}

// fails leads the failures of a step that says nothing of them.
func (s *scope) fails(n *flow.Node) {
	if _, said := n.Outlets[flow.ErrorResult]; !said && s.failed != "" {
		n.Outlets[flow.ErrorResult] = s.failed
	}
}

// rename says under which path of the plan a placeholder of the definition is
// found.
func (s *scope) rename(path []string) []string {
	parameters := []string{"flow", "inputs", "parameters"}
	switch {
	case path[0] == "steps" && len(path) > 1:
		path = slices.Clone(path)
		path[1] = s.as + path[1]
	case s.called && len(path) >= len(parameters) && slices.Equal(path[:len(parameters)], parameters):
		return append([]string{"steps", s.as, "outputs", "parameters"}, path[len(parameters):]...)
	}
	return path
}

// template compiles the input of a step; nil when there is none.
func (s *scope) template(input json.RawMessage, says *flow.Step) (flow.Input, error) {
	if len(input) == 0 {
		return nil, nil
	}
	var value map[string]any
	if err := json.Unmarshal(input, &value); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	t, err := placeholder.Compile(value, s.rename, rules(says))
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return t, nil
}

// rules are what placeholders keep to in the input of a step.
func rules(says *flow.Step) placeholder.Rules {
	pointers := func(dotted []string) []string {
		out := make([]string, len(dotted))
		for i, path := range dotted {
			out[i] = "/" + strings.ReplaceAll(path, ".", "/")
		}
		return out
	}
	return placeholder.Rules{Markup: pointers(says.Markup), Addresses: pointers(says.Addresses), Documents: pointers(says.Documents)}
}

// reread is a configuration in which every string that stands for one of the
// variables has its name in the plan; nil when none has another one there.
func reread(config json.RawMessage, variables []string, rename func([]string) []string) json.RawMessage {
	if rename == nil {
		return nil
	}
	names := map[string]string{}
	for _, v := range variables {
		if renamed := strings.Join(rename(strings.Split(v, ".")), "."); renamed != v {
			names["${"+v+"}"] = "${" + renamed + "}"
		}
	}
	var value any
	if len(names) == 0 || json.Unmarshal(config, &value) != nil {
		return nil
	}
	b, err := json.Marshal(replaced(value, names))
	if err != nil {
		return nil
	}
	return b
}

// replaced is a value with some of its strings replaced, in place.
func replaced(value any, names map[string]string) any {
	switch v := value.(type) {
	case string:
		if name, ok := names[v]; ok {
			return name
		}
	case []any:
		for i := range v {
			v[i] = replaced(v[i], names)
		}
	case map[string]any:
		for name := range v {
			v[name] = replaced(v[name], names)
		}
	}
	return value
}

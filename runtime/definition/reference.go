package definition

import (
	"encoding/json"
	"maps"
	"strings"

	"doorward/runtime/flow"
)

// valueAt is the value at a dotted path of an object; nil when there is none.
func valueAt(m map[string]any, dotted string) any {
	var v any = m
	for name := range strings.SplitSeq(dotted, ".") {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

// below is the path of a dotted name inside what stands at p.
func below(p Path, dotted string) Path {
	for name := range strings.SplitSeq(dotted, ".") {
		p = p.Member(name)
	}
	return p
}

// lasting is the body of a resource without what changes while it means the same,
// and with its id.
func lasting(body []byte, id string) json.RawMessage {
	var m map[string]any
	if json.Unmarshal(body, &m) != nil || m == nil {
		return body // the kind says what is wrong with it
	}
	for _, name := range []string{"_links", "environment", "created", "modified", "createdAt", "updatedAt"} {
		delete(m, name)
	}
	m["id"] = id
	b, err := json.Marshal(m)
	if err != nil {
		return body
	}
	return b
}

// furnished is a configuration with the bodies of the resources that are taken
// along where their ids stood.
func furnished(config map[string]any, refs []flow.Reference, pinned map[string]bodies) map[string]any {
	for _, ref := range refs {
		id, ok := valueAt(config, ref.Member).(string)
		body := pinned[ref.Kind][id]
		if !ok || !ref.Pinned || body == nil {
			continue
		}
		if within := strings.Split(ref.Member, "."); len(within) > 1 {
			config = put(config, within[:len(within)-1], body)
		}
	}
	return config
}

// put is m with another value at a path of names, of which all but the last are
// there. m itself is not changed.
func put(m map[string]any, path []string, value any) map[string]any {
	m = maps.Clone(m)
	if len(path) == 1 {
		m[path[0]] = value
		return m
	}
	inner, _ := m[path[0]].(map[string]any)
	m[path[0]] = put(inner, path[1:], value)
	return m
}

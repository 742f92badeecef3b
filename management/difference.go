package management

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// difference is what turns one document into another, as a JSON Patch: where
// something was added, removed or replaced, and, which is ours, what was there.
// Lists are compared place by place. Source: RFC 6902 4.
func difference(before, after []byte) ([]any, error) {
	var a, b any
	if err := json.Unmarshal(before, &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(after, &b); err != nil {
		return nil, err
	}
	d := differ{changes: []any{}}
	d.walk("", a, b)
	return d.changes, nil
}

type differ struct{ changes []any }

func (d *differ) say(op, path string, members ...member) {
	d.changes = append(d.changes, append(object{{"op", op}, {"path", path}}, members...))
}

func (d *differ) walk(path string, a, b any) {
	if reflect.DeepEqual(a, b) {
		return
	}
	switch was := a.(type) {
	case map[string]any:
		if is, same := b.(map[string]any); same {
			d.members(path, was, is)
			return
		}
	case []any:
		if is, same := b.([]any); same {
			d.elements(path, was, is)
			return
		}
	}
	d.say("replace", path, member{"value", b}, member{"was", a})
}

func (d *differ) members(path string, a, b map[string]any) {
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at := path + "/" + escaped(name)
		was, had := a[name]
		is, has := b[name]
		switch {
		case !had:
			d.say("add", at, member{"value", is})
		case !has:
			d.say("remove", at, member{"was", was})
		default:
			d.walk(at, was, is)
		}
	}
}

// elements removes from the end, so that every path is right when it is its turn.
func (d *differ) elements(path string, a, b []any) {
	for i := range min(len(a), len(b)) {
		d.walk(path+"/"+strconv.Itoa(i), a[i], b[i])
	}
	for i := len(a) - 1; i >= len(b); i-- {
		d.say("remove", path+"/"+strconv.Itoa(i), member{"was", a[i]})
	}
	for i := len(a); i < len(b); i++ {
		d.say("add", path+"/"+strconv.Itoa(i), member{"value", b[i]})
	}
}

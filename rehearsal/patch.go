package rehearsal

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// operation is one of a JSON Patch (RFC 6902), with what was there before.
type operation struct {
	Op    string `json:"op"` // add, remove or replace
	Path  string `json:"path"`
	Old   any    `json:"old,omitempty"`
	Value any    `json:"value,omitempty"`
}

// patch is what makes b of a, in the order in which it is to be applied.
func patch(at string, a, b any) []operation {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return patchObject(at, a, b)
		}
	case []any:
		if b, ok := b.([]any); ok {
			return patchArray(at, a, b)
		}
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	return []operation{{Op: "replace", Path: at, Old: a, Value: b}}
}

func patchObject(at string, a, b map[string]any) []operation {
	var out []operation
	for _, name := range union(a, b) {
		old, was := a[name]
		value, is := b[name]
		here := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		switch {
		case !is:
			out = append(out, operation{Op: "remove", Path: here, Old: old})
		case !was:
			out = append(out, operation{Op: "add", Path: here, Value: value})
		default:
			out = append(out, patch(here, old, value)...)
		}
	}
	return out
}

// patchArray compares what is left between an equal beginning and an equal end,
// element by element.
func patchArray(at string, a, b []any) []operation {
	begin := 0
	for begin < min(len(a), len(b)) && reflect.DeepEqual(a[begin], b[begin]) {
		begin++
	}
	a, b = a[begin:], b[begin:]
	for len(a) > 0 && len(b) > 0 && reflect.DeepEqual(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	index := func(i int) string { return at + "/" + strconv.Itoa(begin+i) }
	both := min(len(a), len(b))
	var out []operation
	for i := range both {
		out = append(out, patch(index(i), a[i], b[i])...)
	}
	for _, old := range a[both:] { // each takes the place of the one before
		out = append(out, operation{Op: "remove", Path: index(both), Old: old})
	}
	for i, value := range b[both:] {
		out = append(out, operation{Op: "add", Path: index(both + i), Value: value})
	}
	return out
}

// union is every name of two objects, sorted.
func union[V any](a, b map[string]V) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

// String is the operation for people: a sign, where, and what.
func (o operation) String() string {
	switch o.Op {
	case "add":
		return "+ " + o.Path + ": " + brief(o.Value)
	case "remove":
		return "- " + o.Path + ": " + brief(o.Old)
	}
	return "~ " + o.Path + ": " + brief(o.Old) + " => " + brief(o.Value)
}

// longest is how many characters of a value people are shown.
const longest = 72

// brief is a value on one line.
func brief(v any) string { return clipped(encoded(v)) }

// encoded is a value as JSON.
func encoded(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}

func clipped(s string) string {
	text := []rune(s)
	if len(text) > longest {
		return string(text[:longest]) + "..."
	}
	return s
}

package rehearsal

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// apply does what a JSON Patch says. Source: RFC 6902 section 4.
func apply(t *rapid.T, doc any, o operation) any {
	if o.Path == "" {
		return o.Value
	}
	first, rest, _ := strings.Cut(o.Path[1:], "/")
	first = strings.NewReplacer("~1", "/", "~0", "~").Replace(first)
	deeper := o
	if deeper.Path = ""; strings.Contains(o.Path[1:], "/") {
		deeper.Path = "/" + rest
	}
	switch doc := doc.(type) {
	case map[string]any:
		switch {
		case deeper.Path != "":
			doc[first] = apply(t, doc[first], deeper)
		case o.Op == "remove":
			delete(doc, first)
		default:
			doc[first] = o.Value
		}
		return doc
	case []any:
		i, err := strconv.Atoi(first)
		switch {
		case err != nil:
			t.Fatal(err)
		case deeper.Path != "":
			doc[i] = apply(t, doc[i], deeper)
		case o.Op == "remove":
			return slices.Delete(doc, i, i+1)
		case o.Op == "add":
			return slices.Insert(doc, i, o.Value)
		default:
			doc[i] = o.Value
		}
		return doc
	}
	t.Fatalf("%s leads into %v", o.Path, doc)
	return nil
}

// drawn is some JSON, as deep as it may be.
func drawn(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0, 1:
		if depth > 0 {
			m := map[string]any{}
			for range rapid.IntRange(0, 3).Draw(t, "members") {
				m[rapid.SampledFrom([]string{"a", "b", "a/b", "~"}).Draw(t, "name")] = drawn(t, depth-1)
			}
			return m
		}
	case 2, 3:
		if depth > 0 {
			list := []any{}
			for range rapid.IntRange(0, 4).Draw(t, "elements") {
				list = append(list, drawn(t, depth-1))
			}
			return list
		}
	case 4:
		return rapid.Bool().Draw(t, "bool")
	}
	return rapid.SampledFrom([]string{"x", "y"}).Draw(t, "text")
}

// A patch makes the second of the first, and there is none between equals.
func TestAPatchLeadsFromOneToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawn(t, 3), drawn(t, 3)
		if got := patch("", a, copied(a)); got != nil {
			t.Fatalf("between equals: %v", got)
		}
		got := copied(a)
		operations := patch("", a, b)
		for _, o := range operations {
			got = apply(t, got, operation{o.Op, o.Path, nil, copied(o.Value)})
		}
		if diff := cmp.Diff(b, got); diff != "" {
			t.Fatalf("%v makes of %v (-wanted +made):\n%s", operations, a, diff)
		}
	})
}

func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, x := range v {
			out[name] = copied(x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, copied(x))
		}
		return out
	}
	return v
}

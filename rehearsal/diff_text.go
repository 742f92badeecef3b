package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Text is the comparison for people.
func (d *Comparison) Text() string {
	var w diffText
	w.line(0, "--- %s", d.From)
	w.line(0, "+++ %s", d.To)
	before := w.Len()
	for _, name := range union(d.a.body, d.b.body) {
		if name != "stepDefinitions" {
			w.changes(0, "", name, d.a.body, d.b.body)
		}
	}
	w.steps(objects(d.a.body["stepDefinitions"]), objects(d.b.body["stepDefinitions"]))
	if d.Plan.Changes != nil {
		w.forms(d.a.taken.Resources.Form, d.b.taken.Resources.Form)
	}
	for _, id := range slices.Sorted(maps.Keys(d.Called)) {
		w.line(0, "~ called definition %s", id)
		for _, c := range d.Called[id] {
			w.line(1, "%s", c)
		}
	}
	if w.Len() == before {
		w.line(0, "they say the same")
	}
	switch p := d.Plan; {
	case p.Changes == nil:
		w.line(0, "plan: not known, because %s", strings.ReplaceAll(p.Why, "\n", "\n  "))
	case *p.Changes:
		w.line(0, "plan: changes, from %.12s to %.12s; what is under way goes on with the old one", p.From, p.To)
	default:
		w.line(0, "plan: stays %.12s", p.To)
	}
	return w.String()
}

type diffText struct{ strings.Builder }

func (w *diffText) line(indent int, format string, values ...any) {
	w.WriteString(strings.Repeat("    ", indent) + fmt.Sprintf(format, values...) + "\n")
}

// changes writes what differs in one member of two objects.
func (w *diffText) changes(indent int, what, name string, a, b map[string]any) {
	old, was := a[name]
	value, is := b[name]
	only := func(v any, there bool) map[string]any {
		if !there {
			return map[string]any{}
		}
		return map[string]any{name: v}
	}
	for _, c := range patchObject("", only(old, was), only(value, is)) {
		c.Path = what + strings.TrimPrefix(c.Path, "/")
		w.line(indent, "%s", c)
	}
}

// objects is an object of objects.
func objects(v any) map[string]map[string]any {
	out := map[string]map[string]any{}
	m, _ := v.(map[string]any)
	for name, inner := range m {
		out[name], _ = inner.(map[string]any)
	}
	return out
}

func (w *diffText) steps(a, b map[string]map[string]any) {
	for _, key := range union(a, b) {
		old, was := a[key]
		now, is := b[key]
		switch {
		case !was:
			w.line(0, "+ step %s %v%s", key, now["type"], ways(now))
		case !is:
			w.line(0, "- step %s %v%s", key, old["type"], ways(old))
		case patchObject("", old, now) != nil:
			w.line(0, "~ step %s %v", key, old["type"])
			for _, name := range union(old, now) {
				if name != "outlets" {
					w.changes(1, "", name, old, now)
				}
			}
			w.outlets(objects(old["outlets"]), objects(now["outlets"]))
		}
	}
}

// ways is where a step leads, on one line.
func ways(step map[string]any) string {
	var out []string
	all := objects(step["outlets"])
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, fmt.Sprintf("-(%s)-> %v", name, all[name]["next"]))
	}
	if len(out) == 0 {
		return ""
	}
	return " " + strings.Join(out, ", ")
}

func (w *diffText) outlets(a, b map[string]map[string]any) {
	for _, name := range union(a, b) {
		old, was := a[name]
		now, is := b[name]
		switch {
		case !was:
			w.line(1, "+ -(%s)-> %v", name, now["next"])
			continue
		case !is:
			w.line(1, "- -(%s)-> %v", name, old["next"])
			continue
		case old["next"] != now["next"]:
			w.line(1, "~ -(%s)-> %v => %v", name, old["next"], now["next"])
		}
		for _, member := range union(old, now) {
			if member != "next" {
				w.changes(1, "outlets/"+name+"/", member, old, now)
			}
		}
	}
}

func (w *diffText) forms(a, b map[string]map[string]any) {
	for _, id := range union(a, b) {
		old, was := a[id]
		now, is := b[id]
		switch {
		case !was:
			w.line(0, "+ form %s (%s)", brief(now["name"]), id)
		case !is:
			w.line(0, "- form %s (%s)", brief(old["name"]), id)
		case patchObject("", old, now) != nil:
			w.line(0, "~ form %s (%s)", brief(now["name"]), id)
			w.form(old, now)
		}
	}
}

// form writes what differs in a form, its fields by their keys.
func (w *diffText) form(a, b map[string]any) {
	for _, name := range union(a, b) {
		if name != "components" {
			w.changes(1, "", name, a, b)
		}
	}
	fieldsA, fieldsB := fields(a), fields(b)
	for _, key := range union(fieldsA, fieldsB) {
		old, was := fieldsA[key]
		now, is := fieldsB[key]
		switch {
		case !was:
			w.line(1, "+ field %s %v", key, now["type"])
		case !is:
			w.line(1, "- field %s %v", key, old["type"])
		default:
			for _, name := range union(old, now) {
				w.changes(1, "field "+key+" ", name, old, now)
			}
		}
	}
}

// fields are those of a form by their keys, or by their type and number where they
// have none.
func fields(form map[string]any) map[string]map[string]any {
	components, _ := form["components"].(map[string]any)
	list, _ := components["fields"].([]any)
	out := map[string]map[string]any{}
	for _, v := range list {
		f, _ := v.(map[string]any)
		key, _ := f["key"].(string)
		if key == "" {
			key, _ = f["type"].(string)
		}
		for n, first := 2, key; out[key] != nil; n++ {
			key = first + "#" + strconv.Itoa(n)
		}
		out[key] = f
	}
	return out
}

package verifier_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/verifier"
)

// definition is a flow definition as it is written. Source:
// reference/management.md 2.2.
type definition struct {
	Name    string `json:"name"`
	Trigger struct {
		Type string `json:"type"`
		Next string `json:"next"`
	} `json:"trigger"`
	Steps map[string]struct {
		Type          string                       `json:"type"`
		Configuration map[string]any               `json:"configuration"`
		Input         map[string]any               `json:"input"`
		Outlets       map[string]map[string]string `json:"outlets"`
	} `json:"stepDefinitions"`
}

func (d *definition) plan() *flow.Plan {
	p := &flow.Plan{Name: d.Name, Definition: "d", Trigger: d.Trigger.Type, Entry: d.Trigger.Next, Nodes: map[string]*flow.Node{}}
	for key, s := range d.Steps {
		n := &flow.Node{Key: key, Kind: s.Type, Config: s.Configuration, Outlets: map[string]string{}}
		if s.Input != nil {
			n.Input = template(s.Input)
		}
		for name, outlet := range s.Outlets {
			n.Outlets[name] = outlet["next"]
		}
		p.Nodes[key] = n
	}
	return p
}

// planOf reads a definition whose steps are written as JSON.
func planOf(t testing.TB, text string) *flow.Plan {
	t.Helper()
	var d definition
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return d.plan()
}

func planIn(t testing.TB, name string) *flow.Plan {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return planOf(t, string(b))
}

// lines are findings as the golden files hold them.
func lines(found []verifier.Finding) string {
	var b strings.Builder
	for _, f := range found {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// template is an input with ${...} in its strings.
type template map[string]any

func (in template) Resolve(find func([]string) any) map[string]any {
	out, _ := resolved(map[string]any(in), find).(map[string]any)
	return out
}

func resolved(v any, find func([]string) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, x := range v {
			if x = resolved(x, find); x != nil {
				out[name] = x
			}
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			if x = resolved(x, find); x != nil {
				out = append(out, x)
			}
		}
		return out
	case string:
		before, rest, some := strings.Cut(v, "${")
		name, after, _ := strings.Cut(rest, "}")
		switch {
		case !some:
		case before == "" && after == "":
			return find(strings.Split(name, "."))
		default:
			s, _ := find(strings.Split(name, ".")).(string)
			return before + s + after
		}
	}
	return v
}

func (in template) Uses() []flow.Use {
	return uses(map[string]any(in), "")
}

func uses(v any, at string) (out []flow.Use) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			out = append(out, uses(x, at+"/"+name)...)
		}
	case []any:
		for i, x := range v {
			out = append(out, uses(x, at+"/"+string(rune('0'+i)))...)
		}
	case string:
		before, rest, some := strings.Cut(v, "${")
		if name, after, _ := strings.Cut(rest, "}"); some {
			out = append(out, flow.Use{At: at, Path: strings.Split(name, "."), Whole: before == "" && after == ""})
		}
	}
	return out
}

// sketch is a definition with a step a line: key | type | configuration | input |
// OUTLET>next ... The first step is the entry.
func sketch(t testing.TB, text string) *flow.Plan {
	t.Helper()
	p := &flow.Plan{Name: "sketch", Definition: "d", Trigger: flow.TriggerSignOnPolicy, Nodes: map[string]*flow.Node{}}
	for line := range strings.Lines(text) {
		part := strings.Split(strings.TrimSpace(line), "|")
		if len(part) != 5 {
			continue
		}
		for i := range part {
			part[i] = strings.TrimSpace(part[i])
		}
		n := &flow.Node{Key: part[0], Kind: part[1], Outlets: map[string]string{}}
		var config, input map[string]any
		for i, to := range []*map[string]any{&config, &input} {
			if part[2+i] == "" {
				continue
			}
			if err := json.Unmarshal([]byte(part[2+i]), to); err != nil {
				t.Fatalf("%s: %v", part[2+i], err)
			}
		}
		if n.Config = config; input != nil {
			n.Input = template(input)
		}
		for _, outlet := range strings.Fields(part[4]) {
			name, next, _ := strings.Cut(outlet, ">")
			n.Outlets[name] = next
		}
		if p.Entry == "" {
			p.Entry = n.Key
		}
		p.Nodes[n.Key] = n
	}
	return p
}

// codes are the findings in short: the severity's first letter, code and step.
func codes(found []verifier.Finding) string {
	var out []string
	for _, f := range found {
		out = append(out, f.Severity.String()[:1]+" "+f.Code+" "+f.Step)
	}
	return strings.Join(out, ", ")
}

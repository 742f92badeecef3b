package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/steps"
)

const flowDefinitions = "flow-definitions.md"

// TestGoldenFlowDefinitions sends every request of docs/flow-definitions.md to the
// demo, runs its commands, and describes the steps as they describe themselves.
func TestGoldenFlowDefinitions(t *testing.T) {
	t.Parallel()
	w, d := newWorkbench(t, flowDefinitions), newDocs(t)
	for name, content := range filesOf(t, flowDefinitions) {
		d.known[filepath.Base(name)] = content
	}
	asked, run := d.http(t), w.console(t)
	hold(t, flowDefinitions, guide{
		fence: func(info, content string) string { return run(info, asked(info, content)) },
		made: func(name string) string {
			if picture, is := w.drawn(t, name); is {
				return picture
			}
			if name != "steps" {
				t.Fatalf("%s wants %q made", flowDefinitions, name)
			}
			return describedSteps(t)
		},
	})
}

// describedSteps is a section for each kind that definitions are made of.
func describedSteps(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	var others []string
	kinds := steps.Builtin(steps.Parts{})
	slices.SortFunc(kinds, func(x, y flow.Kind) int { return strings.Compare(x.Meta().Name, y.Meta().Name) })
	for _, k := range kinds {
		s, ok := k.(flow.Stepper)
		if !ok {
			others = append(others, "`"+k.Meta().Name+"`")
			continue
		}
		describe(t, &b, s)
	}
	fmt.Fprintf(&b, "Steps of sign-on policies alone: %s.\n", strings.Join(others, ", "))
	return b.String()
}

func describe(t *testing.T, b *strings.Builder, k flow.Stepper) {
	t.Helper()
	m, s := k.Meta(), k.Step("", nil)
	fmt.Fprintf(b, "### `%s`\n\n%s.", m.Name, strings.ToUpper(m.Doc[:1])+m.Doc[1:])
	for _, alias := range s.Aliases {
		fmt.Fprintf(b, " Also called `%s`.", alias)
	}
	b.WriteString("\n\n| | |\n|---|---|\n")
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "| %s | %s |\n", name, value)
		}
	}
	row("configuration", membersOf(t, s.Configuration))
	row("input", membersOf(t, s.Input))
	outputs := ""
	for _, r := range s.Results {
		if out := membersOf(t, r.Output); out != "" && outputs != "" && out != outputs {
			t.Fatalf("the results of %s put out different things, which the page has no room for", m.Name)
		} else if out != "" {
			outputs = out
		}
		row("`"+r.Name+"`", strings.Join(append([]string{r.Doc}, proofs(r)...), " "))
	}
	for _, f := range s.Failures {
		row("`"+f.Name+"`", f.Doc+" Need not be drawn.")
	}
	row("outputs", regexp.MustCompile(`\*| \([^)]*\)`).ReplaceAllString(outputs, ""))
	waits := map[string][]string{}
	for _, a := range m.Actions {
		if a.Name == flow.PollAction { // is never sent: reading the flow does it
			continue
		}
		for _, status := range a.When {
			waits[status] = append(waits[status], "`"+a.Name+"`")
		}
	}
	for _, status := range slices.Sorted(maps.Keys(waits)) {
		row("waits in", "`"+status+"` for "+strings.Join(waits[status], ", "))
	}
	b.WriteString("\n")
}

func proofs(r flow.StepResult) (out []string) {
	methods := map[string][]string{}
	for _, p := range r.Takes { // one authenticator may prove by several methods
		if name := "`" + p.AMR + "`"; !slices.Contains(methods[p.Authenticator], name) {
			methods[p.Authenticator] = append(methods[p.Authenticator], name)
		}
	}
	for _, p := range r.Takes {
		if methods[p.Authenticator] == nil {
			continue
		}
		proof := "Proves the " + p.Authenticator + " (" + strings.Join(methods[p.Authenticator], " or ") + ")"
		delete(methods, p.Authenticator)
		if p.Rests != "" {
			proof += ", which rests on the " + p.Rests
		}
		if !r.Confirms {
			proof += ", which counts from a later step on that is sure who it is"
		}
		if r.Candidate {
			proof += ", and not where that was sure before"
		}
		out = append(out, proof+".")
	}
	return out
}

// schema is as much of JSON Schema as the kinds write.
type schema struct {
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	Enum       []string          `json:"enum"`
}

// membersOf names the members of a schema. An object with more than a table can
// hold names those that are required.
func membersOf(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	if len(raw) == 0 {
		return ""
	}
	var s schema
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return strings.Join(s.list("", true), ", ")
}

func (s *schema) list(under string, needed bool) []string {
	names := slices.Sorted(maps.Keys(s.Properties))
	if len(names) > 8 {
		var out []string
		for _, name := range s.Required {
			out = append(out, "`"+under+name+"`*")
		}
		return append(out, "other attributes of the user")
	}
	var out []string
	for _, name := range names {
		p, must := s.Properties[name], needed && slices.Contains(s.Required, name)
		if p.Items != nil && len(p.Items.Properties) > 0 {
			out = append(out, p.Items.list(under+name+"[].", must)...)
			continue
		}
		if len(p.Properties) > 0 {
			out = append(out, p.list(under+name+".", must)...)
			continue
		}
		said := "`" + under + name + "`"
		if must {
			said += "*"
		}
		values := p.Enum
		if p.Items != nil {
			values = p.Items.Enum
		}
		if len(values) > 0 {
			said += " (" + strings.Join(values, ", ") + ")"
		}
		out = append(out, said)
	}
	return out
}

// TestEveryFailureIsExplained holds that the codes that steps of definitions fail
// with are in the guide.
func TestEveryFailureIsExplained(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("../../docs", flowDefinitions))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(raw), "\n## Failures\n")
	table, _, _ = strings.Cut(table, "\n## ")
	files, err := filepath.Glob("../../steps/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	code := regexp.MustCompile(`(?:Fail\(|Failure\{\s*Code: +)"([A-Z_]+)"`)
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
	for _, file := range append(files, "../../runtime/engine/ends.go", "../../runtime/flow/outside.go") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(source), -1) {
			found++
			if !strings.Contains(table, "`"+m[1]+"`") {
				t.Errorf("%s fails with %s, which docs/%s does not explain", file, m[1], flowDefinitions)
			}
		}
	}
	if found < 10 {
		t.Errorf("%d codes were found", found)
	}
}

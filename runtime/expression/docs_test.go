package expression_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/expression"
)

// guide is the page for operators: its context, and the rows of its tables by the
// first word of their heading.
func guide(t *testing.T) (root any, tables map[string][][2]string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	context, _, _ := strings.Cut(rest, "```")
	tables = map[string][][2]string{}
	heading := ""
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "|") {
			heading = ""
			continue
		}
		cells := strings.Split(strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00"), "|")
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.Trim(strings.TrimSpace(cells[i]), "`"), "\x00", "|")
		}
		switch {
		case heading == "":
			heading = cells[0]
		case cells[0] != "---" && len(cells) == 2:
			tables[heading] = append(tables[heading], [2]string{cells[0], cells[1]})
		}
	}
	return decoded(t, context), tables
}

func TestTheExamplesOfTheGuideAreTrue(t *testing.T) {
	root, tables := guide(t)
	if len(tables["expression"]) < 100 {
		t.Fatalf("%d examples were found", len(tables["expression"]))
	}
	for _, row := range tables["expression"] {
		p, err := expression.Compile(row[0], roots...)
		if err != nil {
			t.Errorf("%s: %v", row[0], err)
			continue
		}
		v, err := p.Eval(expression.Context{Root: root, Now: clock})
		if err != nil {
			t.Errorf("%s: %v", row[0], err)
			continue
		}
		got, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decoded(t, row[1]), decoded(t, string(got))); diff != "" {
			t.Errorf("%s\n%s", row[0], diff)
		}
	}
	for _, row := range tables["you write"] {
		tmpl, err := expression.CompileTemplate(row[0], roots...)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := tmpl.Eval(expression.Context{Root: root}); err != nil || v != row[1] {
			t.Errorf("%s: %v, %v", row[0], v, err)
		}
	}
}

func TestTheGuideHasAnExampleOfEveryFunction(t *testing.T) {
	_, tables := guide(t)
	var all strings.Builder
	for _, row := range tables["expression"] {
		all.WriteString(row[0])
	}
	call := regexp.MustCompile(`#[a-z]+\.[A-Za-z0-9]+\(`)
	for _, row := range values() {
		for _, function := range call.FindAllString(row[0], -1) {
			if !strings.Contains(all.String(), function) {
				t.Errorf("%s) is not shown", function)
			}
		}
	}
}

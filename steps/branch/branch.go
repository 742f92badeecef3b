// Package branch is the step kind BRANCH: it goes the way of the first condition
// that holds.
package branch

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/condition"
	"doorward/runtime/document"
	"doorward/runtime/flow"
)

const (
	// noMatch is the way of whoever no condition is about.
	noMatch = "NO_MATCH"
	// most is how many conditions a branch has at most.
	most = 50
)

//go:embed config.schema.json
var configuration []byte

// Kind is the step kind.
type Kind struct{}

// New makes the kind.
func New() *Kind { return &Kind{} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "BRANCH",
		Doc:     "goes the way of the first condition that holds",
		Source:  "reference/management.md 2.4, 2.5, 2.6, 4.4",
		Results: []string{noMatch},
	}
}

// Step describes the kind to definitions. Its results are those of its conditions.
func (*Kind) Step(_ string, config any) flow.Step {
	s := flow.Step{
		Title: "Branch", Configuration: configuration,
		Results: []flow.StepResult{{Name: noMatch, Title: "No match", Doc: "None of the conditions holds."}},
	}
	arms, _ := config.([]arm)
	var named []flow.StepResult
	for i := range arms {
		a := &arms[i]
		if !slices.ContainsFunc(named, func(r flow.StepResult) bool { return r.Name == a.result }) {
			named = append(named, flow.StepResult{Name: a.result, Title: a.title, Doc: "The first condition that holds leads to " + a.result + "."})
		}
		for _, name := range a.rule.Names() {
			if !slices.Contains(s.Reads, name) {
				s.Reads = append(s.Reads, name)
			}
		}
	}
	s.Results = append(named, s.Results...)
	return s
}

// arm is one condition and where it leads.
type arm struct {
	rule   *condition.Rule
	result string
	title  string
}

// Check compiles the conditions. The error is a document.Faults.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Conditions []struct {
			Condition   json.RawMessage `json:"condition"`
			Result      string          `json:"result"`
			DisplayName string          `json:"displayName"`
		} `json:"conditions"`
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("BRANCH takes a list of conditions: %w", err)
	}
	at := document.Root.Member("conditions")
	var faults document.Faults
	if n := len(c.Conditions); n < 1 || n > most {
		faults.Add(at, fmt.Sprintf("takes 1 to %d conditions, not %d", most, n))
	}
	arms := make([]arm, 0, len(c.Conditions))
	for i, x := range c.Conditions {
		if !isName(x.Result) {
			faults.Add(at.Index(i).Member("result"), "takes 1 to 128 letters, digits, _ and -, other than NO_MATCH and ERROR")
		}
		arms = append(arms, arm{compile(at.Index(i).Member("condition"), x.Condition, &faults), x.Result, x.DisplayName})
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return arms, nil
}

// isName reports whether a condition may lead to the result.
func isName(s string) bool {
	return s != "" && s != noMatch && s != flow.ErrorResult && utf8.RuneCountInString(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
}

func compile(at document.Path, raw json.RawMessage, faults *document.Faults) *condition.Rule {
	rule, err := condition.Compile(raw)
	if err != nil {
		if found := document.Faults(nil); errors.As(err, &found) {
			faults.Merge(at, found)
		}
		return nil
	}
	for _, name := range rule.Names() {
		step := strings.HasPrefix(name, "steps.") && !strings.Contains(name, ".outputs") && !strings.HasSuffix(name, ".error.code") && !strings.HasSuffix(name, ".error.message")
		if name == "identifier" || step {
			faults.Add(at, "asks for ${"+name+"}, which no step knows")
		}
	}
	return rule
}

// Enter leaves at once.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	arms, ok := t.Config.([]arm)
	if !ok {
		return flow.Outcome{}, fmt.Errorf("BRANCH is configured with %T", t.Config)
	}
	fact := t.Fact
	if fact == nil {
		fact = func(string) any { return nil }
	}
	for i := range arms {
		if arms[i].rule.Holds(t.Now, fact) {
			return flow.Result(arms[i].result), nil
		}
	}
	return flow.Result(noMatch), nil
}

package steps_test

import (
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/steps"
)

func TestEveryKindSaysWhatItIs(t *testing.T) {
	names := map[string]bool{}
	for _, k := range steps.Builtin(steps.Parts{}) {
		m := k.Meta()
		s, defined := k.(flow.Stepper)
		ends := defined && s.Step("", nil).Ends == flow.Terminates
		if m.Name == "" || m.Doc == "" || m.Source == "" || len(m.Results) == 0 && !ends {
			t.Errorf("kind %q lacks a name, a sentence, a source or results", m.Name)
		}
		if names[m.Name] {
			t.Errorf("there are two kinds %q", m.Name)
		}
		names[m.Name] = true
		for _, r := range append(m.Results, m.Name) {
			if r != strings.ToUpper(r) {
				t.Errorf("%q of kind %q is not in upper case", r, m.Name)
			}
		}
	}
}

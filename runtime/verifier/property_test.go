package verifier_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/runtime/flow"
	"doorward/runtime/verifier"
)

// tangle is a plan of n steps of the kinds of the product, led anywhere, with
// inputs that read anything.
func tangle(n int, pick func(n int) int) *flow.Plan {
	p := &flow.Plan{Name: "tangle", Definition: "d", Trigger: flow.TriggerSignOnPolicy, Entry: "s0", Nodes: map[string]*flow.Node{}}
	list := kinds()
	step := func() string { return fmt.Sprintf("s%d", pick(n+1)) } // one of them is nowhere
	value := func() any {
		return []any{
			"${steps." + step() + ".outputs.user.id}", "${steps." + step() + ".outputs.formData.user}", "${steps." + step() + ".outputs.formData.user.password}",
			"${steps." + step() + ".error.code}", "${flow.context.user.id}", "a ${steps." + step() + ".outputs.passwordState.status}", true,
		}[pick(7)]
	}
	for i := range n {
		k := list[pick(len(list))].(flow.Stepper)
		config := map[string]any{
			"form": map[string]any{"id": fmt.Sprint(1 + pick(7))}, "lifecycle": map[string]any{"status": []string{"ACCOUNT_OK", ""}[pick(2)]},
			"deviceAuthenticationPolicy": map[string]any{"id": []string{"totp", "email", "passkey"}[pick(3)]},
			"allowSkip":                  pick(2) == 0, "conditions": []any{map[string]any{"result": "YES", "condition": map[string]any{"value": value()}}},
		}
		node := &flow.Node{Key: fmt.Sprintf("s%d", i), Kind: k.Meta().Name, Config: config, Outlets: map[string]string{}}
		if pick(9) > 0 {
			node.Input = template{
				"user":    map[string]any{"id": value(), "password": value(), "username": value()},
				"context": map[string]any{"user": map[string]any{"id": value()}, "amr": []any{[]string{"pwd", "otp", "mfa"}[pick(3)]}},
			}
		}
		for _, r := range append(k.Step(p.Trigger, config).Results, flow.StepResult{Name: flow.ErrorResult}) {
			if pick(9) > 0 {
				node.Outlets[r.Name] = []string{step(), ""}[pick(20)/19]
			}
		}
		if pick(9) == 0 {
			node.Links = []flow.Link{{Name: "link", Next: step()}}
		}
		p.Nodes[node.Key] = node
	}
	return p
}

// Of whatever is led anywhere the findings are the same each time, with paths
// that the plan has, and no step is explored in more states than it may have.
func TestAnyPlanIsJudgedTheSameAndInBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := tangle(rapid.IntRange(1, 24).Draw(rt, "steps"), func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") })
		found := verifier.Check(p, kinds())
		if diff := cmp.Diff(found, verifier.Check(p, kinds())); diff != "" {
			rt.Fatal(diff)
		}
		if n := verifier.Visited(p, kinds()); n > verifier.MostStates*len(p.Nodes) {
			rt.Fatalf("%d states of %d steps", n, len(p.Nodes))
		}
		for _, f := range found {
			if err := walks(p, f); err != nil {
				rt.Fatalf("%s: %v", f, err)
			}
		}
		d := verifier.Graph(p, kinds(), found)
		_, _ = d.DOT(), d.Mermaid()
	})
}

// walks reports whether the path of a finding is one of the plan.
func walks(p *flow.Plan, f verifier.Finding) error {
	if f.Path == nil {
		if f.Code != verifier.UnreachableStep {
			return fmt.Errorf("has no path")
		}
		return nil
	}
	onward := f.Code == verifier.TellsAccounts || f.Code == verifier.FailsOpen // shows where the step leads
	if f.Path[0].Step != p.Entry || f.Path[len(f.Path)-1].Step != f.Step && !onward {
		return fmt.Errorf("does not lead from the entry to the step")
	}
	for i, h := range f.Path[:len(f.Path)-1] {
		n := p.Nodes[h.Step]
		next, ok := n.Outlets[h.Outlet]
		for _, l := range n.Links {
			if l.Name == h.Outlet {
				next, ok = l.Next, true
			}
		}
		if !ok || next != f.Path[i+1].Step {
			return fmt.Errorf("hop %d is none of the plan", i)
		}
	}
	return nil
}

// large is a definition of 200 steps, led anywhere: far worse than what a person
// would write.
func large() *flow.Plan {
	return tangle(200, rand.New(rand.NewPCG(4, 2)).IntN)
}

// long is a definition of 200 steps as a person might write it: sign-ons and
// recoveries, one behind the other, each with an end of its own.
func long(t testing.TB) *flow.Plan {
	t.Helper()
	var text strings.Builder
	for i := range 25 {
		onward := fmt.Sprintf("ask%d", i+1)
		if i == 24 {
			onward = "stop24"
		}
		part := checked + factor("totp", "more") + ends("${flow.context.user.id}", `"pwd","otp","mfa"`) + `
more | BRANCH | {"conditions":[{"condition":{"value":"${flow.inputs.parameters.x}"},"result":"YES"}]} | | YES>done NO_MATCH>go
go | USER_READ | | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>ONWARD
`
		for _, key := range []string{"ask", "look", "check", "next", "more", "go", "done", "stop"} {
			part = regexp.MustCompile(`(\n|>|steps\.)`+key+`\b`).ReplaceAllString(part, fmt.Sprintf("${1}%s%d", key, i))
		}
		text.WriteString(strings.Replace(part, "ONWARD", onward, 1))
	}
	return sketch(t, text.String())
}

// A definition of 200 steps is verified in few states, which is what its time
// comes from; how long that is, BenchmarkCheck shows.
func TestTwoHundredStepsTakeFewStates(t *testing.T) {
	p := long(t)
	if found := verifier.Check(p, kinds()); len(found) > 0 || len(p.Nodes) != 200 {
		t.Errorf("%d steps, findings:\n%s", len(p.Nodes), lines(found))
	}
	if n := verifier.Visited(p, kinds()); n < 200 || n > 3*len(p.Nodes) {
		t.Errorf("%d states", n)
	}
	p = large()
	if n := verifier.Visited(p, kinds()); n < 100 || n > verifier.MostStates*len(p.Nodes) {
		t.Errorf("%d states of a tangle", n)
	}
}

func BenchmarkCheck(b *testing.B) {
	for name, p := range map[string]*flow.Plan{"long": long(b), "tangle": large()} {
		b.Run(name, func(b *testing.B) {
			list := kinds()
			b.ReportAllocs()
			for b.Loop() {
				verifier.Check(p, list)
			}
		})
	}
}

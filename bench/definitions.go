package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"doorward/forms"
	"doorward/keys"
	"doorward/runtime/definition"
	"doorward/runtime/engine"
	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/runtime/verifier"
	"doorward/session"
	"doorward/static"
	"doorward/steps"
)

// What flow definitions cost: nothing goes over a wire here, so these are times of
// one goroutine in this process.
const (
	stepEntry  = "steps of a definition"
	formPage   = "page of a form"
	planVerify = "verifying a definition"

	manySteps  = 50
	mostSteps  = 200
	formFields = 30
)

func definitionRows() []row {
	one := func(name, unit, arm string, of func(*series) sample, most float64) row {
		return row{name: name, unit: unit, arms: []string{arm}, target: atMost(most), values: func(r results) (sample, sample) { return of(r[arm]), nil }}
	}
	value := func(s *series) sample { return s.value }
	other := func(s *series) sample { return s.other }
	return []row{
		one("entering a step of a definition", "us", stepEntry, value, 20),
		one("page of a form with 30 fields", "us", formPage, value, 400),
		one("  its allocations", "", formPage, other, 1500),
		one("verifying a definition of 200 steps", "ms", planVerify, value, 100),
	}
}

func definitionArms() []arm {
	return []arm{{name: stepEntry, run: enterSteps}, {name: formPage, run: drawForm}, {name: planVerify, run: verifyPlan}}
}

// chain is a definition that asks nothing: so many branches, one after the other,
// each with a condition on what came before.
func chain(branches int) (*flow.Plan, error) {
	type object = map[string]any
	to := func(key string) object { return object{"next": key} }
	all := object{"end": object{"type": "COMPLETE_FLOW", "configuration": object{"result": "REDIRECT"}, "input": object{"parameters": object{"flowExecutionId": "${flow.id}"}}}}
	next := "end"
	for i := range branches {
		key := fmt.Sprintf("step%d", i)
		all[key] = object{
			"type":          "BRANCH",
			"configuration": object{"conditions": []object{{"condition": object{"value": "${flow.inputs.parameters.plan}", "equals": "gold"}, "result": "GOLD"}}},
			"outlets":       object{"GOLD": to(next), "NO_MATCH": to("end")},
		}
		next = key
	}
	body, err := json.Marshal(object{"id": demoDefinition, "name": "Chain", "enabled": true, "trigger": object{"type": "EXPERIENCE", "next": next}, "stepDefinitions": all})
	if err != nil {
		return nil, err
	}
	kinds := steps.Builtin(steps.Parts{})
	src, _, err := definition.Source(body, nothing{}, kinds)
	if err != nil {
		return nil, err
	}
	return definition.Compile(src, kinds)
}

const demoDefinition = "d0000000-0000-4000-8000-0000000001f1"

// nothing is what a definition may refer to here.
type nothing struct{}

func (nothing) Resource(string, string) (json.RawMessage, bool) { return nil, false }

// one serves a single plan, and knows nobody.
type one struct{ plan *flow.Plan }

func (o one) Plan(context.Context, string, flow.Digest) (*flow.Plan, error) { return o.plan, nil }
func (one) Facts(context.Context, string, string) (map[string]any, error)   { return nil, nil }
func (one) Standing(context.Context, string, string) (flow.Standing, error) {
	return flow.Standing{}, nil
}

func (one) SessionKey(context.Context, string, string) (flow.Digest, error) {
	return flow.Digest{}, nil
}
func (one) Record(context.Context, flow.Event)                                   {}
func (one) PutSession(context.Context, string, flow.Digest, *flow.Session) error { return nil }
func (one) Session(context.Context, string, flow.Digest, []flow.Limit) (*flow.Session, error) {
	return nil, nil //nolint:nilnil // nobody has one
}

func (one) EndSession(context.Context, string, flow.Digest) (*flow.Session, error) {
	return nil, nil //nolint:nilnil // as above
}

// enterSteps is how much longer an execution takes that passes many steps than one
// that passes none, by the step.
func enterSteps(ctx context.Context) (w window, err error) {
	long, err := walk(ctx, manySteps)
	if err != nil {
		return w, err
	}
	short, err := walk(ctx, 0)
	w.value = (long - short) / manySteps
	return w, err
}

// walk is the microseconds of one execution.
func walk(ctx context.Context, branches int) (float64, error) {
	plan, err := chain(branches)
	if err != nil {
		return 0, err
	}
	ring, err := keys.Generate()
	if err != nil {
		return 0, err
	}
	world := one{plan}
	e, err := engine.New(engine.Parts{
		Executions: session.NewEmbedded(session.NewMemory(session.DefaultMemory, time.Now), nil), Sessions: world, Index: world, Plans: world, Users: world,
		Keys: ring, Events: world, Kinds: steps.Builtin(steps.Parts{}), Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		return 0, err
	}
	start := flow.Start{
		Env: demoDefinition, Plans: []flow.Digest{plan.Hash}, Inputs: []byte(`{"plan":"gold"}`),
		Request: flow.Request{Definition: demoDefinition, ReturnTo: "https://app.example/", MaxAge: -1},
	}
	var failed error
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			v, _, err := e.Start(ctx, start)
			if err == nil && v.Status != flow.Completed {
				err = fmt.Errorf("the chain ended in %s", v.Status)
			}
			failed = errors.Join(failed, err)
		}
	})
	return float64(r.T.Nanoseconds()) / 1000 / float64(r.N), failed
}

// drawForm draws a page with many fields.
func drawForm(context.Context) (w window, err error) {
	type object = map[string]any
	var fields []object
	for i := range formFields {
		fields = append(fields, object{
			"type": "TEXT", "position": object{"row": i, "col": 0}, "key": fmt.Sprintf("field%d", i), "label": fmt.Sprintf("Field %d", i),
			"required": i%2 == 0, "validation": object{"type": "NONE"},
		})
	}
	fields = append(fields, object{"type": "SUBMIT_BUTTON", "position": object{"row": formFields, "col": 0}, "label": "Send"})
	body, err := json.Marshal(object{"name": "Long", "category": "CUSTOM", "cols": 4, "markRequired": true, "markOptional": false, "components": object{"fields": fields}})
	if err != nil {
		return w, err
	}
	f, err := form.Compile(body)
	if err != nil {
		return w, err
	}
	assets, err := static.Load()
	if err != nil {
		return w, err
	}
	pages, err := forms.NewPages(assets)
	if err != nil {
		return w, err
	}
	s := forms.SignOn{Address: "https://signon.example/", View: flow.View{
		Status: "FORM_REQUIRED", Form: f, Values: flow.Values{"field0": "typed before"}, Offers: []flow.Offer{{Name: "form.submit", Open: true, Fields: f.Inputs()}},
	}}
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pages.SignOn(forms.Setting{Language: "en"}, s)
		}
	})
	w.value, w.other = float64(r.T.Nanoseconds())/1000/float64(r.N), float64(r.AllocsPerOp())
	return w, nil
}

// verifyPlan verifies as large a definition as there may be.
func verifyPlan(context.Context) (w window, err error) {
	plan, err := chain(mostSteps - 1)
	if err != nil {
		return w, err
	}
	kinds := steps.Builtin(steps.Parts{})
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			verifier.Check(plan, kinds)
		}
	})
	w.value = float64(r.T.Nanoseconds()) / 1e6 / float64(r.N)
	return w, nil
}

package configs

import (
	"errors"
	"slices"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/runtime/verifier"
)

// publish makes the plan of a document, compiles it and has it verified.
func (t *tree) publish(e *entry, v *verdict, known func(flow.Digest) bool) {
	if e.body == nil {
		return // has been reported
	}
	src, hash, err := e.kind.plan(t, e)
	found := policy.Faults(nil)
	switch {
	case errors.As(err, &found):
		v.faults.merge(e.place, found)
	case err != nil:
		v.faults.add(e.place, policy.Fault{Path: root, Message: err.Error()})
	}
	if err != nil || src == nil {
		return
	}
	v.plans[hash], v.plan[e.id] = src, hash
	if known != nil && known(hash) {
		return
	}
	plan, err := compile(src, t.steps)
	if err != nil {
		v.faults.add(e.place, policy.Fault{Path: root, Message: err.Error()})
		return
	}
	for _, f := range verifier.Check(plan, t.steps) {
		fault := Fault{
			File: e.place, Finding: f.Code, Trail: f.Path,
			Fault: policy.Fault{Path: e.kind.step(f.Step), Code: flow.ConstraintViolation, Message: f.Message},
		}
		if f.Severity == verifier.Error {
			v.faults = append(v.faults, fault)
		} else {
			v.warnings = append(v.warnings, fault)
		}
	}
}

// step is where a step of the plan stands in the document that it was made from.
func (k *Kind) step(key string) policy.Path {
	if k.Name == kindFlowDefinition && key != "" {
		return root.Member("stepDefinitions").Member(key)
	}
	return root
}

// compile turns a published source into the plan, whatever it was made from.
func compile(src []byte, steps []flow.Kind) (*flow.Plan, error) {
	return policy.Compile(src, steps)
}

// publications are the plans of the flow definitions among resources of the tree's
// environment, by their ids.
func (t *tree) publications(of []flow.Resource) map[string]flow.Digest {
	was := newTree(t.kinds, t.steps)
	for _, r := range of {
		if k := kindOf(t.kinds, r.Kind); k != nil && k.Parent == nil {
			was.add(k.stored(r, nil))
		}
	}
	out := map[string]flow.Digest{}
	for _, e := range was.all[kindFlowDefinition] {
		if _, hash, err := e.kind.plan(was, e); err == nil {
			out[e.id] = hash
		}
	}
	return out
}

// versions are those of the flow definitions that are published anew: their
// document is put, or something that their plan has taken in.
func (t *tree) versions(before map[string]flow.Digest, made verdict, put []flow.Resource, author string) []flow.Version {
	var out []flow.Version
	for _, e := range t.all[kindFlowDefinition] {
		hash, ok := made.plan[e.id]
		changed := before[e.id] != hash || slices.ContainsFunc(put, func(r flow.Resource) bool { return r.Kind == e.kind.Name && r.ID == e.id })
		if ok && changed {
			out = append(out, flow.Version{Kind: e.kind.Name, ID: e.id, Hash: hash, Body: e.body, Author: author})
		}
	}
	return out
}

package engine_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// described is a kind that is only described.
type described flow.Meta

func (d described) Meta() flow.Meta                  { return flow.Meta(d) }
func (described) Check(json.RawMessage) (any, error) { return nil, nil }
func (described) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Outcome{}, nil
}

func action(name string, statuses ...string) flow.Action {
	return flow.On(name, func(context.Context, *flow.Turn, struct{}) (flow.Outcome, error) {
		return flow.Outcome{}, nil
	}).In(statuses...)
}

func TestNewJudgesTheKinds(t *testing.T) {
	kind := func(name string, actions ...flow.Action) flow.Kind { return described{Name: name, Actions: actions} }
	tests := []struct {
		name  string
		kinds []flow.Kind
		takes bool
	}{
		{"none", nil, true},
		{"two", []flow.Kind{kind("A", action("a")), kind("B", action("a"))}, true},
		{"one action with two shapes in two statuses", []flow.Kind{kind("A", action("a", "X"), action("a", "Y"))}, true},
		{"nil", []flow.Kind{nil}, false},
		{"without a name", []flow.Kind{kind("")}, false},
		{"one name twice", []flow.Kind{kind("A"), kind("A")}, false},
		{"an action without a name", []flow.Kind{kind("A", action(""))}, false},
		{"the engine's own action", []flow.Kind{kind("A", action(engine.ResetAction))}, false},
		{"one action twice", []flow.Kind{kind("A", action("a"), action("a"))}, false},
		{"one action twice in a status", []flow.Kind{kind("A", action("a", "X", "Y"), action("a", "Y"))}, false},
		{"one action everywhere and in a status", []flow.Kind{kind("A", action("a", "X"), action("a"))}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := engine.New(engine.Parts{Kinds: tt.kinds})
			if (err == nil) != tt.takes {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAStatusOffersItsActionsAndTheReset(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	more := b.answer(v, "ada", "more")
	for _, tt := range []struct {
		view flow.View
		want []string
	}{
		{v, []string{"answer", "answer.poll", engine.ResetAction}},
		{more, []string{"answer", "answer.poll", "answer.more", engine.ResetAction}},
	} {
		var got []string
		for _, o := range tt.view.Offers {
			got = append(got, o.Name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.view.Status, diff)
		}
	}
	o, ok := v.Find("answer")
	if !ok || o.Prompt.Default != "Answer" || len(o.Fields) != 2 || !o.Fields[1].Required {
		t.Errorf("offer %+v", o)
	}
}

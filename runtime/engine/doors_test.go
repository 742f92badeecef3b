package engine_test

import (
	"context"
	"testing"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// door is an opening action named a.
func door(statuses ...string) flow.Action {
	return flow.On("a", func(context.Context, *flow.Turn, struct{}) (flow.Outcome, error) {
		return flow.Outcome{}, nil
	}).Opening(statuses...)
}

func TestNewJudgesTheDoors(t *testing.T) {
	tests := []struct {
		name    string
		actions []flow.Action
		takes   bool
	}{
		{"one with two shapes beside two statuses", []flow.Action{door("X"), door("Y")}, true},
		{"one twice beside a status", []flow.Action{door("X", "Y"), door("Y")}, false},
		{"one beside everything and beside a status", []flow.Action{door(), door("Y")}, false},
		{"one twice beside everything", []flow.Action{door(), door()}, false},
		{"an action and a door of one name", []flow.Action{action("a", "X"), door("X")}, true},
		{"an action and a door that is one too", []flow.Action{action("a", "X"), door("Y").In("X")}, false},
		{"an action everywhere and a door that is one too", []flow.Action{door("Y").In("X"), action("a")}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := engine.New(engine.Parts{Kinds: []flow.Kind{described{Name: "A", Actions: tt.actions}}})
			if (err == nil) != tt.takes {
				t.Errorf("error %v", err)
			}
		})
	}
}

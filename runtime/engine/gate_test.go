package engine_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"

	"doorward/runtime/flow"
)

// gate is a door that is not there for everybody, and hands out a word once.
type gate struct{ open atomic.Bool }

func (g *gate) Meta() flow.Meta {
	return flow.Meta{Name: "GATE", Results: []string{"DONE"}, Actions: []flow.Action{
		flow.On("knock", func(context.Context, *flow.Turn, struct{}) (flow.Outcome, error) {
			return flow.Reject(asks, flow.Invalid()).WithOnce("word", []byte(`"sesame"`)), nil
		}).Opening(asks),
	}}
}

func (*gate) Check(json.RawMessage) (any, error) { return nil, nil }

func (*gate) Enter(context.Context, *flow.Turn) (flow.Outcome, error) { return flow.Wait(asks), nil }

func (g *gate) Opens(*flow.Turn) bool { return g.open.Load() }

func TestADoorThatIsClosedIsNoDoor(t *testing.T) {
	h, g := newHouse(t, &flow.Node{Key: "a", Kind: "ASK", Beside: []string{"g"}}, &flow.Node{Key: "g", Kind: "GATE"}), &gate{}
	h.more = []flow.Kind{g}
	h.build()
	b := h.browser()
	v := b.start()
	if _, offered := v.Find("knock"); offered {
		t.Error("a closed door is offered")
	}
	if _, err := b.send(v.Ref, flow.Submit{Action: "knock"}); flow.AsFault(err).Code != flow.InvalidRequest {
		t.Errorf("a closed door: %v", err)
	}
	g.open.Store(true)
	if v, err := b.see(v); err != nil || !slices.ContainsFunc(v.Offers, func(o flow.Offer) bool { return o.Name == "knock" }) {
		t.Errorf("an open door is not offered: %v, %v", v.Offers, err)
	}
	if _, err := b.send(v.Ref, flow.Submit{Action: "knock"}); flow.AsFault(err).Code != flow.InvalidData {
		t.Errorf("an open door: %v", err)
	}
}

func TestWhatIsShownOnceIsNotShownAgain(t *testing.T) {
	h, g := newHouse(t, &flow.Node{Key: "a", Kind: "ASK", Beside: []string{"g"}}, &flow.Node{Key: "g", Kind: "GATE"}), &gate{}
	g.open.Store(true)
	h.more = []flow.Kind{g}
	h.build()
	b := h.browser()
	v := b.start()
	words := func(v flow.View) (n int) {
		for _, m := range v.Members {
			if m.Name == "word" {
				n++
			}
		}
		return n
	}
	s := flow.Submit{Action: "knock", Token: v.Token}
	_, err := b.send(v.Ref, s)
	if f := flow.AsFault(err); f.View == nil || words(*f.View) != 1 {
		t.Fatalf("not shown: %v", err)
	}
	if v, err := b.see(v); err != nil || words(v) > 0 {
		t.Errorf("shown to a read: %v, %v", v.Members, err)
	}
	_, err = b.send(v.Ref, s)
	if f := flow.AsFault(err); f.View == nil || words(*f.View) > 0 {
		t.Errorf("shown to a repeat: %v", err)
	}
}

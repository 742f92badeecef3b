package engine_test

import (
	"errors"
	"testing"

	"doorward/runtime/flow"
)

func fails(*flow.Turn) flow.Outcome {
	return flow.Fail("ACCOUNT_DISABLED", "This account is disabled.")
}

// second is another policy that the application is assigned.
func second(nodes ...*flow.Node) *flow.Plan {
	p := planOf(nodes...)
	p.Hash, p.Name = flow.Sum("second"), "Second"
	return p
}

func TestWhenAPolicyFailsTheNextOneIsTried(t *testing.T) {
	h := newHouse(t, knows("a"), does("b", fails))
	h.others = []*flow.Plan{second(knows("c"))}
	b := h.browser()
	v := b.answer(b.start(), "ada", "right")
	if v.Status != asks || v.User.ID != "" || v.Failure != nil || h.record(v).Node != "c" {
		t.Fatalf("status %s, user %q, failure %v", v.Status, v.User.ID, v.Failure)
	}
	if x := h.record(v); len(x.Proofs) != 0 || len(x.Others) != 0 || x.Plan != flow.Sum("second") {
		t.Errorf("what the first policy took is kept: %+v", x)
	}
	h.heard()
	v = b.answer(v, "bea", "right")
	_, done, err := b.resume(v)
	if err != nil || done == nil || done.ACR != "Second" || done.User.ID != "bea" {
		t.Errorf("completion %+v, error %v", done, err)
	}
}

func TestWhenEveryPolicyFailsTheSignOnHas(t *testing.T) {
	h := newHouse(t, does("a", fails))
	h.others = []*flow.Plan{second(does("b", func(*flow.Turn) flow.Outcome { return flow.Fail("LAST", "The last one.") }))}
	v := h.browser().start()
	if v.Status != flow.Failed || v.Failure.Code != "LAST" {
		t.Errorf("status %s, failure %v", v.Status, v.Failure)
	}
	same(t, []flow.EventType{flow.FlowStarted, flow.FlowNextPlan, flow.FlowFailed}, h.heard())
}

// A weaker policy is not served because the one before it could not be read.
func TestAPolicyThatCannotBeReadIsANo(t *testing.T) {
	h := newHouse(t, knows("a"), does("b", fails))
	h.others = []*flow.Plan{second(knows("c")), {Hash: flow.Sum("third"), Name: "Third", Entry: "d", Nodes: map[string]*flow.Node{"d": knows("d")}}}
	b := h.browser()
	v := b.start()
	h.others[0].Hash = flow.Sum("moved")
	_, err := b.send(v.Ref, say("ada", "right"))
	if f := flow.AsFault(err); f.Code != flow.Unavailable || !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("answered %v", err)
	}
	if got := h.record(v); got.Version != v.Version {
		t.Error("the execution moved")
	}
}

package engine_test

import (
	"testing"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

func TestAPlanThatEndsWithoutProofFails(t *testing.T) {
	says := func(o flow.Outcome) func(*flow.Turn) flow.Outcome { return func(*flow.Turn) flow.Outcome { return o } }
	ada := flow.Subject{ID: "ada"}
	pwd := flow.Proof{Subject: "ada", Factors: flow.Knowledge, Authenticator: "pwd"}
	never := guard(func(time.Time, func(string) any) bool { return false })
	tests := map[string]*flow.Node{
		"nothing asked":             passes("a"),
		"nobody known":              does("a", says(flow.Result("DONE"))),
		"somebody known, no proof":  does("a", says(flow.Result("DONE").WithUser(ada))),
		"a proof without a class":   does("a", says(flow.Result("DONE").WithUser(ada).WithProof(flow.Proof{Subject: "ada"}))),
		"a node was skipped":        guarded(knows("a"), never),
		"a node proved less":        {Key: "a", Kind: "ODD", Factors: flow.Possession, Config: says(flow.Result("DONE").WithUser(ada).WithProof(pwd))},
		"two nodes, one proof each": {Key: "a", Kind: "ODD", Factors: flow.Knowledge | flow.Possession, Config: says(flow.Result("DONE").WithUser(ada).WithProof(pwd).WithProof(flow.Proof{Subject: "ada", Factors: flow.Possession, Authenticator: "pwd"}))},
	}
	for name, node := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, node)
			b := h.browser()
			v := b.start()
			if v.Status != flow.Failed || v.Failure == nil || v.Failure.Code != "AUTHENTICATION_REQUIRED" || len(v.Offers) != 0 {
				t.Errorf("status %s, failure %+v", v.Status, v.Failure)
			}
			same(t, []flow.EventType{flow.FlowUnproven, flow.FlowStarted, flow.FlowFailed}, h.heard())
			got, done, err := b.resume(v)
			if err != nil || done != nil || got.Status != flow.Failed {
				t.Errorf("status %s, completion %+v, error %v", got.Status, done, err)
			}
		})
	}
	t.Run("after an answer", func(t *testing.T) {
		h := newHouse(t, knows("a"), &flow.Node{Key: "b", Kind: "PASS", Factors: flow.Possession})
		b := h.browser()
		v := b.answer(b.start(), "ada", "right")
		if v.Status != flow.Failed || h.store.session(env, flow.Sum(b.cookie)).User.ID != "" {
			t.Errorf("status %s", v.Status)
		}
	})
}

// A node that only the age of the session spares has still to have been proven,
// at any time; one that a condition spares has not.
func TestASparedNodePutsItsNeedOnTheDemand(t *testing.T) {
	young := signedOnLongerAgo(8 * time.Hour)
	young2 := older{"session.lastSignOn.at", 8 * time.Hour}
	never := guard(func(time.Time, func(string) any) bool { return false })
	tests := map[string]struct {
		second *flow.Node
		status string
		needs  []flow.Need
	}{
		"by the age of what it asks for": {guarded(knows("b"), young), flow.Completed, []flow.Need{{Factors: flow.Knowledge}}},
		"by the age of something else":   {guarded(has("b"), young2), flow.Failed, []flow.Need{{Factors: flow.Knowledge}, {Factors: flow.Possession}}},
		"by a condition":                 {guarded(has("b"), never), flow.Completed, []flow.Need{{Factors: flow.Knowledge}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, guarded(knows("a"), young), tt.second)
			b := h.browser()
			h.plan.Nodes["a"].Outlets["DONE"] = ""
			b.signOn("ada")
			h.plan.Nodes["a"].Outlets["DONE"] = "b"
			h.pass(time.Hour)
			v, done, err := b.begin()
			if err != nil || v.Status != tt.status || (done != nil) != (tt.status == flow.Completed) {
				t.Fatalf("status %s, completion %v, error %v", v.Status, done, err)
			}
			if done == nil {
				same(t, tt.needs, h.record(v).Demand.Needs)
			}
		})
	}
}

func TestAKindMayEndTheExecution(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.answer(b.start(), "ada", "fail")
	if v.Status != flow.Failed || v.Failure.Code != "ACCOUNT_DISABLED" || len(v.Offers) != 0 {
		t.Errorf("view %+v", v)
	}
}

func TestResumeGivesTheSameAnswerForAWhile(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.signOn("ada")
	_, first, err := b.resume(v)
	if err != nil || first == nil || len(first.Code) != 43 {
		t.Fatalf("completion %+v, error %v", first, err)
	}
	h.pass(flow.ResumedLife - time.Millisecond)
	_, again, err := b.resume(v)
	if err != nil {
		t.Fatal(err)
	}
	same(t, first, again)
	h.pass(time.Millisecond)
	_, _, err = b.resume(v)
	wants(t, err, flow.NotFound)
}

func TestResumeIsTheOwners(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.signOn("ada")
	other := h.browser()
	other.signOn("ada")
	for name, who := range map[string]*browser{"another sign-on of the same user": other, "nobody": h.browser(), "a token": {h: h, token: "x"}} {
		got, done, err := who.resume(v)
		if wants(t, err, flow.NotFound); done != nil || got.Status != "" {
			t.Errorf("%s: completion %+v, view %+v", name, done, got)
		}
	}
	h.pass(flow.Idle - time.Second)
	if _, done, err := b.resume(v); err != nil || done == nil {
		t.Errorf("a stranger ended it: %v", err)
	}
}

func TestResumeOfWhatHasNotEnded(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	v := b.answer(b.start(), "ada", "right")
	got, done, err := b.resume(v)
	if err != nil || done != nil || got.Status != asks || len(got.Offers) == 0 {
		t.Errorf("view %+v, completion %+v, error %v", got, done, err)
	}
	h.pass(flow.ResumedLife)
	b.answer(v, "", "right")
}

// Whatever the record says, the ledger has the last word.
func TestACompletionComesOnlyFromTheLedger(t *testing.T) {
	for name, tamper := range map[string]func(*flow.Execution){
		"no proof":         func(x *flow.Execution) { x.Proofs = nil },
		"another user":     func(x *flow.Execution) { x.User.ID = "bob" },
		"nobody":           func(x *flow.Execution) { x.User.ID = "" },
		"a further demand": func(x *flow.Execution) { x.Demand.Add(flow.Need{Factors: flow.Possession}) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.signOn("ada")
			tamper(h.store.executions[v.Ref].record)
			_, done, err := b.resume(v)
			if f := wants(t, err, flow.AccessFailed); done != nil || !f.Restart {
				t.Errorf("completion %+v", done)
			}
		})
	}
}

func TestFinishedExecutionsTakeNothing(t *testing.T) {
	for _, answer := range []string{"right", "fail"} {
		h := newHouse(t, knows("a"))
		b := h.browser()
		v := b.answer(b.start(), "ada", answer)
		for _, s := range []flow.Submit{say("ada", "wrong"), {Action: engine.ResetAction}, {Action: "answer.poll"}} {
			_, err := b.send(v.Ref, s)
			if f := wants(t, err, flow.InvalidRequest); f.View == nil || f.View.Status != v.Status {
				t.Errorf("%s of a flow that is %s: %+v", s.Action, v.Status, f)
			}
		}
	}
}

package policy_test

import (
	"encoding/json"
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/steps"
)

func errands() []policy.Errand {
	return []policy.Errand{policy.StepUp, policy.AddDevice, policy.ChangePassword}
}

// TestErrands: the account's plans compile from the kinds that there are, begin at the
// person who is there, and ask nothing of the ledger that not everybody can prove.
func TestErrands(t *testing.T) {
	seen := map[flow.Digest]policy.Errand{}
	for _, e := range errands() {
		src, hash, err := e.Source()
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[hash]; twice {
			t.Errorf("%s and %s are one plan", e, other)
		}
		seen[hash] = e
		plan, err := policy.Compile(src, steps.Builtin(steps.Parts{}))
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if plan.Hash != hash || plan.Name != "account" {
			t.Errorf("%s: plan %q %s, want %s", e, plan.Name, plan.Hash, hash)
		}
		for key, n := range plan.Nodes {
			if n.Factors != 0 {
				t.Errorf("%s: node %s demands %d", e, key, n.Factors)
			}
			for result, next := range n.Outlets {
				if _, there := plan.Nodes[next]; next != "" && !there {
					t.Errorf("%s: %s of node %s leads to %s, which is not there", e, result, key, next)
				}
			}
			for _, door := range n.Beside {
				if plan.Nodes[door] == nil {
					t.Errorf("%s: node %s has the door %s, which is not there", e, key, door)
				}
			}
		}
		if entry := plan.Nodes[plan.Entry]; entry == nil || plan.Nodes[entry.Outlets["IDENTIFIED"]] == nil {
			t.Errorf("%s does not begin at the person who is there", e)
		}
	}
}

// TestErrandsAreNotWritten: a policy of the API has none of them.
func TestErrandsAreNotWritten(t *testing.T) {
	for _, e := range errands() {
		action, _ := json.Marshal(map[string]any{"type": e, "priority": 1})
		if _, _, err := policy.Source(json.RawMessage(`{"name":"Mine"}`), []json.RawMessage{action}, nil, nil); err == nil {
			t.Errorf("%s is taken", e)
		}
	}
}

// TestStepUpAsksADevice: what the errand is for is not met by what was proven before.
func TestStepUpAsksADevice(t *testing.T) {
	src, _, err := policy.StepUp.Source()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := policy.Compile(src, steps.Builtin(steps.Parts{}))
	if err != nil {
		t.Fatal(err)
	}
	asks := plan.Nodes["1.errand"]
	if asks.Kind != "MFA_CHALLENGE" || asks.Guard != nil {
		t.Errorf("the step-up is %s, guarded: %v", asks.Kind, asks.Guard != nil)
	}
	again := plan.Nodes[asks.Outlets["NO_DEVICES"]]
	if again == nil || again.Kind != "PASSWORD" || again.Guard == nil {
		t.Errorf("whoever has no device is asked by %+v", again)
	}
}

package policy_test

import (
	"encoding/json"
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/policy"
	"doorward/steps"
	"doorward/steps/mfachallenge"
)

// TestADeviceAuthentication: its plan is one node that demands a device, which nothing
// that was there before can be; what it was started with is what the node is given.
func TestADeviceAuthentication(t *testing.T) {
	seen := map[flow.Digest]bool{}
	for name, tt := range map[string]struct {
		of   policy.DeviceAuthentication
		want mfachallenge.Config
	}{
		"by the default policy":    {policy.DeviceAuthentication{}, mfachallenge.Config{Transaction: true}},
		"by another":               {policy.DeviceAuthentication{Policy: "p"}, mfachallenge.Config{Policy: "p", Transaction: true}},
		"of an application":        {policy.DeviceAuthentication{Application: "a"}, mfachallenge.Config{Application: "a", Transaction: true}},
		"with a device to be told": {policy.DeviceAuthentication{Choose: true}, mfachallenge.Config{Selection: mfapolicy.AlwaysDisplayDevices, Transaction: true}},
	} {
		src, hash, err := tt.of.Source()
		if err != nil || seen[hash] {
			t.Fatalf("%s: %v, seen %v", name, err, seen[hash])
		}
		seen[hash] = true
		plan, err := policy.Compile(src, steps.Builtin(steps.Parts{}))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n := plan.Nodes[plan.Entry]
		if plan.Hash != hash || len(plan.Nodes) != 1 || n == nil || n.Kind != "MFA_CHALLENGE" || n.Factors != flow.Possession || n.Guard != nil || n.Waives != "" {
			t.Fatalf("%s: plan %+v, node %+v", name, plan, n)
		}
		got, _ := n.Config.(mfachallenge.Config)
		got.Types, got.Results = nil, nil
		if got.Policy != tt.want.Policy || got.Application != tt.want.Application || got.Selection != tt.want.Selection || !got.Transaction {
			t.Errorf("%s: asks by %+v", name, got)
		}
		in := n.Input.Resolve(func(path []string) any {
			if path[1] == "inputs" {
				return map[string]any{"webauthn": "w", "user": map[string]any{"id": "mallory"}}
			}
			return "ada"
		})
		if b, _ := json.Marshal(in); string(b) != `{"user":{"id":"ada"},"webauthn":"w"}` || n.Input.Uses() != nil {
			t.Errorf("%s: is given %s", name, b)
		}
	}
}

// TestADeviceAuthenticationIsNotWritten: no policy of the API asks like that.
func TestADeviceAuthenticationIsNotWritten(t *testing.T) {
	for _, action := range []string{`{"type":"DEVICE_AUTHENTICATION","priority":1}`, `{"type":"LOGIN","priority":1,"device":{"policy":"p"}}`} {
		if _, _, err := policy.Source(json.RawMessage(`{"name":"Mine"}`), []json.RawMessage{json.RawMessage(action)}, nil, nil); err == nil {
			t.Errorf("%s is taken", action)
		}
	}
	if _, err := policy.Compile([]byte(`{"actions":[{"priority":1,"type":"DEVICE_AUTHENTICATION"}],"format":1,"name":"P"}`), steps.Builtin(steps.Parts{})); err == nil {
		t.Error("one that says nothing is compiled")
	}
}

package policy

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"doorward/runtime/flow"
)

// DeviceAuthentication is what an application has somebody asked for, without a
// browser: one of their devices, now. Like an errand it is a source that no policy of
// the API can have. Source: reference/flows.md 8.3.
type DeviceAuthentication struct {
	Policy      string `json:"policy,omitempty"`      // id of a device authentication policy; empty: the environment's default one
	Application string `json:"application,omitempty"` // whose MOBILE devices may be asked; empty: anybody's
	Choose      bool   `json:"choose,omitempty"`      // nothing is sent before a device is chosen
}

// deviceAuthentication is the type of its one action, and the name of its plan.
const deviceAuthentication = "DEVICE_AUTHENTICATION"

// Source is that of its plan, with the digest that names it.
func (d DeviceAuthentication) Source() ([]byte, flow.Digest, error) {
	b, err := json.Marshal(source{Format: format, Name: deviceAuthentication, Actions: []action{{Type: deviceAuthentication, Priority: 1, Device: &d}}})
	if err == nil {
		b, err = Canonical(b)
	}
	if err != nil {
		return nil, flow.Digest{}, fmt.Errorf("source of %s: %w", deviceAuthentication, err)
	}
	return b, sha256.Sum256(b), nil
}

// node is the one node of its plan: whoever has been named proves a device, in this
// execution and to nobody who was there before.
func (d DeviceAuthentication) node(r room) (*flow.Node, error) {
	config := map[string]any{"useDefaultPolicy": d.Policy == "", "template": map[string]string{"name": "TRANSACTION"}}
	if d.Policy != "" {
		config["deviceAuthenticationPolicy"] = reference{d.Policy}
	}
	if d.Application != "" {
		config["application"] = d.Application
	}
	if d.Choose {
		config["deviceSelection"] = "ALWAYS_DISPLAY_DEVICES"
	}
	b, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", deviceAuthentication, err)
	}
	return &flow.Node{
		Key: r.key("device"), Kind: "MFA_CHALLENGE", Config: json.RawMessage(b), Factors: flow.Possession, Input: started{},
		Outlets: map[string]string{"SUCCEEDED": r.next},
	}, nil
}

// started is what the node is given: whom the execution is about, and what it was
// started with.
type started struct{}

// Resolve implements flow.Input.
func (started) Resolve(find func(path []string) any) map[string]any {
	in := map[string]any{}
	if with, ok := find([]string{"flow", "inputs", "parameters"}).(map[string]any); ok {
		for name, v := range with {
			in[name] = v
		}
	}
	in["user"] = map[string]any{"id": find([]string{"flow", "context", "user", "id"})}
	return in
}

// Uses implements flow.Input: nothing of another step is used.
func (started) Uses() []flow.Use { return nil }

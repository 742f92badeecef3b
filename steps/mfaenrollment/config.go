package mfaenrollment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"doorward/runtime/device"
)

// Config is what Check returns.
type Config struct {
	Policy   string        // id; empty: the environment's default one
	Types    []device.Type // of a sign-on policy; none: all that the policy has
	Required bool          // nobody goes on without
	StepUp   bool          // of a sign-on policy: STEP_UP_REQUIRED leads on
}

// Check takes a configuration. types, required and results are for sign-on policies:
// the schema of steps does not have them.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Default *bool `json:"useDefaultPolicy"`
		Policy  struct {
			ID string `json:"id"`
		} `json:"deviceAuthenticationPolicy"`
		Template struct {
			Variant string `json:"variant"`
		} `json:"template"`
		Types    []device.Type `json:"types"`
		Required bool          `json:"required"`
		Results  []string      `json:"results"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("MFA_ENROLLMENT takes useDefaultPolicy, deviceAuthenticationPolicy and template: %w", err)
		}
	}
	switch {
	case c.Default != nil && *c.Default:
		c.Policy.ID = ""
	case c.Default != nil && c.Policy.ID == "":
		return nil, errors.New("deviceAuthenticationPolicy.id is required where useDefaultPolicy is false")
	}
	for _, t := range c.Types {
		if !slices.Contains(device.Types(), t) {
			return nil, fmt.Errorf("types has %q, which is no type of device", t)
		}
	}
	return Config{Policy: c.Policy.ID, Types: c.Types, Required: c.Required, StepUp: slices.Contains(c.Results, stepUp)}, nil
}

// takes reports whether a device of the type may be set up here.
func (c *Config) takes(t device.Type) bool {
	return len(c.Types) == 0 || t == device.Recovery || slices.Contains(c.Types, t) ||
		t == device.FIDO2 && slices.Contains(c.Types, device.Platform) && slices.Contains(c.Types, device.SecurityKey)
}

package mfachallenge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
)

// Config is what Check returns.
type Config struct {
	Policy      string              // id; empty: the environment's default one
	Selection   mfapolicy.Selection // empty: what the policy says
	Transaction bool                // what was proven before does not do
	Types       []device.Type       // of a sign-on policy; none: all that the policy has
	Results     []string            // of a sign-on policy: which lead on beside SUCCEEDED
	Application string              // of a device authentication: whose MOBILE devices may be asked; empty: anybody's
}

// Check takes a configuration. types, results and application are not for flow
// definitions: the schema of steps does not have them.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Default *bool `json:"useDefaultPolicy"`
		Policy  struct {
			ID string `json:"id"`
		} `json:"deviceAuthenticationPolicy"`
		Selection mfapolicy.Selection `json:"deviceSelection"`
		Template  struct {
			Name    string `json:"name"`
			Variant string `json:"variant"`
		} `json:"template"`
		Types   []device.Type `json:"types"`
		Results []string      `json:"results"`
		App     string        `json:"application"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("MFA_CHALLENGE takes useDefaultPolicy, deviceAuthenticationPolicy, deviceSelection and template: %w", err)
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
	return Config{Policy: c.Policy.ID, Selection: c.Selection, Transaction: c.Template.Name == "TRANSACTION", Types: c.Types, Results: c.Results, Application: c.App}, nil
}

func (c *Config) leads(result string) bool { return slices.Contains(c.Results, result) }

// takes reports whether a device may be asked. Codes that were written down stand in
// for whatever was lost.
func (c *Config) takes(d *device.Device) bool {
	switch {
	case c.Application != "" && d.Type == device.Mobile && d.Application != c.Application:
		return false
	case len(c.Types) == 0, d.Type == device.Recovery, slices.Contains(c.Types, d.Type):
		return true
	case d.Type == device.FIDO2 && d.Credential != nil && d.Credential.Attachment == "platform":
		return slices.Contains(c.Types, device.Platform)
	case d.Type == device.FIDO2 && d.Credential != nil && d.Credential.Attachment == "cross-platform":
		return slices.Contains(c.Types, device.SecurityKey)
	case d.Type == device.FIDO2:
		return slices.ContainsFunc(c.Types, device.Type.IsFIDO2)
	}
	return false
}

package external

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// mostRules is how many discovery rules a node has at most. Source:
// reference/management.md 4.3.
const mostRules = 100

// config is what a node is configured by.
type config struct {
	DiscoveryRules []rule `json:"discoveryRules"`
	Registration   *struct {
		Population *struct {
			ID string `json:"id"`
		} `json:"population"`
	} `json:"registration"` // nil: no accounts are made
	EnforceLockout bool `json:"enforceLockout"`
}

// rule is a discovery rule: whose name contains this signs on there.
type rule struct {
	Condition struct {
		Contains string `json:"contains"`
		Value    string `json:"value"`
	} `json:"condition"`
	IdentityProvider struct {
		ID string `json:"id"`
	} `json:"identityProvider"`
}

// matches is the provider of the first rule that a name fits, without regard to case,
// as nobody types domains in one; empty: none fits. Source: reference/management.md 4.4.
func (c config) matches(name string) string {
	if name == "" {
		return ""
	}
	for _, r := range c.DiscoveryRules {
		if strings.Contains(strings.ToLower(name), strings.ToLower(r.Condition.Contains)) {
			return r.IdentityProvider.ID
		}
	}
	return ""
}

// providers are those that the rules name.
func (c config) providers() []string {
	var out []string
	for _, r := range c.DiscoveryRules {
		out = append(out, r.IdentityProvider.ID)
	}
	return out
}

func (c config) population() string {
	if c.Registration == nil || c.Registration.Population == nil {
		return ""
	}
	return c.Registration.Population.ID
}

func read(raw json.RawMessage) (config, error) {
	var c config
	if len(raw) > 0 {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return c, fmt.Errorf("EXTERNAL takes discoveryRules, registration and enforceLockout: %w", err)
		}
	}
	var faults []error
	if n := len(c.DiscoveryRules); n > mostRules {
		faults = append(faults, fmt.Errorf("discoveryRules takes at most %d rules, not %d", mostRules, n))
	}
	for i, r := range c.DiscoveryRules {
		if r.Condition.Contains == "" || r.Condition.Value != "${identifier}" {
			faults = append(faults, fmt.Errorf(`discoveryRules[%d].condition takes {"contains":text,"value":"${identifier}"}`, i))
		}
		if r.IdentityProvider.ID == "" {
			faults = append(faults, fmt.Errorf("discoveryRules[%d].identityProvider.id is required", i))
		}
	}
	return c, errors.Join(faults...)
}

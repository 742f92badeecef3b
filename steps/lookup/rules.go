package lookup

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

// matches compares without regard to case, as nobody types domains in one.
// Source: reference/management.md 4.4.
func (r rule) matches(name string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(r.Condition.Contains))
}

// Check takes {} or {"discoveryRules":[...]}.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		DiscoveryRules []rule `json:"discoveryRules"`
	}
	if len(config) == 0 {
		return c.DiscoveryRules, nil
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("LOOKUP takes discoveryRules: %w", err)
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
	return c.DiscoveryRules, errors.Join(faults...)
}

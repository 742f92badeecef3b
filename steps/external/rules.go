package external

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// config is what a node is configured by: what runtime/policy, which judges it, has read
// of an action.
type config struct {
	Rules          []rule `json:"rules"`
	Registers      bool   `json:"registers"`  // the action makes accounts
	Population     string `json:"population"` // that they are made in; empty: any
	EnforceLockout bool   `json:"enforceLockout"`
}

// rule is a discovery rule: whose name contains this signs on there.
type rule struct {
	Contains string `json:"contains"`
	Provider string `json:"provider"`
}

// matches is the provider of the first rule that a name fits, without regard to case,
// as nobody types domains in one; empty: none fits. Source: reference/management.md 4.4.
func (c config) matches(name string) string {
	if name == "" {
		return ""
	}
	for _, r := range c.Rules {
		if strings.Contains(strings.ToLower(name), strings.ToLower(r.Contains)) {
			return r.Provider
		}
	}
	return ""
}

// providers are those that the rules name.
func (c config) providers() []string {
	var out []string
	for _, r := range c.Rules {
		out = append(out, r.Provider)
	}
	return out
}

func read(raw json.RawMessage) (config, error) {
	var c config
	if len(raw) == 0 {
		return c, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("EXTERNAL takes rules, registers, population and enforceLockout: %w", err)
	}
	return c, nil
}

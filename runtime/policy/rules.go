package policy

import (
	"encoding/json"
	"fmt"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// maxRules is how many discovery rules an action has at most. Source:
// reference/management.md 4.3.
const maxRules = 100

// identified is the one value that a discovery rule looks at: what was typed.
const identified = "${identifier}"

// readRules reads discovery rules. Source: reference/flows.md 9.4.
func readRules(at Path, value json.RawMessage, faults *Faults) []DiscoveryRule {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		faults.Add(at, "takes a list of rules")
		return nil
	}
	if n := len(list); n > maxRules {
		faults.Add(at, fmt.Sprintf("takes at most %d rules, not %d", maxRules, n))
		return nil
	}
	var out []DiscoveryRule
	for i, raw := range list {
		here := at.Index(i)
		m := object(here, raw, faults, "condition", "identityProvider")
		if m == nil {
			continue
		}
		var rule DiscoveryRule
		var value string
		when := map[string]json.RawMessage{}
		if m["condition"] != nil {
			when = object(here.Member("condition"), m["condition"], faults, "contains", "value")
		}
		if when != nil && (json.Unmarshal(when["contains"], &rule.Contains) != nil || rule.Contains == "" ||
			json.Unmarshal(when["value"], &value) != nil || value != identified) {
			faults.Add(here.Member("condition"), `takes {"contains":text,"value":"`+identified+`"}`)
		}
		provider := here.Member("identityProvider")
		if m["identityProvider"] == nil {
			faults.AddCode(provider.Member("id"), flow.RequiredValue, "is required")
		} else {
			rule.Provider = readReference(provider, m["identityProvider"], "an identity provider", faults).ID
		}
		out = append(out, rule)
	}
	return out
}

// Providers are the identity providers that discovery rules lead to, for whoever
// knows which there are. What Source would refuse is passed over.
func Providers(actions []json.RawMessage) []Reference {
	var out []Reference
	for i, raw := range actions {
		a := read(raw, new(Faults))
		for n, rule := range a.DiscoveryRules {
			if rule.Provider != "" {
				at := document.Root.Member("actions").Index(i).Member("discoveryRules").Index(n)
				out = append(out, Reference{Path: at.Member("identityProvider").Member("id"), ID: rule.Provider})
			}
		}
	}
	return out
}

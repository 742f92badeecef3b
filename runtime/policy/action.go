package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/condition"
	"doorward/runtime/document"
)

// runs is what a type is told that is not run here.
const runs = "this server runs " + login + ", " + identifierFirst + ", " + multiFactorAuthentication + " and " + flowDefinition

// read takes one action. What an action can ask for and this server does not do
// (buttons to external providers, attributes to be confirmed) is refused when it is
// switched on, so that nobody is promised a link that never comes.
// Source: reference/management.md 4.3.
func read(raw json.RawMessage, faults *Faults) action {
	var a action
	canonical, err := Canonical(raw)
	if err != nil {
		if found := Faults(nil); errors.As(err, &found) {
			faults.Merge(document.Root, found)
		}
		return a
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(canonical, &m); err != nil {
		faults.Add(document.Root, "takes an object")
		return a
	}
	maps.DeleteFunc(m, isNull)

	a.Priority = priority(m["priority"], faults)
	if a.Condition = m["condition"]; a.Condition != nil {
		a.names = guard(a.Condition, faults)
	}
	at := document.Root.Member("type")
	switch err := json.Unmarshal(m["type"], &a.Type); {
	case err != nil || a.Type == "":
		faults.Add(at, "takes the type of the action; "+runs)
	case !slices.Contains([]string{login, identifierFirst, multiFactorAuthentication, flowDefinition}, a.Type):
		faults.Add(at, fmt.Sprintf("action %s (priority %d) is not run here; %s", strconv.QuoteToASCII(a.Type), a.Priority, runs))
	default:
		for _, name := range slices.Sorted(maps.Keys(m)) {
			a.member(name, m[name], faults)
		}
		if a.Type == flowDefinition && m["flowDefinition"] == nil {
			faults.Add(document.Root.Member("flowDefinition"), "takes the id of a flow definition")
		}
		if a.Type == multiFactorAuthentication {
			a.MultiFactor = readMultiFactor(m, faults)
		}
		a.EnforceLockout = a.EnforceLockout && len(a.DiscoveryRules) > 0 // decides nothing else
	}
	return a
}

func isNull(_ string, v json.RawMessage) bool { return string(v) == "null" }

// member judges one member by its name and canonical value, and takes what
// decides the sign-on.
func (a *action) member(name string, value json.RawMessage, faults *Faults) {
	at := document.Root.Member(name)
	const off = "is not done by this server; leave it out"
	switch {
	case name == "type" || name == "priority" || name == "condition": // judged in read
	case name == "id" || name == "environment" || name == "signOnPolicy" || name == "_links": // of the resource, not the sign-on
	case name == "flowDefinition" && a.Type == flowDefinition:
		a.FlowDefinition = readReference(at, value, "a flow definition", faults)
	case a.Type == multiFactorAuthentication && isMultiFactor(name): // judged in readMultiFactor
	case a.Type == flowDefinition || a.Type == multiFactorAuthentication:
		faults.Add(at, "is no member of the action "+a.Type)
	case name == "recovery":
		a.Recovery = readRecovery(at, value, faults)
	case name == "registration":
		a.Registration = readRegistration(at, value, faults)
	case name == "socialProviders":
		if string(value) != "[]" {
			faults.Add(at, "offers external providers beside the password, which this server does not do; leave it out or write []")
		}
	case name == "discoveryRules" && a.Type == identifierFirst:
		a.DiscoveryRules = readRules(at, value, faults)
	case name == "enforceLockoutForIdentityProviders":
		if string(value) != "true" && string(value) != "false" {
			faults.Add(at, "takes true or false")
		}
		a.EnforceLockout = string(value) == "true"
	case name == "newUserProvisioning" && a.Type == login:
		faults.Add(at, off)
	default:
		faults.Add(at, "is no member of the action "+a.Type)
	}
}

// readRecovery returns nil for what is switched off.
func readRecovery(at Path, value json.RawMessage, faults *Faults) *recovery {
	m := object(at, value, faults, "enabled")
	if m == nil || !enabled(at, m, faults) {
		return nil
	}
	return &recovery{Enabled: true}
}

// readRegistration returns nil for what is switched off.
func readRegistration(at Path, value json.RawMessage, faults *Faults) *registration {
	m := object(at, value, faults, "enabled", "population", "flowDefinition", "confirmIdentityProviderAttributes", "external")
	if m == nil {
		return nil
	}
	r := registration{Enabled: enabled(at, m, faults)}
	switch {
	case m["external"] == nil:
	case r.Enabled:
		faults.Add(at.Member("external"), "is taken only where enabled is false")
	default:
		faults.Add(at.Member("external"), "is not done by this server; leave it out")
	}
	if v := m["confirmIdentityProviderAttributes"]; v != nil && string(v) != "false" {
		faults.Add(at.Member("confirmIdentityProviderAttributes"), "is not done by this server; leave it out or write false")
	}
	if v := m["population"]; v != nil {
		r.Population = readReference(at.Member("population"), v, "a population", faults)
	}
	if v := m["flowDefinition"]; v != nil {
		r.FlowDefinition = readReference(at.Member("flowDefinition"), v, "a flow definition", faults)
		if m["population"] != nil {
			faults.Add(at.Member("population"), "is not taken beside flowDefinition, whose own steps say where an account is made")
		}
	}
	if !r.Enabled {
		return nil
	}
	return &r
}

// readReference reads {"id":...}.
func readReference(at Path, value json.RawMessage, of string, faults *Faults) *reference {
	var r reference
	if m := object(at, value, faults, "id"); m != nil && (json.Unmarshal(m["id"], &r.ID) != nil || r.ID == "") {
		faults.Add(at.Member("id"), "takes the id of "+of)
	}
	return &r
}

// object reads the members of the object at p, those that are null left out; nil
// and a fault when it is none. Members of other names are faults.
func object(p Path, raw json.RawMessage, faults *Faults, names ...string) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		faults.Add(p, "takes an object")
		return nil
	}
	maps.DeleteFunc(m, isNull)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(names, name) {
			faults.Add(p.Member(name), "is no member here; there are "+strings.Join(names, ", "))
		}
	}
	return m
}

// enabled reads the required member of that name.
func enabled(p Path, m map[string]json.RawMessage, faults *Faults) bool {
	v := string(m["enabled"])
	if v != "true" && v != "false" {
		faults.Add(p.Member("enabled"), "takes true or false")
	}
	return v == "true"
}

func priority(raw json.RawMessage, faults *Faults) int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 1 || n > maxPriority {
		faults.Add(document.Root.Member("priority"), fmt.Sprintf("takes a whole number from 1 to %d", maxPriority))
		return 0
	}
	return n
}

// guard checks a condition and returns the variables it reads.
func guard(raw json.RawMessage, faults *Faults) []string {
	at := document.Root.Member("condition")
	rule, err := condition.Compile(raw)
	if err != nil {
		if found := Faults(nil); errors.As(err, &found) {
			faults.Merge(at, found)
		}
		return nil
	}
	for _, name := range rule.Names() {
		if !strings.HasPrefix(name, "session.") && !strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "flow.request.") {
			faults.Add(at, "asks for ${"+name+"}, which no sign-on action knows")
		}
	}
	return rule.Names()
}

// Definitions are the flow definitions that actions run or lead to, for whoever
// knows what depends on them. What Source would refuse is passed over.
func Definitions(actions []json.RawMessage) []Reference {
	var out []Reference
	for i, raw := range actions {
		a := read(raw, new(Faults))
		for _, named := range a.definitions(document.Root.Member("actions").Index(i)) {
			if named.ID != "" {
				out = append(out, named)
			}
		}
	}
	return out
}

// definitions are the flow definitions that the action at p names: one that it
// runs, or one for whoever has no account.
func (a *action) definitions(p Path) (out []Reference) {
	if a.FlowDefinition != nil {
		out = append(out, Reference{Path: p.Member("flowDefinition").Member("id"), ID: a.FlowDefinition.ID})
	}
	if r := a.Registration; r != nil && r.FlowDefinition != nil {
		out = append(out, Reference{Path: p.Member("registration").Member("flowDefinition").Member("id"), ID: r.FlowDefinition.ID})
	}
	return out
}

// Reference is a resource that actions name, and where they do.
type Reference struct {
	Path Path
	ID   string
}

// Populations are those that actions register people in, for whoever knows which
// there are. What Source would refuse is passed over.
func Populations(actions []json.RawMessage) []Reference {
	var out []Reference
	for i, raw := range actions {
		a := read(raw, new(Faults))
		if a.Registration != nil && a.Registration.Population != nil && a.Registration.Population.ID != "" {
			at := document.Root.Member("actions").Index(i).Member("registration").Member("population").Member("id")
			out = append(out, Reference{Path: at, ID: a.Registration.Population.ID})
		}
	}
	return out
}

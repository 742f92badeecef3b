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
)

// read takes one action. What a LOGIN can ask for and this server does not do
// (recovery, registration, external providers) is refused when it is switched
// on, so that nobody is promised a link that never comes.
// Source: reference/management.md 4.3.
func read(raw json.RawMessage, faults *Faults) action {
	var a action
	canonical, err := Canonical(raw)
	if err != nil {
		if found := Faults(nil); errors.As(err, &found) {
			faults.Merge(condition.Root, found)
		}
		return a
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(canonical, &m); err != nil {
		faults.Add(condition.Root, "takes an object")
		return a
	}
	maps.DeleteFunc(m, func(_ string, v json.RawMessage) bool { return string(v) == "null" })

	a.Priority = priority(m["priority"], faults)
	if a.Condition = m["condition"]; a.Condition != nil {
		a.names = guard(a.Condition, faults)
	}
	at := condition.Root.Member("type")
	switch err := json.Unmarshal(m["type"], &a.Type); {
	case err != nil || a.Type == "":
		faults.Add(at, "takes the type of the action; this server runs "+login)
	case a.Type != login:
		faults.Add(at, fmt.Sprintf("action %s (priority %d) is not run by this server, which runs %s", strconv.QuoteToASCII(a.Type), a.Priority, login))
	default:
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if message := member(name, string(m[name])); message != "" {
				faults.Add(condition.Root.Member(name), message)
			}
		}
	}
	return a
}

// member judges one member of a LOGIN action by its name and canonical value; it
// returns what is wrong.
func member(name, value string) string {
	const off = "is not done by this server; leave it out or write "
	switch name {
	case "type", "priority", "condition": // judged in read
	case "id", "environment", "signOnPolicy", "_links": // of the resource, not the sign-on
	case "recovery", "registration":
		if value != `{"enabled":false}` {
			return off + `{"enabled":false}`
		}
	case "socialProviders":
		if value != "[]" {
			return off + "[]"
		}
	case "enforceLockoutForIdentityProviders":
		if value != "true" && value != "false" {
			return "takes true or false"
		}
	case "newUserProvisioning":
		return "is not done by this server; leave it out"
	default:
		return "is no member of a LOGIN action"
	}
	return ""
}

func priority(raw json.RawMessage, faults *Faults) int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 1 || n > maxPriority {
		faults.Add(condition.Root.Member("priority"), fmt.Sprintf("takes a whole number from 1 to %d", maxPriority))
		return 0
	}
	return n
}

// guard checks a condition and returns the variables it reads.
func guard(raw json.RawMessage, faults *Faults) []string {
	at := condition.Root.Member("condition")
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

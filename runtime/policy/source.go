package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"doorward/runtime/definition"
	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// What is wrong in a document is said in the words of package condition.
type (
	// Path is where in a document something stands.
	Path = document.Path
	// Fault is one thing that is wrong.
	Fault = document.Fault
	// Faults is everything that is wrong.
	Faults = document.Faults
)

const (
	// format is the version of the source that this package writes and reads.
	format = 1
	// maxActions is how many actions a policy has at most. Source:
	// reference/management.md 4.2.
	maxActions = 20
	// maxPriority is the highest priority. Source: reference/management.md 4.3.
	maxPriority = 1<<31 - 1
	// The action types that are run; every other one is refused.
	login                     = "LOGIN"
	identifierFirst           = "IDENTIFIER_FIRST"
	multiFactorAuthentication = "MULTI_FACTOR_AUTHENTICATION"
	flowDefinition            = "FLOW_DEFINITION" // ours
)

// source is everything of a policy that an execution is pinned to.
type source struct {
	Format  int      `json:"format"`
	Name    string   `json:"name"`
	Actions []action `json:"actions"` // by priority
	// Definitions are the sources of those that actions run, by id.
	Definitions map[string]json.RawMessage `json:"definitions,omitempty"`
}

// action is what of one action decides how a sign-on runs. What is switched off
// is left out, as if it had never been written.
type action struct {
	Type         string          `json:"type"`
	Priority     int64           `json:"priority"`
	Condition    json.RawMessage `json:"condition,omitempty"`
	Recovery     *recovery       `json:"recovery,omitempty"`
	Registration *registration   `json:"registration,omitempty"`
	// DiscoveryRules say who signs on elsewhere, the first one that fits, of
	// IDENTIFIER_FIRST.
	DiscoveryRules []DiscoveryRule `json:"discoveryRules,omitempty"`
	// EnforceLockout keeps out who is locked here, also when they sign on elsewhere.
	EnforceLockout bool `json:"enforceLockout,omitempty"`
	// FlowDefinition is what the action runs, of FLOW_DEFINITION.
	FlowDefinition *reference `json:"flowDefinition,omitempty"`
	// MultiFactor is what is asked for, of MULTI_FACTOR_AUTHENTICATION.
	MultiFactor *multiFactor `json:"multiFactor,omitempty"`
	// Device is what is asked for, of a device authentication.
	Device *DeviceAuthentication `json:"device,omitempty"`

	names []string // the variables that Condition reads
}

// DiscoveryRule sends whoever types a name that holds Contains to an external
// provider. Source: reference/flows.md 9.4.
type DiscoveryRule struct {
	Contains string `json:"contains"` // at any place, whatever the case
	Provider string `json:"provider"` // id
}

type recovery struct {
	Enabled bool `json:"enabled"`
}

type registration struct {
	Enabled    bool       `json:"enabled"`
	Population *reference `json:"population,omitempty"` // nil: the environment's default one
	// FlowDefinition is what makes the account instead: it is read when it is
	// started, and not part of the source.
	FlowDefinition *reference `json:"flowDefinition,omitempty"`
}

// here is the population in which accounts are made by us, and not by a flow definition;
// empty: any. Without accounts of ours it is false.
func (r *registration) here() (population string, ok bool) {
	if r == nil || r.FlowDefinition != nil {
		return "", false
	}
	if r.Population != nil {
		population = r.Population.ID
	}
	return population, true
}

type reference struct {
	ID string `json:"id"`
}

// Source returns the canonical source of a policy with its actions and the
// digest that names the plan. policy and actions are bodies of the management
// API; what does not change how a sign-on runs (ids, description, default) is
// not in the source. The flow definitions that actions run are taken along; res
// and kinds may be nil where there are none. The error is a Faults, with the
// actions at $.actions. Source: reference/management.md 2.9, 4.2 to 4.5.
func Source(policy json.RawMessage, actions []json.RawMessage, res definition.Resources, kinds []flow.Kind) ([]byte, flow.Digest, error) {
	var faults Faults
	at := document.Root.Member("actions")
	s := source{Format: format, Name: name(policy, &faults), Actions: make([]action, len(actions))}
	if n := len(actions); n < 1 || n > maxActions {
		faults.Add(at, fmt.Sprintf("takes 1 to %d actions, not %d", maxActions, n))
	}
	for i, raw := range actions {
		var found Faults
		s.Actions[i] = read(raw, &found)
		faults.Merge(at.Index(i), found)
	}
	ordered(s.Actions, at, &faults)
	s.pin(at, res, kinds, &faults)
	if err := faults.Err(); err != nil {
		return nil, flow.Digest{}, err
	}
	slices.SortFunc(s.Actions, byPriority)
	b, err := json.Marshal(s)
	if err != nil {
		return nil, flow.Digest{}, fmt.Errorf("source of policy %q: %w", s.Name, err)
	}
	if b, err = Canonical(b); err != nil {
		return nil, flow.Digest{}, err
	}
	return b, sha256.Sum256(b), nil
}

func byPriority(a, b action) int { return cmp.Compare(a.Priority, b.Priority) }

// ordered checks what an action may be only in view of the others: its priority
// is its own, and the first one knows no user yet.
func ordered(actions []action, at Path, faults *Faults) {
	for i, a := range actions {
		same := func(b action) bool { return b.Priority == a.Priority }
		if first := slices.IndexFunc(actions, same); first < i && a.Priority > 0 {
			faults.Add(at.Index(i).Member("priority"), fmt.Sprintf("is that of %s too, which leaves their order open", at.Index(first)))
		}
	}
	if len(actions) == 0 {
		return
	}
	lowest := slices.MinFunc(actions, byPriority).Priority
	first := slices.IndexFunc(actions, func(a action) bool { return a.Priority == lowest })
	for _, name := range actions[first].names {
		if strings.HasPrefix(name, "user.") {
			faults.Add(at.Index(first).Member("condition"), "asks for ${"+name+"}, but nobody is known before the first action")
		}
	}
}

// name reads the policy's name, which is what acr_values ask for.
func name(policy json.RawMessage, faults *Faults) string {
	var p struct {
		Name string `json:"name"`
	}
	at := document.Root.Member("name")
	if err := json.Unmarshal(policy, &p); err != nil {
		faults.Add(at, "takes a string")
		return ""
	}
	u, err := url.Parse(p.Name)
	absolute := err == nil && u.IsAbs() && !strings.ContainsAny(p.Name, " \t\r\n")
	if len(p.Name) > 256 || !absolute && !regexp.MustCompile(`^[a-zA-Z0-9_. -]+$`).MatchString(p.Name) {
		faults.Add(at, "takes 1 to 256 letters, digits, spaces and _ . -, or an absolute URI")
	}
	return p.Name
}

// Canonical is document.Canonical.
func Canonical(raw []byte) ([]byte, error) { return document.Canonical(raw) }

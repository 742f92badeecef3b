package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"doorward/runtime/flow"
)

// room is the sub-graph of one action. Its nodes are named after the priority.
type room struct {
	priority int64
	next     string // entry of the action that follows; empty ends the plan
}

func (r room) key(part string) string {
	return strconv.FormatInt(r.priority, 10) + "." + part
}

// furnished is the nodes of an action, the entry first. The condition guards the
// door: when it does not hold, the next action is entered, and what this one
// would have proven must come from the session.
//
//	identify ─┬─ (lookup) ─┬─ (external) ─┬─ password ─┬──────────────────────── next
//	          └────────────┘              │            ├─ expired, change ─┬──── next
//	                                      │            └───────────────────┴─ verify ── next
//	                                      ├─ next, once signed on elsewhere
//	                                      └─ linking: a password once, then as above
//	beside lookup or password: passkey ── next, or to the password when it does not
//	do alone; recover ── next; register ── verify, or a link to the flow definition
//	that registers ── next
//
// Source: reference/flows.md 4.
func furnished(a action, next string) ([]*flow.Node, error) {
	switch a.Type {
	case multiFactorAuthentication:
		return multiFactored(a, next)
	case login, identifierFirst:
	case deviceAuthentication:
		if a.Device == nil {
			return nil, fmt.Errorf("action %s says nothing of what it asks for", a.Type)
		}
		n, err := a.Device.node(room{a.Priority, next})
		return []*flow.Node{n}, err
	default:
		return errand(a)
	}
	r := room{a.Priority, next}
	identify := &flow.Node{
		Key: r.key("identify"), Kind: "IDENTIFY", Skip: next, Factors: flow.Knowledge,
		Outlets: map[string]string{"IDENTIFIED": r.key("password"), "UNIDENTIFIED": r.key("password")},
	}
	guard, err := guarded(a.Condition)
	if err != nil {
		return nil, err
	}
	identify.Guard = guard
	password := &flow.Node{Key: r.key("password"), Kind: "PASSWORD", Outlets: map[string]string{
		"AUTHENTICATED": next, "PASSWORD_EXPIRED": r.key("expired"), "MUST_CHANGE_PASSWORD": r.key("change"), "VERIFICATION_REQUIRED": r.key("verify"),
	}}
	nodes := append([]*flow.Node{identify, password}, r.after()...)
	forgot, fresh, err := r.doors(a)
	if err != nil {
		return nil, err
	}
	asks, linking := password, (*flow.Node)(nil)
	if a.Type == identifierFirst {
		asks = &flow.Node{Key: r.key("lookup"), Kind: "LOOKUP", Outlets: map[string]string{"NAMED": password.Key}}
		identify.Outlets["UNIDENTIFIED"] = asks.Key
		nodes = append(nodes, asks)
	}
	if len(a.DiscoveryRules) > 0 {
		elsewhere, err := r.elsewhere(a)
		if err != nil {
			return nil, err
		}
		linking = &flow.Node{Key: r.key("linking"), Kind: "PASSWORD", Config: json.RawMessage(`{"status":"ACCOUNT_LINKING_REQUIRED"}`), Outlets: maps.Clone(password.Outlets)}
		identify.Outlets["IDENTIFIED"], asks.Outlets["NAMED"] = elsewhere.Key, elsewhere.Key
		nodes = append(nodes, elsewhere, linking)
	}
	passkey := r.passkey(nil, nil)
	beside := []string{passkey.Key}
	nodes = append(nodes, passkey)
	if forgot != nil {
		nodes = append(nodes, forgot)
		beside = append(beside, forgot.Key)
	}
	password.Beside, asks.Beside = beside, slices.Clone(beside)
	if linking != nil && forgot != nil {
		linking.Beside = []string{forgot.Key}
	}
	if fresh != nil { // only where nobody is named yet
		nodes = append(nodes, fresh)
		asks.Beside = append(asks.Beside, fresh.Key)
	}
	asks.Links = r.links(a)
	return nodes, nil
}

// elsewhere is the node for whom a discovery rule sends to an external provider: before
// anything is looked up here, so that the rules tell nothing of who exists.
func (r room) elsewhere(a action) (*flow.Node, error) {
	population, registers := a.Registration.here()
	config, err := json.Marshal(struct {
		Rules          []DiscoveryRule `json:"rules"`
		Registers      bool            `json:"registers"`
		Population     string          `json:"population"`
		EnforceLockout bool            `json:"enforceLockout"`
	}{a.DiscoveryRules, registers, population, a.EnforceLockout})
	return &flow.Node{Key: r.key("external"), Kind: "EXTERNAL", Config: json.RawMessage(config), Outlets: map[string]string{
		"LOCAL": r.key("password"), "AUTHENTICATED": r.next, "VERIFICATION_REQUIRED": r.key("verify"), "UNLINKED": r.key("linking"),
	}}, err
}

// after are the nodes that a right password can lead to before the next action.
func (r room) after() []*flow.Node {
	change := func(part, status string) *flow.Node {
		return &flow.Node{
			Key: r.key(part), Kind: "CHANGE", Config: json.RawMessage(`{"status":"` + status + `"}`),
			Outlets: map[string]string{"CHANGED": r.next, "VERIFICATION_REQUIRED": r.key("verify")},
		}
	}
	return []*flow.Node{
		change("expired", "PASSWORD_EXPIRED"),
		change("change", "MUST_CHANGE_PASSWORD"),
		r.verify(),
	}
}

// doors are the nodes for whoever has forgotten the password or has no account
// yet; nil for what the action does not offer.
func (r room) doors(a action) (forgot, fresh *flow.Node, err error) {
	if a.Recovery != nil {
		forgot = &flow.Node{Key: r.key("recover"), Kind: "RECOVER", Outlets: map[string]string{"RECOVERED": r.next}}
	}
	population, registers := a.Registration.here()
	if !registers {
		return forgot, nil, nil
	}
	config, err := json.Marshal(map[string]string{"population": population})
	fresh = &flow.Node{Key: r.key("register"), Kind: "REGISTER", Config: json.RawMessage(config), Outlets: map[string]string{"REGISTERED": r.key("verify")}}
	return forgot, fresh, err
}

// links are the flow definitions for whoever has no account yet, where they make
// it instead of us. They are offered where the door of REGISTER would be. Source:
// reference/flows.md 7.2; reference/management.md 2.9.
func (r room) links(a action) []flow.Link {
	if a.Registration == nil || a.Registration.FlowDefinition == nil {
		return nil
	}
	return []flow.Link{{
		Name: "registration.experience", Prompt: flow.Text{Key: "user.register.submit", Default: "Create account"},
		Definition: a.Registration.FlowDefinition.ID, When: []string{"USERNAME_PASSWORD_REQUIRED", "SIGN_ON_REQUIRED"}, Next: r.next,
	}}
}

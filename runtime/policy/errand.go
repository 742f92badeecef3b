package policy

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"doorward/runtime/flow"
)

// Errand is what the account's own pages have an execution do. It is the type of the
// one action of a source that no policy of the API can have.
// Source: docs/decisions/0013-account.md.
type Errand string

// The errands.
const (
	StepUp         Errand = "ACCOUNT_STEP_UP"  // prove anew who it is: by a device, or by the password where there is none
	AddDevice      Errand = "ACCOUNT_DEVICE"   // set up a device
	ChangePassword Errand = "ACCOUNT_PASSWORD" // set another password
)

// errandName is that of the plans: nobody can ask for it by acr_values.
const errandName = "account"

// Source is that of the errand's plan, with the digest that names it. It is the same in
// every environment.
func (e Errand) Source() ([]byte, flow.Digest, error) {
	b, err := json.Marshal(source{Format: format, Name: errandName, Actions: []action{{Type: string(e), Priority: 1}}})
	if err == nil {
		b, err = Canonical(b)
	}
	if err != nil {
		return nil, flow.Digest{}, fmt.Errorf("source of %s: %w", e, err)
	}
	return b, sha256.Sum256(b), nil
}

// errand is the nodes of an errand, the entry first.
//
//	identify ─┬─────────────────────────────── the errand's own ── end
//	          └─ lookup ── password, or a door ──┘
//
// Nothing is demanded of the ledger but that somebody is there: the pages judge what
// was proven, before and afterwards. Whoever is not signed on any more signs on first.
func errand(a action) ([]*flow.Node, error) {
	r := room{priority: a.Priority}
	own := r.own(Errand(a.Type))
	if own == nil {
		return nil, fmt.Errorf("action %q is not run here; %s", a.Type, runs)
	}
	nodes, err := furnished(action{Type: identifierFirst, Priority: a.Priority, Recovery: &recovery{Enabled: true}}, own[0].Key)
	if err != nil {
		return nil, err
	}
	nodes[0].Factors = 0
	nodes[0].Outlets["IDENTIFIED"] = own[0].Key
	return append(nodes, own...), nil
}

// long holds where the person has not shown for ten minutes who they are.
const long = `{"secondsSince":"${session.lastSignOn.at}","greater":600}`

// own is the nodes that only one errand has; nil: it is none.
func (r room) own(e Errand) []*flow.Node {
	one := func(kind, config string, results ...string) *flow.Node {
		n := &flow.Node{Key: r.key("errand"), Kind: kind, Config: json.RawMessage(config), Outlets: map[string]string{}}
		for _, result := range results {
			n.Outlets[result] = ""
		}
		return n
	}
	switch e {
	case StepUp:
		// A transaction is confirmed by a device of the person's own, now: neither what
		// was proven before nor a browser that is trusted does.
		n := one("MFA_CHALLENGE", `{"useDefaultPolicy":true,"template":{"name":"TRANSACTION"},"results":["NO_DEVICES"]}`, "SUCCEEDED")
		n.Outlets[noDevices] = r.key("again")
		return []*flow.Node{n, r.again("")}
	case AddDevice:
		n := one("MFA_ENROLLMENT", `{"useDefaultPolicy":true,"results":["STEP_UP_REQUIRED"]}`, "ENROLLED", "SKIPPED")
		n.Outlets[stepUp] = r.key("again")
		return []*flow.Node{n, r.again(n.Key)}
	case ChangePassword:
		return []*flow.Node{one("CHANGE", `{"status":"PASSWORD_CHANGE_REQUIRED"}`, "CHANGED", verificationRequired)}
	}
	return nil
}

// again asks for the password of whoever has not shown lately who they are.
func (r room) again(next string) *flow.Node {
	guard, _ := guarded(json.RawMessage(long)) // a literal, which is sound
	return &flow.Node{
		Key: r.key("again"), Kind: "PASSWORD", Guard: guard, Skip: next, Beside: []string{r.key("recover")},
		Outlets: map[string]string{"AUTHENTICATED": next, "PASSWORD_EXPIRED": next, mustChange: next, verificationRequired: next},
	}
}

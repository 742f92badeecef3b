package configs

import (
	"encoding/json"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// Source: reference/management.md 4.2; the actions are parts of it.
type signOnPolicyDocument struct {
	ID          string            `json:"id" required:"true"`
	Name        string            `json:"name" required:"true"`
	Description string            `json:"description"`
	Default     flag              `json:"default"`
	Actions     []json.RawMessage `json:"actions"`
}

func (d *signOnPolicyDocument) key() (string, string) { return d.ID, d.Name }
func (d *signOnPolicyDocument) standard() bool        { return bool(d.Default) }
func (d *signOnPolicyDocument) check(*policy.Faults)  {} // by policy.Source

// policyPlan makes the plan of a policy. One that nobody can be led to may be
// without actions, so that they can be added one by one. Source:
// reference/management.md 4.2.
func policyPlan(t *tree, e *entry) ([]byte, flow.Digest, error) {
	d, _ := e.doc.(*signOnPolicyDocument)
	if len(d.Actions) == 0 && !e.standard() && len(t.named(kindSignOnPolicy, e.id)) == 0 {
		return nil, flow.Digest{}, nil
	}
	return policy.Source(e.body, d.Actions, t, t.steps)
}

// policyRefers is what the actions of a policy name.
func policyRefers(_ *tree, e *entry) []link {
	d, _ := e.doc.(*signOnPolicyDocument)
	var out []link
	for _, r := range policy.Populations(d.Actions) {
		out = append(out, link{r.Path, kindPopulation, r.ID})
	}
	for _, r := range policy.Definitions(d.Actions) {
		out = append(out, link{r.Path, kindFlowDefinition, r.ID})
	}
	for _, r := range policy.DevicePolicies(d.Actions) {
		out = append(out, link{r.Path, kindMFAPolicy, r.ID})
	}
	for _, r := range policy.Providers(d.Actions) {
		out = append(out, link{r.Path, kindIdentityProvider, r.ID})
	}
	return out
}

package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// multiFactor is what a MULTI_FACTOR_AUTHENTICATION action asks for.
type multiFactor struct {
	Policy *reference `json:"deviceAuthenticationPolicy,omitempty"` // nil: the environment's default one
	Types  []string   `json:"types,omitempty"`                      // of devices, sorted; none: all that the policy has
	Block  bool       `json:"block,omitempty"`                      // whoever has no device is kept out
	Bypass bool       `json:"bypass,omitempty"`                     // or is let pass, where an application answers for them
}

// method is a member that switched a method on before there were policies for it.
type method struct{ name, device string }

// methods are those members, with the type of device that each is about. Source:
// reference/management.md 4.3.
func methods() []method {
	return []method{
		{"applications", "MOBILE"},
		{"authenticator", "TOTP"},
		{"boundBiometrics", "PLATFORM"},
		{"email", "EMAIL"},
		{"securityKey", "SECURITY_KEY"},
		{"sms", "SMS"},
		{"voice", "VOICE"},
	}
}

// readMultiFactor takes what is particular to the action from its members.
func readMultiFactor(m map[string]json.RawMessage, faults *Faults) *multiFactor {
	var out multiFactor
	if v := m["deviceAuthenticationPolicy"]; v != nil {
		out.Policy = readReference(document.Root.Member("deviceAuthenticationPolicy"), v, "a device authentication policy", faults)
	}
	if v := m["noDevicesMode"]; v != nil {
		out.Block, out.Bypass = readNoDevices(v, faults)
	}
	said, sound := 0, len(*faults)
	for _, x := range methods() {
		v := m[x.name]
		if v == nil {
			continue
		}
		said++
		at := document.Root.Member(x.name)
		if x.name == "applications" && readApplications(at, v, faults) || x.name != "applications" && readMethod(at, v, faults) {
			out.Types = append(out.Types, x.device)
		}
	}
	if said > 0 && len(out.Types) == 0 && len(*faults) == sound {
		faults.Add(document.Root, "switches every method off; enable at least one, or leave them out and let the device authentication policy decide")
	}
	slices.Sort(out.Types)
	return &out
}

// readNoDevices reads what becomes of somebody without a device. Source:
// reference/management.md 4.3; reference/flows.md 8.1.
func readNoDevices(value json.RawMessage, faults *Faults) (block, bypass bool) {
	switch string(value) {
	case `"BLOCK"`:
		return true, false
	case `"BYPASS"`:
		return false, true
	}
	faults.Add(document.Root.Member("noDevicesMode"), "takes BLOCK or BYPASS")
	return false, false
}

func readMethod(at Path, value json.RawMessage, faults *Faults) bool {
	m := object(at, value, faults, "enabled")
	return m != nil && enabled(at, m, faults)
}

// readApplications reports whether there is one that people may confirm with. What
// else is said of it is said by the device authentication policy now.
func readApplications(at Path, value json.RawMessage, faults *Faults) bool {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		faults.Add(at, "takes a list of applications")
		return false
	}
	for i, raw := range list {
		in := at.Index(i)
		m := object(in, raw, faults, "id", "autoEnrollment", "deviceAuthorization")
		if m == nil {
			continue
		}
		var id string
		if json.Unmarshal(m["id"], &id) != nil || id == "" {
			faults.Add(in.Member("id"), "takes the id of an application")
		}
		if v := m["autoEnrollment"]; v != nil {
			readMethod(in.Member("autoEnrollment"), v, faults)
		}
		if v := m["deviceAuthorization"]; v != nil {
			if d := object(in.Member("deviceAuthorization"), v, faults, "enabled", "extraVerification"); d != nil {
				enabled(in.Member("deviceAuthorization"), d, faults)
			}
		}
	}
	return len(list) > 0
}

// multiFactored is the nodes of a MULTI_FACTOR_AUTHENTICATION action, the entry
// first.
//
//	identify ─┬─ (lookup) ── challenge ─┬──────────────────────── next
//	          └─────────────────┘       ├─ again ── challenge
//	                                    ├─ enroll (── password) ─ next
//	                                    └─ verify ─────────────── next
//	beside lookup: passkey ── next
//
// Whoever is not known yet is asked for the name, and whoever is not proven yet is
// told nothing of devices. Who has no device sets one up, unless that is blocked; if
// the session has known them for a while, with the password once more; so does again ask
// for a password that rests on the mailbox of a device. BYPASS lets those
// pass for whom an application answers, and is for everybody else as if nothing were said.
func multiFactored(a action, next string) ([]*flow.Node, error) {
	if a.MultiFactor == nil {
		return nil, fmt.Errorf("action %s says nothing of what it asks for", a.Type)
	}
	r := room{a.Priority, next}
	guard, err := guarded(a.Condition)
	if err != nil {
		return nil, err
	}
	at, again := r.key("challenge"), r.key("again")
	passkey := r.passkey(json.RawMessage(`{"alone":true}`), map[string]string{mustChange: next, passwordRequired: next})
	nodes := []*flow.Node{
		{
			Key: r.key("identify"), Kind: "IDENTIFY", Skip: next, Factors: flow.Possession, Guard: guard,
			Outlets: map[string]string{"IDENTIFIED": at, "UNIDENTIFIED": r.key("lookup")},
		},
		{Key: r.key("lookup"), Kind: "LOOKUP", Outlets: map[string]string{"NAMED": at}, Beside: []string{passkey.Key}},
		passkey, r.verify(), retyped(again, at),
	}
	asks := configured{Types: a.MultiFactor.Types, Policy: a.MultiFactor.Policy, Default: a.MultiFactor.Policy == nil}
	leads := map[string]string{"SUCCEEDED": next, verificationRequired: r.key("verify"), stepUp: again}
	if !a.MultiFactor.Block {
		leads[noDevices] = r.key("enroll")
		rest := r.enroll(asks)
		if a.MultiFactor.Bypass {
			rest[0].Waives, rest[0].Skip = nodes[0].Key, next
		}
		nodes = append(nodes, rest...)
	}
	return append(nodes, &flow.Node{Key: at, Kind: "MFA_CHALLENGE", Config: asks.with(false, leads), Outlets: leads}), nil
}

// enroll is the nodes for whoever has no device yet.
func (r room) enroll(asks configured) []*flow.Node {
	key, again := r.key("enroll"), r.key("password")
	leads := map[string]string{"ENROLLED": r.next, stepUp: again}
	return []*flow.Node{
		{Key: key, Kind: "MFA_ENROLLMENT", Config: asks.with(true, leads), Outlets: leads},
		retyped(again, key),
	}
}

// retyped asks a user who has signed on for the password once more, and leads back.
func retyped(key, back string) *flow.Node {
	return &flow.Node{Key: key, Kind: "PASSWORD", Outlets: map[string]string{
		"AUTHENTICATED": back, "PASSWORD_EXPIRED": back, mustChange: back, verificationRequired: back,
	}}
}

// configured is the configuration of the nodes that ask for devices.
type configured struct {
	Policy   *reference `json:"deviceAuthenticationPolicy,omitempty"`
	Default  bool       `json:"useDefaultPolicy,omitempty"`
	Types    []string   `json:"types,omitempty"`
	Results  []string   `json:"results,omitempty"`  // those of a sign-on policy alone that lead on
	Required bool       `json:"required,omitempty"` // nobody goes on without
}

func (c configured) with(required bool, leads map[string]string) json.RawMessage {
	c.Required = required
	for _, result := range []string{noDevices, stepUp, verificationRequired} {
		if _, led := leads[result]; led {
			c.Results = append(c.Results, result)
		}
	}
	b, _ := json.Marshal(c) // strings and booleans
	return b
}

// passkey is the node for whoever signs on with one instead of a name and a
// password. instead says where results lead that do not lead to the nodes of a
// password here.
func (r room) passkey(config json.RawMessage, instead map[string]string) *flow.Node {
	leads := map[string]string{
		"AUTHENTICATED": r.next, passwordRequired: r.key("password"), mustChange: r.key("change"), verificationRequired: r.key("verify"),
	}
	maps.Copy(leads, instead)
	return &flow.Node{Key: r.key("passkey"), Kind: "PASSKEY", Config: config, Outlets: leads}
}

func (r room) verify() *flow.Node {
	return &flow.Node{Key: r.key("verify"), Kind: "USER_ACCOUNT_VERIFY", Outlets: map[string]string{"VERIFIED": r.next}}
}

// Results that several kinds have.
const (
	noDevices            = "NO_DEVICES"
	passwordRequired     = "PASSWORD_REQUIRED"
	mustChange           = "MUST_CHANGE_PASSWORD"
	stepUp               = "STEP_UP_REQUIRED"
	verificationRequired = "VERIFICATION_REQUIRED"
)

// DevicePolicies are the device authentication policies that actions name, for
// whoever knows which there are. What Source would refuse is passed over.
func DevicePolicies(actions []json.RawMessage) []Reference {
	var out []Reference
	for i, raw := range actions {
		a := read(raw, new(Faults))
		if a.MultiFactor != nil && a.MultiFactor.Policy != nil && a.MultiFactor.Policy.ID != "" {
			at := document.Root.Member("actions").Index(i).Member("deviceAuthenticationPolicy").Member("id")
			out = append(out, Reference{Path: at, ID: a.MultiFactor.Policy.ID})
		}
	}
	return out
}

// isMultiFactor reports whether a member is of the action.
func isMultiFactor(name string) bool {
	return name == "deviceAuthenticationPolicy" || name == "noDevicesMode" ||
		slices.ContainsFunc(methods(), func(m method) bool { return m.name == name })
}

package authentications

import (
	"encoding/json"
	"slices"

	"doorward/runtime/flow"
	"doorward/wire"
)

// actions are those that are taken here; what else the execution offers is a
// browser's. Source: reference/flows.md 5.2, 8.3.
func actions() []string {
	return []string{"device.select", "otp.check", "assertion.check", "cancel.push.authentication"}
}

// wish is what one was begun with, as it is shown again.
type wish struct {
	Policy      string `json:"policy"`
	Application string `json:"application,omitempty"`
}

type reference struct {
	ID string `json:"id"`
}

// shown is an execution as the application may see it. Source: reference/flows.md 8.3;
// expiresAt, amr, push and the second form of the options are ours.
func shown(v flow.View) flow.View {
	v.Offers = slices.DeleteFunc(slices.Clone(v.Offers), func(o flow.Offer) bool { return !slices.Contains(actions(), o.Name) })
	var w wish
	_ = json.Unmarshal(v.Payload, &w) // it is our own writing
	var out []flow.Member
	add := func(name string, value any) {
		if b, err := json.Marshal(value); err == nil {
			out = append(out, flow.Member{Name: name, JSON: b})
		}
	}
	add("user", reference{v.User.ID})
	add("updatedAt", wire.Timestamp(v.ExpiresAt.Add(-flow.Idle)))
	add("policy", reference{w.Policy})
	if w.Application != "" {
		add("application", reference{w.Application})
	}
	if v.Authenticator != "" {
		add("selectedDevice", reference{v.Authenticator})
	}
	for _, m := range v.Members {
		switch m.Name {
		case "selectedDevice", "error", "push", "publicKeyCredentialRequestOptions", "publicKeyCredentialRequestOptionsJSON":
			out = append(out, m)
		}
	}
	v.Members, v.User = out, flow.Subject{}
	v.SessionID, v.Application, v.Links, v.PiFlow = "", "", nil, false
	return v
}

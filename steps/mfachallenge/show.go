package mfachallenge

import (
	"encoding/json"

	"doorward/runtime/flow"
	"doorward/runtime/passkey"
)

// Show tells which device is asked and which others there are. Of somebody of whom
// nothing is proven it tells nothing. Source: reference/flows.md 2.1, 2.2, 7.4.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Show{}
	}
	out := flow.Show{Members: []flow.Member{{Name: "bypassAllowed", JSON: []byte("false")}}}
	if s.blind() {
		return out
	}
	user := map[string]any{"user": reference{t.User.ID}}
	if s.Asked != nil {
		out.Address = s.Asked.Address
		user["selectedDevice"] = reference{s.Asked.Device}
		add(&out, "selectedDevice", reference{s.Asked.Device})
	}
	add(&out, "deviceAuthentication", user)
	add(&out, "devices", s.Devices)
	out.Embedded = out.Members[len(out.Members)-1:]
	if s.Trouble != nil {
		add(&out, "error", s.Trouble)
	}
	switch {
	case s.Asked == nil:
	case t.Status == asserting:
		if o, err := k.mfa.RequestOptions(t.Ref.Env, *s.Asked, t.Challenge()); err == nil {
			out.Members = append(out.Members, options(o)...)
		}
	case t.Status == pushing:
		asks := map[string]any{"expiresAt": s.Asked.Until.UTC()}
		if s.Asked.Number != "" {
			asks["number"] = s.Asked.Number
		}
		add(&out, "push", asks)
	}
	return out
}

type reference struct {
	ID string `json:"id"`
}

// add shows one more member.
func add(s *flow.Show, name string, v any) {
	if b, err := json.Marshal(v); err == nil {
		s.Members = append(s.Members, flow.Member{Name: name, JSON: b})
	}
}

// options are what a browser needs, as the documents write it and as browsers take it.
func options(o passkey.Options) []flow.Member {
	return []flow.Member{
		{Name: "publicKeyCredentialRequestOptions", JSON: o.VendorText()},
		{Name: "publicKeyCredentialRequestOptionsJSON", JSON: o.Standard},
	}
}

package mfaenrollment

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

// Show tells what may be set up, and what is needed to set it up. Source:
// reference/flows.md 7.4, 8.4; reference/management.md 2.6.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	s, err := flow.State[state](t)
	c, ok := t.Config.(Config)
	if err != nil || !ok {
		return flow.Show{}
	}
	var out flow.Show
	switch t.Status {
	case choosing:
		k.choices(&out, t, c, s)
	case unpaired:
		k.choices(&out, t, c, s)
		add(&out, "error", map[string]string{
			"code": "PAIRING_TIMED_OUT", "message": "The pairing key was not used in time. Ask for a new one, or choose another way.",
		})
	}
	if s.Device == nil {
		return out
	}
	switch {
	case t.Status == pairing:
		k.pairing(&out, t, s)
	case s.Device.Type.IsFIDO2():
		k.creation(&out, t, s)
	case s.Device.Type == device.TOTP:
		k.seed(&out, t, c, s)
	default:
		out.Address = s.Device.Email + s.Device.Phone
	}
	if s.Creation == nil {
		add(&out, "device", s.Device)
	}
	return out
}

// choices are the devices that may be set up.
func (k *Kind) choices(out *flow.Show, t *flow.Turn, c Config, s state) {
	if s.Email != "" {
		add(out, "email", s.Email)
	}
	if s.Phone != "" {
		add(out, "mobilePhone", s.Phone)
	}
	add(out, "allowedTypes", s.Types)
	add(out, "allowedtypes", s.Types) // as the documents write it
	settings := k.policies.Settings(t.Ref.Env)
	add(out, "mfaSettings", map[string]any{"pairing": map[string]any{
		"maxAllowedDevices": settings.MaxDevices, "pairingKeyFormat": settings.PairingKeyFormat,
	}})
	applications, prompts := []application{}, []device.Type(nil)
	if policy, err := k.policies.Policy(t.Ref.Env, c.Policy); err == nil {
		for _, a := range policy.Mobile.Applications {
			if a.PairingKey {
				applications = append(applications, application{a.ID, k.policies.ApplicationName(t.Ref.Env, a.ID)})
			}
		}
		prompts = slices.DeleteFunc(slices.Clone(s.Types), func(t device.Type) bool { return !policy.Prompts(t) })
	}
	add(out, "applications", applications)
	if len(prompts) > 0 {
		add(out, "promptForNicknameOnPairing", prompts)
	}
}

// application is one that a phone may be paired with.
type application struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// pairing is the key that an app is to show.
func (k *Kind) pairing(out *flow.Show, t *flow.Turn, s state) {
	who := k.who(t)
	who.Effect = s.Effect
	if code, uri, err := k.mfa.PairingKey(who, s.Application); err == nil {
		add(out, "pairingKey", map[string]any{"code": code, "uri": uri, "expiresAt": s.Until.UTC()})
	}
}

// creation is what a browser needs to make a passkey, beside the device and in it, as
// the documents have it, and as browsers take it.
func (k *Kind) creation(out *flow.Show, t *flow.Turn, s state) {
	if s.Creation == nil {
		return
	}
	o, err := k.mfa.CreationOptions(t.Ref.Env, *s.Creation, t.Challenge())
	if err != nil {
		add(out, "device", s.Device)
		return
	}
	add(out, "device", struct {
		device.View
		Options string `json:"publicKeyCredentialCreationOptions"`
	}{*s.Device, o.Vendor})
	add(out, "publicKeyCredentialCreationOptions", o.Vendor)
	out.Members = append(out.Members, flow.Member{Name: "publicKeyCredentialCreationOptionsJSON", JSON: o.Standard})
}

// seedTime is how long a view waits for a seed, which is in the directory alone.
const seedTime = 2 * time.Second

// seed is that of an app that is yet to be set up.
func (k *Kind) seed(out *flow.Show, t *flow.Turn, c Config, s state) {
	ctx, done := context.WithTimeout(context.Background(), seedTime)
	defer done()
	who := mfa.Who{Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, Flow: t.Ref.ID}
	if key, err := k.mfa.Key(ctx, who, c.Policy, s.Device.ID); err == nil && key != nil {
		add(out, "totp", map[string]string{"secret": key.Secret, "uri": key.URI})
	}
}

// add shows one more member.
func add(s *flow.Show, name string, v any) {
	if b, err := json.Marshal(v); err == nil {
		s.Members = append(s.Members, flow.Member{Name: name, JSON: b})
	}
}

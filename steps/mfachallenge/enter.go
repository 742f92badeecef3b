package mfachallenge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// Enter asks for a device. What a device has proven in this execution does, unless
// it is a transaction that is confirmed.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	c, ok := t.Config.(Config)
	if !ok {
		return flow.Outcome{}, fmt.Errorf("MFA_CHALLENGE is configured with %T", t.Config)
	}
	given, failure := k.given(t)
	if failure != nil {
		return *failure, nil
	}
	if t.User.ID == "" && t.Person.IsZero() {
		return flow.Outcome{}, errors.New("MFA_CHALLENGE is entered for nobody")
	}
	switch {
	case !told(t) && t.Silent: // who is not there is asked nothing
		return flow.Wait(coding), nil
	case !told(t):
		return k.blindly(ctx, t, c)
	}
	policy, err := k.policies.Policy(t.Ref.Env, c.Policy)
	if err != nil {
		return flow.Outcome{}, fmt.Errorf("device authentication policy %q: %w", c.Policy, err)
	}
	if p, ok := before(t, c, policy); ok {
		return k.done(t, p, device.Device{ID: p.Authenticator, Type: typeOf(p.Method)}), nil
	}
	if p, ok, err := k.trusted(ctx, t, c); ok || err != nil {
		return flow.Result(succeeded).WithProof(p), err
	}
	s := state{Compatibility: given}
	found, err := k.list(ctx, t, c, &s)
	if err != nil {
		return flow.Outcome{}, err
	}
	if c.leads(stepUp) && slices.ContainsFunc(found.Devices, func(d device.Device) bool { return rests(t, &d) }) {
		return flow.Result(stepUp), nil
	}
	return k.first(ctx, t, c, s, found)
}

// given is what a flow definition hands over: whose devices they are, who must be the
// one of the execution, and what the browser can do.
func (*Kind) given(t *flow.Turn) (compatibility string, failure *flow.Outcome) {
	if t.Input == nil {
		return "", nil
	}
	refuse := func(o flow.Outcome) (string, *flow.Outcome) { return "", &o }
	if _, ok := t.Account(text(t.Input, "user", "id")); !ok {
		return refuse(flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch))
	}
	compatibility = text(t.Input, "webauthn", "compatibility")
	if d := incompatible("webauthn.compatibility", compatibility); d != nil {
		return refuse(flow.FailWith(flow.Failure{Code: string(flow.InvalidData), Message: flow.InvalidMessage, Details: []flow.Detail{*d}}))
	}
	return compatibility, nil
}

// incompatible is what is wrong with what a client says it can do; nil for nothing.
func incompatible(target, said string) *flow.Detail {
	if slices.Contains([]string{"", mfa.Full, mfa.SecurityKeyOnly, mfa.NoWebAuthn}, said) {
		return nil
	}
	return &flow.Detail{Code: flow.InvalidValue, Target: target, Message: "Send FULL, SECURITY_KEY_ONLY or NONE, or leave it out."}
}

// text is a string inside an input; empty where there is none.
func text(in map[string]any, path ...string) string {
	for _, name := range path[:len(path)-1] {
		in, _ = in[name].(map[string]any)
	}
	s, _ := in[path[len(path)-1]].(string)
	return s
}

// before is a proof of this execution that a device of the policy has made.
func before(t *flow.Turn, c Config, policy *mfapolicy.Policy) (flow.Proof, bool) {
	if c.Transaction {
		return flow.Proof{}, false
	}
	for _, p := range slices.Backward(t.Proofs) {
		d := device.Device{Type: typeOf(p.Method)}
		if p.Origin == flow.FromFlow && p.Subject == t.User.ID && p.Factors.Has(flow.Possession) && policy.Enabled(d.Type) && c.takes(&d) {
			return p, true
		}
	}
	return flow.Proof{}, false
}

// typeOf is the type of device that proves by a method; empty: none does.
func typeOf(method string) device.Type {
	for _, t := range device.Types() {
		d := device.Device{Type: t}
		if p := d.Proof(false); p.Method == method && method != "" {
			return t
		}
	}
	return ""
}

// blindly asks whoever has proven nothing yet for a code, whoever they are, and
// tells nothing of devices. Whom they say to be is looked up first; what a definition
// has looked up is not looked up again.
func (k *Kind) blindly(ctx context.Context, t *flow.Turn, c Config) (flow.Outcome, error) {
	person := t.Person
	if t.User.ID == "" && t.Input == nil {
		id, err := k.users.Find(ctx, t.Ref.Env, person.Username)
		if err != nil {
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("find user: %w", err))
		}
		person.UserID = id
	}
	who := k.who(t)
	if t.User.ID == "" {
		who.UserID = person.UserID
	}
	asked, err := k.mfa.Challenge(ctx, mfa.Start{Who: who, Policy: c.Policy})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("ask for a code: %w", err))
	}
	if !asked.Unproven || asked.Status != coding {
		return flow.Outcome{}, fmt.Errorf("somebody unproven is asked with status %q", asked.Status)
	}
	out := flow.Wait(coding).WithEvent(flow.DeviceChallenged)
	if t.User.ID == "" {
		out = out.WithCandidate(person)
	}
	return out, t.Keep(state{Asked: &asked})
}

// told reports whether something may be told of the user's devices: to whoever has
// proven something, and where somebody answers for the name. Source:
// reference/flows.md 1.2, login_hint_token; 8.3.
func told(t *flow.Turn) bool { return t.Named || t.SignedOn() }

// who is whose devices they are.
func (*Kind) who(t *flow.Turn) mfa.Who {
	w := mfa.Who{
		Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, Flow: t.Ref.ID, Locales: t.Locales, Effect: t.Effect(),
		DisplayName: strings.TrimSpace(t.User.Given + " " + t.User.Family), Application: t.Application, Client: t.Client, Unproven: !told(t),
	}
	if w.UserID == "" {
		w.UserID, w.Username, w.DisplayName = t.Person.UserID, t.Person.Username, ""
	}
	if l := text(t.Input, "template", "locale"); l != "" {
		w.Locales = l + "," + w.Locales
	}
	return w
}

// list reads anew what the user may be asked for, and keeps how it is shown.
func (k *Kind) list(ctx context.Context, t *flow.Turn, c Config, s *state) (mfa.Choice, error) {
	found, err := k.mfa.Choose(ctx, k.who(t), c.Policy, s.Compatibility)
	if err != nil {
		return mfa.Choice{}, flow.Unserved(fmt.Errorf("list devices: %w", err))
	}
	found.Devices = slices.DeleteFunc(slices.Clone(found.Devices), func(d device.Device) bool { return !c.takes(&d) || spent(t, &d) })
	s.Devices = nil
	for i := range found.Devices {
		s.Devices = append(s.Devices, found.Devices[i].Shown(t.Now))
	}
	return found, nil
}

// spent reports whether codes of the device go where another proof of the user rests
// already: the two would count once, so that asking for it would lead nowhere.
func spent(t *flow.Turn, d *device.Device) bool {
	at := d.Proof(false).Address
	return at != "" && slices.ContainsFunc(t.Proofs, func(p flow.Proof) bool {
		return p.Address == at && p.Authenticator != d.ID && p.Origin == flow.FromFlow
	})
}

// rests reports whether all that the session knows the user to know is a password that
// was set with a code to where codes of the device go: the two would count once. Typed
// anew it is a password.
func rests(t *flow.Turn, d *device.Device) bool {
	at := d.Proof(false).Address
	known := slices.DeleteFunc(slices.Clone(t.Proofs), func(p flow.Proof) bool { return !p.Factors.Has(flow.Knowledge) })
	return at != "" && len(known) > 0 && !slices.ContainsFunc(known, func(p flow.Proof) bool {
		return p.Address != at || p.Origin != flow.FromSession
	})
}

// first asks the device that is to be asked first, or which it is to be. Where it
// cannot be asked just now, another one may be.
func (k *Kind) first(ctx context.Context, t *flow.Turn, c Config, s state, found mfa.Choice) (flow.Outcome, error) {
	several := len(found.Devices) > 1
	asked := found.Asked
	if c.Selection != "" {
		asked = c.Selection == mfapolicy.AlwaysDisplayDevices || c.Selection == mfapolicy.PromptToSelect && several
	}
	switch {
	case len(found.Devices) == 0 && !found.Held && c.leads(noDevices):
		return flow.Result(noDevices), nil
	case len(found.Devices) == 0 && !found.LockedUntil.IsZero():
		return locked().WithEvent(flow.DeviceLocked), nil
	case len(found.Devices) == 0:
		return unusable(), nil
	case asked, t.Silent:
		return flow.Wait(selecting), t.Keep(s)
	}
	out, err := k.ask(ctx, t, s, found.Devices[0])
	if f := flow.AsFault(err); err != nil && f.Code == flow.Limited && several {
		s.Trouble = &trouble{string(f.Code), f.Message}
		return flow.Wait(selecting), t.Keep(s)
	}
	return out, err
}

func unusable() flow.Outcome {
	return flow.Fail("NO_USABLE_DEVICES", "None of the ways to confirm that it is you can be used now. Try again later, or ask your administrator.")
}

func locked() flow.Outcome {
	return flow.Fail("DEVICE_LOCKED", "There were too many wrong answers, and this way is locked for now. Use another way, or try again later.")
}

// ask puts the question to one device.
func (k *Kind) ask(ctx context.Context, t *flow.Turn, s state, d device.Device) (flow.Outcome, error) {
	c, _ := t.Config.(Config)
	asked, err := k.mfa.Challenge(ctx, mfa.Start{Who: k.who(t), Policy: c.Policy, Device: d, Compatibility: s.Compatibility, Instead: s.Asked})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("ask device: %w", err))
	}
	event := flow.DeviceChallenged
	if asked.Status == pushing {
		event = flow.PushSent
	}
	s.Asked, s.Trouble = &asked, nil
	return flow.Wait(asked.Status).WithEvent(event), t.Keep(s)
}

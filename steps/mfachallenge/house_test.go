package mfachallenge_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
	"doorward/steps/mfachallenge"
)

const env, ada = "e1", "u-ada"

func now() time.Time { return time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC) }

// town is one service of devices, in which one answer is right. It writes down what it
// is asked, and has no rule of its own.
type town struct {
	policy   mfapolicy.Policy
	choice   map[string]mfa.Choice // by user
	right    string
	wrong    mfa.Verdict // of every other answer
	limited  map[string]bool
	push     device.PushState
	accounts map[string]mfachallenge.Account
	names    map[string]string
	calls    []string
	last     mfa.Who
	started  mfa.Start
	bytes    []byte
	trusted  map[flow.Digest]bool
	revoked  bool // the password was changed meanwhile
}

func newTown(devices ...device.Device) *town {
	t := &town{
		policy: *mfapolicy.Default(), right: "246810", limited: map[string]bool{}, names: map[string]string{"ada": ada},
		accounts: map[string]mfachallenge.Account{ada: {Subject: flow.Subject{ID: ada, Username: "ada"}}},
		wrong:    mfa.Verdict{Events: []flow.EventType{flow.DeviceRefused}, Fault: flow.Invalid(flow.Detail{Code: "INVALID_OTP", Target: "otp"})},
		choice:   map[string]mfa.Choice{},
	}
	if len(devices) > 0 {
		t.choice[ada] = mfa.Choice{Devices: devices, Held: true}
	}
	return t
}

func (t *town) kind() *mfachallenge.Kind { return mfachallenge.New(t, t, t) }

func (t *town) call(name string, w mfa.Who) {
	t.calls, t.last = append(t.calls, name), w
}

func (t *town) Remembers(string, string) bool { return t.policy.RememberMe.Enabled }

func (t *town) Trusted(_ context.Context, w mfa.Who, _ string, shown flow.Digest) (bool, error) {
	t.call("trusted", w)
	return t.trusted[shown], nil
}

func (t *town) Trust(_ context.Context, w mfa.Who, _ string, shown flow.Digest) (time.Duration, error) {
	t.call("trust", w)
	if t.revoked {
		return 0, flow.ErrUnknown
	}
	t.trusted = map[flow.Digest]bool{shown: true}
	return t.policy.RememberMe.Life, nil
}

func (t *town) Policy(string, string) (*mfapolicy.Policy, error) { return &t.policy, nil }

func (t *town) Choose(_ context.Context, w mfa.Who, _, _ string) (mfa.Choice, error) {
	t.call("choose", w)
	return t.choice[w.UserID], nil
}

func (t *town) Challenge(_ context.Context, s mfa.Start) (mfa.Challenge, error) {
	t.call("challenge", s.Who)
	t.started = s
	switch d := s.Device; {
	case s.Unproven:
		return mfa.Challenge{Status: mfa.OTPRequired, Unproven: true, Device: t.first(s.UserID), Tries: 3}, nil
	case t.limited[d.ID]:
		return mfa.Challenge{}, &flow.Fault{Code: flow.Limited, Message: "Too many codes were sent.", RetryAfter: time.Hour}
	case d.Type.IsFIDO2():
		return mfa.Challenge{Status: mfa.AssertionRequired, Device: d.ID, Type: d.Type, Allowed: []mfa.Allowed{{Device: d.ID, ID: []byte("cred")}}}, nil
	case d.Type == device.Mobile:
		return mfa.Challenge{Status: mfa.PushRequired, Device: d.ID, Type: d.Type, Push: "p1", Number: "42", Until: now().Add(time.Minute), Codes: d.Codes}, nil
	default:
		return mfa.Challenge{Status: mfa.OTPRequired, Device: d.ID, Type: d.Type, Address: d.Masked()}, nil
	}
}

func (t *town) first(user string) string {
	if c := t.choice[user]; len(c.Devices) > 0 {
		return c.Devices[0].ID
	}
	return ""
}

func (t *town) Cancel(_ context.Context, w mfa.Who, _ mfa.Challenge) error {
	t.call("cancel", w)
	return nil
}

func (t *town) judge(w mfa.Who, id, said string) mfa.Verdict {
	i := slices.IndexFunc(t.choice[w.UserID].Devices, func(d device.Device) bool { return d.ID == id })
	if said != t.right || w.UserID == "" || i < 0 {
		return t.wrong
	}
	d := t.choice[w.UserID].Devices[i]
	d.UserID = w.UserID
	return mfa.Verdict{OK: true, Device: d, Proof: d.Proof(false), Events: []flow.EventType{flow.DeviceAccepted}}
}

func (t *town) CheckOTP(_ context.Context, in mfa.OTP) (mfa.Verdict, error) {
	t.call("otp", in.Who)
	return t.judge(in.Who, in.Challenge.Device, in.Code), nil
}

func (t *town) CheckAssertion(_ context.Context, in mfa.Assertion) (mfa.Verdict, error) {
	t.call("assertion", in.Who)
	t.bytes = in.Bytes
	return t.judge(in.Who, in.Challenge.Device, in.Assertion), nil
}

func (t *town) Settled(context.Context, mfa.Who, mfa.Challenge) (bool, error) {
	return t.push != device.PushPending, nil
}

func (t *town) Poll(_ context.Context, w mfa.Who, c mfa.Challenge) (device.PushState, mfa.Verdict, error) {
	t.call("poll", w)
	if t.push == device.PushApproved {
		return t.push, t.judge(w, c.Device, t.right), nil
	}
	return t.push, mfa.Verdict{}, nil
}

func (t *town) RequestOptions(_ string, c mfa.Challenge, _ []byte) (passkey.Options, error) {
	return passkey.Options{Standard: json.RawMessage(`{"for":"` + c.Device + `"}`), Vendor: "vendor"}, nil
}

func (t *town) Find(_ context.Context, _, name string) (string, error) {
	t.calls = append(t.calls, "find")
	return t.names[name], nil
}

func (t *town) Account(_ context.Context, _, id string) (mfachallenge.Account, error) {
	return t.accounts[id], nil
}

func sms(id string) device.Device {
	return device.Device{UserID: ada, ID: id, Type: device.SMS, Status: device.Active, Phone: "+15550100"}
}

func of(kind device.Type, id string) device.Device {
	return device.Device{UserID: ada, ID: id, Type: kind, Status: device.Active}
}

// visit is a node that is being run: what it kept and where it waits.
type visit struct {
	*testing.T
	kind    *mfachallenge.Kind
	turn    flow.Turn
	status  string
	kept    []byte
	attempt uint32
}

// visiting is a visit of somebody who has signed on, in a sign-on policy.
func visiting(t *testing.T, town *town, config string) *visit {
	t.Helper()
	k := town.kind()
	c, err := k.Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	return &visit{T: t, kind: k, turn: flow.Turn{Config: c, User: flow.Subject{ID: ada, Username: "ada"}, Proven: true}}
}

// begin is a turn as the engine makes one.
func (v *visit) begin() *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: env, ID: "f1"}, "2.challenge", v.turn.Config, now(), v.kept, v.attempt, flow.Digest{1})
	t.User, t.Person, t.Proven, t.Proofs, t.Input, t.Status, t.Browser = v.turn.User, v.turn.Person, v.turn.Proven, v.turn.Proofs, v.turn.Input, v.status, v.turn.Browser
	t.Named, t.Silent = v.turn.Named, v.turn.Silent
	t.Derive = func(purpose string, parts ...string) [32]byte {
		return flow.Sum(purpose + "/" + parts[len(parts)-1])
	}
	return t
}

func (v *visit) settle(t *flow.Turn, out flow.Outcome, err error) (flow.Outcome, error) {
	v.attempt++
	if err == nil {
		v.kept = t.Kept()
		if out.Person != nil {
			v.turn.Person = *out.Person
		}
		if out.Status != "" {
			v.status = out.Status
		}
	}
	return out, err
}

func (v *visit) enter() flow.Outcome {
	v.Helper()
	t := v.begin()
	_, _ = v.settle(t, flow.Outcome{}, nil)
	out, err := v.kind.Enter(v.Context(), t)
	if err != nil {
		v.Fatal(err)
	}
	out, _ = v.settle(t, out, nil)
	return out
}

func (v *visit) does(name string, in flow.Values) (flow.Outcome, error) {
	v.Helper()
	for _, a := range v.kind.Meta().Actions {
		if a.Name != name || !a.Offered(v.status) {
			continue
		}
		t := v.begin()
		out, err := a.Run(v.Context(), t, in)
		return v.settle(t, out, err)
	}
	v.Fatalf("%s is not offered in %s", name, v.status)
	return flow.Outcome{}, nil
}

// shows is the members that the node shows, by name.
func (v *visit) shows() map[string]string {
	s := v.kind.Show(v.begin())
	out := map[string]string{}
	for _, m := range s.Members {
		out[m.Name] = string(m.JSON)
	}
	for _, m := range s.Embedded {
		out["_embedded."+m.Name] = string(m.JSON)
	}
	if s.Address != "" {
		out["address"] = s.Address
	}
	return out
}

func (v *visit) offers() []string {
	var out []string
	for _, o := range v.kind.Offers(v.begin()) {
		out = append(out, o.Name)
	}
	return out
}

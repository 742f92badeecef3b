package windowslogin_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"doorward/runtime/certificate"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/steps/windowslogin"
)

var (
	_ flow.Stepper              = (*windowslogin.Kind)(nil)
	_ windowslogin.Phones       = (*mfa.Service)(nil)
	_ windowslogin.Certificates = (*certificate.Service)(nil)
)

const right = "246810"

// town is people with phones, a service that asks them, and an authority: each with the
// answers of the real one and none of its care.
type town struct {
	devices []device.Device // of u1
	account windowslogin.Account
	push    device.PushState
	locks   bool // a wrong answer locks
	asked   []mfa.Start
	orders  []certificate.Order
	pins    map[string]string // by certificate
	err     error
}

func newTown() *town {
	return &town{
		devices: []device.Device{{UserID: "u1", ID: "d1", Type: device.Mobile, Status: device.Active}}, push: device.PushPending, pins: map[string]string{},
		account: windowslogin.Account{Subject: flow.Subject{ID: "u1", Username: "ada"}},
	}
}

func (w *town) Find(_ context.Context, _, username string) (string, error) {
	return map[string]string{"ada": "u1", "bea": "u2"}[username], w.err
}

func (w *town) Account(context.Context, string, string) (windowslogin.Account, error) {
	return w.account, w.err
}

func (w *town) Choose(context.Context, mfa.Who, string, string) (mfa.Choice, error) {
	return mfa.Choice{Devices: w.devices}, w.err
}

func (w *town) ChallengePhone(_ context.Context, s mfa.Start) (mfa.Challenge, error) {
	w.asked = append(w.asked, s)
	c := mfa.Challenge{Status: mfa.PushRequired, Unproven: s.Unproven, Codes: true, Number: "42", Until: time.Unix(1000, 0)}
	switch {
	case s.Unproven && s.UserID == "u1" && (s.Device.ID == "" || s.Device.ID == "d1"):
		c.Device = "d1"
	case !s.Unproven:
		c.Device, c.Type, c.Codes = s.Device.ID, s.Device.Type, s.Device.Type == device.Mobile
		if s.Device.Type != device.Mobile {
			c.Status, c.Number = mfa.OTPRequired, ""
		}
	}
	return c, w.err
}

func (w *town) proof(who mfa.Who, c mfa.Challenge) mfa.Verdict {
	if who.UserID != "u1" || c.Device == "" {
		return mfa.Verdict{}
	}
	d := device.Device{UserID: "u1", ID: c.Device, Type: device.Mobile}
	return mfa.Verdict{OK: true, Device: d, Proof: d.Proof(false), Events: []flow.EventType{flow.DeviceAccepted}}
}

func (w *town) CheckOTP(_ context.Context, in mfa.OTP) (mfa.Verdict, error) {
	if in.Code == right {
		if v := w.proof(in.Who, in.Challenge); v.OK {
			return v, w.err
		}
	}
	if w.locks {
		w.devices = w.devices[1:]
	}
	return mfa.Verdict{DeviceLocked: w.locks, Fault: flow.Invalid(flow.Detail{Code: "INVALID_OTP", Target: "otp"}), Events: []flow.EventType{flow.DeviceRefused}}, w.err
}

func (w *town) Settled(context.Context, mfa.Who, mfa.Challenge) (bool, error) {
	return w.push != device.PushPending, w.err
}

func (w *town) Poll(_ context.Context, who mfa.Who, c mfa.Challenge) (device.PushState, mfa.Verdict, error) {
	if w.push == device.PushApproved {
		v := w.proof(who, c)
		if !v.OK {
			return device.PushPending, v, w.err
		}
		return w.push, v, w.err
	}
	return w.push, mfa.Verdict{}, w.err
}

func (w *town) Issue(_ context.Context, o certificate.Order) (certificate.Bundle, error) {
	if o.Request == "weak" {
		return certificate.Bundle{}, certificate.Unfit("the key is weak")
	}
	w.orders = append(w.orders, o)
	if o.PIN != "" {
		w.pins["c1"] = o.PIN
	}
	return certificate.Bundle{ID: "c1", Certificate: "leaf", Chain: "ca", ExpiresAt: time.Unix(2000, 0)}, w.err
}

func (w *town) HasPIN(context.Context, string, string) (bool, error) { return len(w.pins) > 0, w.err }

func (w *town) PIN(_ context.Context, _, user, id string) (string, error) {
	if pin, ok := w.pins[id]; ok && user == "u1" {
		return pin, w.err
	}
	return "", errors.Join(w.err, flow.ErrUnknown)
}

// visit is one execution at the step.
type visit struct {
	t      *testing.T
	town   *town
	kind   *windowslogin.Kind
	state  []byte
	status string
	user   flow.Subject
	person flow.Candidate
	proofs flow.Ledger
	proven bool
	name   string // that the step is given
	turns  uint32
	once   []flow.Member
	events []flow.EventType
}

func (w *town) visit(t *testing.T, name string) *visit {
	t.Helper()
	return &visit{t: t, town: w, kind: windowslogin.New(w, w, w), name: name}
}

func (v *visit) turn() *flow.Turn {
	v.turns++
	at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "windows", nil, time.UnixMilli(0), v.state, v.turns, flow.Digest{1})
	at.User, at.Person, at.Proofs, at.Proven, at.Status = v.user, v.person, v.proofs, v.proven, v.status
	at.Input = map[string]any{"user": map[string]any{"username": v.name}}
	at.Derive = func(purpose string, parts ...string) [32]byte {
		return sha256.Sum256([]byte(purpose + strings.Join(parts, "/")))
	}
	return at
}

// took keeps what an outcome says, as the engine does.
func (v *visit) took(at *flow.Turn, out flow.Outcome) flow.Outcome {
	v.state, v.once, v.events = at.Kept(), out.Once, append(v.events, out.Events...)
	if out.Status != "" {
		v.status = out.Status
	}
	if out.Person != nil {
		v.user, v.person = flow.Subject{}, *out.Person
	}
	for _, u := range out.Users {
		v.user, v.person = u, flow.Candidate{}
	}
	for _, p := range out.Proofs {
		v.proofs, v.proven = append(v.proofs, p), true
	}
	return out
}

func (v *visit) enter() flow.Outcome {
	v.t.Helper()
	at := v.turn()
	out, err := v.kind.Enter(v.t.Context(), at)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.took(at, out)
}

// does submits an action, offered or not.
func (v *visit) does(name string, in flow.Values) (flow.Outcome, error) {
	v.t.Helper()
	for _, a := range v.kind.Meta().Actions {
		if a.Name != name {
			continue
		}
		at := v.turn()
		out, err := a.Run(v.t.Context(), at, in)
		if err == nil {
			v.took(at, out)
		}
		return out, err
	}
	v.t.Fatalf("there is no action %s", name)
	return flow.Outcome{}, nil
}

// leads submits an action that must lead to a status.
func (v *visit) leads(name string, in flow.Values, status string) {
	v.t.Helper()
	out, err := v.does(name, in)
	if err != nil || out.Status != status {
		v.t.Fatalf("%s leads to %q %+v, %v; want %s", name, out.Status, out.Failure, err, status)
	}
}

// offers are the actions that are possible, and what is shown, as JSON.
func (v *visit) seen() (offers, shown string) {
	v.t.Helper()
	var names []string
	at := v.turn()
	for _, o := range v.kind.Offers(at) {
		names = append(names, o.Name)
	}
	for _, a := range v.kind.Meta().Actions {
		if !a.Open && a.Offered(v.status) && a.Name != flow.PollAction && !strings.Contains(strings.Join(names, " "), a.Name) {
			names = append(names, a.Name)
		}
	}
	all := map[string]json.RawMessage{}
	for _, m := range v.kind.Show(at).Members {
		all[m.Name] = m.JSON
	}
	b, err := json.Marshal(all)
	if err != nil {
		v.t.Fatal(err)
	}
	return strings.Join(names, " "), string(b)
}

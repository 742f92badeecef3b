package mfaenrollment_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
	"doorward/steps/mfaenrollment"
)

const ada, secret, seed, pairingKey = "u-ada", "246810", "JBSWY3DP", "123456789012"

func now() time.Time { return time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC) }

// town is one service of devices, in which one answer is right.
type town struct {
	types   []device.Type
	may     bool
	outdone bool // by a device that was set up meanwhile
	held    bool
	device  device.Device // that was added last
	wrong   mfa.Verdict
	paired  bool
	deleted []string
	asked   mfa.Enrolment
	given   mfa.Activation
	effects []string
}

func newTown() *town {
	return &town{
		types: []device.Type{device.SMS, device.Email, device.TOTP, device.Mobile, device.FIDO2, device.Recovery}, may: true,
		wrong: mfa.Verdict{Fault: flow.Invalid(flow.Detail{Code: "INVALID_OTP", Target: "otp"}), Events: []flow.EventType{flow.DeviceRefused}},
	}
}

func (t *town) Policy(string, string) (*mfapolicy.Policy, error) {
	p := mfapolicy.Default()
	p.TOTP.PromptForNickname, p.Voice.PromptForNickname = true, true // of which calls are not offered
	p.Mobile.Applications = []mfapolicy.MobileApplication{{ID: "app", PairingKey: true}, {ID: "other"}}
	return p, nil
}

func (t *town) Settings(string) *mfapolicy.Settings { return mfapolicy.DefaultSettings() }

func (t *town) ApplicationName(string, string) string { return "Acme App" }

func (t *town) Choose(context.Context, mfa.Who, string, string) (mfa.Choice, error) {
	return mfa.Choice{Held: t.held}, nil
}

func (t *town) Types(context.Context, mfa.Who, string, string) ([]device.Type, error) {
	return t.types, nil
}

func (t *town) MayChange(context.Context, mfa.Who, flow.Ledger) (bool, error) { return t.may, nil }

func (t *town) MayActivate(context.Context, mfa.Who, flow.Ledger, string) (bool, error) {
	return !t.outdone, nil
}

func (t *town) Enrol(_ context.Context, in mfa.Enrolment) (mfa.Enrolling, error) {
	t.asked = in
	if in.Type == device.SMS && in.Phone == "" {
		return mfa.Enrolling{}, flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: "phone"})
	}
	t.device = device.Device{UserID: in.UserID, ID: "d9", Type: in.Type, Status: device.ActivationRequired, Phone: in.Phone, Email: in.Email, Nickname: in.Nickname}
	out := mfa.Enrolling{Device: t.device}
	switch in.Type {
	case device.FIDO2:
		out.Creation = &mfa.Creation{Handle: []byte("h"), Name: in.Username}
	case device.TOTP:
		out.Key = &mfa.Key{Secret: seed}
	case device.Mobile:
		out.Pairing, out.Until = pairingKey, now().Add(time.Minute)
	case device.Recovery:
		out.Codes, out.Device.Status = []string{"AAAAA-BBBBB"}, device.Active
	default:
	}
	return out, nil
}

func (t *town) Activate(_ context.Context, in mfa.Activation) (mfa.Verdict, error) {
	t.given = in
	if in.OTP != secret && in.Attestation != secret {
		return t.wrong, nil
	}
	return mfa.Verdict{OK: true, Device: t.device, Proof: t.device.Proof(false), Events: []flow.EventType{flow.DeviceActivated}}, nil
}

func (t *town) Resend(_ context.Context, in mfa.Again) (mfa.Enrolling, error) {
	t.effects = append(t.effects, in.Effect)
	return mfa.Enrolling{}, nil
}

func (t *town) GiveUp(_ context.Context, _ mfa.Who, id string) error {
	t.deleted = append(t.deleted, id)
	return nil
}

func (t *town) Paired(context.Context, mfa.Who, string) (device.Device, bool, error) {
	return t.device, t.paired, nil
}

func (t *town) CreationOptions(_ string, c mfa.Creation, _ []byte) (passkey.Options, error) {
	return passkey.Options{Standard: json.RawMessage(`{"name":"` + c.Name + `"}`), Vendor: "vendor"}, nil
}

func (t *town) Key(context.Context, mfa.Who, string, string) (*mfa.Key, error) {
	return &mfa.Key{Secret: seed, URI: "otpauth://totp/x"}, nil
}

func (t *town) PairingKey(w mfa.Who, application string) (code, uri string, err error) {
	if !strings.HasPrefix(w.Effect, "f1/2.enroll/") || application != "app" {
		return "", "", errors.New("another pairing")
	}
	return pairingKey, "doorward://pair?code=" + pairingKey, nil
}

// visit is a node that is being run: what it kept and where it waits.
type visit struct {
	*testing.T
	kind    *mfaenrollment.Kind
	turn    flow.Turn
	status  string
	kept    []byte
	attempt uint32
}

func visiting(t *testing.T, town *town, config string) *visit {
	t.Helper()
	k := mfaenrollment.New(town, town)
	c, err := k.Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	return &visit{T: t, kind: k, turn: flow.Turn{Config: c, User: flow.Subject{ID: ada, Username: "ada"}, Proven: true}}
}

func (v *visit) begin() *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "2.enroll", v.turn.Config, now(), v.kept, v.attempt, flow.Digest{1})
	t.User, t.Person, t.Proven, t.Input, t.Status, t.Fact = v.turn.User, v.turn.Person, v.turn.Proven, v.turn.Input, v.status, v.turn.Fact
	t.Derive = func(purpose string, parts ...string) [32]byte { return flow.Sum(purpose + "/" + parts[len(parts)-1]) }
	return t
}

func (v *visit) settle(t *flow.Turn, out flow.Outcome, err error) (flow.Outcome, error) {
	v.attempt++
	if err == nil {
		if v.kept = t.Kept(); out.Status != "" {
			v.status = out.Status
		}
	}
	return out, err
}

func (v *visit) enter() flow.Outcome {
	v.Helper()
	t := v.begin()
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
		if a.Name == name && a.Offered(v.status) {
			t := v.begin()
			out, err := a.Run(v.Context(), t, in)
			return v.settle(t, out, err)
		}
	}
	v.Fatalf("%s is not offered in %s", name, v.status)
	return flow.Outcome{}, nil
}

func (v *visit) shows() map[string]string {
	s := v.kind.Show(v.begin())
	out := map[string]string{}
	for _, m := range s.Members {
		out[m.Name] = string(m.JSON)
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

package steps_test

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	webauthn "doorward/runtime/passkey"
	"doorward/steps"
	"doorward/steps/mfachallenge"
	"doorward/steps/passkey"
)

// lockers are the devices of a town: a service in a map, with the answers of the real
// one and none of its care. Every code is "246810"; a passkey signs "had" or, having
// verified the person, "verified".
type lockers struct {
	*town
	now     func() time.Time
	devices []device.Device
	asked   int // challenges
}

func (l *lockers) parts() steps.Parts {
	return steps.Parts{
		Passwords: l.town, Changes: l.town, Recoveries: l.town, Registrations: l.town, Verifications: l.town,
		Challenges: l, Enrollments: l, Passkeys: l, DevicePolicies: l, DeviceUsers: people{l.town}, PasskeyUsers: owners{l.town},
	}
}

func (l *lockers) give(username string, kind device.Type) device.Device {
	d := device.Device{UserID: l.people[username].ID, ID: "of-" + username + "-" + string(kind), Type: kind, Status: device.Active}
	l.devices = append(l.devices, d)
	return d
}

func (l *lockers) of(user string) (out []device.Device) {
	for _, d := range l.devices {
		if d.UserID == user && d.Status == device.Active {
			out = append(out, d)
		}
	}
	return out
}

func (l *lockers) find(user, id string) (device.Device, bool) {
	i := slices.IndexFunc(l.devices, func(d device.Device) bool { return d.ID == id && d.UserID == user && user != "" })
	if i < 0 {
		return device.Device{}, false
	}
	return l.devices[i], true
}

func (*lockers) Policy(string, string) (*mfapolicy.Policy, error) { return mfapolicy.Default(), nil }

func (*lockers) Settings(string) *mfapolicy.Settings { return mfapolicy.DefaultSettings() }

func (*lockers) ApplicationName(string, string) string { return "" }

func (l *lockers) Choose(_ context.Context, w mfa.Who, _, _ string) (mfa.Choice, error) {
	all := l.of(w.UserID)
	return mfa.Choice{Devices: all, Held: len(all) > 0}, nil
}

func (l *lockers) Challenge(_ context.Context, s mfa.Start) (mfa.Challenge, error) {
	l.asked++
	if s.Unproven {
		c := mfa.Challenge{Status: mfa.OTPRequired, Unproven: true}
		if all := l.of(s.UserID); len(all) > 0 {
			c.Device = all[0].ID
		}
		return c, nil
	}
	return mfa.Challenge{Status: mfa.OTPRequired, Device: s.Device.ID, Type: s.Device.Type}, nil
}

func (*lockers) Remembers(string, string) bool { return false }

func (*lockers) Trusted(context.Context, mfa.Who, string, flow.Digest) (bool, error) {
	return false, nil
}

func (*lockers) Trust(context.Context, mfa.Who, string, flow.Digest) (time.Duration, error) {
	return 0, flow.ErrUnknown
}

func (*lockers) Cancel(context.Context, mfa.Who, mfa.Challenge) error          { return nil }
func (*lockers) Settled(context.Context, mfa.Who, mfa.Challenge) (bool, error) { return false, nil }
func (*lockers) Poll(context.Context, mfa.Who, mfa.Challenge) (device.PushState, mfa.Verdict, error) {
	return device.PushPending, mfa.Verdict{}, nil
}

func (l *lockers) judge(user, id string, right, verified bool) mfa.Verdict {
	d, there := l.find(user, id)
	if !right || !there {
		return mfa.Verdict{Fault: flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "otp"}), Events: []flow.EventType{flow.DeviceRefused}}
	}
	return mfa.Verdict{OK: true, Device: d, Proof: d.Proof(verified), Events: []flow.EventType{flow.DeviceAccepted}}
}

func (l *lockers) CheckOTP(_ context.Context, in mfa.OTP) (mfa.Verdict, error) {
	return l.judge(in.UserID, in.Challenge.Device, in.Code == "246810", false), nil
}

func (l *lockers) CheckAssertion(_ context.Context, in mfa.Assertion) (mfa.Verdict, error) {
	return l.judge(in.UserID, in.Challenge.Device, in.Assertion == "had", false), nil
}

func (*lockers) RequestOptions(string, mfa.Challenge, []byte) (webauthn.Options, error) {
	return webauthn.Options{}, nil
}

func (*lockers) Discovers(string, string) bool { return true }

func (*lockers) Discover(_, _ string, bytes []byte) (webauthn.Options, bool, error) {
	b, err := json.Marshal(bytes)
	return webauthn.Options{Standard: b, Vendor: "vendor"}, true, err
}

// CheckDiscovered takes "had:<device>" and "verified:<device>".
func (l *lockers) CheckDiscovered(_ context.Context, in mfa.Discovered) (mfa.Verdict, error) {
	for _, d := range l.devices {
		verified := in.Assertion == "verified:"+d.ID
		if (verified || in.Assertion == "had:"+d.ID) && (in.UserID == "" || in.UserID == d.UserID) {
			return l.judge(d.UserID, d.ID, true, verified), nil
		}
	}
	return mfa.Verdict{}, nil
}

func (*lockers) Types(context.Context, mfa.Who, string, string) ([]device.Type, error) {
	return []device.Type{device.TOTP, device.Email}, nil
}

func (l *lockers) MayChange(_ context.Context, w mfa.Who, proofs flow.Ledger) (bool, error) {
	young := proofs.Of(w.UserID).Since(l.now().Add(-10 * time.Minute))
	return slices.ContainsFunc(young, func(p flow.Proof) bool { return len(l.of(w.UserID)) == 0 || p.Factors.Has(flow.Possession) }), nil
}

func (l *lockers) MayActivate(_ context.Context, w mfa.Who, proofs flow.Ledger, but string) (bool, error) {
	others := slices.ContainsFunc(l.of(w.UserID), func(d device.Device) bool { return d.Status == device.Active && d.ID != but })
	return slices.ContainsFunc(proofs.Of(w.UserID), func(p flow.Proof) bool { return !others || p.Factors.Has(flow.Possession) }), nil
}

func (l *lockers) Enrol(_ context.Context, in mfa.Enrolment) (mfa.Enrolling, error) {
	d := device.Device{UserID: in.UserID, ID: "new-" + in.Username, Type: in.Type, Status: device.ActivationRequired}
	l.devices = append(l.devices, d)
	return mfa.Enrolling{Device: d}, nil
}

func (l *lockers) Activate(_ context.Context, in mfa.Activation) (mfa.Verdict, error) {
	v := l.judge(in.UserID, in.Device, in.OTP == "246810", false)
	for i := range l.devices {
		if v.OK && l.devices[i].ID == in.Device {
			l.devices[i].Status = device.Active
		}
	}
	return v, nil
}

func (*lockers) Resend(context.Context, mfa.Again) (mfa.Enrolling, error) {
	return mfa.Enrolling{}, nil
}

func (l *lockers) Delete(_ context.Context, _ mfa.Who, id string) error {
	l.devices = slices.DeleteFunc(l.devices, func(d device.Device) bool { return d.ID == id })
	return nil
}

func (l *lockers) GiveUp(ctx context.Context, who mfa.Who, id string) error {
	return l.Delete(ctx, who, id)
}

func (*lockers) Paired(context.Context, mfa.Who, string) (device.Device, bool, error) {
	return device.Device{}, false, nil
}

func (*lockers) CreationOptions(string, mfa.Creation, []byte) (webauthn.Options, error) {
	return webauthn.Options{}, nil
}

func (*lockers) Key(context.Context, mfa.Who, string, string) (*mfa.Key, error) {
	return &mfa.Key{Secret: "SEED", URI: "otpauth://totp/x"}, nil
}

func (*lockers) PairingKey(mfa.Who, string) (code, uri string, err error) { return "", "", nil }

// people are the accounts of those who sign on by a device, owners of those who do by
// a passkey.
type people struct{ *town }

func (p people) Find(_ context.Context, _, name string) (string, error) {
	if found := p.find("", name); found != nil {
		return found.ID, nil
	}
	return "", nil
}

func (p people) Account(_ context.Context, _, id string) (mfachallenge.Account, error) {
	found := p.find(id, "")
	return mfachallenge.Account{Subject: found.Subject, Unverified: found.unverified}, nil
}

type owners struct{ *town }

func (p owners) Account(_ context.Context, _, id string) (passkey.Account, error) {
	found := p.find(id, "")
	return passkey.Account{Subject: found.Subject, Unverified: found.unverified}, nil
}

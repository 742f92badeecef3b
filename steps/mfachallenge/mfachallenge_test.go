package mfachallenge_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/steps/mfachallenge"
)

var (
	_ flow.Stepper = (*mfachallenge.Kind)(nil)
	_ flow.Offerer = (*mfachallenge.Kind)(nil)
	_ flow.Shower  = (*mfachallenge.Kind)(nil)
	_ flow.Poller  = (*mfachallenge.Kind)(nil)

	_ mfachallenge.Service = (*mfa.Service)(nil)
)

func TestWhatIsAskedFirst(t *testing.T) {
	const blocked = "NO_USABLE_DEVICES"
	phone, app, key, mobile := sms("d1"), of(device.TOTP, "d2"), of(device.FIDO2, "d3"), of(device.Mobile, "d4")
	tests := map[string]struct {
		choice mfa.Choice
		policy mfapolicy.Selection
		config string
		want   string // status, result or code
	}{
		"a telephone":            {mfa.Choice{Devices: []device.Device{phone}}, "", `{}`, "OTP_REQUIRED d1"},
		"an app":                 {mfa.Choice{Devices: []device.Device{app, phone}}, "", `{}`, "OTP_REQUIRED d2"},
		"a passkey":              {mfa.Choice{Devices: []device.Device{key}}, "", `{}`, "ASSERTION_REQUIRED d3"},
		"an app with pushes":     {mfa.Choice{Devices: []device.Device{mobile}}, "", `{}`, "PUSH_CONFIRMATION_REQUIRED d4"},
		"as the policy says":     {mfa.Choice{Devices: []device.Device{phone, app}, Asked: true}, mfapolicy.PromptToSelect, `{}`, "DEVICE_SELECTION_REQUIRED "},
		"as the step says":       {mfa.Choice{Devices: []device.Device{phone, app}}, "", `{"deviceSelection":"PROMPT_TO_SELECT"}`, "DEVICE_SELECTION_REQUIRED "},
		"of one nothing":         {mfa.Choice{Devices: []device.Device{phone}}, "", `{"deviceSelection":"PROMPT_TO_SELECT"}`, "OTP_REQUIRED d1"},
		"the step against":       {mfa.Choice{Devices: []device.Device{phone, app}, Asked: true}, "", `{"deviceSelection":"DEFAULT_TO_FIRST"}`, "OTP_REQUIRED d1"},
		"only what is let":       {mfa.Choice{Devices: []device.Device{phone, app}}, "", `{"types":["TOTP"]}`, "OTP_REQUIRED d2"},
		"nothing is let":         {mfa.Choice{Devices: []device.Device{phone}, Held: true}, "", `{"types":["TOTP"],"results":["NO_DEVICES"]}`, blocked},
		"none":                   {mfa.Choice{}, "", `{}`, blocked},
		"none, which leads on":   {mfa.Choice{}, "", `{"results":["NO_DEVICES"]}`, "NO_DEVICES"},
		"one that is blocked":    {mfa.Choice{Held: true}, "", `{"results":["NO_DEVICES"]}`, blocked},
		"one that is locked":     {mfa.Choice{Held: true, LockedUntil: now().Add(time.Minute)}, "", `{"results":["NO_DEVICES"]}`, "DEVICE_LOCKED"},
		"a key of the machine":   {mfa.Choice{Devices: []device.Device{attached(key, "platform")}, Held: true}, "", `{"types":["SECURITY_KEY"]}`, blocked},
		"a key that is carried":  {mfa.Choice{Devices: []device.Device{attached(key, "cross-platform")}}, "", `{"types":["SECURITY_KEY"]}`, "ASSERTION_REQUIRED d3"},
		"codes as a last resort": {mfa.Choice{Devices: []device.Device{of(device.Recovery, "d5")}}, "", `{"types":["SMS"]}`, "OTP_REQUIRED d5"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			town := newTown()
			town.choice[ada] = tt.choice
			v := visiting(t, town, tt.config)
			out := v.enter()
			got := out.Name
			switch out.Verdict {
			case flow.Waits:
				got = out.Status + " " + town.started.Device.ID
			case flow.Fails:
				got = out.Failure.Code
			case flow.Results, flow.Rejects:
			}
			if got != tt.want || len(out.Proofs) > 0 {
				t.Errorf("came to %q with %d proofs, want %q", got, len(out.Proofs), tt.want)
			}
		})
	}
}

func attached(d device.Device, to string) device.Device {
	d.Credential = &device.Credential{Attachment: to}
	return d
}

// Source: reference/flows.md 2.1, 2.2, 3.1, 7.4.
func TestWhatEachStatusShows(t *testing.T) {
	const phone = `{"id":"d1","type":"SMS","status":"ACTIVE","nickname":"Work","phone":"*******00"}`
	const app, key, mobile = `{"id":"d2","type":"TOTP","status":"ACTIVE"}`, `{"id":"d3","type":"FIDO2","status":"ACTIVE"}`, `{"id":"d4","type":"MOBILE","status":"ACTIVE"}`
	work := sms("d1")
	work.Nickname = "Work"
	all := "[" + strings.Join([]string{phone, app, key, mobile, strings.Replace(mobile, "d4", "d5", 1)}, ",") + "]"
	showing := of(device.Mobile, "d5")
	showing.Codes = true
	town := newTown(work, of(device.TOTP, "d2"), of(device.FIDO2, "d3"), of(device.Mobile, "d4"), showing)
	for id, tt := range map[string]struct {
		status string
		shows  map[string]string
		offers []string
	}{
		"":   {"DEVICE_SELECTION_REQUIRED", nil, []string{"device.select"}},
		"d1": {"OTP_REQUIRED", map[string]string{"address": "*******00"}, []string{"otp.check", "otp.resend", "device.select"}},
		"d2": {"OTP_REQUIRED", nil, []string{"otp.check", "device.select"}},
		"d3": {"ASSERTION_REQUIRED", map[string]string{"publicKeyCredentialRequestOptions": `"vendor"`, "publicKeyCredentialRequestOptionsJSON": `{"for":"d3"}`}, []string{"assertion.check", "device.select"}},
		"d4": {"PUSH_CONFIRMATION_REQUIRED", map[string]string{"push": `{"expiresAt":"2026-10-20T12:01:00Z","number":"42"}`}, []string{"cancel.push.authentication", "device.select"}},
		"d5": {"PUSH_CONFIRMATION_REQUIRED", map[string]string{"push": `{"expiresAt":"2026-10-20T12:01:00Z","number":"42"}`}, []string{"otp.check", "cancel.push.authentication", "device.select"}},
	} {
		t.Run(tt.status+id, func(t *testing.T) {
			v := visiting(t, town, `{"deviceSelection":"PROMPT_TO_SELECT"}`)
			v.enter()
			want := map[string]string{"bypassAllowed": "false", "devices": all, "_embedded.devices": all, "deviceAuthentication": `{"user":{"id":"u-ada"}}`}
			if id != "" {
				if _, err := v.does("device.select", flow.Values{"device": map[string]any{"id": id}}); err != nil {
					t.Fatal(err)
				}
				want["selectedDevice"] = `{"id":"` + id + `"}`
				want["deviceAuthentication"] = `{"selectedDevice":{"id":"` + id + `"},"user":{"id":"u-ada"}}`
			}
			for name, value := range tt.shows {
				want[name] = value
			}
			if v.status != tt.status {
				t.Fatalf("waits in %s", v.status)
			}
			if diff := cmp.Diff(want, v.shows()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.offers, v.offers()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatWasJustProvenIsNotAskedAgain(t *testing.T) {
	phone := sms("d1")
	proof := phone.Proof(false)
	for name, tt := range map[string]struct {
		proof  func(*flow.Proof)
		config string
		spared bool
	}{
		"in this execution":            {func(*flow.Proof) {}, `{}`, true},
		"of a session before":          {func(p *flow.Proof) { p.Origin = flow.FromSession }, `{}`, false},
		"by another":                   {func(p *flow.Proof) { p.Subject = "u-bob" }, `{}`, false},
		"by what is known":             {func(p *flow.Proof) { p.Factors = flow.Knowledge }, `{}`, false},
		"by what the policy has not":   {func(p *flow.Proof) { p.Method = "voice" }, `{}`, false},
		"by what the action has not":   {func(*flow.Proof) {}, `{"types":["TOTP"]}`, false},
		"by nothing that is a device":  {func(p *flow.Proof) { p.Method = "pwd" }, `{}`, false},
		"but a transaction is":         {func(*flow.Proof) {}, `{"template":{"name":"TRANSACTION"}}`, false},
		"where the action has it, too": {func(*flow.Proof) {}, `{"types":["SMS"]}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			town := newTown(phone, of(device.TOTP, "d2"))
			v := visiting(t, town, tt.config)
			p := proof
			tt.proof(&p)
			v.turn.Proofs = flow.Ledger{flow.PasswordProof(ada, now()), p}
			out := v.enter()
			if spared := out.Verdict == flow.Results && out.Name == "SUCCEEDED"; spared != tt.spared || len(out.Proofs) > 0 || spared == slices.Contains(town.calls, "challenge") {
				t.Errorf("came to %v after %v", out, town.calls)
			}
		})
	}
}

func TestARightAnswerIsAProof(t *testing.T) {
	town := newTown(sms("d1"), of(device.FIDO2, "d3"))
	for name, tt := range map[string]struct {
		device, action string
		in             flow.Values
		input          map[string]any
		amr            string
	}{
		"a code":                 {"d1", "otp.check", flow.Values{"otp": "246810"}, nil, "otp"},
		"an assertion":           {"d3", "assertion.check", flow.Values{"origin": "https://a", "assertion": "246810", "compatibility": "FULL"}, nil, "hwk"},
		"a code in a definition": {"d1", "otp.check", flow.Values{"otp": "246810"}, map[string]any{"user": map[string]any{"id": ada}}, "otp"},
	} {
		t.Run(name, func(t *testing.T) {
			v := visiting(t, town, `{}`)
			v.turn.Input = tt.input
			v.enter()
			if _, err := v.does("device.select", flow.Values{"device.id": tt.device}); err != nil {
				t.Fatal(err)
			}
			challenge := v.begin().Challenge()
			out, err := v.does(tt.action, tt.in)
			if err != nil || out.Name != "SUCCEEDED" || len(out.Proofs) != 1 || out.Proofs[0].AMR != tt.amr || out.Proofs[0].Subject != ada || out.Proofs[0].Authenticator != tt.device {
				t.Fatalf("%+v, %v", out, err)
			}
			if !slices.Contains(out.Events, flow.DeviceAccepted) || len(out.Users) > 0 {
				t.Errorf("events %v, users %v", out.Events, out.Users)
			}
			if tt.action == "assertion.check" && string(town.bytes) != string(challenge) {
				t.Error("what is signed is not what was shown")
			}
			if made := out.Outputs != nil; made != (tt.input != nil) {
				t.Errorf("outputs %v", out.Outputs)
			}
		})
	}
}

func TestAWrongAnswer(t *testing.T) {
	wrong := flow.Invalid(flow.Detail{Code: "INVALID_OTP", Target: "otp"})
	locks := flow.Invalid(flow.Detail{Code: "LIMIT_EXCEEDED", Target: "otp", Message: "locked for 2 minutes", Inner: map[string]any{"secondsUntilUnlock": 120}})
	for name, tt := range map[string]struct {
		verdict mfa.Verdict
		others  []device.Device
		want    string
		trouble string
	}{
		"is counted":                {mfa.Verdict{Fault: wrong}, nil, "OTP_REQUIRED", ""},
		"that says nothing":         {mfa.Verdict{}, nil, "OTP_REQUIRED", ""},
		"locks one of several":      {mfa.Verdict{Fault: locks, DeviceLocked: true, LockedUntil: now().Add(2 * time.Minute)}, []device.Device{of(device.TOTP, "d2")}, "DEVICE_SELECTION_REQUIRED", `{"code":"DEVICE_LOCKED","message":"locked for 2 minutes"}`},
		"locks the only one":        {mfa.Verdict{Fault: locks, DeviceLocked: true}, nil, "DEVICE_LOCKED", ""},
		"locks the account":         {mfa.Verdict{Fault: locks, AccountLocked: true}, []device.Device{of(device.TOTP, "d2")}, "MFA_LOCKED_OUT", ""},
		"that is one too many, yet": {mfa.Verdict{Fault: &flow.Fault{Code: flow.Limited}}, nil, "OTP_REQUIRED", ""},
	} {
		t.Run(name, func(t *testing.T) {
			town := newTown(sms("d1"))
			v := visiting(t, town, `{}`)
			v.enter()
			town.wrong, town.choice[ada] = tt.verdict, mfa.Choice{Devices: tt.others, Held: true, LockedUntil: tt.verdict.LockedUntil}
			out, err := v.does("otp.check", flow.Values{"otp": "000000"})
			if err != nil || len(out.Proofs) > 0 || len(out.Users) > 0 {
				t.Fatal(out, err)
			}
			got := out.Status
			if out.Verdict == flow.Fails {
				got = out.Failure.Code
			}
			if got != tt.want || out.Verdict == flow.Rejects && out.Fault == nil {
				t.Errorf("came to %q with %v, want %q", got, out.Fault, tt.want)
			}
			if tt.trouble != "" && v.shows()["error"] != tt.trouble {
				t.Errorf("shows the error %s", v.shows()["error"])
			}
		})
	}
}

func TestAForeignAccountIsRefused(t *testing.T) {
	v := visiting(t, newTown(sms("d1")), `{}`)
	v.turn.Input = map[string]any{"user": map[string]any{"id": "u-bob"}}
	if out := v.enter(); out.Failure == nil || out.Failure.Code != "USER_MISMATCH" {
		t.Error(out)
	}
	v.turn.Input = map[string]any{"user": map[string]any{"id": ada}, "webauthn": map[string]any{"compatibility": "SOME"}}
	if out := v.enter(); out.Failure == nil || out.Failure.Code != "INVALID_DATA" || out.Failure.Details[0].Target != "webauthn.compatibility" {
		t.Error(out)
	}
	v.turn.Input, v.turn.User = nil, flow.Subject{}
	if _, err := v.kind.Enter(t.Context(), v.begin()); err == nil {
		t.Error("somebody is asked who is nobody")
	}
}

func TestConfigurations(t *testing.T) {
	for config, want := range map[string]string{
		``:                          "",
		`{"useDefaultPolicy":true}`: "",
		`{"useDefaultPolicy":false,"deviceAuthenticationPolicy":{"id":"p"},"template":{"variant":"v"}}`: "",
		`{"useDefaultPolicy":false}`:         "deviceAuthenticationPolicy.id is required",
		`{"types":["PIGEON"]}`:               "no type of device",
		`{"device":"any"}`:                   "unknown field",
		`{"deviceAuthenticationPolicy":"p"}`: "cannot unmarshal",
	} {
		_, err := newTown().kind().Check(json.RawMessage(config))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

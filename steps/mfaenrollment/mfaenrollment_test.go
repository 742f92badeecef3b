package mfaenrollment_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/steps/mfaenrollment"
)

var (
	_ flow.Stepper = (*mfaenrollment.Kind)(nil)
	_ flow.Offerer = (*mfaenrollment.Kind)(nil)
	_ flow.Shower  = (*mfaenrollment.Kind)(nil)
	_ flow.Poller  = (*mfaenrollment.Kind)(nil)

	_ mfaenrollment.Service = (*mfa.Service)(nil)
)

func TestWhoMaySetUpADevice(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*town, *visit)
		config string
		want   string
	}{
		"who has signed on":             {func(*town, *visit) {}, `{}`, "DEVICE_ENROLLMENT_REQUIRED"},
		"who is only named":             {func(_ *town, v *visit) { v.turn.Proven = false }, `{}`, "USER_NOT_PROVEN"},
		"a candidate":                   {func(_ *town, v *visit) { v.turn.User, v.turn.Person = flow.Subject{}, flow.Candidate{UserID: ada} }, `{}`, "USER_NOT_PROVEN"},
		"somebody else":                 {func(_ *town, v *visit) { v.turn.Input = input("u-bob") }, `{}`, "USER_MISMATCH"},
		"who has one and has not shown": {func(s *town, _ *visit) { s.may, s.held = false, true }, `{"results":["STEP_UP_REQUIRED"]}`, "STEP_UP_REQUIRED!"},
		"who has none, long ago":        {func(s *town, _ *visit) { s.may = false }, `{"results":["STEP_UP_REQUIRED"]}`, "STEP_UP_REQUIRED"},
		"who has none, and no way":      {func(s *town, _ *visit) { s.may = false }, `{}`, "STEP_UP_REQUIRED!"},
		"who may add nothing":           {func(s *town, _ *visit) { s.types = nil }, `{}`, "NO_USABLE_DEVICES"},
		"who may add nothing of these":  {func(s *town, _ *visit) { s.types = []device.Type{device.SMS} }, `{"types":["TOTP"]}`, "NO_USABLE_DEVICES"},
	} {
		t.Run(name, func(t *testing.T) {
			town := newTown()
			v := visiting(t, town, tt.config)
			tt.change(town, v)
			out := v.enter()
			got := out.Status + out.Name
			if out.Failure != nil {
				if got = out.Failure.Code; strings.HasSuffix(tt.want, "!") {
					got += "!"
				}
			}
			if got != tt.want || len(out.Proofs) > 0 {
				t.Errorf("came to %q, want %q", got, tt.want)
			}
		})
	}
}

func input(user string) map[string]any { return map[string]any{"user": map[string]any{"id": user}} }

// Source: reference/flows.md 7.4, 8.4.
func TestWhatEachStatusShows(t *testing.T) {
	town := newTown()
	v := visiting(t, town, `{"useDefaultPolicy":true}`)
	v.turn.Fact = func(name string) any {
		return map[string]any{"user.email": "ada@example.com", "session.lastSignOn.at": now()}[name]
	}
	v.enter()
	types := `["SMS","EMAIL","TOTP","MOBILE","FIDO2","RECOVERY_CODE"]`
	first := map[string]string{
		"email": `"ada@example.com"`, "allowedTypes": types, "allowedtypes": types, "applications": `[{"id":"app","name":"Acme App"}]`, "promptForNicknameOnPairing": `["TOTP"]`,
		"mfaSettings": `{"pairing":{"maxAllowedDevices":5,"pairingKeyFormat":"ALPHANUMERIC"}}`,
	}
	if diff := cmp.Diff(first, v.shows()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"device.create", "device.skipEnrollment"}, v.offers()); diff != "" {
		t.Error(diff)
	}
	shown := func(kind, more string) string {
		return `{"id":"d9","type":"` + kind + `","status":"ACTIVATION_REQUIRED"` + more + `}`
	}
	active := strings.Replace(shown("RECOVERY_CODE", ""), "ACTIVATION_REQUIRED", "ACTIVE", 1)
	for kind, tt := range map[string]struct {
		in     flow.Values
		status string
		shows  map[string]string
		offers []string
	}{
		"SMS": {flow.Values{"type": "SMS", "phone": "+15550100", "nickname": "Work"}, "ACTIVATION_REQUIRED", map[string]string{
			"device": shown("SMS", `,"nickname":"Work","phone":"*******00"`), "address": "*******00",
		}, []string{"device.activate", "otp.resend", "device.delete"}},
		"TOTP": {flow.Values{"type": "TOTP"}, "ACTIVATION_REQUIRED", map[string]string{
			"device": shown("TOTP", ""), "totp": `{"secret":"` + seed + `","uri":"otpauth://totp/x"}`,
		}, []string{"device.activate", "device.delete"}},
		"FIDO2": {flow.Values{"type": "FIDO2", "rp": map[string]any{"id": "example.com", "name": "Example"}}, "ACTIVATION_REQUIRED", map[string]string{
			"device":                                 shown("FIDO2", `,"publicKeyCredentialCreationOptions":"vendor"`),
			"publicKeyCredentialCreationOptions":     `"vendor"`,
			"publicKeyCredentialCreationOptionsJSON": `{"name":"ada"}`,
		}, []string{"device.activate", "device.delete"}},
		"MOBILE": {flow.Values{"type": "MOBILE", "application": map[string]any{"id": "app"}}, "PAIRING_REQUIRED", map[string]string{
			"device": shown("MOBILE", ""), "pairingKey": `{"code":"` + pairingKey + `","expiresAt":"2026-10-20T12:01:00Z","uri":"doorward://pair?code=123456789012"}`,
		}, []string{"device.delete"}},
		"RECOVERY_CODE": {flow.Values{"type": "RECOVERY_CODE"}, "ACTIVATION_REQUIRED", map[string]string{"device": active}, []string{"device.activate", "device.delete"}},
	} {
		t.Run(kind, func(t *testing.T) {
			out, err := v.does("device.create", tt.in)
			if err != nil || out.Status != tt.status || !slices.Contains(out.Events, flow.DeviceCreated) {
				t.Fatal(out, err)
			}
			if diff := cmp.Diff(tt.shows, v.shows()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.offers, v.offers()); diff != "" {
				t.Error(diff)
			}
			for _, hidden := range []string{seed, pairingKey, "AAAAA", secret} {
				if strings.Contains(string(v.kept), hidden) {
					t.Errorf("keeps %s", v.kept)
				}
			}
			if once := len(out.Once) == 1 && string(out.Once[0].JSON) == `["AAAAA-BBBBB"]`; once != (kind == "RECOVERY_CODE") {
				t.Errorf("shows once %v", out.Once)
			}
			if out, err = v.does("device.delete", flow.Values{}); err != nil || out.Status != "DEVICE_ENROLLMENT_REQUIRED" || town.deleted[len(town.deleted)-1] != "d9" {
				t.Error(out, err, town.deleted)
			}
			if diff := cmp.Diff(first, v.shows()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

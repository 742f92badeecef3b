package mfaenrollment_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/runtime/flow"
	"doorward/steps/mfaenrollment"
)

func TestAFirstAnswerIsAProof(t *testing.T) {
	for kind, tt := range map[string]struct {
		in  flow.Values
		amr string
	}{
		"SMS":           {flow.Values{"otp": secret}, "otp"},
		"TOTP":          {flow.Values{"otp": secret}, "otp"},
		"FIDO2":         {flow.Values{"attestation": map[string]any{"id": "x"}, "origin": "https://a"}, ""},
		"FIDO2 as text": {flow.Values{"attestation": secret, "origin": "https://a"}, "hwk"},
		"RECOVERY_CODE": {flow.Values{}, ""},
	} {
		t.Run(kind, func(t *testing.T) {
			town := newTown()
			v := visiting(t, town, `{"useDefaultPolicy":true}`)
			v.turn.Input = input(ada)
			v.enter()
			is, _, _ := strings.Cut(kind, " ")
			if _, err := v.does("device.create", flow.Values{"type": is, "phone": "+15550100"}); err != nil {
				t.Fatal(err)
			}
			challenge := v.begin().Challenge()
			out, err := v.does("device.activate", tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if is != "RECOVERY_CODE" && string(town.given.Bytes) != string(challenge) {
				t.Error("what is signed is not what was shown")
			}
			if kind == "FIDO2" {
				if out.Verdict != flow.Rejects || town.given.Attestation != `{"id":"x"}` {
					t.Errorf("%v of %s", out, town.given.Attestation)
				}
				return
			}
			if out.Name != "ENROLLED" || (len(out.Proofs) == 1) != (tt.amr != "") || tt.amr != "" && (out.Proofs[0].AMR != tt.amr || out.Proofs[0].Authenticator != "d9") {
				t.Errorf("%+v", out)
			}
			if diff := cmp.Diff(map[string]any{"device": map[string]any{"id": "d9", "type": is}}, out.Outputs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	town := newTown()
	v := visiting(t, town, `{"required":true,"types":["SMS","FIDO2"]}`)
	v.enter()
	if got := v.offers(); slices.Contains(got, "device.skipEnrollment") {
		t.Error("what is required may be skipped", got)
	}
	if out, err := v.does("device.skipEnrollment", flow.Values{}); err == nil {
		t.Error("what is required is skipped", out)
	}
	for name, in := range map[string]flow.Values{
		"type":  {"type": "TOTP"},
		"phone": {"type": "SMS"},
		"admin": {"type": "SMS", "phone": "+15550100", "admin": true},
	} {
		var f *flow.Fault
		if out, err := v.does("device.create", in); !errors.As(err, &f) || f.Details[0].Target != name {
			t.Errorf("%v: %v, %v", in, out, err)
		}
	}
	town.may, town.held = false, true
	if out, err := v.does("device.create", flow.Values{"type": "SMS", "phone": "+15550100"}); err != nil || out.Failure == nil || out.Failure.Code != "STEP_UP_REQUIRED" {
		t.Error("a device is added long after the last proof", out, err)
	}
	town.may = true
	if _, err := v.does("device.create", flow.Values{"type": "SMS", "phone": "+15550100"}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.does("device.activate", flow.Values{}); err == nil || flow.AsFault(err).Details[0].Target != "otp" {
		t.Error("no code is a code", err)
	}
	if out, err := v.does("device.activate", flow.Values{"otp": "000000"}); err != nil || out.Verdict != flow.Rejects || out.Status != "ACTIVATION_REQUIRED" || out.Fault == nil {
		t.Error(out, err)
	}
	if out, err := v.does("otp.resend", flow.Values{}); err != nil || out.Status != "ACTIVATION_REQUIRED" || len(town.effects) != 1 {
		t.Error(out, err)
	}
	town.wrong.AccountLocked = true
	if out, err := v.does("device.activate", flow.Values{"otp": "000000"}); err != nil || out.Failure == nil || out.Failure.Code != "MFA_LOCKED_OUT" {
		t.Error(out, err)
	}
}

func TestItMayBeSkippedWhereItIsLet(t *testing.T) {
	v := visiting(t, newTown(), `{"useDefaultPolicy":true}`)
	v.enter()
	out, err := v.does("device.skipEnrollment", flow.Values{})
	if err != nil || out.Name != "SKIPPED" || len(out.Proofs)+len(out.Users) > 0 || !slices.Contains(out.Events, flow.EnrollmentSkipped) {
		t.Error(out, err)
	}
}

func TestPairingIsPolled(t *testing.T) {
	for name, tt := range map[string]struct {
		paired, outdone bool
		after           time.Duration
		due             bool
		want            string
	}{
		"not yet": {false, false, 0, false, "PAIRING_REQUIRED"}, "by an app": {true, false, 0, true, "ENROLLED"}, "too late": {false, false, time.Hour, true, "MOBILE_PAIRING_FAILURE"},
		"beside a device that came meanwhile": {true, true, 0, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			town := newTown()
			v := visiting(t, town, `{}`)
			v.enter()
			if _, err := v.does("device.create", flow.Values{"type": "MOBILE", "application.id": "app"}); err != nil {
				t.Fatal(err)
			}
			town.paired, town.outdone = tt.paired, tt.outdone
			at := v.begin()
			at.Now = now().Add(tt.after)
			if due, err := v.kind.Due(t.Context(), at); due != tt.due || err != nil {
				t.Error(due, err)
			}
			i := slices.IndexFunc(v.kind.Meta().Actions, func(a flow.Action) bool { return a.Name == flow.PollAction })
			out, err := v.kind.Meta().Actions[i].Run(t.Context(), at, flow.Values{})
			if err != nil || out.Status+out.Name != tt.want || (len(out.Proofs) == 1) != (tt.paired && !tt.outdone) {
				t.Fatal(out, err)
			}
			if tt.outdone && out.Failure.Code != "STEP_UP_REQUIRED" {
				t.Error(out.Failure)
			}
			if v.status, v.kept = out.Status, at.Kept(); v.status == "MOBILE_PAIRING_FAILURE" {
				if v.shows()["error"] == "" || !slices.Equal(v.offers(), []string{"device.create", "device.delete"}) {
					t.Error(v.shows(), v.offers())
				}
			}
		})
	}
}

// TestNoProofWithoutARightAnswer walks a node at random.
func TestNoProofWithoutARightAnswer(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		town := newTown()
		v := visiting(t, town, `{}`)
		v.enter()
		for range rapid.IntRange(1, 8).Draw(r, "submits") {
			offers := v.offers()
			if v.status == "PAIRING_REQUIRED" {
				offers = append(offers, flow.PollAction)
			}
			town.paired = rapid.Bool().Draw(r, "paired")
			name, said := rapid.SampledFrom(offers).Draw(r, "action"), rapid.SampledFrom([]string{secret, "000000", ""}).Draw(r, "said")
			in := map[string]flow.Values{
				"device.create":   {"type": string(rapid.SampledFrom(town.types).Draw(r, "type")), "phone": "+15550100", "application.id": "app"},
				"device.activate": {"otp": said, "attestation": said, "origin": "https://a"},
			}[name]
			out, err := v.does(name, in)
			right := name == "device.activate" && said == secret || name == flow.PollAction && town.paired
			if len(out.Users) > 0 || len(out.Proofs) > 0 && (!right || out.Proofs[0].Subject != ada) {
				r.Fatalf("%s with %v proves %+v", name, in, out)
			}
			if err == nil && (out.Verdict == flow.Results || out.Verdict == flow.Fails) {
				return
			}
		}
	})
}

func TestConfigurations(t *testing.T) {
	for config, want := range map[string]string{
		``:                           "",
		`{"useDefaultPolicy":true}`:  "",
		`{"useDefaultPolicy":false}`: "deviceAuthenticationPolicy.id is required",
		`{"types":["PIGEON"]}`:       "no type of device",
		`{"device":"any"}`:           "unknown field",
	} {
		_, err := mfaenrollment.New(nil, nil).Check(json.RawMessage(config))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

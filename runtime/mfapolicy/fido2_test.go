package mfapolicy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/document"
	"doorward/runtime/mfapolicy"
)

const fido2 = `{
	"name":"Keys","default":true,"relyingPartyId":"auth.example.com","deviceDisplayName":"Key","attestationRequirements":"DIRECT","authenticatorAttachment":"BOTH",
	"discoverableCredentials":"REQUIRED","userVerification":{"option":"REQUIRED","enforceDuringAuthentication":true},
	"backupEligibility":{"allow":false,"enforceDuringAuthentication":true},
	"mdsAuthenticatorsRequirements":{"option":"SPECIFIC","allowedAuthenticators":[{"id":"ee882879-721c-4913-9775-3dfcce97072a"}],"enforceDuringAuthentication":true},
	"userDisplayNameAttributes":{"attributes":[{"name":"email"},{"name":"name","subAttributes":[{"name":"given"},{"name":"family"}]}]},
	"publicKeyCredentialHints":["SECURITY_KEY","client-device"],"userPresenceTimeout":{"duration":90,"timeUnit":"SECONDS"},"relatedOrigins":["https://shop.example.org","https://a.example:8443"],
	"offer":{"enabled":false}
}`

func TestAFIDO2PolicyIsRead(t *testing.T) {
	got, err := mfapolicy.ReadFIDO2Policy([]byte(fido2))
	if err != nil {
		t.Fatal(err)
	}
	want := &mfapolicy.FIDO2Policy{
		Name: "Keys", Default: true, RelyingPartyID: "auth.example.com", DeviceDisplayName: "Key", Attestation: mfapolicy.Direct, Attachment: mfapolicy.AnyAttachment,
		Discoverable: mfapolicy.Required, DisplayName: [][]string{{"email"}, {"name.given", "name.family"}}, Hints: []string{"security-key", "client-device"},
		Timeout: 90 * time.Second, RelatedOrigins: []string{"https://shop.example.org", "https://a.example:8443"}, OfferDisabled: true,
	}
	want.UserVerification.Option, want.UserVerification.Enforced = mfapolicy.Required, true
	want.Backup.Enforced = true
	want.Authenticators.Option, want.Authenticators.Enforced = mfapolicy.Specific, true
	want.Authenticators.Allowed = [][16]byte{{0xee, 0x88, 0x28, 0x79, 0x72, 0x1c, 0x49, 0x13, 0x97, 0x75, 0x3d, 0xfc, 0xce, 0x97, 0x07, 0x2a}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFIDO2PolicyThatCannotBe(t *testing.T) {
	read := func(b []byte) error { _, err := mfapolicy.ReadFIDO2Policy(b); return err }
	for _, rule := range []struct{ path, value string }{
		{"name", "-"},
		{"relyingPartyId", "-"},
		{"relyingPartyId", `"https://auth.example.com"`},
		{"relyingPartyId", `"auth.example.com:443"`},
		{"relyingPartyId", `"Auth.example.com"`},
		{"relyingPartyId", `"-a.example"`},
		{"relyingPartyId", `"a..example"`},
		{"deviceDisplayName", "-"},
		{"attestationRequirements", `"INDIRECT"`},
		{"attestationRequirements", `"NONE"`}, // proves no model, and some are asked for
		{"authenticatorAttachment", `"ANY"`},
		{"discoverableCredentials", `"YES"`},
		{"userVerification.option", "-"},
		{"userVerification.option", `"ALWAYS"`},
		{"backupEligibility.allow", `"no"`},
		{"mdsAuthenticatorsRequirements.option", `"FIDO"`},
		{"mdsAuthenticatorsRequirements.allowedAuthenticators", `[]`},
		{"mdsAuthenticatorsRequirements.allowedAuthenticators", `[{"id":"yubikey"}]`},
		{"userDisplayNameAttributes.attributes", "-"},
		{"userDisplayNameAttributes.attributes", `[{}]`},
		{"publicKeyCredentialHints", `["NFC"]`},
		{"publicKeyCredentialHints", `[7]`},
		{"userPresenceTimeout", `{"duration":11,"timeUnit":"MINUTES"}`},
		{"relatedOrigins", `["http://shop.example"]`},
		{"relatedOrigins", `["https://shop.example/"]`},
		{"relatedOrigins", `["https://u@shop.example"]`},
		{"offer", "true"},
		{"offer.enabled", "-"},
		{"offer.enabled", `"no"`},
		{"offer.after", "1"},
		{"strange", "1"},
	} {
		faultAt(t, []byte(fido2), rule.path, rule.value, read)
	}
	var faults document.Faults
	if err := read([]byte(`{}`)); !errors.As(err, &faults) || len(faults) != 10 {
		t.Errorf("an empty one: %v", err)
	}
}

// FuzzRead: whatever is read, nothing panics; what was taken is within its ranges; and
// what was refused has a place.
func FuzzRead(f *testing.F) {
	f.Add(published(f))
	f.Add(whole(f))
	f.Add([]byte(fido2))
	f.Add([]byte(`{"sms":{"enabled":true,"otp":{"lifeTime":{"duration":1e308,"timeUnit":"MINUTES"}}}}`))
	f.Add([]byte(`{"pairing":{"maxAllowedDevices":-0.0}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := mfapolicy.ReadPolicy(body)
		judgeFaults(t, err)
		if err == nil {
			for _, s := range []mfapolicy.Sent{p.SMS, p.Voice, p.Email} {
				if s.Life <= 0 || s.Life > mfapolicy.MostLife || s.Length < 6 || s.Length > 10 || s.Failure.Count < 1 || s.Failure.Count > 100 || s.Failure.CoolDown < 0 {
					t.Errorf("%+v", s)
				}
			}
			if p.Name == "" || p.TOTP.Grace < 1 || p.TOTP.Grace > 10 || p.FIDO2.Failure.Count > 7 {
				t.Errorf("%+v", p)
			}
		}
		s, err := mfapolicy.ReadSettings(body)
		judgeFaults(t, err)
		if err == nil && (s.MaxDevices < 1 || s.MaxDevices > 15 || s.Lockout.Count > 100) {
			t.Errorf("%+v", s)
		}
		_, err = mfapolicy.ReadFIDO2Policy(body)
		judgeFaults(t, err)
	})
}

func judgeFaults(t *testing.T, err error) {
	t.Helper()
	var faults document.Faults
	if err != nil && (!errors.As(err, &faults) || len(faults) == 0) {
		t.Fatalf("not every fault: %v", err)
	}
	for _, f := range faults {
		if f.Path == "" || f.Message == "" {
			t.Errorf("%+v", f)
		}
	}
}

// TestModelsNeedAnAttestation: without one nobody knows which model it is.
func TestModelsNeedAnAttestation(t *testing.T) {
	for option, want := range map[mfapolicy.Authenticators]struct{ models, listed bool }{
		mfapolicy.AnyAuthenticator: {}, mfapolicy.AuditOnly: {}, mfapolicy.Specific: {true, false}, mfapolicy.Global: {true, true}, mfapolicy.Certified: {true, true},
	} {
		if option.Models() != want.models || option.Listed() != want.listed {
			t.Error(option)
		}
		for attestation, bad := range map[string]bool{"DIRECT": false, "NONE": want.models} {
			body := strings.NewReplacer(`"SPECIFIC"`, `"`+string(option)+`"`, `"attestationRequirements":"DIRECT"`, `"attestationRequirements":"`+attestation+`"`).Replace(fido2)
			p, err := mfapolicy.ReadFIDO2Policy([]byte(body))
			if (err != nil) != bad || err == nil && p.Authenticators.Option != option {
				t.Errorf("%s with %s: %+v, %v", option, attestation, p, err)
			}
		}
	}
}

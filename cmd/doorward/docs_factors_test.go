package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"doorward/demo"
	"doorward/runtime/mfapolicy"
)

// TestGoldenSecondFactors sends every request of docs/second-factors.md to the demo,
// with an application that computes codes and an authenticator that signs.
func TestGoldenSecondFactors(t *testing.T) {
	t.Parallel()
	f := &factors{docs: newDocs(t), passkey: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)}
	f.met = f.remember
	f.made["mailed code"], f.made["code of the app"] = f.posted, f.computed
	f.made["attestation"], f.made["assertion"] = f.attested, f.asserted
	asked := f.http(t)
	hold(t, "second-factors.md", guide{
		fence: func(info, content string) string { return f.hidden(asked(info, content)) },
		made: func(name string) string {
			switch name {
			case "action":
				return demoAction(t)
			case "numbers":
				return numberTable(t)
			}
			t.Fatalf("second-factors.md wants %q made", name)
			return ""
		},
	})
}

// demoAction is the one that asks for a device in the demo.
func demoAction(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../configs/demo/signOnPolicies/multi-factor.json")
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Actions []json.RawMessage }
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, p.Actions[len(p.Actions)-1], "", "  "); err != nil {
		t.Fatal(err)
	}
	return "```json\n" + out.String() + "\n```\n"
}

// numberTable is the numbers of policies, as they are where a document says nothing.
func numberTable(t *testing.T) string {
	t.Helper()
	p, f, s := mfapolicy.Default(), mfapolicy.DefaultFIDO2(""), mfapolicy.DefaultSettings()
	said, err := mfapolicy.ReadPolicy(json.RawMessage(`{"name":"P","authentication":{"deviceSelection":"DEFAULT_TO_FIRST"},"sms":{"enabled":false},
		"voice":{"enabled":false},"email":{"enabled":false},"totp":{"enabled":false},"mobile":{"enabled":true,"applications":[{"id":"a"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	app := said.Mobile.Applications[0]
	var b strings.Builder
	for _, part := range []struct {
		of   string
		rows [][3]any
	}{
		{"MFA policy", [][3]any{
			{"`authentication.deviceSelection`", "`DEFAULT_TO_FIRST`, `PROMPT_TO_SELECT`, `ALWAYS_DISPLAY_DEVICES`", p.Selection},
			{"`sms`, `voice`, `email`: `otp.lifeTime`", "1 s to 30 min", p.Email.Life},
			{"`….otp.otpLength`", "6 to 10 digits", p.Email.Length},
			{"`….otp.failure.count`, also of `totp`, `mobile`, `oathToken`; `recoveryCode.failure.count`", "1 to 100", p.TOTP.Failure.Count},
			{"`….failure.coolDown` of these", "0, or up to 24 h", p.TOTP.Failure.CoolDown},
			{"`totp.passcodeGracePeriod`", "1 to 10 codes early or late", p.TOTP.Grace},
			{"`fido2.failure.count`", "1 to 7", p.FIDO2.Failure.Count},
			{"`fido2.failure.coolDown`", "2 to 30 min", p.FIDO2.Failure.CoolDown},
			{"`mobile.otp.window.stepSize`", "30 or 60 s", p.Mobile.Step},
			{"`mobile.applications[].pushTimeout`", "40 to 150 s", app.PushTimeout},
			{"`….pushLimit`: `count` in `timePeriod`", "1 to 50, in 1 to 120 min", fmt.Sprintf("%d in %s", app.PushLimit.Count, span(app.PushLimit.Period))},
			{"`….pushLimit.lockDuration`", "1 to 120 min", app.PushLimit.Lock},
			{"`….pairingKeyLifetime`", "1 min to 48 h", app.PairingKeyLife},
			{"`rememberMe.web.lifeTime`", "1 h to 90 days", map[bool]string{false: "off"}[p.RememberMe.Enabled]},
			{"`recoveryCode.enabled`, ours", "`true`, `false`", p.Recovery.Enabled},
		}},
		{"FIDO2 policy", [][3]any{
			{"`userVerification.option`", "`DISCOURAGED`, `PREFERRED`, `REQUIRED`", f.UserVerification.Option},
			{"`userVerification.enforceDuringAuthentication`", "`true`, `false`: at every sign-on too", f.UserVerification.Enforced},
			{"`discoverableCredentials`", "as above", f.Discoverable},
			{"`authenticatorAttachment`", "`PLATFORM`, `CROSS_PLATFORM`, `BOTH`", f.Attachment},
			{"`attestationRequirements`", "`DIRECT`, `NONE`", f.Attestation},
			{"`backupEligibility.allow`", "`true`, `false`: synced passkeys", f.Backup.Allowed},
			{"`userPresenceTimeout`", "1 to 10 min", f.Timeout},
		}},
		{"MFA settings", [][3]any{
			{"`pairing.maxAllowedDevices`", "1 to 15", s.MaxDevices},
			{"`pairing.pairingKeyFormat`", "`NUMERIC`, `ALPHANUMERIC`", s.PairingKeyFormat},
			{"`lockout.failureCount`", "1 to 100", s.Lockout.Count},
			{"`lockout.durationSeconds`", "0 (until it is lifted) to 31 days", s.Lockout.CoolDown},
		}},
	} {
		fmt.Fprintf(&b, "| %s | takes | where nothing is said |\n|---|---|---|\n", part.of)
		for _, r := range part.rows {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", r[0], r[1], inWords(r[2]))
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// inWords is a value as a table has it.
func inWords(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return span(v)
	case int, string:
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("`%v`", v)
}

func span(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// factors has what somebody has who signs on with devices.
type factors struct {
	*docs
	codes   int    // that were mailed
	seed    string // of the application, in base32
	used    int    // codes of it
	passkey virtualwebauthn.Credential
	handle  []byte // the person's, as the authenticator keeps it
	options struct {
		Challenge string
		User      struct{ ID string }
	}
}

// remember keeps what an answer says of devices.
func (f *factors) remember(status int, answer map[string]any) {
	links, _ := answer["_links"].(map[string]any)
	if status == 200 && links["otp.resend"] != nil { // and nothing else on the page sends one
		f.codes++
	}
	if t, ok := answer["totp"].(map[string]any); ok {
		f.seed, _ = t["secret"].(string)
		f.known["seed"] = f.seed
	}
	if codes, ok := answer["recoveryCodes"].([]any); ok {
		f.known["recovery code"], _ = codes[0].(string)
	}
	listed, _ := answer["devices"].([]any)
	for _, each := range append(listed, answer["device"]) {
		if d, ok := each.(map[string]any); ok {
			kind, _ := d["type"].(string)
			f.known[strings.ToLower(kind)], _ = d["id"].(string)
		}
	}
	for _, member := range []string{"publicKeyCredentialCreationOptionsJSON", "publicKeyCredentialRequestOptionsJSON"} {
		if m, ok := answer[member]; ok {
			b, _ := json.Marshal(m)
			_ = json.Unmarshal(b, &f.options)
		}
	}
	if f.options.User.ID != "" {
		f.handle, _ = base64.RawURLEncoding.DecodeString(f.options.User.ID)
	}
}

// posted is the code that was mailed last, once all have come.
func (f *factors) posted(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var codes []demo.Mail
		for _, m := range f.outbox(t) {
			if m.Template == "otp" {
				codes = append(codes, m)
			}
		}
		if len(codes) == f.codes && f.codes > 0 {
			return regexp.MustCompile(`\b\d{3} \d{3}\b`).FindString(codes[0].Text)
		}
	}
	t.Fatalf("%d codes should have been mailed", f.codes)
	return ""
}

// computed is a code of the application: as each is good once, the next one follows
// half a minute later, and is taken early.
func (f *factors) computed(t *testing.T) string {
	t.Helper()
	code, err := totp.GenerateCode(f.seed, time.Now().Add(time.Duration(f.used)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	f.used++
	return code
}

// authenticator is one that verifies the person. What it signs is for the node at its
// own address.
func (f *factors) authenticator() (virtualwebauthn.RelyingParty, virtualwebauthn.Authenticator) {
	return virtualwebauthn.RelyingParty{ID: "localhost", Name: "Demo", Origin: f.node.Base},
		virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: f.handle, BackupEligible: true, BackupState: true})
}

func (f *factors) challenge(t *testing.T) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(f.options.Challenge)
	if err != nil || len(b) == 0 {
		t.Fatalf("the last answer has no challenge: %v", err)
	}
	return b
}

func (f *factors) attested(t *testing.T) string {
	t.Helper()
	party, a := f.authenticator()
	return virtualwebauthn.CreateAttestationResponse(party, a, f.passkey, virtualwebauthn.AttestationOptions{
		Challenge: f.challenge(t), RelyingPartyID: party.ID, UserID: string(f.handle),
	})
}

func (f *factors) asserted(t *testing.T) string {
	t.Helper()
	party, a := f.authenticator()
	f.passkey.Counter++
	return virtualwebauthn.CreateAssertionResponse(party, a, f.passkey, virtualwebauthn.AssertionOptions{Challenge: f.challenge(t), RelyingPartyID: party.ID})
}

// hidden puts names in place of what one run makes of devices.
func (*factors) hidden(s string) string {
	for _, r := range []struct{ from, to string }{
		{`"[A-Z2-9]{5}-[A-Z2-9]{5}"`, `"{recovery code}"`},
		{`("id": )"[\w-]{86}"`, `$1"{user handle}"`},
		{`(\\"id\\":)\[[-\d,]{150,}\]`, `$1[{user handle}]`},
		{`("id": )"[\w-]{43}"`, `$1"{credential}"`},
		{`(\\"id\\":)\[[-\d,]{60,}\]`, `$1[{credential}]`},
	} {
		s = regexp.MustCompile(r.from).ReplaceAllString(s, r.to)
	}
	return s
}

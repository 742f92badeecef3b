package configs_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"doorward/configs"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
	"doorward/steps/mfaenrollment"
)

// factors is an MFA policy with more members.
func factors(name, more string) string {
	const off = `{"enabled":false}`
	return `{"name":"` + name + `","sms":` + off + `,"voice":` + off + `,"email":` + off + `,"totp":{"enabled":true}` + more + `}`
}

const passkeys = `{"name":"Keys","deviceDisplayName":"Key","attestationRequirements":"NONE","authenticatorAttachment":"BOTH","discoverableCredentials":"REQUIRED",
	"userVerification":{"option":"REQUIRED","enforceDuringAuthentication":true},"backupEligibility":{"allow":true,"enforceDuringAuthentication":false},
	"mdsAuthenticatorsRequirements":{"option":"NONE","enforceDuringAuthentication":false},"userDisplayNameAttributes":{"attributes":[{"name":"username"}]}}`

func TestAnEnvironmentWithoutPoliciesHasWhatIsBuiltIn(t *testing.T) {
	b := newDesk(t, nil).bundle()
	p, ok := b.MFAPolicy("")
	if !ok || !p.Enabled(device.TOTP) || p.Enabled(device.Voice) {
		t.Errorf("%+v", p)
	}
	f, ok := b.FIDO2Policy("")
	if !ok || f.RelyingPartyID != "auth.example" {
		t.Errorf("%+v", f)
	}
	if diff := cmp.Diff(mfapolicy.DefaultSettings(), b.MFASettings()); diff != "" {
		t.Error(diff)
	}
	if _, ok := b.MFAPolicy(nothing); ok {
		t.Error("there is a policy of an id that is none's")
	}
}

func TestANewEnvironmentHasPoliciesForDevices(t *testing.T) {
	d := newDesk(t, nil)
	made, err := d.CreateEnvironment(t.Context(), []byte(`{"name":"New-Env","authBase":"http://localhost:8080"}`))
	if err != nil {
		t.Fatal(err)
	}
	r := configs.NewRegistry(d.store, kinds(), "https://auth.example")
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, _ := r.Bundle(made.ID)
	for _, name := range []string{"deviceAuthenticationPolicy", "fido2Policy"} {
		if list, err := d.List(t.Context(), made.ID, kind(t, name), nil); err != nil || len(list) != 1 || !strings.Contains(string(list[0].Body), `"default":true`) {
			t.Errorf("%s: %v %v", name, list, err)
		}
	}
	p, _ := b.MFAPolicy("")
	builtin := mfapolicy.Default()
	builtin.ID = p.ID
	if diff := cmp.Diff(builtin, p); diff != "" || p.ID == "" {
		t.Error(diff)
	}
	f, _ := b.FIDO2Policy("")
	standard := mfapolicy.DefaultFIDO2("localhost")
	standard.ID = f.ID
	if diff := cmp.Diff(standard, f); diff != "" || f.ID == "" {
		t.Error(diff)
	}
	want := configs.RelyingParty{ID: "localhost", Name: "New-Env", Origins: []string{"http://localhost:8080"}}
	if diff := cmp.Diff(want, b.Party()); diff != "" {
		t.Error(diff)
	}
}

func TestThePublishedPolicyIsTaken(t *testing.T) {
	d := newDesk(t, nil)
	body, err := os.ReadFile("testdata/comp-device-authentication-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	id := d.make("deviceAuthenticationPolicy", string(body))
	shown := d.body("deviceAuthenticationPolicy", id)
	if shown["forSignOnPolicy"] != false || shown["default"] != true {
		t.Error(shown)
	}
	again, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Replace(t.Context(), env, kind(t, "deviceAuthenticationPolicy"), nil, id, again); err != nil {
		t.Errorf("what was shown may be sent back: %v", err)
	}
	p, ok := d.bundle().MFAPolicy("")
	if !ok || p.ID != id || p.SMS.Life != 30*time.Minute {
		t.Errorf("%+v", p)
	}
}

func TestAPolicyMayTakeCodesOfAnApplicationAndTellBySMS(t *testing.T) {
	d := newDesk(t, nil)
	id := d.make("deviceAuthenticationPolicy", factors("A", `,"default":true,"newDeviceNotification":"SMS_THEN_EMAIL","mobile":{"enabled":true,"otp":{"window":{"stepSize":{"duration":60,"timeUnit":"SECONDS"}}},
		"applications":[{"id":"`+native+`","otp":{"enabled":true}}]}`))
	p, _ := d.bundle().MFAPolicy(id)
	if app, ok := p.Mobile.Application(native); !ok || !app.OTP || p.Mobile.Step != time.Minute || p.NewDeviceNotice != mfapolicy.SMSThenEmail {
		t.Errorf("%+v", p)
	}
}

func TestThereIsOneDefaultMFAPolicy(t *testing.T) {
	d := newDesk(t, nil)
	k := kind(t, "deviceAuthenticationPolicy")
	_, err := d.Create(t.Context(), env, k, nil, []byte(factors("A", `,"mobile":{"enabled":false}`)))
	wants(t, err, "CONSTRAINT_VIOLATION /default: takes true")
	first := d.make("deviceAuthenticationPolicy", factors("A", `,"mobile":{"enabled":false},"default":true`))
	second := d.make("deviceAuthenticationPolicy", factors("B", `,"mobile":{"enabled":false},"default":"true"`))
	if p, _ := d.bundle().MFAPolicy(""); p.ID != second {
		t.Errorf("the default is %s, want %s", p.ID, second)
	}
	if p, ok := d.bundle().MFAPolicy(first); !ok || p.Default {
		t.Errorf("%+v", p)
	}
	_, err = d.Replace(t.Context(), env, k, nil, second, []byte(factors("B", `,"mobile":{"enabled":false},"default":false`)))
	wants(t, err, "CONSTRAINT_VIOLATION /default: takes true")
	wants(t, d.Remove(t.Context(), env, k, nil, second), "CONSTRAINT_VIOLATION : is the default one")
	if err := d.Remove(t.Context(), env, k, nil, first); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotDoneForDevicesIsRefused(t *testing.T) {
	d := newDesk(t, nil)
	app := func(id, more string) string {
		return `,"default":true,"mobile":{"enabled":true,"applications":[{"id":"` + id + `"` + more + `}]}`
	}
	for name, row := range map[string]struct{ kind, body, want string }{
		"a notifications policy":         {"deviceAuthenticationPolicy", factors("A", app(native, "")+`,"notificationsPolicy":{"id":"x"}`), "INVALID_VALUE /notificationsPolicy: is not done"},
		"integrity":                      {"deviceAuthenticationPolicy", factors("A", app(native, `,"integrityDetection":"permissive"`)), "INVALID_VALUE /mobile/applications/0/integrityDetection: is not done"},
		"a device alone":                 {"deviceAuthenticationPolicy", factors("A", app(native, `,"deviceAuthorization":{"enabled":true,"extraVerification":"restrictive"}`)), "INVALID_VALUE /mobile/applications/0/deviceAuthorization: is not done"},
		"fingers":                        {"deviceAuthenticationPolicy", factors("A", app(native, `,"biometricsEnabled":true`)), "INVALID_VALUE /mobile/applications/0/biometricsEnabled: is not done"},
		"an application of the web":      {"deviceAuthenticationPolicy", factors("A", app(web, "")), "INVALID_VALUE /mobile/applications/0/id: takes an application of the type NATIVE_APP"},
		"an application that is nowhere": {"deviceAuthenticationPolicy", factors("A", app(nothing, "")), "INVALID_VALUE /mobile/applications/0/id: there is no such application"},
		"passkeys of nowhere":            {"deviceAuthenticationPolicy", factors("A", app(native, "")+`,"fido2":{"enabled":true,"fido2PolicyId":"`+nothing+`"}`), "INVALID_VALUE /fido2/fido2PolicyId: there is no such FIDO2 policy"},
		"messages of nowhere":            {"deviceAuthenticationPolicy", factors("A", app(native, "")+`,"whatsApp":{"enabled":true}`), "INVALID_VALUE /whatsApp: cannot be enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Create(t.Context(), env, kind(t, row.kind), nil, []byte(row.body))
			wants(t, err, row.want)
		})
	}
	_, err := d.Replace(t.Context(), env, kind(t, "mfaSettings"), nil, "", []byte(`{"phoneExtensions":{"enabled":true},"pairing":{"maxAllowedDevices":16}}`))
	wants(t, err, "OUT_OF_RANGE /pairing/maxAllowedDevices")
	_, err = d.Replace(t.Context(), env, kind(t, "mfaSettings"), nil, "", []byte(`{"phoneExtensions":{"enabled":true}}`))
	wants(t, err, "INVALID_VALUE /phoneExtensions/enabled: takes false")
}

func TestSettingsStandUntilTheyAreReset(t *testing.T) {
	d := newDesk(t, nil)
	settings := kind(t, "mfaSettings")
	standing := d.body("mfaSettings", "")
	if diff := cmp.Diff(map[string]any{"maxAllowedDevices": 5.0, "pairingKeyFormat": "ALPHANUMERIC"}, standing["pairing"]); diff != "" {
		t.Error(diff)
	}
	b, err := json.Marshal(standing)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := mfapolicy.ReadSettings(b); err != nil || *s != *mfapolicy.DefaultSettings() {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := d.Replace(t.Context(), env, settings, nil, "", []byte(`{"pairing":{"maxAllowedDevices":3,"pairingKeyFormat":"NUMERIC"},"lockout":{"failureCount":9,"durationSeconds":600},"users":{"mfaEnabled":true}}`)); err != nil {
		t.Fatal(err)
	}
	got := d.bundle().MFASettings()
	if got.MaxDevices != 3 || got.Lockout != (mfapolicy.Failure{Count: 9, CoolDown: 10 * time.Minute}) || !got.MFAEnabledByDefault {
		t.Errorf("%+v", got)
	}
	for range 2 {
		if err := d.Remove(t.Context(), env, settings, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(standing, d.body("mfaSettings", "")); diff != "" {
		t.Error(diff)
	}
}

func TestPoliciesThatAreNamedStay(t *testing.T) {
	d := newDesk(t, nil)
	keys := d.make("fido2Policy", strings.Replace(passkeys, "{", `{"default":true,`, 1))
	other := d.make("fido2Policy", strings.Replace(passkeys, `"Keys"`, `"Others"`, 1))
	d.make("deviceAuthenticationPolicy", factors("A", `,"default":true,"mobile":{"enabled":false}`))
	p := d.make("deviceAuthenticationPolicy", factors("B", `,"mobile":{"enabled":true,"applications":[{"id":"`+native+`"}]},"fido2":{"enabled":true,"fido2PolicyId":"`+other+`"}`))
	for name, id := range map[string]string{"fido2Policy": other, "application": native} {
		var held *configs.Referenced
		if err := d.Remove(t.Context(), env, kind(t, name), nil, id); !errors.As(err, &held) || held.By[0].ID != p {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := d.bundle()
	served, _ := b.MFAPolicy(p)
	if f, ok := b.FIDO2Policy(served.FIDO2.Policy); !ok || f.ID != other {
		t.Errorf("%+v", f)
	}
	if f, _ := b.FIDO2Policy(""); f.ID != keys {
		t.Errorf("%+v", f)
	}
}

func TestAPolicyOfAnActionMustBeThereAndStays(t *testing.T) {
	d := newDesk(t, nil)
	policy := d.make("signOnPolicy", `{"name":"Two factors"}`)
	d.make("signOnPolicyAction/"+policy, `{"type":"LOGIN","priority":1}`)
	d.make("deviceAuthenticationPolicy", factors("A", `,"default":true,"mobile":{"enabled":false}`))
	named := d.make("deviceAuthenticationPolicy", factors("B", `,"mobile":{"enabled":false}`))
	second := func(id string) error {
		_, err := d.Create(t.Context(), env, kind(t, "signOnPolicyAction"), []string{policy}, []byte(`{"type":"MULTI_FACTOR_AUTHENTICATION","priority":2,"deviceAuthenticationPolicy":{"id":"`+id+`"}}`))
		return err
	}
	wants(t, second(nothing), "INVALID_VALUE /deviceAuthenticationPolicy/id: there is no such MFA policy")
	if err := second(named); err != nil {
		t.Fatal(err)
	}
	var held *configs.Referenced
	if err := d.Remove(t.Context(), env, kind(t, "deviceAuthenticationPolicy"), nil, named); !errors.As(err, &held) || held.By[0].ID != policy {
		t.Error(err)
	}
}

func TestPasskeysAreForTheHostAndForWhomApplicationsName(t *testing.T) {
	const hash = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
	with := func(more string) map[string]string {
		return edit(t, "demo/applications/native.json", `"enabled": true`, `"enabled": true, "passkeys": `+more)
	}
	b := newDesk(t, with(`{"origins":["https://app.auth.example","http://localhost:3000"],"androidKeyHashes":["`+hash+`"]}`)).bundle()
	want := configs.RelyingParty{ID: "auth.example", Name: "Demo", Origins: []string{"https://auth.example", "android:apk-key-hash:" + hash, "http://localhost:3000", "https://app.auth.example"}}
	if diff := cmp.Diff(want, b.Party()); diff != "" {
		t.Error(diff)
	}
	off := with(`{"origins":["https://app.auth.example"]}`)
	for path, text := range off {
		off[path] = strings.Replace(text, `"enabled": true`, `"enabled": false`, 1)
	}
	if got := newDesk(t, off).bundle().Party().Origins; len(got) != 1 {
		t.Errorf("an application that is switched off adds %v", got)
	}
	for more, want := range map[string]string{
		`{"origins":["http://app.example"]}`:    "$.passkeys.origins[0]: takes https",
		`{"origins":["https://app.example/x"]}`: "$.passkeys.origins[0]: takes https://host",
		`{"androidKeyHashes":["AB:CD"]}`:        "$.passkeys.androidKeyHashes[0]: takes the SHA-256",
		`{"hashes":[]}`:                         "$.passkeys.hashes: is no member here",
	} {
		if _, err := configs.Load(demo(t, with(more)), kinds()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", more, err)
		}
	}
	onTheWeb := edit(t, "demo/applications/web.json", `"enabled"`, `"passkeys": {"androidKeyHashes":["`+hash+`"]}, "enabled"`)
	if _, err := configs.Load(demo(t, onTheWeb), kinds()); err == nil || !strings.Contains(err.Error(), "are for NATIVE_APP alone") {
		t.Error(err)
	}
}

func TestARelyingPartyOfNoPageIsWarnedOf(t *testing.T) {
	for party, doubted := range map[string]bool{"sign.example.com": false, "example.com": false, "other.com": true, "on.sign.example.com": true, "ample.com": true} {
		d := newDesk(t, edit(t, "demo/environment.json", `"{base}"`, `"https://sign.example.com"`))
		item, err := d.Create(t.Context(), env, kind(t, "fido2Policy"), nil, []byte(strings.Replace(passkeys, "{", `{"default":true,"relyingPartyId":"`+party+`",`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if doubted != (len(item.Warnings) == 1 && item.Warnings[0].Finding == configs.RelyingPartyElsewhere) {
			t.Errorf("%s: %v", party, item.Warnings)
		}
	}
}

func TestFilesHoldPoliciesForDevices(t *testing.T) {
	const id = "d0000000-0000-4000-8000-0000000000f2"
	files := demo(t, nil)
	files["demo/deviceAuthenticationPolicies/a.json"] = &fstest.MapFile{Data: []byte(strings.Replace(factors("A", `,"default":true,"mobile":{"enabled":false}`), "{", `{"id":"`+id+`",`, 1))}
	files["demo/mfaSettings.json"] = &fstest.MapFile{Data: []byte(`{"pairing":{"maxAllowedDevices":7,"pairingKeyFormat":"NUMERIC"}}`)}
	m := newMemory()
	apply(t, m, files)
	b, _ := serve(t, m).Bundle(env)
	if p, _ := b.MFAPolicy(""); p.ID != id || b.MFASettings().MaxDevices != 7 {
		t.Errorf("%+v %+v", p, b.MFASettings())
	}
	files["demo/deviceAuthenticationPolicies/a.json"].Data = []byte(strings.Replace(string(files["demo/deviceAuthenticationPolicies/a.json"].Data), `"default":true`, `"default":false`, 1))
	if _, err := configs.Load(files, kinds()); err == nil || !strings.Contains(err.Error(), `demo/deviceAuthenticationPolicies: $: needs one file with "default": true, not 0`) {
		t.Error(err)
	}
}

func TestSitesThatMayUsePasskeysAreToldToBrowsers(t *testing.T) {
	files := edit(t, "demo/applications/native.json", `"enabled": true`, `"enabled": true, "passkeys": {"origins":["https://app.example"],"androidKeyHashes":["n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"]}`)
	d := newDesk(t, files)
	d.make("fido2Policy", strings.Replace(passkeys, "{", `{"default":true,"relatedOrigins":["https://shop.example"],`, 1))
	d.make("fido2Policy", strings.NewReplacer(`"Keys"`, `"Elsewhere"`, `"deviceDisplayName"`, `"relyingPartyId":"other.example","relatedOrigins":["https://not.example"],"deviceDisplayName"`).Replace(passkeys))
	r := configs.NewRegistry(d.store, kinds(), "https://auth.example")
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string][]string{
		"auth.example": {"https://app.example", "https://auth.example", "https://shop.example"}, "AUTH.example:443": {"https://app.example", "https://auth.example", "https://shop.example"},
		"other.example": {"https://app.example", "https://auth.example", "https://not.example"}, "nobody.example": nil, "": nil,
	} {
		name, got := r.RelatedOrigins(host)
		if diff := cmp.Diff(want, got); diff != "" || want != nil && !strings.HasPrefix(strings.ToLower(host), name) {
			t.Errorf("%s: %s", host, diff)
		}
	}
}

// unaware sets passkeys up and knows no models of authenticators.
type unaware struct{ mfaenrollment.Service }

func (unaware) KnowsModels() bool { return false }

// TestModelsAreGoneByWhereTheyAreKnown: a server without the file of the FIDO Metadata
// Service would refuse every authenticator.
func TestModelsAreGoneByWhereTheyAreKnown(t *testing.T) {
	for _, option := range []string{"GLOBAL", "CERTIFIED"} {
		body := strings.NewReplacer(`{"option":"NONE"`, `{"option":"`+option+`"`, `"attestationRequirements":"NONE"`, `"attestationRequirements":"DIRECT"`).Replace(passkeys)
		body = strings.TrimSuffix(body, "}") + `,"default":true}`
		d := newDesk(t, nil)
		id := d.make("fido2Policy", body)
		if p, ok := d.bundle().FIDO2Policy(id); !ok || string(p.Authenticators.Option) != option {
			t.Errorf("%+v", p)
		}
		without := slices.DeleteFunc(kinds(), func(k flow.Kind) bool { return k.Meta().Name == "MFA_ENROLLMENT" })
		d.Editor = configs.NewEditor(d.store, append(without, mfaenrollment.New(unaware{}, nil)), "https://auth.example", func() time.Time { return d.now }, uuid.NewString)
		_, err := d.Create(t.Context(), env, kind(t, "fido2Policy"), nil, []byte(strings.Replace(body, `"Keys"`, `"More keys"`, 1)))
		wants(t, err, "INVALID_VALUE /mdsAuthenticatorsRequirements/option: takes NONE, AUDIT_ONLY or SPECIFIC: this server was started without --fido-metadata")
	}
}

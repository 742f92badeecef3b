package mfapolicy_test

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/device"
	"doorward/runtime/document"
	"doorward/runtime/mfapolicy"
)

// published is the default policy of the reference. Source:
// reference/examples/management/comp-device-authentication-policy.json.
func published(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/comp-device-authentication-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// with is a body in which the member at a path of names is another; "-" takes it out.
// A number among the names counts the elements of a list.
func with(t testing.TB, body []byte, path, value string) []byte {
	t.Helper()
	if path == "" {
		return body
	}
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	names := strings.Split(path, ".")
	at := doc
	for _, name := range names[:len(names)-1] {
		if i, err := strconv.Atoi(name); err == nil {
			at = at.([]any)[i]
			continue
		}
		m := at.(map[string]any)
		if m[name] == nil {
			m[name] = map[string]any{}
		}
		at = m[name]
	}
	m, last := at.(map[string]any), names[len(names)-1]
	if value == "-" {
		delete(m, last)
	} else {
		var v any
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			t.Fatal(value, err)
		}
		m[last] = v
	}
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestThePublishedPolicyIsRead(t *testing.T) {
	got, err := mfapolicy.ReadPolicy(published(t))
	if err != nil {
		t.Fatal(err)
	}
	sent := mfapolicy.Sent{Enabled: true, Life: 30 * time.Minute, Length: 6, Failure: mfapolicy.Failure{Count: 3}}
	call := sent
	call.Enabled = false
	cool := mfapolicy.Failure{Count: 3, CoolDown: 2 * time.Minute}
	want := &mfapolicy.Policy{
		Name: "Default MFA Policy", Default: true, Selection: mfapolicy.DefaultToFirst, NewDeviceNotice: mfapolicy.NoNotice,
		SMS: sent, Email: sent, Voice: call,
		TOTP:   mfapolicy.TOTP{Enabled: true, Failure: cool, Grace: 5},
		Mobile: mfapolicy.Mobile{Enabled: true, Failure: cool, Step: 30 * time.Second},
		FIDO2:  mfapolicy.FIDO2{Enabled: true, Failure: cool, Platform: true, SecurityKey: true}, OathToken: mfapolicy.OathToken{Failure: cool},
		Recovery: mfapolicy.Recovery{Enabled: true, Failure: cool},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryTypeIsEnabledByItsOwnMember(t *testing.T) {
	members := map[device.Type]string{
		device.SMS: "sms", device.Voice: "voice", device.Email: "email", device.TOTP: "totp", device.Mobile: "mobile", device.FIDO2: "fido2",
		device.OathToken: "oathToken", device.Recovery: "recoveryCode",
	}
	for of, member := range members {
		for _, enabled := range []string{"true", "false"} {
			for _, disabled := range []string{"true", "false"} {
				p, err := mfapolicy.ReadPolicy(with(t, with(t, published(t), member+".enabled", enabled), member+".pairingDisabled", disabled))
				if err != nil {
					t.Fatal(err)
				}
				if p.Enabled(of) != (enabled == "true") || p.Pairs(of) != (enabled == "true" && disabled == "false") {
					t.Errorf("%s enabled %s, pairing disabled %s: enabled %v, pairs %v", of, enabled, disabled, p.Enabled(of), p.Pairs(of))
				}
				if of == device.FIDO2 && p.Enabled(device.Platform) != p.Enabled(of) {
					t.Error("PLATFORM is not as FIDO2")
				}
			}
		}
	}
	if p := mfapolicy.Default(); p.Enabled("FAX") || p.Pairs("FAX") || p.Failure("FAX") != (mfapolicy.Failure{}) || p.Prompts("FAX") {
		t.Error("a type that there is not is enabled")
	}
}

// numbers are the rules about numbers, each with what is just within and just outside.
// Source: reference/flows.md 8.1.
var numbers = []struct {
	path      string
	good, bad []string
}{
	{"sms.otp.otpLength", []string{"6", "10", "6.0"}, []string{"5", "11", "6.5", `"6"`, "-6", "1e9"}},
	{"voice.otp.otpLength", []string{"6", "10"}, []string{"5", "11"}},
	{"email.otp.otpLength", []string{"6", "10"}, []string{"5", "11"}},
	{"sms.otp.lifeTime", spans("MINUTES", "1", "30"), append(spans("MINUTES", "0", "31", "-1", "1.5"), spans("HOURS", "1")...)},
	{"email.otp.lifeTime", spans("SECONDS", "1", "1800"), append(spans("SECONDS", "0", "1801"), "-")},
	{"sms.otp.failure.count", []string{"1", "100"}, []string{"0", "101", "-"}},
	{"email.otp.failure.count", []string{"1", "100"}, []string{"0", "101"}},
	{"voice.otp.failure.coolDown", append(spans("MINUTES", "0", "30"), "-"), append(spans("MINUTES", "1441"), spans("DAYS", "1")...)},
	{"totp.otp.failure.coolDown", spans("SECONDS", "0", "1", "120"), spans("SECONDS", "-1")},
	{"totp.otp.failure.count", []string{"1", "100"}, []string{"0", "101"}},
	{"mobile.otp.failure.count", []string{"1", "100"}, []string{"0", "101"}},
	{"totp.passcodeGracePeriod", []string{"1", "10"}, []string{"0", "11"}},
	{"totp.otp.passcodeGracePeriod", []string{"1", "10"}, []string{"0", "11"}},
	{"mobile.otp.window.stepSize", append(spans("SECONDS", "30", "60"), spans("MINUTES", "1")...), spans("SECONDS", "29", "31", "61")},
	{"fido2.failure", []string{failure("1", "2"), failure("7", "30")}, []string{failure("0", "2"), failure("8", "2"), failure("3", "1"), failure("3", "31"), failure("3", "0")}},
	{"mobile.applications.0.pushTimeout", spans("SECONDS", "40", "150"), append(spans("SECONDS", "39", "151"), spans("MINUTES", "1")...)},
	{"mobile.applications.0.pushLimit.count", []string{"1", "50"}, []string{"0", "51"}},
	{"mobile.applications.0.pushLimit.timePeriod", spans("MINUTES", "1", "120"), spans("MINUTES", "0", "121")},
	{"mobile.applications.0.pushLimit.lockDuration", spans("MINUTES", "1", "120"), spans("MINUTES", "0", "121")},
	{"mobile.applications.0.pairingKeyLifetime", append(spans("MINUTES", "1"), spans("HOURS", "48")...), append(spans("MINUTES", "0", "2881"), spans("HOURS", "49")...)},
	{"rememberMe.web.lifeTime", append(spans("HOURS", "1"), spans("DAYS", "90")...), append(spans("MINUTES", "59"), append(spans("DAYS", "91"), "-")...)},
}

func spans(unit string, durations ...string) []string {
	var out []string
	for _, d := range durations {
		out = append(out, `{"duration":`+d+`,"timeUnit":"`+unit+`"}`)
	}
	return out
}

func failure(count, minutes string) string {
	return `{"count":` + count + `,"coolDown":` + spans("MINUTES", minutes)[0] + `}`
}

// whole is the published policy with everything that has numbers.
func whole(tb testing.TB) []byte {
	tb.Helper()
	b := with(tb, published(tb), "mobile.applications", `[{"id":"a1","push":{"enabled":true,"numberMatching":{"enabled":true}},"otp":{"enabled":true}}]`)
	return with(tb, b, "rememberMe.web", `{"enabled":true,"lifeTime":{"duration":30,"timeUnit":"DAYS"}}`)
}

func TestEveryNumberHasItsRange(t *testing.T) {
	if _, err := mfapolicy.ReadPolicy(whole(t)); err != nil {
		t.Fatal(err)
	}
	for _, rule := range numbers {
		for _, value := range rule.good {
			if _, err := mfapolicy.ReadPolicy(with(t, whole(t), rule.path, value)); err != nil {
				t.Errorf("%s takes %s: %v", rule.path, value, err)
			}
		}
		for _, value := range rule.bad {
			faultAt(t, whole(t), rule.path, value, func(b []byte) error { _, err := mfapolicy.ReadPolicy(b); return err })
		}
	}
}

// faultAt makes sure that a value is refused, and that the fault names its place.
func faultAt(t *testing.T, body []byte, path, value string, read func([]byte) error) {
	t.Helper()
	var faults document.Faults
	err := read(with(t, body, path, value))
	if !errors.As(err, &faults) {
		t.Errorf("%s takes %s", path, value)
		return
	}
	place := document.Root
	for name := range strings.SplitSeq(path, ".") {
		if i, err := strconv.Atoi(name); err == nil {
			place = place.Index(i)
			continue
		}
		place = place.Member(name)
	}
	for _, f := range faults {
		if !strings.HasPrefix(string(f.Path), string(place)) {
			t.Errorf("%s as %s: the fault is at %s: %s", path, value, f.Path, f.Message)
		}
	}
}

func TestWhatHoldsWhereNothingIsSaid(t *testing.T) {
	body := whole(t)
	for _, path := range []string{"sms.otp.otpLength", "sms.otp.failure", "totp.otp", "mobile.otp", "authentication", "newDeviceNotification", "fido2"} {
		body = with(t, body, path, "-")
	}
	p, err := mfapolicy.ReadPolicy(body)
	if err != nil {
		t.Fatal(err)
	}
	want := mfapolicy.MobileApplication{
		ID: "a1", Push: true, NumberMatching: true, OTP: true, PairingKey: true, PushTimeout: 40 * time.Second, PairingKeyLife: 10 * time.Minute,
		PushLimit: mfapolicy.PushLimit{Count: 5, Period: 10 * time.Minute, Lock: 30 * time.Minute},
	}
	if got, known := p.Mobile.Application("a1"); !known || got != want {
		t.Errorf("application %+v", got)
	}
	if _, known := p.Mobile.Application("a2"); known {
		t.Error("an application that is not there is known")
	}
	cool := mfapolicy.Failure{Count: 3, CoolDown: 2 * time.Minute}
	if p.SMS.Length != 6 || p.SMS.Failure != cool || p.TOTP.Failure != cool || p.TOTP.Grace != 5 || p.Mobile.Step != 30*time.Second {
		t.Errorf("%+v", p)
	}
	if p.Selection != mfapolicy.DefaultToFirst || p.NewDeviceNotice != mfapolicy.NoNotice || p.FIDO2.Enabled || p.OathToken.Enabled || !p.Recovery.Enabled {
		t.Errorf("%+v", p)
	}
	if p.RememberMe != (mfapolicy.RememberMe{Enabled: true, Life: 30 * 24 * time.Hour}) {
		t.Errorf("%+v", p.RememberMe)
	}
}

func TestDeprecatedMembersAreTaken(t *testing.T) {
	body := with(t, published(t), "fido2", "-")
	body = with(t, body, "securityKey", `{"enabled":true,"pairingDisabled":true,"fidoPolicyId":"f1"}`)
	body = with(t, with(t, body, "platform", `{"enabled":false}`), "forSignOnPolicy", "true")
	p, err := mfapolicy.ReadPolicy(body)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Enabled(device.FIDO2) || !p.Enabled(device.SecurityKey) || p.Enabled(device.Platform) || p.Pairs(device.SecurityKey) || p.FIDO2.Policy != "f1" {
		t.Errorf("%+v", p.FIDO2)
	}
	p, err = mfapolicy.ReadPolicy(with(t, with(t, published(t), "securityKey", `{"enabled":false}`), "default", `"true"`))
	if err != nil || !p.Enabled(device.SecurityKey) || !p.Default {
		t.Errorf("fido2 is not what counts: %v", err)
	}
}

func TestEveryFaultOfAPolicyIsSaidAtOnce(t *testing.T) {
	body := `{"name":"","default":"perhaps","authentication":{"deviceSelection":"FIRST"},"newDeviceNotification":"SMS",
		"sms":{"otp":{"lifeTime":{"duration":5},"otpLength":3}},"email":{"enabled":true},"voice":{"enabled":"yes"},"totp":{"enabled":true,"uriParameters":{"secret":"x"}},
		"whatsApp":{"enabled":true},"mobile":{"enabled":true,"applications":[{"id":"a"},{"id":"a"},{}]},"strange":1,"notificationsPolicy":{}}`
	_, err := mfapolicy.ReadPolicy([]byte(body))
	var faults document.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, string(f.Path))
	}
	want := []string{
		"$.name", "$.default", "$.notificationsPolicy.id", "$.authentication.deviceSelection", "$.newDeviceNotification",
		"$.sms.enabled", "$.sms.otp.lifeTime.timeUnit", "$.sms.otp.otpLength", "$.voice.enabled", "$.email.otp", "$.totp.uriParameters.secret",
		"$.mobile.applications[1].id", "$.mobile.applications[2].id", "$.whatsApp", "$.strange",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%v", diff, err)
	}
	for name, body := range map[string]string{"no JSON": `{`, "no object": `[]`, "a name twice": `{"name":"a","name":"b"}`, "nothing": ``} {
		if _, err := mfapolicy.ReadPolicy([]byte(body)); !errors.As(err, &faults) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	for body, want := range map[string]mfapolicy.Settings{
		`{}`: *mfapolicy.DefaultSettings(),
		`{"pairing":{"maxAllowedDevices":15,"pairingKeyFormat":"NUMERIC"},"lockout":{"failureCount":5,"durationSeconds":600},"phoneExtensions":{"enabled":true},"users":{"mfaEnabled":true},"authentication":{"deviceSelection":"PROMPT_TO_SELECT"}}`: {
			MaxDevices: 15, PairingKeyFormat: mfapolicy.Numeric, Lockout: mfapolicy.Failure{Count: 5, CoolDown: 10 * time.Minute}, PhoneExtensions: true, MFAEnabledByDefault: true,
		},
		`{"lockout":{"failureCount":1}}`: {MaxDevices: 5, PairingKeyFormat: mfapolicy.Alphanumeric, Lockout: mfapolicy.Failure{Count: 1}},
	} {
		got, err := mfapolicy.ReadSettings([]byte(body))
		if err != nil {
			t.Fatal(body, err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Error(body, diff)
		}
	}
	for _, rule := range []struct{ path, value string }{
		{"pairing.maxAllowedDevices", "0"},
		{"pairing.maxAllowedDevices", "16"},
		{"pairing.pairingKeyFormat", `"ROMAN"`},
		{"lockout.failureCount", "0"},
		{"lockout.failureCount", "101"},
		{"lockout.failureCount", "-"},
		{"lockout.durationSeconds", "-1"},
		{"users.mfaEnabled", "1"},
		{"authentication.deviceSelection", `"NONE"`},
	} {
		faultAt(t, []byte(`{"lockout":{"failureCount":5}}`), rule.path, rule.value, func(b []byte) error { _, err := mfapolicy.ReadSettings(b); return err })
	}
}

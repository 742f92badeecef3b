package forms_test

import (
	"strings"
	"testing"

	"doorward/forms"
	"doorward/runtime/flow"
)

func TestPagesAboutDevices(t *testing.T) {
	const scripts = `<script defer src="/static/passkey.`
	all := aboutDevices()
	for _, tc := range []struct {
		name string
		page forms.SignOn
		has  []string
		not  []string
	}{
		{
			"each device is a form of its own", selection(),
			[]string{`<input type="hidden" name="_action" value="device.select"><input type="hidden" name="_token" value="tok"><input type="hidden" name="device.id" value="d1"><input type="hidden" name="compatibility">`, `<b>Work phone</b><span>Text message, **********01</span>`, `<b>Passkey</b><span>YubiKey 5 NFC</span>`, `disabled`, "iPhone, locked for now", scripts},
			[]string{"Use another way", `class="button"`, "Back"},
		},
		{
			"trouble with a device is told", all["selection-locked"],
			[]string{"this way is locked for now"},
			[]string{"developer"},
		},
		{
			"a code that was sent", code("d1"),
			[]string{`Enter the code we sent to <strong>**********01</strong>.`, `name="otp" class="code" inputmode="numeric" autocomplete="one-time-code" required autofocus`, ">Send a new code<", `show=device.select">Use another way</a>`},
			[]string{`name="device.id"`, scripts, "Work phone"},
		},
		{"a code of an app", code("d3"), []string{"Enter the code that your authenticator app shows."}, []string{"Send a new code"}},
		{"a recovery code has letters", code("d6"), []string{`inputmode="text"`, "Each works once."}, []string{`inputmode="numeric"`}},
		{
			"before a first factor nothing is told", blind(),
			[]string{"If codes can be sent for <strong>ada@example.com</strong>, we have sent one.", ">Send a new code<"},
			[]string{"Use another way", "d1"},
		},
		{"the tries that are left", all["code-wrong"], []string{"That code is not right. You have 3 tries left."}, nil},
		{"a lock with its time", all["code-locked"], []string{"Try again in 2 minutes, or use another way."}, nil},
		{"a code sent once more", all["code-resent"], []string{"A new code is on its way."}, nil},
		{
			"a code sent once more by choosing again", asked("OTP_REQUIRED", "d2", checkCode(), choose()),
			[]string{`name="device.id" value="d2"><input type="hidden" name="compatibility">` + "\n" + `<button class="button quiet" type="submit">Send a new code</button>`},
			nil,
		},
		{
			"other ways, and the way back", all["another-way"],
			[]string{"<h1>Use another way</h1>", `value="d2"`, ">Back</a>"},
			[]string{`value="d1"`, `name="otp"`},
		},
		{
			"no other way to be shown", onlyDevice(all["another-way"]),
			[]string{"<h1>Confirm that it is you</h1>", `name="otp"`},
			[]string{"Use another way", ">Back<", "device.select"},
		},
		{
			"a passkey is asked for by a script alone", assertion(),
			[]string{`data-passkey="{&#34;challenge&#34;`, `<input type="hidden" name="origin"><input type="hidden" name="assertion"><input type="hidden" name="compatibility">`, `<button class="button" type="button">`, "Use my passkey</button>", "<noscript>", `data-error="NotAllowedError AbortError"`, scripts, "show=device.select"},
			[]string{`<button class="button" type="submit"`},
		},
		{"a refused passkey", all["assertion-refused"], []string{`id="problems"`, "That passkey was not accepted."}, []string{"aria-invalid"}},
		{
			"a box beside a passkey", all["assertion-remembered"],
			[]string{`<input type="checkbox" id="rememberBrowser" name="rememberBrowser" value="true"`, "for 30 days"},
			nil,
		},
		{
			"a number to be matched", push("42"),
			[]string{`<p class="token number">42</p>`, "choose this number", `data-read="tok"`, `<noscript><a class="button after" href="` + here + `">I have approved it</a></noscript>`, ">Your phone is offline? Enter the code that the app shows</a>", `form="away">Use another way</button>`, `name="reason" value="CHANGE_DEVICE"`},
			[]string{`class="button" type="submit"`, `name="device.id"`},
		},
		{"no number", push(""), []string{"approve the sign-on"}, []string{"token number"}},
		{
			"the code of an app that was asked", all["push-code"],
			[]string{"<h1>Enter the code</h1>", `name="otp"`, ">Back</a>"},
			[]string{"data-read", "token number"},
		},
		{
			"a question that nobody answered", unanswered(),
			[]string{`name="device.id" value="d5"`, `<button class="button" type="submit">Send again</button>`, "Use another way"},
			[]string{"data-read", "offline?"},
		},
		{
			"a question that nobody answered to an app that shows codes", asked("PUSH_CONFIRMATION_TIMED_OUT", "d5", checkCode(), choose()),
			[]string{`name="device.id" value="d5"`, `<button class="button" type="submit">Send again</button>`, "show=otp.check", ">Your phone is offline? Enter the code that the app shows</a>"},
			[]string{`name="otp"`},
		},
		{
			"what can be set up", enrolment(),
			[]string{`<li data-scripted>`, `name="type" value="TOTP"`, `name="type" value="MOBILE"><input type="hidden" name="application.id" value="app1">`, `<a class="choice" href="` + here + `&amp;show=device.create%2FSMS">`, ">Not now</button>", scripts},
			[]string{`value="SMS"`, `name="phone"`, "nickname"},
		},
		{
			"a type that is asked what it is called", enrolmentOf("", member("promptForNicknameOnPairing", []string{"TOTP", "EMAIL"})),
			[]string{`<a class="choice" href="` + here + `&amp;show=device.create%2FTOTP">`, `name="type" value="MOBILE"><input type="hidden" name="application.id" value="app1">`},
			[]string{`name="type" value="TOTP"`},
		},
		{
			"what an app is called", enrolmentOf("TOTP", member("promptForNicknameOnPairing", []string{"TOTP"})),
			[]string{"<h1>Authenticator app</h1>", `name="type" value="TOTP"`, `<label for="nickname">Name of the device <span>`, `name="nickname"`, ">Set up</button>", ">Back</a>"},
			[]string{`name="email"`, "application"},
		},
		{
			"what an address is called", enrolmentOf("EMAIL", member("promptForNicknameOnPairing", []string{"EMAIL"})),
			[]string{`<input type="email" id="email" name="email" value="ada@example.com"`, `name="nickname"`, ">Send code</button>"},
			[]string{`value="ada@example.com" autocomplete="off"`},
		},
		{
			"one of several apps", enrolmentOf("MOBILE", member("applications", []object{{"id": "app1", "name": "Acme App"}, {"id": "app2", "name": "Acme <Bank>"}, {"id": "app3"}})),
			[]string{
				"<h1>App on your phone</h1>", `name="type" value="MOBILE"`, `<select id="application-id" name="application.id"`,
				`<option value="app1">Acme App</option><option value="app2">Acme &lt;Bank&gt;</option><option value="app3">app3</option>`, ">Set up</button>",
			},
			[]string{`name="nickname"`, `type="hidden" name="application.id"`},
		},
		{
			"one app, which is called something", enrolmentOf("MOBILE", member("promptForNicknameOnPairing", []string{"MOBILE"})),
			[]string{`<input type="hidden" name="type" value="MOBILE"><input type="hidden" name="application.id" value="app1">`, `name="nickname"`},
			[]string{"<select"},
		},
		{"nothing else can be set up", enrolment("FIDO2"), []string{`value="FIDO2"`}, []string{"data-scripted"}},
		{"a type that we do not know", enrolment("TELEPATHY", "TOTP"), []string{`value="TOTP"`}, []string{"TELEPATHY"}},
		{
			"where codes are to go", detailsOf("SMS"),
			[]string{"<h1>Text message</h1>", `name="type" value="SMS"`, `<input type="tel" id="phone" name="phone" value="+4915112345601" autocomplete="tel" required`, ">Send code</button>", ">Back</a>"},
			[]string{`name="email"`, "nickname", "Not now"},
		},
		{"an address for codes", detailsOf("EMAIL"), []string{`<input type="email" id="email" name="email" value="ada@example.com" autocomplete="email" required`}, []string{`name="phone"`}},
		{"a type without a form", detailsOf("TOTP"), []string{`value="TOTP"`, `show=device.create%2FSMS`}, []string{`name="phone"`}},
		{
			"a wrong number keeps its form", all["enrolment-wrong"],
			[]string{`value="0151"`, "That is not a phone number.", `name="type" value="SMS"`},
			[]string{"+4915112345601"},
		},
		{
			"an address that is theirs already", all["enrolment-twice"],
			[]string{`id="email-error"`, "You have this one already. Use it, or add another."},
			[]string{"is taken"},
		},
		{"as many devices as are allowed", all["enrolment-full"], []string{"You have as many devices as are allowed.", `value="TOTP"`}, []string{"out of date"}},
		{
			"a lock that somebody has to lift", refuse(code("d3"), "otp.check", flow.Detail{Code: flow.LimitExceeded, Target: "otp"}),
			[]string{"and this is locked. Use another way, or ask your administrator."},
			nil,
		},
		{
			"a code for a new device", all["activation-sms"],
			[]string{"we sent to <strong>**********01</strong>", `name="otp" class="code" inputmode="numeric" autocomplete="one-time-code" required`, ">Finish</button>", ">Send a new code</button>", ">Choose another way</button>"},
			[]string{"attestation", `name="origin"`, scripts},
		},
		{
			"a key for an app", totp(),
			[]string{`role="img" aria-label="QR code"`, "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP", `data-copy="key"`, `name="otp"`},
			[]string{"attestation", "otpauth", "autofocus"},
		},
		{
			"a new passkey", newPasskey(),
			[]string{`data-passkey="{&#34;rp&#34;`, `<input type="hidden" name="attestation"><input type="hidden" name="origin">`, "Create passkey</button>", scripts},
			[]string{`name="otp"`, `<button class="button" type="submit"`},
		},
		{
			"recovery codes", recoveryCodes(),
			[]string{`<ol class="codes" id="codes"><li>k3m9 x2qa</li>`, "<h1>Keep these recovery codes</h1>", ">I have saved them</button>"},
			[]string{`name="otp"`, "attestation"},
		},
		{"recovery codes that were shown", all["recovery-codes-gone"], []string{"They were shown once and cannot be shown again.", ">Choose another way</button>"}, []string{`id="codes"`}},
		{
			"a phone to be paired", pairing(),
			[]string{"1234 5678 9012", `role="img"`, `data-read="tok"`, "I have scanned it", ">Choose another way</button>"},
			[]string{"doorward://"},
		},
		{"a phone that was not paired", unpaired(), []string{`name="type" value="MOBILE"><input type="hidden" name="application.id" value="app1">`, ">Try again</button>", ">Choose another way</button>"}, nil},
		{
			"passkeys beside a name", withPasskeys(lookup()),
			[]string{`autocomplete="username webauthn"`, `class="unseen" data-passkey="{`, "Sign on with a passkey</button>", `<p class="or">or</p>`, scripts},
			[]string{"show=assertion.check"},
		},
		{"passkeys beside a password", withPasskeys(password()), []string{`autocomplete="current-password webauthn"`}, []string{`username webauthn`}},
		{"a door without options is shut", shut(withPasskeys(signOn())), nil, []string{"passkey", "webauthn", "assertion"}},
		{"a passkey that opened nothing", all["passkey-refused"], []string{"That passkey was not accepted.", `class="unseen"`, "webauthn", `<h1>Sign on</h1>`}, []string{">Back<"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			page := draw(t, "en", tc.page)
			for _, want := range tc.has {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in\n%s", want, page)
				}
			}
			for _, bad := range tc.not {
				if strings.Contains(page, bad) {
					t.Errorf("%q in\n%s", bad, page)
				}
			}
		})
	}
}

// onlyDevice has one device and no other.
func onlyDevice(s forms.SignOn) forms.SignOn {
	s.View.Embedded = nil
	s.View.Members = []flow.Member{member("devices", ownDevices()[:1]), member("selectedDevice", object{"id": "d1"})}
	return s
}

// shut leaves a door without what the browser is to be asked.
func shut(s forms.SignOn) forms.SignOn {
	s.View.Members = nil
	return s
}

// TestPagesAboutDevicesInEveryLanguage: each is drawn, soundly, and without words
// of another language or a name of the wire.
func TestPagesAboutDevicesInEveryLanguage(t *testing.T) {
	for name, s := range aboutDevices() {
		for _, language := range pages(t).Languages() {
			said := text(t, []byte(draw(t, language, s)))
			for _, bad := range []string{"REQUIRED", "device.id", "enrol.", "status.", "{"} {
				if strings.Contains(said, bad) {
					t.Errorf("%s in %s: %q in %s", name, language, bad, said)
				}
			}
			if language != "en" {
				for _, english := range []string{"Enter the", "phone shows", "Choose", "Send", "Use my", "Use another", "Waiting"} {
					if strings.Contains(said, english) {
						t.Errorf("%s in %s: %q in %s", name, language, english, said)
					}
				}
			}
		}
	}
}

// TestHostileDevicesStayText puts markup, and what is no JSON of the right shape,
// into everything that a step shows of devices.
func TestHostileDevicesStayText(t *testing.T) {
	p := pages(t)
	for _, evil := range []string{`"><script>alert(1)</script>`, `javascript:alert(1)`, `</button></form><form action=https://evil>`} {
		skeletons := map[string]string{}
		for _, v := range []string{"xxxx", evil} {
			var b []byte
			for _, status := range []string{"DEVICE_SELECTION_REQUIRED", "OTP_REQUIRED", "PUSH_CONFIRMATION_REQUIRED", "PAIRING_REQUIRED", "ACTIVATION_REQUIRED"} {
				s := execution(status, choose(), checkCode(), assert("assertion.check.submit", v), activate())
				s.View.Token = v
				s.View.Members = []flow.Member{
					member("devices", []object{{"id": v, "type": v, "nickname": v, "name": v, "phone": v, "email": v}, {"id": "other", "type": "SMS"}}), member("selectedDevice", object{"id": "other"}),
					member("publicKeyCredentialRequestOptions", v), member("push", object{"number": v}), member("pairingKey", object{"code": v}),
					member("recoveryCodes", []string{v}), member("error", object{"code": v, "message": v}),
				}
				b = append(b, p.SignOn(acme("en"), s)...)
			}
			noScriptAddress(t, b)
			skeletons[v] = skeleton(t, b)
		}
		if skeletons["xxxx"] != skeletons[evil] {
			t.Errorf("%q changed the page:\n%s\n%s", evil, skeletons["xxxx"], skeletons[evil])
		}
	}
	s := selection()
	for _, body := range []string{`null`, `7`, `"x"`, `{}`, `[null]`, `[{"id":7}]`, `{`, ``} {
		for _, name := range []string{"devices", "selectedDevice", "device", "push", "totp", "pairingKey", "recoveryCodes", "allowedTypes", "applications", "email", "error", "publicKeyCredentialRequestOptions"} {
			s.View.Members, s.View.Embedded = []flow.Member{{Name: name, JSON: []byte(body)}}, nil
			sound(t, p.SignOn(acme("en"), s))
		}
	}
}

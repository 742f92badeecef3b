package forms_test

import (
	"encoding/json"
	"slices"

	"doorward/forms"
	"doorward/runtime/flow"
)

// Executions about devices, as the steps show them.

func member(name string, value any) flow.Member {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return flow.Member{Name: name, JSON: b}
}

type object = map[string]any

const (
	requestOptions  = `{"challenge":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","timeout":60000,"rpId":"localhost","allowCredentials":[],"userVerification":"preferred"}`
	creationOptions = `{"rp":{"id":"localhost","name":"Acme"},"user":{"id":"YWRh","name":"ada@example.com","displayName":"Ada"},"challenge":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-257}],"timeout":60000,"excludeCredentials":[],"authenticatorSelection":{"residentKey":"required","userVerification":"preferred"},"attestation":"none"}`
)

func ownDevices() []object {
	return []object{
		{"id": "d1", "type": "SMS", "status": "ACTIVE", "nickname": "Work phone", "phone": "**********01"},
		{"id": "d2", "type": "EMAIL", "status": "ACTIVE", "email": "a•••@example.com"},
		{"id": "d3", "type": "TOTP", "status": "ACTIVE"},
		{"id": "d4", "type": "FIDO2", "status": "ACTIVE", "name": "YubiKey 5 NFC"},
		{"id": "d5", "type": "MOBILE", "status": "ACTIVE", "name": "iPhone", "lock": object{"status": "LOCKED", "expiresAt": "2026-11-22T08:00:00Z"}},
		{"id": "d6", "type": "RECOVERY_CODE", "status": "ACTIVE"},
	}
}

func choose() flow.Offer {
	return flow.Offer{Name: "device.select", Prompt: said("device.select.submit", "Use this device"), Fields: []flow.Field{
		{Name: "device.id", Type: flow.TypeText, Required: true}, {Name: "compatibility", Type: flow.TypeText},
	}}
}

func checkCode() flow.Offer {
	return flow.Offer{Name: "otp.check", Prompt: said("otp.check.submit", "Verify"), Fields: []flow.Field{field("otp", flow.TypeCode, "one-time-code", "otp.code.label", "Code")}}
}

func press(name, prompt string) flow.Offer {
	return flow.Offer{Name: name, Prompt: said(name+".submit", prompt)}
}

func assert(key, prompt string) flow.Offer {
	return flow.Offer{Name: "assertion.check", Prompt: said(key, prompt), Fields: []flow.Field{
		{Name: "origin", Type: flow.TypeText, Required: true}, {Name: "assertion", Type: flow.TypeCredential, Required: true}, {Name: "compatibility", Type: flow.TypeText},
	}}
}

// asked is an execution that asks for the device.
func asked(status, id string, offers ...flow.Offer) forms.SignOn {
	s := execution(status, offers...)
	known(&s)
	s.View.Members = []flow.Member{member("devices", ownDevices())}
	s.View.Embedded = s.View.Members
	if id != "" {
		s.View.Members = append(s.View.Members, member("selectedDevice", object{"id": id}))
	}
	return s
}

func selection() forms.SignOn { return asked("DEVICE_SELECTION_REQUIRED", "", choose()) }

func code(id string) forms.SignOn {
	offers := []flow.Offer{checkCode()}
	if id == "d1" || id == "d2" {
		offers = append(offers, press("otp.resend", "Send a new code"))
	}
	return asked("OTP_REQUIRED", id, append(offers, choose())...)
}

// blind asks for a code before anything is known of devices.
func blind() forms.SignOn {
	s := execution("OTP_REQUIRED", checkCode(), press("otp.resend", "Send a new code"))
	claimed(&s)
	return s
}

func assertion() forms.SignOn {
	s := asked("ASSERTION_REQUIRED", "d4", assert("assertion.check.submit", "Use my passkey"), choose())
	s.View.Members = append(s.View.Members, member("publicKeyCredentialRequestOptions", requestOptions), flow.Member{Name: "publicKeyCredentialRequestOptionsJSON", JSON: []byte(requestOptions)})
	return s
}

func push(number string) forms.SignOn {
	cancel := press("cancel.push.authentication", "Use another way")
	cancel.Fields = []flow.Field{{Name: "reason", Type: flow.TypeText, Required: true}}
	s := asked("PUSH_CONFIRMATION_REQUIRED", "d5", cancel, choose(), checkCode())
	body := object{"expiresAt": "2026-11-22T08:00:00Z"}
	if number != "" {
		body["number"] = number
	}
	s.View.Members = append(s.View.Members, member("push", body))
	return s
}

func unanswered() forms.SignOn { return asked("PUSH_CONFIRMATION_TIMED_OUT", "d5", choose()) }

func create() flow.Offer {
	o := flow.Offer{Name: "device.create", Prompt: said("device.create.submit", "Set up")}
	for _, name := range []string{"type", "nickname", "application.id", "rp.id", "rp.name"} {
		f := flow.Field{Name: name, Type: flow.TypeText, Required: name == "type"}
		if name == "nickname" {
			f.Label = said("device.nickname.label", "Name of the device")
		}
		o.Fields = append(o.Fields, f)
	}
	email, phone := field("email", flow.TypeEmail, "", "device.email.label", "Email address"), field("phone", flow.TypeText, "", "device.phone.label", "Phone number")
	email.Required, phone.Required = false, false
	o.Fields = append(o.Fields, email, phone)
	return o
}

func enrolment(types ...string) forms.SignOn {
	s := execution("DEVICE_ENROLLMENT_REQUIRED", create(), press("device.skipEnrollment", "Not now"))
	known(&s)
	if types == nil {
		types = []string{"FIDO2", "TOTP", "MOBILE", "SMS", "VOICE", "EMAIL", "RECOVERY_CODE"}
	}
	s.View.Members = []flow.Member{
		member("email", "ada@example.com"), member("mobilePhone", "+4915112345601"), member("allowedtypes", types), member("allowedTypes", types),
		member("mfaSettings", object{}), member("applications", []object{{"id": "app1"}}),
	}
	return s
}

// enrolmentOf is an enrolment that shows something else, and of which a form is asked for.
func enrolmentOf(t string, m flow.Member) forms.SignOn {
	s := enrolment()
	s.View.Members = append(slices.DeleteFunc(s.View.Members, func(o flow.Member) bool { return o.Name == m.Name }), m)
	if t != "" {
		s.Show = "device.create/" + t
	}
	return s
}

func detailsOf(t string) forms.SignOn {
	s := enrolment()
	s.Show = "device.create/" + t
	return s
}

func activate() flow.Offer {
	otp := field("otp", flow.TypeCode, "one-time-code", "otp.code.label", "Code")
	otp.Required = false
	return flow.Offer{Name: "device.activate", Prompt: said("device.activate.submit", "Finish"), Fields: []flow.Field{
		otp, {Name: "attestation", Type: flow.TypeCredential}, {Name: "origin", Type: flow.TypeText}, {Name: "nickname", Type: flow.TypeText},
	}}
}

func activation(d object, more ...flow.Member) forms.SignOn {
	offers := []flow.Offer{activate()}
	if d["phone"] != nil || d["email"] != nil {
		offers = append(offers, press("otp.resend", "Send a new code"))
	}
	s := execution("ACTIVATION_REQUIRED", append(offers, press("device.delete", "Choose another way"))...)
	known(&s)
	d["id"], d["status"] = "d9", "ACTIVATION_REQUIRED"
	s.View.Members = append([]flow.Member{member("device", d)}, more...)
	return s
}

func totp() forms.SignOn {
	return activation(object{"type": "TOTP"}, member("totp", object{"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "uri": "otpauth://totp/Acme:ada@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme"}))
}

func newPasskey() forms.SignOn {
	return activation(object{"type": "FIDO2"}, member("publicKeyCredentialCreationOptions", creationOptions), flow.Member{Name: "publicKeyCredentialCreationOptionsJSON", JSON: []byte(creationOptions)})
}

func recoveryCodes() forms.SignOn {
	return activation(object{"type": "RECOVERY_CODE"}, member("recoveryCodes", []string{"k3m9x2qa", "7hd2wplz", "q8n4vbx3", "zt5r9cme", "p2fj7kuw", "m6ya3xhd", "c9wq4tnb", "e7lv2zrs", "x4gk8dpm", "b5uh6yja"}))
}

func pairing() forms.SignOn {
	s := execution("PAIRING_REQUIRED", press("device.delete", "Choose another way"))
	known(&s)
	s.View.Members = []flow.Member{
		member("device", object{"id": "d9", "type": "MOBILE", "status": "ACTIVATION_REQUIRED"}),
		member("pairingKey", object{"code": "123456789012", "uri": "doorward://pair?environment=https%3A%2F%2Fauth.example.com&code=123456789012"}),
	}
	return s
}

func unpaired() forms.SignOn {
	s := execution("MOBILE_PAIRING_FAILURE", create(), press("device.delete", "Choose another way"))
	known(&s)
	s.View.Members = []flow.Member{member("applications", []object{{"id": "app1"}})}
	return s
}

// withPasskeys has the door that the browser itself knows the way to.
func withPasskeys(s forms.SignOn) forms.SignOn {
	last := len(s.View.Offers) - 1
	s.View.Offers = append(s.View.Offers[:last:last], assert("passkey.submit", "Sign on with a passkey"), s.View.Offers[last])
	s.View.Members = []flow.Member{member("publicKeyCredentialRequestOptions", requestOptions), {Name: "publicKeyCredentialRequestOptionsJSON", JSON: []byte(requestOptions)}}
	return s
}

// remembered has a box beside what is asked for.
func remembered(s forms.SignOn) forms.SignOn {
	box := flow.Field{Name: "rememberBrowser", Type: flow.TypeBoolean, Label: flow.Text{Default: "Do not ask again on this browser for 30 days"}}
	s.View.Offers[0].Fields = slices.Concat(s.View.Offers[0].Fields, []flow.Field{box})
	return s
}

// aboutDevices are all of them.
func aboutDevices() map[string]forms.SignOn {
	sent := func(d object) forms.SignOn { return activation(d) }
	with := func(s forms.SignOn, change func(*forms.SignOn)) forms.SignOn {
		change(&s)
		return s
	}
	return map[string]forms.SignOn{
		"selection": selection(), "selection-locked": with(selection(), func(s *forms.SignOn) {
			s.View.Members = append(s.View.Members, member("error", object{"code": "DEVICE_LOCKED", "message": "developer's words"}))
		}),
		"code-sms": code("d1"), "code-totp": code("d3"), "code-recovery": code("d6"), "code-blind": blind(),
		"code-resent": with(code("d1"), func(s *forms.SignOn) { s.Done = "otp.resend" }),
		"code-wrong":  refuse(code("d1"), "otp.check", inner("INVALID_OTP", "otp", "attemptsRemaining", 3)),
		"code-locked": refuse(code("d3"), "otp.check", inner(flow.LimitExceeded, "otp", "secondsUntilUnlock", 120)),
		"another-way": with(code("d1"), func(s *forms.SignOn) { s.Show = "device.select" }),
		"assertion":   assertion(), "assertion-refused": refuse(assertion(), "assertion.check", flow.Detail{Code: flow.InvalidValue, Target: "assertion"}),
		"assertion-remembered": remembered(assertion()), "code-remembered": remembered(code("d3")),
		"push-number": push("42"), "push-code": with(push("42"), func(s *forms.SignOn) { s.Show = "otp.check" }), "push-timed-out": unanswered(),
		"enrolment": enrolment(), "enrolment-sms": detailsOf("SMS"), "enrolment-email": detailsOf("EMAIL"),
		"enrolment-wrong": with(refuse(enrolment(), "device.create", flow.Detail{Code: flow.InvalidValue, Target: "phone"}), func(s *forms.SignOn) { s.Typed = flow.Values{"type": "SMS", "phone": "0151"} }),
		"enrolment-twice": with(refuse(enrolment(), "device.create", flow.Detail{Code: flow.UniquenessViolation, Target: "email"}), func(s *forms.SignOn) { s.Typed = flow.Values{"type": "EMAIL"} }),
		"enrolment-full": with(enrolment(), func(s *forms.SignOn) {
			s.Submitted, s.Fault = "device.create", &flow.Fault{Code: flow.RequestFailed, Details: []flow.Detail{inner(flow.LimitExceeded, "devices", "maximumValue", 5)}}
		}),
		"activation-sms": sent(object{"type": "SMS", "phone": "**********01"}), "activation-totp": totp(), "activation-passkey": newPasskey(),
		"recovery-codes": recoveryCodes(), "recovery-codes-gone": activation(object{"type": "RECOVERY_CODE"}),
		"pairing": pairing(), "pairing-failed": unpaired(),
		"passkey-sign-on": withPasskeys(signOn()), "passkey-password": withPasskeys(password()),
		"passkey-refused": refuse(withPasskeys(signOn()), "assertion.check", flow.Detail{Code: flow.InvalidValue, Target: "assertion"}),
	}
}

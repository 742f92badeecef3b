package mfapolicy

import (
	"encoding/json"

	"doorward/runtime/document"
)

// ReadPolicy reads a device authentication policy. The error is document.Faults, with
// everything that is wrong. Source: reference/flows.md 8.1; reference/management.md 5.10.
func ReadPolicy(body json.RawMessage) (*Policy, error) {
	var faults document.Faults
	o, ok := open(body, &faults)
	if !ok {
		return nil, faults
	}
	p := &Policy{Selection: DefaultToFirst, NewDeviceNotice: NoNotice}
	p.ID, p.Name, p.Default = identity(&o)
	o.Ignore("forSignOnPolicy") // deprecated, and ours to say
	p.IgnoreUserLock = o.Flag("ignoreUserLock")
	p.Notifications = reference(&o, "notificationsPolicy")
	if in, ok := o.Object("authentication"); ok {
		in.Need("deviceSelection")
		p.Selection = readSelection(&in)
		in.End("authentication")
	}
	if s := o.One("newDeviceNotification", string(NoNotice), string(EmailThenSMS), string(SMSThenEmail)); s != "" {
		p.NewDeviceNotice = NewDeviceNotice(s)
	}
	for _, required := range []string{"sms", "voice", "email", "totp", "mobile"} {
		o.Need(required)
	}
	p.SMS, p.Voice, p.Email = readSent(&o, "sms"), readSent(&o, "voice"), readSent(&o, "email")
	p.TOTP = readTOTP(&o)
	p.Mobile = readMobile(&o)
	p.FIDO2 = readFIDO2(&o)
	p.OathToken = readOathToken(&o)
	p.Recovery = readRecovery(&o)
	p.RememberMe = readRememberMe(&o)
	if _, on := switched(&o, "whatsApp"); on {
		o.Wrong("whatsApp", "cannot be enabled: this server sends by SMS, call and mail")
	}
	o.End("a device authentication policy")
	if faults != nil {
		return nil, faults
	}
	return p, nil
}

func readSelection(o *document.Object) Selection {
	s := o.One("deviceSelection", string(DefaultToFirst), string(PromptToSelect), string(AlwaysDisplayDevices))
	if s == "" {
		return DefaultToFirst
	}
	return Selection(s)
}

// readRememberMe reads for how long a browser is trusted. Source: reference/flows.md 8.1.
func readRememberMe(o *document.Object) RememberMe {
	in, ok := o.Object("rememberMe")
	if !ok {
		return RememberMe{}
	}
	defer in.End("rememberMe")
	var r RememberMe
	web, on := switched(&in, "web")
	if web.Faults == nil {
		return r
	}
	defer web.End("rememberMe.web")
	r.Enabled = on
	if on {
		web.Need("lifeTime")
	}
	r.Life = length{least: hour, most: 90 * 24 * hour, units: []string{"MINUTES", "HOURS", "DAYS"}}.read(&web, "lifeTime")
	return r
}

// ReadSettings reads what an environment asks of devices. The error is
// document.Faults. Source: reference/flows.md 8.1; reference/management.md 5.10.
func ReadSettings(body json.RawMessage) (*Settings, error) {
	var faults document.Faults
	o, ok := open(body, &faults)
	if !ok {
		return nil, faults
	}
	s := DefaultSettings()
	if in, ok := o.Object("pairing"); ok {
		s.MaxDevices = within(&in, "maxAllowedDevices", 1, 15, defaultDevices)
		if f := in.One("pairingKeyFormat", string(Numeric), string(Alphanumeric)); f != "" {
			s.PairingKeyFormat = PairingKeyFormat(f)
		}
		in.End("pairing")
	}
	if in, ok := o.Object("lockout"); ok {
		in.Need("failureCount")
		s.Lockout.Count = within(&in, "failureCount", 1, mostFailures, 0)
		s.Lockout.CoolDown = seconds(within(&in, "durationSeconds", 0, lockoutSeconds, 0))
		in.End("lockout")
	}
	if in, ok := o.Object("phoneExtensions"); ok {
		s.PhoneExtensions = in.Flag("enabled")
		in.End("phoneExtensions")
	}
	if in, ok := o.Object("users"); ok {
		s.MFAEnabledByDefault = in.Flag("mfaEnabled")
		in.End("users")
	}
	if in, ok := o.Object("authentication"); ok { // deprecated: policies say it
		readSelection(&in)
		in.End("authentication")
	}
	o.End("the MFA settings")
	if faults != nil {
		return nil, faults
	}
	return s, nil
}

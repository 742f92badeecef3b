package mfapolicy

import (
	"time"

	"doorward/runtime/device"
)

// Policy is a device authentication policy.
type Policy struct {
	ID, Name        string
	Default         bool
	Selection       Selection
	NewDeviceNotice NewDeviceNotice
	IgnoreUserLock  bool   // a locked account may prove itself all the same
	Notifications   string // UUID of a notifications policy; empty: the default one

	SMS, Voice, Email Sent
	TOTP              TOTP
	Mobile            Mobile
	FIDO2             FIDO2
	OathToken         OathToken
	Recovery          Recovery
	RememberMe        RememberMe
}

// Selection says who chooses among several devices.
type Selection string

// The selections. Source: reference/flows.md 8.1.
const (
	DefaultToFirst       Selection = "DEFAULT_TO_FIRST"       // the first one is asked, another may be chosen
	PromptToSelect       Selection = "PROMPT_TO_SELECT"       // the person, where there are several
	AlwaysDisplayDevices Selection = "ALWAYS_DISPLAY_DEVICES" // the person, even of one
)

// NewDeviceNotice is by which channel a person is told of a new device.
type NewDeviceNotice string

// The notices. Source: reference/management.md 5.10.
const (
	NoNotice     NewDeviceNotice = "NONE"
	EmailThenSMS NewDeviceNotice = "EMAIL_THEN_SMS"
	SMSThenEmail NewDeviceNotice = "SMS_THEN_EMAIL"
)

// Failure is how many wrong answers in a row lock, and for how long. A Count of 0
// never locks. CoolDown 0 is no cool-down: a device is not locked then, though a code
// that was sent is void all the same.
type Failure struct {
	Count    int
	CoolDown time.Duration
}

// Sent is what holds of codes that we make and send.
type Sent struct {
	Enabled, PairingDisabled, PromptForNickname bool
	Life                                        time.Duration // at most MostLife
	Length                                      int           // digits, 6 to 10
	Failure                                     Failure
}

// TOTP is what holds of apps that compute codes from the time.
type TOTP struct {
	Enabled, PairingDisabled, PromptForNickname bool
	Failure                                     Failure
	Grace                                       int               // steps of 30 s that a code may be early or late, 1 to 10
	URI                                         map[string]string // more parameters of the key URI
}

// OathToken is what holds of tokens whose seed is given to us.
type OathToken struct {
	Enabled, PairingDisabled, PromptForNickname bool
	Failure                                     Failure
}

// Recovery is what holds of recovery codes, which are ours.
type Recovery struct {
	Enabled, PairingDisabled bool
	Failure                  Failure
}

// FIDO2 is what holds of passkeys and security keys.
type FIDO2 struct {
	Enabled, PairingDisabled, PromptForNickname bool
	Policy                                      string // UUID of a FIDO2 policy; empty: the default one
	Failure                                     Failure
	// Which of them, where a policy says it by the deprecated members; both elsewhere.
	Platform, SecurityKey bool
}

// Mobile is what holds of apps that answer pushes.
type Mobile struct {
	Enabled, PairingDisabled, PromptForNickname bool
	Failure                                     Failure       // of codes that an app shows
	Step                                        time.Duration // of these: 30 s or 60 s
	Applications                                []MobileApplication
}

// MobileApplication is what holds of one native application.
type MobileApplication struct {
	ID             string // UUID of the application
	Push           bool
	NumberMatching bool          // the person picks the number that the page shows
	PushTimeout    time.Duration // 40 to 150 s
	PushLimit      PushLimit
	PairingKeyLife time.Duration // 1 min to 48 h
	PairingKey     bool          // pairing by a key is allowed
	OTP            bool          // the app shows codes too
	AutoEnrollment bool
	Biometrics     bool // the app asks for a fingerprint or a face

	DeviceAuthorization bool
	ExtraVerification   string // "permissive", "restrictive"; empty: none
	Integrity           string // "permissive", "restrictive"; empty: not checked
}

// PushLimit is how many pushes in Period may go unanswered or be refused before none is
// sent for Lock.
type PushLimit struct {
	Count        int           // 1 to 50
	Period, Lock time.Duration // 1 to 120 min
}

// RememberMe is for how long a browser may be trusted not to need a second factor.
type RememberMe struct {
	Enabled bool
	Life    time.Duration // 1 h to 90 d
}

// Enabled reports whether devices of the type may prove somebody.
func (p *Policy) Enabled(t device.Type) bool {
	switch t {
	case device.SMS:
		return p.SMS.Enabled
	case device.Voice:
		return p.Voice.Enabled
	case device.Email:
		return p.Email.Enabled
	case device.TOTP:
		return p.TOTP.Enabled
	case device.Mobile:
		return p.Mobile.Enabled
	case device.OathToken:
		return p.OathToken.Enabled
	case device.Recovery:
		return p.Recovery.Enabled
	case device.FIDO2:
		return p.FIDO2.Enabled
	case device.Platform:
		return p.FIDO2.Enabled && p.FIDO2.Platform
	case device.SecurityKey:
		return p.FIDO2.Enabled && p.FIDO2.SecurityKey
	}
	return false
}

// Pairs reports whether devices of the type may be added.
func (p *Policy) Pairs(t device.Type) bool {
	return p.Enabled(t) && !map[device.Type]bool{
		device.SMS: p.SMS.PairingDisabled, device.Voice: p.Voice.PairingDisabled, device.Email: p.Email.PairingDisabled,
		device.TOTP: p.TOTP.PairingDisabled, device.Mobile: p.Mobile.PairingDisabled, device.OathToken: p.OathToken.PairingDisabled,
		device.Recovery: p.Recovery.PairingDisabled, device.FIDO2: p.FIDO2.PairingDisabled,
		device.Platform: p.FIDO2.PairingDisabled, device.SecurityKey: p.FIDO2.PairingDisabled,
	}[t]
}

// Failure is what wrong answers of a type come to.
func (p *Policy) Failure(t device.Type) Failure {
	switch t {
	case device.SMS, device.Voice, device.Email:
		return p.Sent(t).Failure
	case device.TOTP:
		return p.TOTP.Failure
	case device.Mobile:
		return p.Mobile.Failure
	case device.OathToken:
		return p.OathToken.Failure
	case device.Recovery:
		return p.Recovery.Failure
	case device.FIDO2, device.Platform, device.SecurityKey:
		return p.FIDO2.Failure
	}
	return Failure{}
}

// Sent is what holds of codes that are sent to a type; the zero Sent of the others.
func (p *Policy) Sent(t device.Type) Sent {
	switch t {
	case device.SMS:
		return p.SMS
	case device.Voice:
		return p.Voice
	case device.Email:
		return p.Email
	case device.TOTP, device.Mobile, device.FIDO2, device.Platform, device.SecurityKey, device.OathToken, device.Recovery:
	}
	return Sent{}
}

// Prompts reports whether a person who adds a device of the type is asked what to call
// it.
func (p *Policy) Prompts(t device.Type) bool {
	switch t {
	case device.SMS, device.Voice, device.Email:
		return p.Sent(t).PromptForNickname
	case device.TOTP:
		return p.TOTP.PromptForNickname
	case device.Mobile:
		return p.Mobile.PromptForNickname
	case device.OathToken:
		return p.OathToken.PromptForNickname
	case device.FIDO2, device.Platform, device.SecurityKey:
		return p.FIDO2.PromptForNickname
	case device.Recovery:
	}
	return false
}

// Application is what holds of a native application; not ok: nothing does.
func (m *Mobile) Application(id string) (MobileApplication, bool) {
	for _, a := range m.Applications {
		if a.ID == id {
			return a, true
		}
	}
	return MobileApplication{}, false
}

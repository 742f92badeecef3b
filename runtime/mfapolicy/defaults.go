package mfapolicy

import "time"

// MostLife is the longest that a code which was sent may be good.
const MostLife = 30 * time.Minute

// What holds where nothing is said.
const (
	defaultLife     = 10 * time.Minute // of our own policy; NIST SP 800-63B-4 3.1.3.2
	defaultLength   = 6
	defaultCount    = 3
	defaultCoolDown = 2 * time.Minute
	defaultGrace    = 5 // steps each way; reference/flows.md 8.1
	defaultStep     = 30 * time.Second

	defaultPushTimeout    = 40 * time.Second
	defaultPairingKeyLife = 10 * time.Minute
	defaultDevices        = 5
	defaultTimeout        = 2 * time.Minute // reference/flows.md 8.4: 120000 ms
)

func defaultPushLimit() PushLimit {
	return PushLimit{Count: 5, Period: 10 * time.Minute, Lock: 30 * time.Minute}
}

// Default is the policy of an environment that has none: every type but calls, codes
// that live ten minutes, and three wrong ones lock a device for two.
func Default() *Policy {
	failure := Failure{Count: defaultCount, CoolDown: defaultCoolDown}
	sent := Sent{Enabled: true, Life: defaultLife, Length: defaultLength, Failure: failure}
	call := sent
	call.Enabled = false
	return &Policy{
		Name: "Default MFA Policy", Default: true, Selection: DefaultToFirst, NewDeviceNotice: NoNotice,
		SMS: sent, Email: sent, Voice: call,
		TOTP:      TOTP{Enabled: true, Failure: failure, Grace: defaultGrace},
		Mobile:    Mobile{Enabled: true, Failure: failure, Step: defaultStep},
		FIDO2:     FIDO2{Enabled: true, Failure: failure, Platform: true, SecurityKey: true},
		OathToken: OathToken{Failure: failure},
		Recovery:  Recovery{Enabled: true, Failure: failure},
	}
}

// DefaultFIDO2 is the policy for passkeys of an environment that has none.
func DefaultFIDO2(rpID string) *FIDO2Policy {
	p := &FIDO2Policy{
		Name: "Passkeys", Default: true, RelyingPartyID: rpID, DeviceDisplayName: "Passkey",
		Attestation: NoAttestation, Attachment: AnyAttachment, Discoverable: Preferred,
		DisplayName: [][]string{{"username"}}, Timeout: defaultTimeout,
	}
	p.UserVerification.Option = Preferred
	p.Backup.Allowed = true
	p.Authenticators.Option = AnyAuthenticator
	return p
}

// DefaultSettings are those of an environment that has none.
func DefaultSettings() *Settings {
	return &Settings{MaxDevices: defaultDevices, PairingKeyFormat: Alphanumeric, Lockout: Failure{Count: mostFailures}}
}

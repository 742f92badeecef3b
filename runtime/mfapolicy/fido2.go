package mfapolicy

import "time"

// FIDO2Policy is what a passkey or security key must be.
type FIDO2Policy struct {
	ID, Name          string
	Default           bool
	RelyingPartyID    string // a host name, without a port
	DeviceDisplayName string // what a device is called until somebody names it
	Attestation       Attestation
	Attachment        Attachment
	Discoverable      Requirement
	UserVerification  struct {
		Option   Requirement
		Enforced bool // at every sign-on too, and not only when a device is added
	}
	Backup struct { // keys that may be in several places
		Allowed, Enforced bool
	}
	Authenticators struct {
		Option   Authenticators
		Allowed  [][16]byte // AAGUIDs, of Specific
		Enforced bool
	}
	DisplayName    [][]string // what to show beside a passkey: the first of which a user has anything, such as "email", or "name.given" and "name.family"
	Hints          []string   // as WebAuthn writes them: "security-key", "client-device", "hybrid"
	Timeout        time.Duration
	RelatedOrigins []string // origins of other sites that may use these passkeys; ours
	OfferDisabled  bool     // nobody is offered a passkey after a sign-on with a password; ours
}

// Attestation is whether a new device says what model it is.
type Attestation string

// The attestations. Source: reference/flows.md 8.4.
const (
	Direct        Attestation = "DIRECT"
	NoAttestation Attestation = "NONE"
)

// Attachment is where an authenticator may be.
type Attachment string

// The attachments. Source: reference/flows.md 8.4.
const (
	PlatformOnly  Attachment = "PLATFORM"       // part of the machine
	CrossPlatform Attachment = "CROSS_PLATFORM" // carried
	AnyAttachment Attachment = "BOTH"
)

// Requirement is how much something is wanted.
type Requirement string

// The requirements. Source: reference/flows.md 8.4.
const (
	Discouraged Requirement = "DISCOURAGED"
	Preferred   Requirement = "PREFERRED"
	Required    Requirement = "REQUIRED"
)

// Authenticators is which models are let in.
type Authenticators string

// The choices. Source: reference/management.md 5.10.
const (
	AnyAuthenticator Authenticators = "NONE"
	AuditOnly        Authenticators = "AUDIT_ONLY" // all, and what model it was is kept
	Global           Authenticators = "GLOBAL"     // those that the FIDO Metadata Service has, and has nothing against
	Certified        Authenticators = "CERTIFIED"  // of these, those that FIDO has certified
	Specific         Authenticators = "SPECIFIC"   // those that Allowed names
)

// Models reports whether only some models are let in.
func (a Authenticators) Models() bool { return a == Specific || a.Listed() }

// Listed reports whether it is the FIDO Metadata Service that says which.
func (a Authenticators) Listed() bool { return a == Global || a == Certified }

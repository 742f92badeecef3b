package device

import (
	"slices"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// Type is what sort of authenticator a device is.
type Type string

// The types. Source: reference/flows.md 8.2. A FIDO2 device is shown as PLATFORM or
// SECURITY_KEY where the older documents say so; see Device.Type.
const (
	SMS         Type = "SMS"
	Email       Type = "EMAIL"
	Voice       Type = "VOICE"
	TOTP        Type = "TOTP"
	Mobile      Type = "MOBILE"
	FIDO2       Type = "FIDO2"
	Platform    Type = "PLATFORM"     // a FIDO2 authenticator that is part of the machine
	SecurityKey Type = "SECURITY_KEY" // a FIDO2 authenticator that is carried
	OathToken   Type = "OATH_TOKEN"
	Recovery    Type = "RECOVERY_CODE" // ours: ten codes, each good once
)

// Types are all of them.
func Types() []Type {
	return []Type{SMS, Email, Voice, TOTP, Mobile, FIDO2, Platform, SecurityKey, OathToken, Recovery}
}

// IsFIDO2 reports whether devices of the type sign challenges of WebAuthn.
func (t Type) IsFIDO2() bool { return t == FIDO2 || t == Platform || t == SecurityKey }

// IsSent reports whether the code of the type is made by us and sent.
func (t Type) IsSent() bool { return t == SMS || t == Email || t == Voice }

// Channel is the one by which a code of the type is sent; empty: it is not.
func (t Type) Channel() flow.Channel {
	if t.IsSent() {
		return flow.Channel(t)
	}
	return ""
}

// Status is how far a device has come.
type Status string

// The statuses. Source: reference/flows.md 8.2. A device that is blocked or locked
// stays ACTIVE and says so in members of its own.
const (
	Active             Status = "ACTIVE"
	ActivationRequired Status = "ACTIVATION_REQUIRED"
)

// Device is one authenticator of one user.
type Device struct {
	Env, UserID, ID string // UUIDs
	Type            Type
	Status          Status
	Nickname        string // given by the person; empty: none
	Name            string // what the device calls itself, such as its model; empty: not known
	Phone           string // of SMS and VOICE, as flow.E164
	Email           string // of EMAIL, in the form that directory.NormalEmail makes
	Application     string // of MOBILE: UUID of the native application
	Policy          string // UUID of the policy that it was paired under; empty: the default one's
	Key             []byte // of MOBILE: public key of the device, PKIX DER (P-256 or Ed25519)
	Alert           string // of MOBILE: where a push service reaches the app, such as a registration token; empty: nowhere
	Codes           bool   // of MOBILE: it was given a seed when it was paired, and computes codes
	Credential      *Credential

	Wrong       int       // wrong answers since the last right one
	WrongOfAll  int       // those of all devices of the user together
	LockedUntil time.Time // too many wrong answers; zero: it is not locked
	BlockedAt   time.Time // by an administrator or the person; zero: it is not blocked

	CreatedAt, UpdatedAt time.Time
	ActivatedAt          time.Time // zero: not yet
	LastUsedAt           time.Time // right answers, to the minute; zero: never
}

// Usable reports whether the device may prove somebody at now.
func (d *Device) Usable(now time.Time) bool {
	return d.Status == Active && d.BlockedAt.IsZero() && !d.LockedUntil.After(now)
}

// Credential is what is kept of a FIDO2 credential. Source: WebAuthn level 3, 4
// (credential record).
type Credential struct {
	ID         []byte // at most 1023 bytes
	PublicKey  []byte // COSE_Key
	SignCount  uint32
	Transports []string
	AAGUID     [16]byte
	Format     string // of the attestation: "none", "packed", ...
	Handle     []byte // user handle, 64 bytes, the same for all credentials of a user in an environment
	RPID       string

	Attachment     string // "platform", "cross-platform", or empty: not said
	Discoverable   bool   // as credProps said
	Verified       bool   // the person was verified at registration (uvInitialized)
	BackupEligible bool
	BackedUp       bool
	Suspected      bool // a counter went back: perhaps there is a second one of it
}

// Masked is where codes of the device go, as it may be shown: "*******01" or
// "j•••@example.com" in the form of flow.Masked; empty: codes go nowhere.
func (d *Device) Masked() string {
	switch {
	case d.Phone != "":
		return MaskedPhone(d.Phone)
	case d.Email != "":
		return flow.Masked(d.Email)
	}
	return ""
}

// MaskedPhone is a number of which only the last two digits are readable. Source:
// reference/flows.md 8.2.
func MaskedPhone(number string) string {
	b := []byte(number)
	for i := range max(0, len(b)-2) {
		b[i] = '*'
	}
	return string(b)
}

// Proof is what a right answer of the device proves. verified says that the device
// has itself verified the person, by what they know or are: a passkey with user
// verification is both factors at once. Source: NIST SP 800-63B-4 3.1.6, 3.1.7;
// RFC 8176 2.
func (d *Device) Proof(verified bool) flow.Proof {
	p := flow.Proof{Subject: d.UserID, Factors: flow.Possession, AMR: "otp", Authenticator: d.ID, Address: d.Email}
	if d.Phone != "" {
		p.Address = d.Phone
	}
	switch d.Type {
	case SMS, Email, Voice, TOTP:
		p.Method = strings.ToLower(string(d.Type))
	case Recovery:
		p.Method = "recovery"
	case OathToken:
		p.Method = "oath"
	case Mobile:
		p.Method, p.AMR = "mobile", "swk"
	case FIDO2, Platform, SecurityKey:
		p.Method, p.AMR = "fido2", "hwk"
		if d.Credential != nil && d.Credential.BackupEligible { // its key may be in several places
			p.AMR = "swk"
		}
		if verified {
			p.Factors |= flow.Inherence
		}
	}
	return p
}

// Taken is the proof of one device of one of the types, by each of the names that it may
// have; without types, of any. Recovery codes stand in for all.
func Taken(types ...Type) []flow.Taken {
	if len(types) == 0 {
		types = Types()
	}
	var out []flow.Taken
	for _, t := range append(slices.Clone(types), Recovery) {
		synced := Device{Type: t, Credential: &Credential{BackupEligible: true}}
		for _, amr := range []string{(&Device{Type: t}).Proof(false).AMR, synced.Proof(false).AMR, "otp"} {
			if amr == "otp" && t.IsFIDO2() {
				continue // whereas an app shows codes as well
			}
			taken := flow.Taken{Factors: flow.Possession, Authenticator: "device", AMR: amr}
			if t == Email {
				taken.Rests = "email"
			}
			if !slices.Contains(out, taken) {
				out = append(out, taken)
			}
		}
	}
	return out
}

// Order puts devices into the order in which they are tried: the first usable one is
// the default. Listed says which the person has put in order; the others follow by
// their activation, oldest first. Source: reference/flows.md 8.1.
func Order(devices []Device, listed []string) []Device {
	rank := make(map[string]int, len(listed))
	for i, id := range listed {
		rank[id] = i + 1
	}
	out := append([]Device(nil), devices...)
	sortDevices(out, rank)
	return out
}

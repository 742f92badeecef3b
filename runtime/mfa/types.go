package mfa

import (
	"time"

	"doorward/runtime/device"
)

// Start asks for a device to be challenged.
type Start struct {
	Who
	Policy        string
	Device        device.Device // one of Choice.Devices; not looked at for a Who who is Unproven
	Compatibility Compatibility
	Instead       *Challenge // that was open before: its push is called back
}

// Challenge is what somebody has been asked for, and what a step keeps of it. There is
// no secret in it.
type Challenge struct {
	Status   string      `json:"status"`
	Device   string      `json:"device,omitempty"` // id; empty: nobody's
	Type     device.Type `json:"type,omitempty"`
	Policy   string      `json:"policy,omitempty"`
	Unproven bool        `json:"unproven,omitempty"` // nothing but Status may be shown
	Address  string      `json:"address,omitempty"`  // masked, of where a code went
	Tries    int         `json:"tries,omitempty"`    // that a code has
	Allowed  []Allowed   `json:"allowed,omitempty"`  // of ASSERTION_REQUIRED: who may answer
	Salt     string      `json:"salt,omitempty"`     // of ASSERTION_REQUIRED: tells this question from every other
	Push     string      `json:"push,omitempty"`     // id
	Number   string      `json:"number,omitempty"`   // to be shown, and picked on the device
	Codes    bool        `json:"codes,omitempty"`    // of Push: a code that the app shows is taken as well
	Until    time.Time   `json:"until,omitzero"`     // how long a code or a push is good
}

// Allowed is a credential that may answer a challenge.
type Allowed struct {
	Device     string   `json:"device"`
	ID         []byte   `json:"id"`
	Transports []string `json:"transports,omitempty"`
}

// OTP is a code that somebody has typed.
type OTP struct {
	Who
	Challenge Challenge
	Code      string
}

// Assertion is what an authenticator has signed.
type Assertion struct {
	Who
	Challenge         Challenge
	Bytes             []byte // that were to be signed: flow.Turn.Challenge
	Origin, Assertion string
	Compatibility     Compatibility
}

// Discovered is what an authenticator has signed that knew by itself who the person is.
type Discovered struct {
	Who               // UserID empty: anybody may answer; else only that user
	Policy            string
	Bytes             []byte
	Origin, Assertion string
}

// Enrolment asks for a device to be added.
type Enrolment struct {
	Who
	Policy        string
	Type          device.Type
	Email, Phone  string // as typed
	Nickname      string
	Application   string // of MOBILE: UUID of the native application
	RPID          string // as the request says it; empty: it does not
	Seed          []byte // of OATH_TOKEN
	Compatibility Compatibility
	// Active adds a device of SMS, VOICE or EMAIL without a code being sent: somebody
	// else answers for the address.
	Active bool
}

// Enrolling is a device that is being added. A step keeps Device.ID, Until, Creation
// and Pairing.ID; what else is secret is shown once, or made again by Key.
type Enrolling struct {
	Device   device.Device
	Until    time.Time // how long the code or the pairing key is good; zero: neither
	Creation *Creation // of FIDO2: what CreationOptions takes
	Key      *Key      // of TOTP
	Pairing  string    // of MOBILE: the pairing key; Device.ID is the id of the device to be
	Codes    []string  // of RECOVERY_CODE
}

// Creation is what the options for a new credential are made of.
type Creation struct {
	Policy     string    `json:"policy,omitempty"`
	Handle     []byte    `json:"handle"`
	Name       string    `json:"name"`
	Display    string    `json:"display,omitempty"`
	Attachment string    `json:"attachment,omitempty"`
	Exclude    []Allowed `json:"exclude,omitempty"`
}

// Key is the seed of an app, as text and as its QR code says it. Source: the Key URI
// Format of Google Authenticator.
type Key struct{ Secret, URI string }

// Again asks for the code of a new device once more.
type Again struct {
	Who
	Policy string
	Device string // id
}

// Activation is the first answer of a new device.
type Activation struct {
	Who
	Policy              string
	Device              string // id
	OTP                 string
	Origin, Attestation string
	Creation            *Creation
	Nickname            string // empty: as it was
	Bytes               []byte // that were to be signed; none: outside of an execution, see CreationBytes
	// Conditional says that it answers Offering.Quiet, for which nobody was asked.
	Conditional bool
}

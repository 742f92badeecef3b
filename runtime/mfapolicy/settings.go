package mfapolicy

// Settings are what an environment asks of devices, whatever policy they are under.
type Settings struct {
	MaxDevices       int // of one user, 1 to 15
	PairingKeyFormat PairingKeyFormat
	// Lockout is how many wrong answers in a row, over all devices and flows, lock the
	// account. A Count of 0 never does; a CoolDown of 0 lasts until somebody lifts it.
	Lockout             Failure
	PhoneExtensions     bool
	MFAEnabledByDefault bool // of new users
}

// PairingKeyFormat is how pairing keys are written.
type PairingKeyFormat string

// The formats. Source: reference/management.md 5.10.
const (
	Numeric      PairingKeyFormat = "NUMERIC"      // 12 digits
	Alphanumeric PairingKeyFormat = "ALPHANUMERIC" // 16 letters and digits
)

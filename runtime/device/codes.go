package device

import "time"

// Computed is how a MOBILE device computes codes, of a seed that it was given when it
// was paired. Source: RFC 6238.
type Computed struct {
	Algorithm string
	Digits    int
	Period    time.Duration // whole seconds
	Taken     bool          // by the policy under which it was paired
}

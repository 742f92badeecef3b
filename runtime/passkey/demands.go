package passkey

import (
	"slices"
	"time"

	"doorward/runtime/mfapolicy"
)

// The words of WebAuthn. Source: WebAuthn level 3, 5.4.5, 5.4.6, 5.8.6.
const (
	platform      = "platform"
	crossPlatform = "cross-platform"
	required      = "required"
	preferred     = "preferred"
	discouraged   = "discouraged"
)

// demands is a policy in the words of WebAuthn.
type demands struct {
	*mfapolicy.FIDO2Policy
	known        *Metadata // nil: nothing is
	attachment   string    // empty: either
	residentKey  string
	verification string
}

func demandsOf(pol *mfapolicy.FIDO2Policy, known *Metadata) (demands, error) {
	if pol == nil {
		return demands{}, refused(ReasonSetup)
	}
	d := demands{pol, known, "", word(pol.Discoverable), word(pol.UserVerification.Option)}
	switch pol.Attachment {
	case mfapolicy.PlatformOnly:
		d.attachment = platform
	case mfapolicy.CrossPlatform:
		d.attachment = crossPlatform
	case mfapolicy.AnyAttachment:
	}
	return d, nil
}

func word(r mfapolicy.Requirement) string {
	switch r {
	case mfapolicy.Required:
		return required
	case mfapolicy.Discouraged:
		return discouraged
	case mfapolicy.Preferred:
	}
	return preferred
}

// verified reports whether the person must have been verified; again says that it is
// not the first time.
func (d demands) verified(again bool) bool {
	return d.verification == required && (!again || d.UserVerification.Enforced)
}

// backup reports whether the key may be in several places.
func (d demands) backup(again bool) bool {
	return d.Backup.Allowed || again && !d.Backup.Enforced
}

// direct reports whether an attestation is asked for. Models cannot be known without.
func (d demands) direct() bool {
	return d.Attestation == mfapolicy.Direct || d.Authenticators.Option.Models()
}

// attested reports whether it is refused to give none. Who only keeps records of
// models lets everything in.
func (d demands) attested() bool {
	return d.direct() && d.Authenticators.Option != mfapolicy.AuditOnly
}

// model reports whether authenticators of a model may be used. Which one it is counts
// only where an attestation covers it: otherwise it is the word of a client. Source:
// WebAuthn level 3, 8.2 to 8.4, 8.8; that of 8.6 does not cover it.
func (d demands) model(aaguid [16]byte, format string, again bool) bool {
	if !d.Authenticators.Option.Models() || again && !d.Authenticators.Enforced {
		return true
	}
	if !slices.Contains([]string{"packed", "tpm", "android-key", "apple"}, format) {
		return false
	}
	switch m := d.known.of(aaguid); d.Authenticators.Option {
	case mfapolicy.Global:
		return m != nil && !m.barred
	case mfapolicy.Certified:
		return m != nil && !m.barred && m.certified
	case mfapolicy.Specific, mfapolicy.AnyAuthenticator, mfapolicy.AuditOnly:
	}
	return slices.Contains(d.Authenticators.Allowed, aaguid)
}

// vouched reports whether an attestation is by the word of whoever makes the model, as
// far as that is known.
func (d demands) vouched(aaguid [16]byte, format string, statement map[string]any) bool {
	m := d.known.of(aaguid)
	return m == nil || format == FormatNone || format == FormatSelf || m.vouches(statement)
}

// timeout is how long the client may wait for the person.
func (d demands) timeout() int64 { return int64(d.Timeout / time.Millisecond) }

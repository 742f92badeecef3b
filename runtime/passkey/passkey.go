package passkey

import (
	"encoding/json"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
)

// User is whom a credential is made for. Handle is what the authenticator knows the
// person by, 1 to 64 bytes that say nothing about them; the names are shown by the
// authenticator. Source: WebAuthn level 3, 5.4.3.
type User struct {
	Handle            []byte
	Name, DisplayName string
}

// Options is what a browser or an app needs to ask an authenticator. Nothing in it
// is secret.
type Options struct {
	// Standard is what PublicKeyCredential.parseCreationOptionsFromJSON and
	// parseRequestOptionsFromJSON take: bytes in base64url, algorithms as numbers.
	Standard json.RawMessage
	// Vendor is the same as text: bytes as lists of signed numbers, algorithms as
	// text. Source: reference/flows.md 8.4.
	Vendor string
}

// VendorText is Vendor as a text in JSON, which is how it is sent.
func (o Options) VendorText() []byte { return appendText(make([]byte, 0, len(o.Vendor)+64), o.Vendor) }

// Registration is the answer of an authenticator that has made a credential.
type Registration struct {
	Party       Party
	Policy      *mfapolicy.FIDO2Policy
	Challenge   []byte // that was in the options, at least 16 bytes
	Origin      string // as the request says it; empty: it does not. It must be that of the client data, and proves nothing
	Attestation string // the credential as JSON, in either form
	User        User
	Exclude     []device.Credential // that the person has already
	Metadata    *Metadata           // nil: nothing is known of models
	// Conditional says that the options were for a credential which is made without
	// asking the person, who has just proven another factor. Then nobody need have
	// touched the authenticator or been verified by it, and that other factor stands for
	// it: the credential counts as verified. Source: WebAuthn level 3, 4 (uvInitialized),
	// 5.1.3 (conditional mediation), 7.1.
	Conditional bool
}

// Assertion is the answer of an authenticator that has signed a challenge.
type Assertion struct {
	Party       Party
	Policy      *mfapolicy.FIDO2Policy
	Challenge   []byte
	Origin      string
	Assertion   string
	Credentials []device.Credential // that may answer: those that were offered, or the one that Named has led to
	Metadata    *Metadata           // nil: nothing is known of models
	// Discoverable says that nobody was known before: the answer must name the person
	// by the handle of the credential.
	Discoverable bool
}

// Verdict is what an assertion comes to.
type Verdict struct {
	// Credential is as it has to be stored now: the counter, the backup state, the
	// suspicion. Its counter is never below the stored one.
	Credential device.Credential
	// Verified says that the authenticator has verified the person, and that this
	// counts as a factor of its own: it did so when it was registered, too. Source:
	// WebAuthn level 3, 4 (uvInitialized).
	Verified bool
	// Claimed says that the authenticator has verified the person for the first time
	// since its registration. That is no factor yet; once another factor stands beside
	// it, Credential.Verified may be set.
	Claimed bool
	// Cloned says that the counter did not go up. Such an assertion is refused; the
	// verdict that comes with the error has the credential to store, and says what the
	// assertion shows where this very one has moved the counter before.
	Cloned bool
}

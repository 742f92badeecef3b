package passkey

// The reasons for which an answer is refused, as they stand in the log. Whoever sent
// it is told one sentence for all of them.
const (
	ReasonSetup         = "setup"       // the call itself: no challenge, no relying party, no policy, no handle
	ReasonMessage       = "message"     // not the JSON of a credential
	ReasonClientData    = "clientData"  // not the JSON of client data
	ReasonType          = "type"        // of the other ceremony
	ReasonChallenge     = "challenge"   // of another question
	ReasonOrigin        = "origin"      // not one of the relying party's, or not that of the request
	ReasonCrossOrigin   = "crossOrigin" // from within a page of somebody else
	ReasonData          = "authenticatorData"
	ReasonParty         = "rpIdHash"      // for another relying party
	ReasonPresence      = "userPresent"   // nobody touched it
	ReasonVerification  = "userVerified"  // the person was not verified, and the policy asks for it
	ReasonBackup        = "backup"        // flags that cannot be, that changed, or that the policy forbids
	ReasonAttachment    = "attachment"    // not of the sort that the policy asks for
	ReasonDiscoverable  = "discoverable"  // cannot be found without its id, and the policy asks for it
	ReasonKey           = "key"           // no public key, or none that we take
	ReasonAttestation   = "attestation"   // none, wrong, or of a form that we cannot judge
	ReasonAuthenticator = "authenticator" // a model that the policy does not allow
	ReasonRegistered    = "registered"    // the person has it already
	ReasonCredential    = "credential"    // not one that may answer
	ReasonHandle        = "userHandle"    // of somebody else, or missing
	ReasonSignature     = "signature"     // not made by the key
	ReasonCounter       = "counter"       // did not go up: perhaps there are two of it
)

// Error says why an answer was refused. It holds nothing of the answer.
type Error struct{ Reason string }

func (e *Error) Error() string { return "webauthn refused: " + e.Reason }

func refused(reason string) error { return &Error{Reason: reason} }

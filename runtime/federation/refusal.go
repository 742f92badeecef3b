package federation

// Why a sign-on elsewhere is refused: Refusal.Reason.
const (
	Unreachable     = "UNREACHABLE"      // no answer that can be used, or none in time
	TokenRefused    = "TOKEN_REFUSED"    // the token endpoint does not exchange the code
	BadTokenAnswer  = "BAD_TOKEN_ANSWER" // it answers what it must not
	BadIDToken      = "BAD_ID_TOKEN"
	BadSignature    = "BAD_SIGNATURE"
	WrongIssuer     = "WRONG_ISSUER" // of the ID token, or of the answer by RFC 9207
	WrongAudience   = "WRONG_AUDIENCE"
	WrongNonce      = "WRONG_NONCE"
	WrongHash       = "WRONG_HASH" // at_hash or c_hash
	Expired         = "EXPIRED"
	NotYetIssued    = "NOT_YET_ISSUED"
	TooOld          = "TOO_OLD" // the sign-on there, or nothing says when it was
	NoSubject       = "NO_SUBJECT"
	WrongSubject    = "WRONG_SUBJECT" // of the userinfo endpoint
	BadUserInfo     = "BAD_USERINFO"
	UnknownProvider = "UNKNOWN_PROVIDER" // it is of no type that is spoken, or switched off
)

// Refusal says that what a provider sent is no good. Its text is ours alone, and holds
// nothing that was sent; what it unwraps to may name addresses.
type Refusal struct {
	Reason string // one of the constants
	detail string
	cause  error
}

func (r *Refusal) Error() string {
	if r.detail == "" {
		return r.Reason
	}
	return r.Reason + ": " + r.detail
}

func (r *Refusal) Unwrap() error { return r.cause }

// refuse makes a Refusal, for which detail may be empty.
func refuse(reason, detail string) *Refusal { return &Refusal{Reason: reason, detail: detail} }

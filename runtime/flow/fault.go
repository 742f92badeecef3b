package flow

import (
	"errors"
	"math"
	"time"
)

// Code classifies a Fault. Package wire owns the mapping to HTTP statuses.
type Code string

// The codes a client sees. Source: reference/flows.md 6.2; those without a
// documented name are ours.
const (
	InvalidData      Code = "INVALID_DATA"           // a value is wrong; details follow
	InvalidRequest   Code = "INVALID_REQUEST"        // malformed, or not offered now
	RequestFailed    Code = "REQUEST_FAILED"         // what it asks for does not fit the state of its object
	InvalidToken     Code = "INVALID_TOKEN"          // credentials of the caller itself
	AccessFailed     Code = "ACCESS_FAILED"          // refused, e.g. cross-site
	NotFound         Code = "NOT_FOUND"              // unknown, expired, or not yours
	MethodNotAllowed Code = "METHOD_NOT_ALLOWED"     // ours
	Conflict         Code = "CONFLICT"               // ours: another submit won
	TooLarge         Code = "REQUEST_TOO_LARGE"      // ours
	UnsupportedMedia Code = "UNSUPPORTED_MEDIA_TYPE" // ours
	Misdirected      Code = "MISDIRECTED_REQUEST"    // ours: a host name we do not serve
	Limited          Code = "REQUEST_LIMITED"        // this person, address or client sent too much
	Unavailable      Code = "SERVICE_UNAVAILABLE"    // ours: we cannot now
	Unexpected       Code = "UNEXPECTED_ERROR"       // our failure
)

// The detail codes. Source: reference/flows.md 6.3.
const (
	InvalidValue        = "INVALID_VALUE"
	RequiredValue       = "REQUIRED_VALUE"
	EmptyValue          = "EMPTY_VALUE"
	SizeLimitExceeded   = "SIZE_LIMIT_EXCEEDED"
	InvalidCredentials  = "INVALID_CREDENTIALS"
	PasswordLockedOut   = "PASSWORD_LOCKED_OUT"
	UniquenessViolation = "UNIQUENESS_VIOLATION"
	ConstraintViolation = "CONSTRAINT_VIOLATION"
	ActionNotOffered    = "ACTION_NOT_OFFERED"             // ours
	ExternalFailed      = "EXTERNAL_AUTHENTICATION_FAILED" // ours: the sign-on at an identity provider came to nothing
)

// The detail codes of the management API. Source: reference/management.md 7.4.
const (
	InvalidParameter        = "INVALID_PARAMETER"
	InvalidFilter           = "INVALID_FILTER"
	OutOfRange              = "OUT_OF_RANGE"
	NoPassword              = "NO_PASSWORD"
	AccountNotUsable        = "ACCOUNT_NOT_USABLE"
	InsufficientPermissions = "INSUFFICIENT_PERMISSIONS"
	LimitExceeded           = "LIMIT_EXCEEDED"
)

// Fault is an error meant for the client: it says what is wrong and what to do
// next. Err is for the log only and never leaves the house.
type Fault struct {
	Code       Code
	Message    string
	Details    []Detail
	RetryAfter time.Duration // with Limited and Unavailable
	Restart    bool          // starting again is the way out
	View       *View         // the execution as it stands, when the caller may see it
	// Unknown is the id of the passkey that was shown, where nobody here has it: so that
	// a page can tell the browser to offer it no more. Never encoded.
	Unknown []byte
	Err     error
}

// Detail narrows a Fault to one input.
type Detail struct {
	Code    string
	Target  string // name of the input
	Pointer string // where in the document it stands, a JSON Pointer (RFC 6901); empty: not said
	Message string
	Inner   map[string]any // reference/flows.md 6.4 innerError
}

// Error is for the log: code, message, the codes of the details, and Err. What
// was sent is not repeated, nor are targets, which may be names of the sender's.
func (f *Fault) Error() string {
	s := string(f.Code) + ": " + f.Message
	for i := range f.Details {
		s += " " + f.Details[i].Code
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }

// InvalidMessage is the documented message of every validation fault.
// Source: reference/flows.md 6.1.
const InvalidMessage = "The request could not be completed. One or more validation errors were in the request."

// Invalid is a validation fault about named inputs.
func Invalid(details ...Detail) *Fault {
	return &Fault{Code: InvalidData, Message: InvalidMessage, Details: details}
}

// Locked is the detail of an account that takes no password: for how long yet, or,
// of an administrator's lock, until it is lifted. Source: reference/flows.md 6.4.
func Locked(target string, unlockIn time.Duration) Detail {
	if unlockIn <= 0 {
		return Detail{Code: PasswordLockedOut, Target: target, Message: "This account is locked. Ask your administrator to unlock it."}
	}
	return Detail{
		Code: PasswordLockedOut, Target: target, Inner: map[string]any{"secondsUntilUnlock": int(math.Ceil(unlockIn.Seconds()))},
		Message: "Too many wrong passwords. Wait until the lock ends, then try again.",
	}
}

// Unsatisfied is the detail of a new password that breaks rules, by their names.
// Source: reference/flows.md 6.4.
func Unsatisfied(target string, rules []string) Detail {
	return Detail{
		Code: InvalidValue, Target: target, Inner: map[string]any{"unsatisfiedRequirements": rules},
		Message: "The password does not meet the password policy. Choose one that meets the requirements named in innerError.",
	}
}

// WrongCode is the detail of a one-time code that is not right, after that many
// wrong ones since the last was sent, of which most void it.
func WrongCode(target string, wrong, most int) Detail {
	d := Detail{
		Code: InvalidValue, Target: target, Inner: map[string]any{"attemptsRemaining": max(0, most-wrong)},
		Message: "The code is wrong or no longer valid. Check it, or ask for a new one.",
	}
	if wrong >= most {
		d.Message = "There were too many wrong codes and the last one sent is void. Ask for a new one."
	}
	return d
}

// Gone is the one answer to an execution that is unknown, expired, consumed or
// somebody else's; they cannot be told apart.
func Gone() *Fault {
	return &Fault{Code: NotFound, Restart: true, Message: "The flow does not exist or has expired. Start again from the application."}
}

// Busy is the answer when a part we need cannot be reached.
func Busy(err error) *Fault {
	return &Fault{Code: Unavailable, RetryAfter: time.Second, Err: err, Message: "The service is not available now. Nothing was changed; send the request again shortly."}
}

// Unserved is the answer when a part we need did not do its work: the Fault that
// it reports, such as Limited, or else Busy.
func Unserved(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return Busy(err)
}

// AsFault returns the Fault in err's chain, or an Unexpected one that hides err.
func AsFault(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Code: Unexpected, Err: err, Message: "The request could not be completed because of an error on our side. Send it again; if it fails again, report the id."}
}

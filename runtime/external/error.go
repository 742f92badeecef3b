package external

import (
	"errors"
	"time"

	"doorward/runtime/flow"
)

// The codes of an Error that this package makes; a Sender has more. Source:
// reference/management.md 1.8; EXPRESSION_ERROR is ours.
const (
	InvocationError  = "INVOCATION_ERROR"  // the configuration, or what answered, is not as it has to be
	InvocationFailed = "INVOCATION_FAILED" // neither is to blame
	ExpressionError  = "EXPRESSION_ERROR"  // an expression has no value
	NoResponse       = "NO_HTTP_RESPONSE"  // what came is no answer that can be used
	Timeout          = "TIMEOUT"
	TooMany          = "TOO_MANY_INVOCATIONS" // not now
	InvalidValue     = flow.InvalidValue      // the inputs are not as the request takes them; Details say which
)

// Error is why a request has no outputs. What it shows names no address, no
// credential and no value; Reason is for the log.
type Error struct {
	Code       string
	Message    string // one sentence or two for the client
	Details    []flow.Detail
	RetryAfter time.Duration // 0: not said
	Open       bool          // of TOO_MANY_INVOCATIONS: the target fails, and is not called for a while
	NoToken    bool          // no access token was had, so that what was asked for was not done
	Reason     error
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap is Reason, for errors.Is and the log.
func (e *Error) Unwrap() error { return e.Reason }

func misconfigured(message string) *Error { return &Error{Code: InvocationError, Message: message} }

// asError is err as an Error; one that is none becomes InvocationFailed.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{
		Code: InvocationFailed, Reason: err,
		Message: "The external service could not be called because of an error on our side. Send the request again; if it fails again, report the id.",
	}
}

// inexpressible says that an expression has no value. An expression.Error holds
// nothing of the values.
func (t *text) inexpressible(err error) *Error {
	return &Error{Code: ExpressionError, Message: "The expression in " + t.where + " has no value: " + err.Error() + ".", Reason: err}
}

package invoke

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// Code says in which of seven ways a call failed.
// Source: reference/management.md 1.8.
type Code string

const (
	// HandshakeFailed says that the TLS handshake was tried, and nothing sent.
	HandshakeFailed Code = "SSL_HANDSHAKE_FAILED"
	// NoResponse says that there was no connection, or an answer that is broken, cut
	// off, too long, encoded, or not the JSON that was asked for. The request may have been read.
	NoResponse Code = "NO_HTTP_RESPONSE"
	// TimedOut says that the time of the call was over. The request may have been read.
	TimedOut Code = "TIMEOUT"
	// TooMany says that nothing was sent, as the environment or the target has no room, its
	// rate is used up, or its breaker is open.
	TooMany Code = "TOO_MANY_INVOCATIONS"
	// Malicious says that the guard refused the address, and nothing was sent.
	Malicious Code = "MALICIOUS_URL"
	// Failed says that the caller gave up, or the house closes.
	Failed Code = "INVOCATION_FAILED"
	// Misconfigured says that the request breaks a rule, and was not sent; or its target
	// redirects to where the configuration does not lead.
	Misconfigured Code = "INVOCATION_ERROR"
)

// sentence is all that a stranger is told of a code.
func (c Code) sentence() string {
	switch c {
	case HandshakeFailed:
		return "The TLS handshake with the external service failed."
	case NoResponse:
		return "No HTTP response that can be used was received from the external service."
	case TimedOut:
		return "No HTTP response was received from the external service in the time allowed."
	case TooMany:
		return "Too many requests to external services were made. Try again later."
	case Malicious:
		return "The URL of the external service is not permitted."
	case Misconfigured:
		return "The external service is not configured in a way that lets it be called."
	default:
		return "The call of the external service was not completed."
	}
}

// ErrForbidden is in the Reason of a call whose address may not be dialled.
var ErrForbidden = errors.New("forbidden destination")

// Error is every failure of a call. Its text is one sentence a code, the same for
// each address; Reason tells more.
type Error struct {
	Code Code
	// Detail says to an administrator which rule a Misconfigured request breaks,
	// without a value of the request. Other codes have none.
	Detail string
	// RetryAfter says when TooMany may be over; 0 with other codes.
	RetryAfter time.Duration
	// Open: the breaker refused, so that there was no call.
	Open bool

	reason     error
	blame      blame
	unanswered bool // no answer came
	status     int  // of an answer that was not taken
	retryAfter string
}

func (e *Error) Error() string { return e.Code.sentence() }

// blame is what a failure says of the target, for its breaker.
type blame int8

const (
	targets blame = iota // it is not well
	nobodys              // it answered; only we do not take what it said
	ours                 // nothing is known of it
)

// Reason is why a call failed, for the log only: it may name inside addresses.
// Any other error is its own reason.
func Reason(err error) error {
	var e *Error
	if errors.As(err, &e) && e.reason != nil {
		return e.reason
	}
	return err
}

// broken is a request that breaks a rule.
func broken(detail string, reason error) *Error {
	return &Error{Code: Misconfigured, Detail: detail, reason: reason, blame: ours}
}

// failed tells what a failed round trip means. gone is the Err of the context as it
// was given to us, before a deadline was put on it.
func failed(gone func() error, err error) *Error {
	e := &Error{Code: NoResponse, reason: err}
	var timeout net.Error
	var alert *net.OpError
	var handshake *handshakeError
	var header tls.RecordHeaderError
	switch {
	case errors.Is(err, ErrForbidden):
		e.Code, e.blame = Malicious, ours
	case errors.Is(gone(), context.Canceled):
		e.Code, e.blame = Failed, ours
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Code = TimedOut
	case errors.As(err, &handshake), errors.As(err, &header):
		e.Code = HandshakeFailed
	case errors.As(err, &alert) && alert.Op == "remote error": // as TLS 1.3 refuses a client certificate
		e.Code = HandshakeFailed
	}
	return e
}

// handshakeError is a connection that was made, and did not become a TLS one.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// MostAnswer is how much of an answer from outside a step puts out, in bytes of
// JSON: a record takes two of them, and what else an execution remembers. See
// ErrTooLarge.
const MostAnswer = 6 << 10

// Answered leaves by result with what an outside service answered, or fails where
// that is more than can be kept.
func Answered(result string, outputs map[string]any) Outcome {
	b, err := json.Marshal(outputs)
	switch {
	case err != nil: // a number that JSON does not have
		return CallFailed("EXPRESSION_ERROR")
	case len(b) > MostAnswer:
		return CallFailed("OUTPUT_TOO_LARGE")
	}
	return Result(result).WithOutputs(outputs)
}

// CallFailed is how a step fails when its call of an outside service came to a
// code. EXPRESSION_ERROR and OUTPUT_TOO_LARGE are ours. Source:
// reference/management.md 1.8.
func CallFailed(code string) Outcome {
	o := callFailure(code).WithEvent(ServiceFailed)
	switch code {
	case "TIMEOUT":
		o.Outlet = TimeoutResult
	case "TOO_MANY_INVOCATIONS":
		o.Outlet = UnavailableResult
	}
	return o
}

// callFailure says what a person can do. Of the service it says nothing.
func callFailure(code string) Outcome {
	switch code {
	case "TIMEOUT":
		return Fail("TIMEOUT", "A service that is needed here did not answer in time. Wait a moment, then try again.")
	case "TOO_MANY_INVOCATIONS":
		return Fail("TOO_MANY_INVOCATIONS", "A service that is needed here takes no requests just now. Wait a moment, then try again.")
	case "SSL_HANDSHAKE_FAILED":
		return Fail("SSL_HANDSHAKE_FAILED", "A service that is needed here could not be reached safely. Try again later, or ask your administrator.")
	case "NO_HTTP_RESPONSE":
		return Fail("NO_HTTP_RESPONSE", "A service that is needed here gave no answer that can be used. Try again later, or ask your administrator.")
	case "MALICIOUS_URL":
		return Fail("MALICIOUS_URL", "A service that is needed here may not be asked. Ask your administrator.")
	case "INVOCATION_ERROR":
		return Fail("INVOCATION_ERROR", "A service that is needed here is not set up rightly. Ask your administrator.")
	case "EXPRESSION_ERROR":
		return Fail("EXPRESSION_ERROR", "What a service was to be asked here, or what it answered, could not be worked out. Ask your administrator.")
	case "OUTPUT_TOO_LARGE":
		return Fail("OUTPUT_TOO_LARGE", "A service that is needed here answered more than can be kept. Ask your administrator to keep less of it, with response.output of its request.")
	}
	return Fail("INVOCATION_FAILED", "A service that is needed here could not be asked. Try again later, or ask your administrator.")
}

// CallFailures are the outlets of a step that calls an outside service.
func CallFailures() []StepFailure {
	return []StepFailure{
		{TimeoutResult, "Timeout", "The service did not answer in time. Whether it did what it was asked is not known."},
		{UnavailableResult, "Unavailable", "The service was not asked: there are too many calls, or it has failed too often of late."},
	}
}

// CallKey is the idempotency key of the call of an outside service in this turn:
// the same for a submit that is repeated, and of no use for anything else.
func (t *Turn) CallKey() string {
	sum := sha256.Sum256([]byte("call\x00" + t.Ref.Env + "\x00" + t.Effect()))
	return hex.EncodeToString(sum[:16])
}

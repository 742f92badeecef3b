package mfa

import (
	"errors"
	"fmt"
	"math"
	"time"

	"doorward/runtime/flow"
)

// invalidOTP is the detail of a wrong code. Source: reference/flows.md 6.3.
const invalidOTP = "INVALID_OTP"

// wrongCode tells that a code is not right, after wrong of most that one has. A sent
// one is void at the end, and one that was there before is so whatever is typed.
func wrongCode(wrong, most int) *flow.Fault {
	d := flow.WrongCode("otp", wrong, most)
	d.Code = invalidOTP
	return flow.Invalid(d)
}

// wrongComputed is wrongCode for codes that are not sent. left is how many more are
// compared before the device is locked; none: it never is.
func wrongComputed(left int, message string) *flow.Fault {
	d := flow.Detail{Code: invalidOTP, Target: "otp", Message: message}
	if left > 0 {
		d.Inner = map[string]any{"attemptsRemaining": left}
	}
	return flow.Invalid(d)
}

const (
	wrongTOTPMessage     = "The code is wrong or was used before. Wait for the next one in your app, then enter that."
	wrongRecoveryMessage = "The recovery code is wrong or was used before. Check it, or enter another one of your list."
)

// wrongAssertion is the one answer to every assertion that is not right. Source:
// reference/flows.md 5.2.
func wrongAssertion() *flow.Fault {
	return flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: "assertion",
		Message: "The passkey or security key was not accepted. Try it again, or use another way.",
	})
}

func wrongAttestation() *flow.Fault {
	return flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: "attestation",
		Message: "The passkey or security key could not be added. Try it again, or use another one.",
	})
}

// far is a lock that nobody waits for; forever is one that ends when somebody lifts it.
const (
	far     = 365 * 24 * time.Hour
	forever = 100 * far
)

// lockedFault says until when nothing is accepted, and what else to do. until that is
// zero or far away is a lock that somebody has to lift.
func lockedFault(target string, account bool, until, now time.Time) *flow.Fault {
	d := flow.Detail{Code: flow.LimitExceeded, Target: target}
	wait := until.Sub(now)
	switch {
	case account && (until.IsZero() || wait > far):
		d.Message = "There were too many wrong answers. Signing on with your devices is locked; ask your administrator to unlock it."
		return flow.Invalid(d)
	case until.IsZero() || wait > far:
		d.Message = "There were too many wrong answers. This device is locked; use another one, or ask your administrator to unlock it."
		return flow.Invalid(d)
	case account:
		d.Message = "There were too many wrong answers. Signing on with your devices is locked for " + waiting(wait) + "; then try again."
	default:
		d.Message = "There were too many wrong answers. This device is locked for " + waiting(wait) + "; use another one, or try again then."
	}
	d.Inner = map[string]any{"secondsUntilUnlock": max(1, int(math.Ceil(wait.Seconds())))}
	return flow.Invalid(d)
}

// waiting is a time to wait as it is said.
func waiting(d time.Duration) string {
	n := max(1, int(math.Ceil(d.Minutes())))
	if n == 1 {
		return "1 minute"
	}
	return fmt.Sprintf("%d minutes", n)
}

// overBudget is what somebody is told who has given too many wrong answers.
func overBudget(limit *flow.LimitError) *flow.Fault {
	return &flow.Fault{
		Code: flow.Limited, RetryAfter: time.Duration(limit.RetryAfter) * time.Second,
		Message: "There were too many wrong answers for this account. Wait before you try again.",
	}
}

func tooManyMessages() *flow.Fault {
	return &flow.Fault{
		Code: flow.Limited, RetryAfter: messageWindow,
		Message: "Too many codes were sent. Use the last one, use another device, or try again later.",
	}
}

func tooManyPushes(wait time.Duration) *flow.Fault {
	return &flow.Fault{
		Code: flow.Limited, RetryAfter: max(time.Second, wait),
		Message: "Too many requests to this device were left unanswered. Use another device, or try again later.",
	}
}

// limited is the limit that an error says was passed.
func limited(err error) (*flow.LimitError, bool) {
	var l *flow.LimitError
	return l, errors.As(err, &l)
}

func gone() *flow.Fault {
	return flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: "device.id",
		Message: "This device cannot be used now. Choose another one.",
	})
}

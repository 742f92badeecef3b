package invoke

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// retryPause is how long a target is left alone that could not be reached.
	retryPause = 100 * time.Millisecond
	// retryRoom is what has to be left of a call's time for a second try.
	retryRoom = time.Second
)

// again reports whether to try once more, and after how long. What a first try may
// have done is done a second time only where the target can tell.
func (s *sending) again(ctx context.Context, answer *Answer, fault *Error) (wait time.Duration, ok bool) {
	var status int
	var after string
	switch {
	case ctx.Err() != nil:
		return 0, false
	case answer != nil:
		status, after = answer.Status, answer.Header.Get("Retry-After")
	default:
		status, after = fault.status, fault.retryAfter
	}
	switch {
	case status == http.StatusTooManyRequests && s.repeatable(), unavailable(status) && s.harmless():
		wait, ok = retryAfter(after, s.now())
	case fault != nil && fault.unanswered && fault.blame == targets && fault.Code != HandshakeFailed:
		wait, ok = retryPause, s.keyed || s.harmless() && unreached(fault.reason)
	}
	deadline, _ := ctx.Deadline()
	return wait, ok && wait+retryRoom <= deadline.Sub(s.now())
}

// unavailable reports whether a status speaks of a moment.
func unavailable(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// unreached reports whether no connection was made. A name that does not exist
// will not a moment later.
func unreached(err error) bool {
	var op *net.OpError
	var name *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" && (!errors.As(err, &name) || !name.IsNotFound)
}

// retryAfter reads seconds or a date; anything else says nothing.
// Source: RFC 9110 10.2.3.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value != "" && len(value) <= 9 && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.Atoi(value)
		return time.Duration(seconds) * time.Second, err == nil
	}
	at, err := http.ParseTime(value)
	return min(max(0, at.Sub(now)), time.Hour), err == nil
}

// pause waits, but not past the end of the call.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

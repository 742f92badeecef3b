package invoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// sending is one call under way.
type sending struct {
	*message
	room      *room
	transport *http.Transport
	gone      func() error // what became of the caller
	now       func() time.Time
}

// send makes the call, and once more where that can do no harm.
func (s *sending) send(ctx context.Context) (*Answer, error) {
	answer, fault := s.follow(ctx)
	wait, again := s.again(ctx, answer, fault)
	if !again {
		return answer, orNil(fault)
	}
	if err := pause(ctx, wait); err != nil {
		return nil, failed(s.gone, err)
	}
	if s.room.admit(s.now()) != nil {
		return answer, orNil(fault)
	}
	answer, fault = s.follow(ctx)
	return answer, orNil(fault)
}

// orNil keeps a nil *Error from becoming an error that is none.
func orNil(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// follow sends the message, and after it where the target redirects to.
func (s *sending) follow(ctx context.Context) (*Answer, *Error) {
	u := s.url
	for hop := 0; ; hop++ {
		res, err := s.transport.RoundTrip(s.request(ctx, u))
		if err != nil {
			e := failed(s.gone, err)
			e.unanswered = true
			return nil, e
		}
		if res.StatusCode < 300 || res.StatusCode >= 400 {
			answer, fault := s.take(res)
			return answer, fault
		}
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be kept
		_ = res.Body.Close()
		to, err := s.redirect(u, res)
		if err == nil && hop == maxRedirects {
			err = fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if err != nil {
			return nil, &Error{Code: Misconfigured, Detail: "The service redirects to where it may not be followed.", reason: err, blame: nobodys}
		}
		u = to
	}
}

// redirect is where to go on: at the same origin only, and only with a request that
// may be made again.
func (s *sending) redirect(from *url.URL, res *http.Response) (*url.URL, error) {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if !s.harmless() {
			return nil, fmt.Errorf("status %d for %s", res.StatusCode, s.method)
		}
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if !s.repeatable() {
			return nil, fmt.Errorf("status %d for %s without an idempotency key", res.StatusCode, s.method)
		}
	default:
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	location := res.Header.Get("Location")
	if location == "" || len(location) > MaxURL {
		return nil, fmt.Errorf("status %d with a Location of %d bytes", res.StatusCode, len(location))
	}
	to, err := from.Parse(location)
	if err != nil {
		if whole := (*url.Error)(nil); errors.As(err, &whole) {
			err = whole.Err
		}
		return nil, fmt.Errorf("location: %w", err)
	}
	if to.User != nil || to.Opaque != "" {
		return nil, errors.New("location holds a user or is not a hierarchical one")
	}
	was, err := origin(from)
	if err != nil {
		return nil, err
	}
	if is, err := origin(to); err != nil || is != was {
		return nil, fmt.Errorf("location at %s is not at %s", place(to), was)
	}
	to.Fragment = ""
	return to, nil
}

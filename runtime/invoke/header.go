package invoke

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// HeaderFault says why a request may not carry a header of this name, or nothing.
// These are the names that frame the message, that speak to what stands between,
// or that claim to know who asks.
func HeaderFault(name string) string {
	if !token(name) {
		return "is not a header name"
	}
	switch name := strings.ToLower(name); name {
	case "host", "content-length", "transfer-encoding", "connection", "keep-alive", "trailer", "te", "upgrade", "expect", "forwarded", "cookie":
		return "is reserved"
	default:
		if strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "x-forwarded-") {
			return "is reserved"
		}
	}
	return ""
}

// token reports whether s is a token. Source: RFC 9110 5.6.2.
func token(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// headers judges the headers of a request and makes those that are sent.
func headers(given http.Header, key string) (http.Header, *Error) {
	out, size := make(http.Header, len(given)+2), 0
	for name, values := range given {
		if fault := HeaderFault(name); fault != "" {
			return nil, broken("A header "+fault+".", fmt.Errorf("header %q %s", name, fault))
		}
		for _, v := range values {
			size += len(name) + len(v)
			if !printable(v) {
				return nil, broken("A header has a value with a control character.", fmt.Errorf("value of header %q", name))
			}
		}
		out[http.CanonicalHeaderKey(name)] = values
	}
	if key != "" {
		if !printable(key) {
			return nil, broken("The idempotency key has a control character.", errors.New("idempotency key"))
		}
		out.Set("Idempotency-Key", key)
		size += len(key)
	}
	if size > MaxRequestHeader {
		return nil, broken("The headers are too long.", fmt.Errorf("headers of %d bytes", size))
	}
	out.Set("Accept-Encoding", "identity")
	return out, nil
}

// printable reports whether a value stays one value. Source: RFC 9110 5.5.
func printable(v string) bool {
	for i := range len(v) {
		if c := v[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

package invoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// message is a request that has been judged, and can be sent more than once.
type message struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
	keyed  bool
	json   bool
}

// newMessage holds a request to the rules. What it refuses is never sent.
func newMessage(c *Call, g *Guard) (*message, *Error) {
	req := c.Request
	m := &message{method: req.Method, url: req.URL, keyed: c.IdempotencyKey != "", json: c.JSON}
	if m.method == "" {
		m.method = http.MethodGet
	}
	if !token(m.method) || m.method == http.MethodConnect || m.method == http.MethodTrace {
		return nil, broken("The method may not be used.", fmt.Errorf("method %q", m.method))
	}
	if fault := destination(req, &c.Target, g); fault != nil {
		return nil, fault
	}
	var fault *Error
	if m.header, fault = headers(req.Header, c.IdempotencyKey); fault != nil {
		return nil, fault
	}
	if req.Body != nil && req.Body != http.NoBody {
		body, err := io.ReadAll(io.LimitReader(req.Body, MaxBody+1))
		if err != nil {
			return nil, &Error{Code: Failed, reason: fmt.Errorf("read the request: %w", err), blame: ours}
		}
		if len(body) > MaxBody {
			return nil, broken("The body is too long.", fmt.Errorf("body over %d bytes", MaxBody))
		}
		if len(body) > 0 {
			m.body = body
		}
	}
	return m, nil
}

// repeatable reports whether a request may be made twice.
func (m *message) repeatable() bool { return m.harmless() || m.keyed }

// harmless reports whether a request asks for nothing to be done.
func (m *message) harmless() bool { return m.method == http.MethodGet || m.method == http.MethodHead }

// request is one more copy of the message, to u.
func (m *message) request(ctx context.Context, u *url.URL) *http.Request {
	req := &http.Request{
		Method: m.method, URL: u, Host: u.Host, Header: m.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if m.body != nil {
		req.ContentLength = int64(len(m.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.body)), nil }
		req.Body, _ = req.GetBody()
	}
	return req.WithContext(ctx)
}

// destination holds a request to the origins of its target.
func destination(req *http.Request, t *Target, g *Guard) *Error {
	u := req.URL
	if u == nil {
		return broken("There is no URL.", errors.New("no URL"))
	}
	if u.User != nil || u.Opaque != "" {
		return broken("The URL holds a user or is not a hierarchical one.", fmt.Errorf("URL at %s", place(u)))
	}
	if req.Host != "" && req.Host != u.Host {
		return broken("The Host header differs from the URL.", fmt.Errorf("host header %q for %s", req.Host, place(u)))
	}
	if n := len(u.EscapedPath()) + len(u.RawQuery) + len(u.Host); n > MaxURL {
		return broken("The URL is too long.", fmt.Errorf("URL of %d bytes", n))
	}
	at, err := origin(u)
	if err != nil {
		return broken("The URL has no origin that can be called.", err)
	}
	if !slices.ContainsFunc(t.Origins, func(o string) bool { return same(o, at) }) {
		return broken("The URL is not at an origin of the service.", fmt.Errorf("%s is not one of %q", at, t.Origins))
	}
	if u.Scheme == "http" && !t.Plain && len(g.openings) == 0 {
		return broken("The URL has to be https.", fmt.Errorf("%s is not https", at))
	}
	if disguised(u.Hostname()) {
		return &Error{Code: Malicious, reason: fmt.Errorf("%w: host %q is no address and no name", ErrForbidden, u.Hostname()), blame: ours}
	}
	return nil
}

// same compares an origin of a configuration with one that origin gave.
func same(configured, at string) bool {
	if configured == at {
		return true
	}
	u, err := url.Parse(configured)
	if err != nil || u.User != nil || u.Opaque != "" || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return false
	}
	o, err := origin(u)
	return err == nil && o == at
}

// origin is scheme, host and port of a URL, in one spelling.
// Source: RFC 6454 4.
func origin(u *url.URL) (string, error) {
	own := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	host, port := u.Hostname(), u.Port()
	switch {
	case own == "":
		return "", fmt.Errorf("scheme %q", u.Scheme)
	case host == "" || strings.HasSuffix(u.Host, ":"):
		return "", fmt.Errorf("host %q", u.Host)
	case port == "" || port == own:
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return u.Scheme + "://" + strings.ToLower(host), nil
	}
	return u.Scheme + "://" + strings.ToLower(net.JoinHostPort(host, port)), nil
}

// place is all that the log may say of a URL: its path and query may hold a key.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host }

// disguised reports whether a host is a number that some resolvers take for an
// address, or an address with a zone: "2130706433", "0x7f.1", "127.0.0.01".
// Source: https://url.spec.whatwg.org/#ends-in-a-number-checker
func disguised(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() != ""
	}
	last := strings.TrimSuffix(host, ".")
	last = strings.ToLower(last[strings.LastIndexByte(last, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

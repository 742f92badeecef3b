package invoke

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"doorward/runtime/flow"
)

// What an answer may weigh, in bytes.
const (
	MaxHeader = 32 << 10
	MaxBody   = 256 << 10
)

// ErrFailed is all that leaves the house of a failed call.
var ErrFailed = errors.New("external service failed")

// failure reads as ErrFailed and carries the reason for the log.
type failure struct{ reason error }

func (failure) Error() string        { return ErrFailed.Error() }
func (failure) Is(target error) bool { return target == ErrFailed }

// Reason is why a call failed, for the log only: it may name inside addresses.
// Any other error is its own reason.
func Reason(err error) error {
	var f failure
	if errors.As(err, &f) {
		return f.reason
	}
	return err
}

// Service is one outside service of one environment.
type Service struct {
	// Origin is scheme, host and port of every call: "https://api.example".
	Origin string
	// Plain permits http; the operator's choice, as its password would show.
	Plain bool
	// TLS holds the service's own roots and client certificate; nil: the
	// system's roots. Verification is always on, and TLS 1.2 the least.
	TLS *tls.Config
	// Resolver looks names up; nil: the system's.
	Resolver *net.Resolver
	// Timeout ends a call; 0 or more than flow.CallTimeout: flow.CallTimeout.
	Timeout time.Duration
}

// Client calls one Service. It is an http.RoundTripper whose answers are read
// whole, so that nothing is left open once a call has returned.
type Client struct {
	origin    *url.URL
	timeout   time.Duration
	transport *http.Transport
}

// NewClient gives the service connections of its own; they are shared with no
// other service or environment. Make a new one when the service changes, and
// Close the old one.
func NewClient(g *Guard, s Service) (*Client, error) {
	origin, err := url.Parse(s.Origin)
	if err != nil {
		return nil, fmt.Errorf("service origin: %w", err)
	}
	if origin.Scheme != "https" && (origin.Scheme != "http" || !s.Plain) {
		return nil, fmt.Errorf("service origin %q: scheme is not permitted", s.Origin)
	}
	if origin.Host == "" || s.Origin != origin.Scheme+"://"+origin.Host {
		return nil, fmt.Errorf("service origin %q is not scheme, host and port alone", s.Origin)
	}
	timeout := s.Timeout
	if timeout <= 0 || timeout > flow.CallTimeout {
		timeout = flow.CallTimeout
	}
	return &Client{origin: origin, timeout: timeout, transport: NewTransport(g, s)}, nil
}

// NewTransport dials through the guard, and reads neither the proxies of the
// environment nor compressed bodies. It bounds headers and idle time; body and
// deadline are the Client's.
func NewTransport(g *Guard, s Service) *http.Transport {
	config := s.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.InsecureSkipVerify = false
	dialer := &net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second, Resolver: s.Resolver, Control: g.Control}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    2 * time.Second,
		ResponseHeaderTimeout:  flow.CallTimeout,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    8,
		MaxConnsPerHost:        100,
		MaxResponseHeaderBytes: MaxHeader,
		DisableCompression:     true,
	}
}

// RoundTrip makes one call and reads its answer. Every error is ErrFailed;
// Reason tells more.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.call(req)
	if err != nil {
		return nil, failure{reason: err}
	}
	return res, nil
}

// HTTP is the client for libraries that ask for an *http.Client. Its errors name
// the URL that was called; RoundTrip's do not.
func (c *Client) HTTP() *http.Client { return &http.Client{Transport: c} }

// Close drops the idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

func (c *Client) call(req *http.Request) (*http.Response, error) {
	if err := c.permitted(req); err != nil {
		if req.Body != nil {
			err = errors.Join(err, req.Body.Close())
		}
		return nil, err
	}
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	defer cancel()
	res, err := c.transport.RoundTrip(req.Clone(ctx))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := read(res)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	res.ContentLength = int64(len(body))
	res.Request = req
	return res, nil
}

// permitted holds the destination to the configured origin, byte for byte.
func (c *Client) permitted(req *http.Request) error {
	u := req.URL
	if u.Scheme != c.origin.Scheme || u.Host != c.origin.Host || u.User != nil || u.Opaque != "" {
		return fmt.Errorf("%w: %s is not at %s", ErrForbidden, u.Redacted(), c.origin)
	}
	if req.Host != "" && req.Host != u.Host {
		return fmt.Errorf("%w: host header %q for %s", ErrForbidden, req.Host, c.origin)
	}
	return nil
}

// read takes an answer whole or refuses it.
func read(res *http.Response) ([]byte, error) {
	if res.StatusCode < 200 || res.StatusCode >= 300 && res.StatusCode < 400 {
		return nil, fmt.Errorf("status %d refused", res.StatusCode)
	}
	if e := res.Header.Values("Content-Encoding"); len(e) > 0 && (len(e) > 1 || e[0] != "identity") {
		return nil, fmt.Errorf("content encoding %q refused", e)
	}
	if res.ContentLength > MaxBody {
		return nil, fmt.Errorf("body of %d bytes refused", res.ContentLength)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("body over %d bytes refused", MaxBody)
	}
	return body, nil
}

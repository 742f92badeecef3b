package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"doorward/rehearsal"
	"doorward/runtime/external"
	"doorward/runtime/invoke"
)

// rehearsedServices has a script answer in the place of outside services. It fills
// external.Sender and, for reCAPTCHA, http.RoundTripper.
type rehearsedServices func(rehearsal.Call) rehearsal.Reply

// Send implements external.Sender.
func (s rehearsedServices) Send(_ context.Context, o external.Outbound) (external.Inbound, error) {
	a := s(rehearsal.Call{Method: o.Method, URL: o.URL, Header: o.Header, Body: o.Body})
	if a.Fails != "" {
		return external.Inbound{}, refusedCall(&invoke.Error{Code: invoke.Code(a.Fails)})
	}
	return external.Inbound{Status: a.Status, Header: a.Header, Body: a.Body}, nil
}

// RoundTrip implements http.RoundTripper. The body has the environment's secret key,
// which a script has no use for.
func (s rehearsedServices) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := s.Send(r.Context(), external.Outbound{Method: r.Method, URL: r.URL.String(), Header: r.Header})
	if r.Body != nil {
		_ = r.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: strconv.Itoa(a.Status) + " " + http.StatusText(a.Status), StatusCode: a.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)), Request: r,
	}, nil
}

// namesForSecrets gives the secrets of external services names for values, so that
// what a rehearsal prints holds none.
type namesForSecrets struct{}

// Secret implements external.Secrets: "secrets/key" has the value secrets.key, which
// stands in a URL and in a header as it is.
func (namesForSecrets) Secret(_ context.Context, _, _, name string, _ []string) (string, error) {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '/':
			return '.'
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, name), nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"doorward/management"
	"doorward/runtime/external"
	"doorward/runtime/invoke"
	"doorward/steps/apirequest"
)

// caller makes the calls of external services and of steps. It fills external.Sender
// and apirequest.Requests.
type caller struct {
	external.Sender
	log *slog.Logger
}

// services are the external services, with a line in the log for why a call failed:
// nobody else is told.
type services struct {
	*external.Services
	log *slog.Logger
}

// Invoke implements externalinvoke.Services and management.Invoker.
func (s services) Invoke(ctx context.Context, in external.Invocation) (any, error) {
	out, err := s.Services.Invoke(ctx, in)
	logFailedCall(ctx, s.log, err, "environment", in.Env, "service", in.ServiceID, "request", in.Request.Name)
	return out, err
}

// logFailedCall says why a call failed, unless it was never made for what was put in.
func logFailedCall(ctx context.Context, log *slog.Logger, err error, of ...any) {
	var e *external.Error
	if !errors.As(err, &e) || e.Code == external.InvalidValue {
		return
	}
	log.WarnContext(ctx, "call of an outside service failed", append(of, "code", e.Code, "message", e.Message, "reason", e.Reason)...)
}

// Do calls on behalf of an API_REQUEST step, whose targets are the origins of each
// environment.
func (c caller) Do(ctx context.Context, r apirequest.Request) (apirequest.Answer, error) {
	a, err := c.Send(ctx, external.Outbound{
		Env: r.Env, Target: r.Origin, Origin: r.Origin, Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body, Key: r.Key,
	})
	logFailedCall(ctx, c.log, err, "environment", r.Env, "origin", r.Origin)
	if err != nil {
		return apirequest.Answer{}, err
	}
	return apirequest.Answer{Status: a.Status, Header: a.Header, Body: a.Body}, nil
}

// wayOut fills external.Sender with the Invoker.
type wayOut struct {
	invoker     *invoke.Invoker
	authorities *authorities
}

// Send calls on behalf of an external service, of its token endpoint, or of a step.
func (w wayOut) Send(ctx context.Context, o external.Outbound) (external.Inbound, error) {
	req, err := http.NewRequestWithContext(ctx, o.Method, o.URL, bytes.NewReader(o.Body))
	if err != nil {
		if whole := (*url.Error)(nil); errors.As(err, &whole) { // the URL may hold a secret
			err = whole.Err
		}
		return external.Inbound{}, &external.Error{Code: external.InvocationError, Message: "The URL of the request cannot be called.", Reason: err}
	}
	req.Header = o.Header.Clone()
	a, err := w.invoker.Do(ctx, invoke.Call{
		Target:  invoke.Target{Env: o.Env, Name: o.Target, Origins: []string{o.Origin}, TLS: w.authorities.tls()},
		Request: req, IdempotencyKey: o.Key,
	})
	if err != nil {
		return external.Inbound{}, refusedCall(err)
	}
	return external.Inbound{Status: a.Status, Header: a.Header, Body: a.Body}, nil
}

// refusedCall is an error of the Invoker in the words of external services.
func refusedCall(err error) error {
	var e *invoke.Error
	if !errors.As(err, &e) {
		return err
	}
	out := &external.Error{Code: string(e.Code), Message: e.Error(), RetryAfter: e.RetryAfter, Open: e.Open, Reason: invoke.Reason(err)}
	if e.Detail != "" {
		out.Message += " " + e.Detail
	}
	return out
}

// Called and Turned count for operators what becomes of calls. Which service it was
// is told by the management API and the log: labels are closed lists.
func (m *metrics) Called(_, _ string, code invoke.Code, took time.Duration) {
	outcome := string(code)
	if code == "" {
		outcome = "ANSWERED"
	}
	m.calls.WithLabelValues(outcome).Observe(took.Seconds())
}

// Turned implements invoke.Observer; see Called.
func (m *metrics) Turned(_, _, _, to string) { m.breakers.WithLabelValues(to).Inc() }

// targets fills management.Targets.
type targets struct{ invoker *invoke.Invoker }

// Targets are those of one environment.
func (t targets) Targets(env string) []management.Target {
	var out []management.Target
	for _, s := range t.invoker.States() {
		if s.Env != env {
			continue
		}
		failures := map[string]uint64{}
		for code, n := range s.Failures {
			failures[string(code)] = n
		}
		out = append(out, management.Target{
			Name: s.Target, Breaker: s.Breaker, RetryAfter: s.RetryAfter, Concurrent: s.Concurrent,
			Most: s.Most, PerSecond: s.PerSecond,
			Answers: s.Answers, Failures: failures, Used: s.Used,
		})
	}
	return out
}

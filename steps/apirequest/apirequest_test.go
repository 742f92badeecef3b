package apirequest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/steps/apirequest"
)

var _ flow.Stepper = (*apirequest.Kind)(nil)

// service gives one answer and keeps what it was asked.
type service struct {
	answer apirequest.Answer
	err    error
	asked  []apirequest.Request
}

func (s *service) Do(_ context.Context, r apirequest.Request) (apirequest.Answer, error) {
	s.asked = append(s.asked, r)
	return s.answer, s.err
}

func answered(status int, contentType, body string) apirequest.Answer {
	return apirequest.Answer{Status: status, Header: http.Header{"Content-Type": {contentType}, "Set-Cookie": {"a=b"}}, Body: []byte(body)}
}

func turn(t *testing.T, method string, in map[string]any) *flow.Turn {
	t.Helper()
	config, err := apirequest.New(nil).Check(json.RawMessage(`{"method":"` + method + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "call", config, time.Time{}, nil, 3, flow.Sum("submit"))
	at.Input = in
	return at
}

func address(more ...any) map[string]any {
	m := map[string]any{"url": "https://api.example/v1?a=b"}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func TestWhatIsSent(t *testing.T) {
	const json = "application/json"
	for name, tt := range map[string]struct {
		method string
		in     map[string]any
		want   apirequest.Request
	}{
		"a URL":              {"GET", address(), apirequest.Request{URL: "https://api.example/v1?a=b", Header: http.Header{"Accept": {json}}}},
		"parameters":         {"DELETE", address("query", map[string]any{"n": 1.0, "q": "x&y=#", "b": true, "l": []any{"a"}}), apirequest.Request{URL: "https://api.example/v1?a=b&b=true&l=%5B%22a%22%5D&n=1&q=x%26y%3D%23", Header: http.Header{"Accept": {json}}}},
		"the first of them":  {"GET", map[string]any{"url": "HTTPS://API.example:443/v1", "query": map[string]any{"q": "a b"}}, apirequest.Request{URL: "https://api.example/v1?q=a+b", Header: http.Header{"Accept": {json}}}},
		"headers":            {"GET", address("headers", map[string]any{"x-user": "Ada", "Accept": "text/csv", "X-N": 7.0}), apirequest.Request{URL: "https://api.example/v1?a=b", Header: http.Header{"Accept": {"text/csv"}, "X-User": {"Ada"}, "X-N": {"7"}}}},
		"a body":             {"POST", address("body", `{"a":1}`), apirequest.Request{URL: "https://api.example/v1?a=b", Header: http.Header{"Accept": {json}, "Content-Type": {json}}, Body: []byte(`{"a":1}`)}},
		"a body of its type": {"PUT", address("body", "a", "headers", map[string]any{"Content-Type": "text/plain"}), apirequest.Request{URL: "https://api.example/v1?a=b", Header: http.Header{"Accept": {json}, "Content-Type": {"text/plain"}}, Body: []byte("a")}},
		"never a secret":     {"PATCH", address("query", map[string]any{"p": flow.Secret("hunter2")}, "headers", map[string]any{"X-P": flow.Secret("hunter2")}), apirequest.Request{URL: "https://api.example/v1?a=b&p=", Header: http.Header{"Accept": {json}, "X-P": {""}}}},
	} {
		t.Run(name, func(t *testing.T) {
			s, at := &service{answer: answered(200, json, "{}")}, turn(t, tt.method, tt.in)
			if out, err := apirequest.New(s).Enter(t.Context(), at); err != nil || out.Verdict != flow.Results {
				t.Fatal(out, err)
			}
			tt.want.Env, tt.want.Origin, tt.want.Method, tt.want.Key = "e1", "https://api.example", tt.method, at.CallKey()
			if diff := cmp.Diff([]apirequest.Request{tt.want}, s.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatCannotBeSentIsNot(t *testing.T) {
	for name, tt := range map[string]struct {
		in   map[string]any
		want string
	}{
		"no URL":                       {map[string]any{}, "INVALID_VALUE@url"},
		"one that came to nothing":     {map[string]any{"url": ""}, "INVALID_VALUE@url"},
		"one that leads up":            {map[string]any{"url": "https://api.example/users/../admin"}, "INVALID_VALUE@url"},
		"one that leads up, encoded":   {map[string]any{"url": "https://api.example/users/..%2F..%2Fadmin"}, "INVALID_VALUE@url"},
		"one that is too long":         {address("query", map[string]any{"q": strings.Repeat("a", 9<<10)}), "INVALID_VALUE@url"},
		"a header with a line break":   {address("headers", map[string]any{"X-User": "a\r\nX-Evil: 1"}), "INVALID_VALUE@headers.X-User"},
		"a header with a NUL":          {address("headers", map[string]any{"X-User": "a\x00"}), "INVALID_VALUE@headers.X-User"},
		"a header of 64 KiB":           {address("headers", map[string]any{"X-User": strings.Repeat("a", 64<<10)}), "INVALID_VALUE@headers.X-User"},
		"a header that is reserved":    {address("headers", map[string]any{"Transfer-Encoding": "chunked"}), "INVALID_VALUE@headers.Transfer-Encoding"},
		"a body that is too long":      {address("body", strings.Repeat("a", 65<<10)), "SIZE_LIMIT_EXCEEDED@body"},
		"an idempotency key of theirs": {address("headers", map[string]any{"idempotency-key": "1"}), "INVALID_VALUE@headers.idempotency-key"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &service{}
			out, err := apirequest.New(s).Enter(t.Context(), turn(t, "POST", tt.in))
			if err != nil || out.Verdict != flow.Fails || out.Outlet != "" || len(s.asked) != 0 {
				t.Fatal(out, err, s.asked)
			}
			if d := out.Failure.Details; out.Failure.Code != "INVALID_DATA" || len(d) != 1 || d[0].Code+"@"+d[0].Target != tt.want {
				t.Errorf("%s: %v", out.Failure.Code, d)
			}
		})
	}
}

func TestWhatComesBack(t *testing.T) {
	said := func(status int64, contentType string, body ...any) flow.Outcome {
		out := map[string]any{"status": status, "headers": map[string]any{"content-type": contentType}}
		if len(body) > 0 {
			out["body"] = body[0]
		}
		return flow.Result("SUCCEEDED").WithOutputs(out)
	}
	for name, tt := range map[string]struct {
		answer apirequest.Answer
		err    error
		want   flow.Outcome
	}{
		"JSON":                        {answered(200, "application/json", `{"a":[1,"b",null]}`), nil, said(200, "application/json", map[string]any{"a": []any{json.Number("1"), "b", nil}})},
		"JSON of a type of its own":   {answered(404, "application/problem+json; charset=utf-8", `{"title":"no"}`), nil, said(404, "application/problem+json; charset=utf-8", map[string]any{"title": "no"})},
		"nothing":                     {answered(204, "application/json", ""), nil, said(204, "application/json")},
		"a page":                      {answered(500, "text/html", "<h1>no</h1>"), nil, said(500, "text/html")},
		"text":                        {answered(200, "text/plain", "ok"), nil, said(200, "text/plain")},
		"half of JSON":                {answered(200, "application/json", `{"a":`), nil, flow.CallFailed("NO_HTTP_RESPONSE")},
		"JSON that is too deep":       {answered(200, "application/json", strings.Repeat("[", 99)+strings.Repeat("]", 99)), nil, flow.CallFailed("NO_HTTP_RESPONSE")},
		"more than can be kept":       {answered(200, "application/json", `"`+strings.Repeat("a", 7<<10)+`"`), nil, flow.CallFailed("OUTPUT_TOO_LARGE")},
		"nothing in time":             {apirequest.Answer{}, &external.Error{Code: "TIMEOUT"}, flow.CallFailed("TIMEOUT")},
		"nothing, as it was not sent": {apirequest.Answer{}, &external.Error{Code: "TOO_MANY_INVOCATIONS", Open: true}, flow.CallFailed("TOO_MANY_INVOCATIONS")},
		"nothing, of another cause":   {apirequest.Answer{}, errors.Join(&external.Error{Code: "MALICIOUS_URL"}), flow.CallFailed("MALICIOUS_URL")},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := apirequest.New(&service{answer: tt.answer, err: tt.err}).Enter(t.Context(), turn(t, "GET", address()))
			if diff := cmp.Diff(tt.want, out); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestATurnThatHasNoTimeLeftWaits(t *testing.T) {
	short, cancel := context.WithTimeout(t.Context(), flow.CallTimeout-time.Second)
	defer cancel()
	s := &service{answer: answered(200, "application/json", "1")}
	k, at := apirequest.New(s), turn(t, "GET", address())
	out, err := k.Enter(short, at)
	if diff := cmp.Diff(flow.Wait(flow.ContinueRequired), out); err != nil || diff != "" || len(s.asked) != 0 {
		t.Fatal(err, diff)
	}
	proceed := k.Meta().Actions[0]
	if proceed.Name != "continue" || !proceed.Offered(flow.ContinueRequired) || proceed.Repeat != flow.Once {
		t.Errorf("%+v", proceed)
	}
	if out, err = proceed.Run(t.Context(), at, flow.Values{}); err != nil || out.Name != "SUCCEEDED" || len(s.asked) != 1 {
		t.Error(out, err)
	}
	if out, err = k.Enter(short, turn(t, "GET", map[string]any{})); err != nil || out.Verdict != flow.Fails {
		t.Error("what cannot be sent waits:", out, err)
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx context.Context
		err error
		k   flow.Code
	}{
		"a failure of ours":   {t.Context(), errors.New("no"), flow.Unavailable},
		"a fault":             {t.Context(), &flow.Fault{Code: flow.Limited}, flow.Limited},
		"a client that left":  {gone, &external.Error{Code: "INVOCATION_FAILED"}, flow.Unavailable},
		"one that left later": {gone, nil, flow.Unavailable},
	} {
		out, err := apirequest.New(&service{err: tt.err}).Enter(tt.ctx, turn(t, "GET", address()))
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.k {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
	if _, err := apirequest.New(&service{}).Enter(t.Context(), flow.NewTurn(flow.Ref{}, "call", nil, time.Time{}, nil, 0, flow.Digest{})); err == nil {
		t.Error("runs without a configuration")
	}
}

func TestAKeyIsOfOneSubmitAndTellsNothing(t *testing.T) {
	a := turn(t, "GET", address()).CallKey()
	if b := turn(t, "GET", address()).CallKey(); a != b || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(a) {
		t.Errorf("%q, and then %q", a, b)
	}
	for name, other := range map[string]*flow.Turn{
		"another environment": flow.NewTurn(flow.Ref{Env: "e2", ID: "f1"}, "call", nil, time.Time{}, nil, 3, flow.Sum("submit")),
		"another execution":   flow.NewTurn(flow.Ref{Env: "e1", ID: "f2"}, "call", nil, time.Time{}, nil, 3, flow.Sum("submit")),
		"another step":        flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "call2", nil, time.Time{}, nil, 3, flow.Sum("submit")),
		"another attempt":     flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "call", nil, time.Time{}, nil, 4, flow.Sum("submit")),
		"another submit":      flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "call", nil, time.Time{}, nil, 3, flow.Sum("another")),
	} {
		if other.CallKey() == a {
			t.Errorf("%s has the same key", name)
		}
	}
}

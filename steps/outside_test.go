package steps_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/steps/apirequest"
)

// outside is a service of somebody else's, and what calls it: a client that makes
// one attempt and tells what came of it by the documented codes.
type outside struct {
	*httptest.Server
	serve func(http.ResponseWriter, *http.Request)
	seen  []seen
	fails string // code that calls come to, without being made
}

// seen is a request as it arrived.
type seen struct{ Method, Path, Query, User, Body, Key string }

func newOutside(t *testing.T) *outside {
	t.Helper()
	o := &outside{serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"score":"low"}`)
	}}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		o.seen = append(o.seen, seen{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("X-User"), string(b), r.Header.Get("Idempotency-Key")})
		o.serve(w, r)
	}))
	t.Cleanup(o.Close)
	return o
}

// Do sends what stands in https://api.example to the server.
func (o *outside) Do(ctx context.Context, r apirequest.Request) (apirequest.Answer, error) {
	if o.fails != "" {
		return apirequest.Answer{}, &external.Error{Code: o.fails}
	}
	rest, ok := strings.CutPrefix(r.URL, "https://api.example/")
	if !ok || r.Origin != "https://api.example" || r.Env != env {
		return apirequest.Answer{}, fmt.Errorf("%+v leads elsewhere", r)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, o.URL+"/"+rest, bytes.NewReader(r.Body))
	if err != nil {
		return apirequest.Answer{}, err
	}
	req.Header = r.Header
	req.Header.Set("Idempotency-Key", r.Key)
	resp, err := o.Client().Do(req)
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return apirequest.Answer{}, &external.Error{Code: "TIMEOUT", Reason: err}
	} else if err != nil {
		return apirequest.Answer{}, &external.Error{Code: "NO_HTTP_RESPONSE", Reason: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return apirequest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: b}, err
}

// Send is Do for external services.
func (o *outside) Send(ctx context.Context, c external.Outbound) (external.Inbound, error) {
	a, err := o.Do(ctx, apirequest.Request{Env: c.Env, Origin: c.Origin, Method: c.Method, URL: c.URL, Header: c.Header, Body: c.Body, Key: c.Key})
	return external.Inbound(a), err
}

func (*outside) Secret(context.Context, string, string, string, []string) (string, error) {
	return "", flow.ErrUnknown
}

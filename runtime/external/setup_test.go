package external_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/runtime/document"
	"doorward/runtime/external"
	"doorward/runtime/flow"
)

const (
	env     = "e0000000-0000-4000-8000-000000000001"
	service = "b0000000-0000-4000-8000-000000000001"
)

// wire sends over net/http, and keeps what it was given.
type wire struct {
	client *http.Client
	mu     sync.Mutex
	sent   []external.Outbound
}

func (w *wire) Send(ctx context.Context, c external.Outbound) (external.Inbound, error) {
	c.Header = c.Header.Clone()
	w.mu.Lock()
	w.sent = append(w.sent, c)
	w.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, c.Method, c.URL, bytes.NewReader(c.Body))
	if err != nil {
		return external.Inbound{}, err
	}
	req.Header = c.Header
	res, err := w.client.Do(req)
	if err != nil {
		return external.Inbound{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return external.Inbound{Status: res.StatusCode, Header: res.Header, Body: body}, err
}

func (w *wire) calls() []external.Outbound {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]external.Outbound(nil), w.sent...)
}

// vault is secrets in memory, by env/service/name.
type vault map[string]string

func (v vault) Secret(_ context.Context, env, service, name string, _ []string) (string, error) {
	value, is := v[env+"/"+service+"/"+name]
	if !is {
		return "", flow.ErrUnknown
	}
	return value, nil
}

// of is the vault of the one service of the tests.
func of(secrets map[string]string) vault {
	v := vault{}
	for name, value := range secrets {
		v[env+"/"+service+"/"+name] = value
	}
	return v
}

// target is a server with a certificate of its own CA, and a wire that knows that
// CA and no other.
func target(t *testing.T, h http.HandlerFunc) (origin string, w *wire) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that were not needed after all
	s.EnableHTTP2 = true                           // two hundred calls need one handshake
	s.StartTLS()
	t.Cleanup(s.Close)
	client := s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s.URL, &wire{client: client}
}

// echo answers with what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var sent any
	_ = json.Unmarshal(body, &sent)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "uri": r.RequestURI, "headers": r.Header, "json": sent})
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// compile is a service with one request, "r".
func compile(t *testing.T, origin, members, request string) *external.Service {
	t.Helper()
	s, err := external.Compile(body(origin, members, request))
	if err != nil {
		t.Fatalf("%v\n%s", err, body(origin, members, request))
	}
	return s
}

func body(origin, members, request string) []byte {
	return []byte(strings.NewReplacer("ORIGIN", origin).Replace(
		`{"name":"Test","variables":{"base":"ORIGIN"},` + members + `"requests":[{"name":"r",` + request + `}]}`))
}

// invoke calls the request "r".
func invoke(t *testing.T, w external.Sender, v vault, s *external.Service, inputs map[string]any) (any, error) {
	t.Helper()
	return call(t, external.New(w, v, time.Now), s, inputs)
}

func call(t *testing.T, services *external.Services, s *external.Service, inputs map[string]any) (any, error) {
	t.Helper()
	r, ok := s.Request("r")
	if !ok {
		t.Fatal("there is no request r")
	}
	return services.Invoke(t.Context(), external.Invocation{Env: env, ServiceID: service, Request: r, Inputs: inputs})
}

// failure is the Error that err must be.
func failure(t *testing.T, err error) *external.Error {
	t.Helper()
	var e *external.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *external.Error", err)
	}
	return e
}

// faults are those of a document, as lines "path: message".
func faults(t *testing.T, body []byte) []string {
	t.Helper()
	_, err := external.Compile(body)
	var found document.Faults
	if err != nil && !errors.As(err, &found) {
		t.Fatalf("%v is no document.Faults", err)
	}
	var out []string
	for _, f := range found {
		out = append(out, f.Error())
	}
	return out
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

package external_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorward/runtime/document"
	"doorward/runtime/external"
)

// FuzzCompile holds that no document makes Compile or Seal panic, that what is
// wrong is always a list of faults, and that a sealed document compiles as the
// whole one does.
func FuzzCompile(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add(read(f, "rec-external-service-create.json"))
	f.Add([]byte(`{"name":"a","requests":[{"name":"r","request":{"url":"${"}}]}`))
	f.Add([]byte(`{"name":"a","authSchemes":[{"name":"s","type":"BASIC","username":"u","password":"p"}],"secrets":[{"name":"a","value":"b"}]}`))
	f.Add([]byte(`{"name":"a","requests":[{"name":"r","request":{"method":"POST","url":"https://a.example/${inputs['']}","body":{"type":"JSON","template":"{\"a\":\"${inputs}\"}"},"inputSchema":"{\"properties\":{\"\":{\"enum\":[{}]}}}"}}]}`))
	f.Add([]byte(`{"name":"a","requests":[{"name":"r","request":{"method":"GET","url":"'https://a.example/' + inputs.a[0].b","inputSchema":"{\"properties\":{\"a\":{\"type\":[\"null\",\"array\"],\"items\":{\"$ref\":\"#\"}}}}"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := external.Compile(body)
		var found document.Faults
		if err != nil && (!errors.As(err, &found) || len(found) == 0) {
			t.Fatalf("%v is no fault", err)
		}
		rest, _, wrong := external.Seal(body)
		again, err := external.Compile(rest)
		if s != nil && len(wrong) == 0 && (err != nil || len(again.Requests()) != len(s.Requests())) {
			t.Fatalf("sealed: %v", err)
		}
		if s == nil {
			return
		}
		for _, r := range s.Requests() {
			if a, complaint := external.ReadAddress(r.Origin()); complaint != "" || a.Origin != r.Origin() {
				t.Fatalf("origin %q: %s", r.Origin(), complaint)
			}
		}
	})
}

// sink takes one request and answers with nothing.
type sink struct{ sent *external.Outbound }

func (s *sink) Send(_ context.Context, c external.Outbound) (external.Inbound, error) {
	s.sent = &c
	return external.Inbound{Status: http.StatusNoContent}, nil
}

// FuzzInputs holds that no input changes where a request goes, how deep its path
// is or which parameters it has, that no header holds a line break, and that the
// body is one JSON value with the members that were configured.
func FuzzInputs(f *testing.F) {
	var requests []*external.Request
	for _, at := range []string{
		`variables.base + '/users/' + inputs.a + '/x?q=' + inputs.b + '&all=true'`,
		`variables.base + '/users/' + #string.asUrlEncoded(inputs.a) + '/x?q=' + #string.asUrlEncoded(inputs.b) + '&all=true'`,
		`https://a.example/users/${inputs.a}/x?q=${inputs.b}&all=true`,
		`'https://a.example/users/' + #string.asBase64Decoded(inputs.a) + '/x?q=' + #string.asUrlDecoded(inputs.b) + '&all=true'`,
	} {
		raw, _ := json.Marshal(at) // cannot fail
		s, err := external.Compile(body("https://a.example", ``, `"request":{"method":"POST","url":`+string(raw)+`,"headers":{"X-A":"inputs.a","X-B":"b ${inputs.b}"},`+
			`"body":{"type":"JSON","template":"{\"a\":\"${inputs.a}\",\"b\":\"-${inputs.b}-\"}"},"inputSchema":"{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}}"}`))
		if err != nil && !strings.Contains(at, "Decoded") {
			f.Fatal(err)
		} else if err == nil {
			r, _ := s.Request("r")
			requests = append(requests, r)
		}
	}
	for _, h := range hostile() {
		if len(h) < 100 {
			f.Add(h, "x")
			f.Add("7", h)
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, r := range requests {
			w := &sink{}
			_, err := external.New(w, vault{}, time.Now).Invoke(t.Context(),
				external.Invocation{Env: env, ServiceID: service, Request: r, Inputs: map[string]any{"a": a, "b": b}})
			if w.sent == nil {
				if e := failure(t, err); e.Code == "" {
					t.Fatalf("%v has no code", e)
				}
				continue
			}
			steered(t, w.sent)
		}
	})
}

func steered(t *testing.T, c *external.Outbound) {
	t.Helper()
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(u.EscapedPath(), "/")
	if c.Origin != "https://a.example" || u.Scheme != "https" || u.Host != "a.example" || u.User != nil || u.Fragment != "" ||
		len(parts) != 4 || parts[1] != "users" || parts[2] == "" || parts[2] == "." || parts[2] == ".." || parts[3] != "x" {
		t.Fatalf("sent to %q", c.URL)
	}
	query := strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' })
	if len(query) != 2 || !strings.HasPrefix(query[0], "q=") || query[1] != "all=true" {
		t.Fatalf("sent with %q", u.RawQuery)
	}
	for name, values := range c.Header {
		if len(values) != 1 || strings.ContainsAny(name+values[0], "\r\n\x00") || len(values[0]) > 8<<10 {
			t.Fatalf("header %q: %q", name, values)
		}
	}
	var body map[string]any
	if err := json.Unmarshal(c.Body, &body); err != nil || len(body) != 2 {
		t.Fatalf("body %q", c.Body)
	}
}

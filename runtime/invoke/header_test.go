package invoke_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"doorward/runtime/external"
	"doorward/runtime/invoke"
)

// reserved are names that no configuration may set.
func reserved() []string {
	return []string{
		"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "TE", "Upgrade", "Expect",
		"Proxy-Authorization", "Proxy-Connection", "proxy-x", "Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-FORWARDED-PROTO", "Cookie",
	}
}

func TestReservedHeaders(t *testing.T) {
	for _, name := range reserved() {
		if invoke.HeaderFault(name) != "is reserved" || invoke.HeaderFault(strings.ToLower(name)) != "is reserved" {
			t.Errorf("%s is not reserved", name)
		}
		if external.HeaderFault(name) == "" {
			t.Errorf("%s can be saved, and would never be sent", name)
		}
	}
	for _, name := range []string{"", "a b", "a:b", "a\r\nb", "ä", "a\x00", "(a)", "a/b"} {
		if invoke.HeaderFault(name) != "is not a header name" || external.HeaderFault(name) == "" {
			t.Errorf("%q is taken for a name", name)
		}
	}
	for _, name := range []string{"X-Api-Key", "Authorization", "Accept", "Content-Type", "User-Agent", "X_y", "hostx", "x-forwardedfor"} {
		if fault := invoke.HeaderFault(name); fault != "" {
			t.Errorf("%s %s", name, fault)
		}
	}
}

// TestSec_SSRF_HEADERS holds that no header of a configuration or of its data
// changes how a request is framed, or is sent when it could.
func TestSec_SSRF_HEADERS(t *testing.T) {
	var asked atomic.Int32
	at := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	o := local(t, at)
	refused := map[string]http.Header{
		"a line break in a value":   {"X": {"a\r\nX-Evil: 1"}},
		"a bare LF":                 {"X": {"a\nb"}},
		"a bare CR":                 {"X": {"a\rb"}},
		"NUL":                       {"X": {"a\x00"}},
		"DEL":                       {"X": {"a\x7f"}},
		"a line break in a name":    {"X\r\nY": {"a"}},
		"a name with a colon":       {"X:": {"a"}},
		"8 KiB and a byte":          {"X": {strings.Repeat("a", invoke.MaxRequestHeader)}},
		"8 KiB in many":             {"X": slices.Repeat([]string{strings.Repeat("a", 100)}, 90)},
		"a second good and evil":    {"X": {"good", "evil\r\n"}},
		"a name in another writing": {"tRANSFER-eNCODING": {"chunked"}},
	}
	for _, name := range reserved() {
		refused[name] = http.Header{name: {"x"}}
	}
	for name, h := range refused {
		t.Run(name, func(t *testing.T) {
			req := request(t, http.MethodPost, at, "body")
			req.Header = h
			_, err := o.do(t, invoke.Call{Request: req})
			ends(t, err, invoke.Misconfigured)
		})
	}
	_, err := o.do(t, invoke.Call{Request: request(t, http.MethodPost, at, ""), IdempotencyKey: "a\r\nb"})
	ends(t, err, invoke.Misconfigured)
	for _, method := range []string{"CONNECT", "TRACE", "GET /x HTTP/1.1\r\nX: y", "G T"} {
		req := request(t, http.MethodGet, at, "")
		req.Method = method
		_, err := o.do(t, invoke.Call{Request: req})
		ends(t, err, invoke.Misconfigured)
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests were sent", asked.Load())
	}
}

func TestHeadersAreSent(t *testing.T) {
	var got http.Header
	at := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	req := request(t, http.MethodPost, at, "body")
	given := http.Header{"X-Api-Key": {"a", "b\tc"}, "Authorization": {"Bearer x"}, "Accept-Encoding": {"gzip"}, "Content-Type": {"application/json"}, "X-Utf8": {"ä"}}
	req.Header = maps.Clone(given)
	if _, err := local(t, at).do(t, invoke.Call{Request: req, IdempotencyKey: "k"}); err != nil {
		t.Fatal(invoke.Reason(err))
	}
	for name, want := range map[string][]string{
		"X-Api-Key": {"a", "b\tc"}, "Authorization": {"Bearer x"}, "Accept-Encoding": {"identity"}, "Idempotency-Key": {"k"}, "X-Utf8": {"ä"},
	} {
		if !slices.Equal(got.Values(name), want) {
			t.Errorf("%s arrived as %q", name, got.Values(name))
		}
	}
	if !maps.EqualFunc(req.Header, given, slices.Equal) {
		t.Errorf("the caller's headers became %v", req.Header)
	}
}

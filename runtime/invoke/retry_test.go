package invoke_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorward/runtime/invoke"
)

// TestRepeats holds what is tried a second time, and that nothing is a third time.
// The pauses are those of the bubble's clock.
func TestRepeats(t *testing.T) {
	date := func(in time.Duration) string { return time.Now().Add(in).UTC().Format(http.TimeFormat) }
	for name, row := range map[string]struct {
		method, key string
		status      int
		after       func() string
		asked       int32
	}{
		"GET after 503 in a second":             {"GET", "", 503, is("1"), 2},
		"GET after 502 at once":                 {"GET", "", 502, is("0"), 2},
		"HEAD after 504 in six seconds":         {"HEAD", "", 504, is("6"), 2},
		"GET after 503 on a date":               {"GET", "", 503, func() string { return date(3 * time.Second) }, 2},
		"GET after 503 on a date that is past":  {"GET", "", 503, func() string { return date(-time.Hour) }, 2},
		"not in eight seconds":                  {"GET", "", 503, is("8"), 1},
		"not in an hour":                        {"GET", "", 503, is("3600"), 1},
		"not in a lifetime":                     {"GET", "", 503, is("999999999999"), 1},
		"not on a date too late":                {"GET", "", 503, func() string { return date(time.Hour) }, 1},
		"not in the year 9999":                  {"GET", "", 503, is("Fri, 31 Dec 9999 23:59:59 GMT"), 1},
		"not without a time":                    {"GET", "", 503, is(""), 1},
		"not at a time that is none":            {"GET", "", 503, is("x"), 1},
		"nor at a negative one":                 {"GET", "", 503, is("-1"), 1},
		"nor at half a second":                  {"GET", "", 503, is("0.5"), 1},
		"not after 500":                         {"GET", "", 500, is("1"), 1},
		"POST not after 503":                    {"POST", "", 503, is("1"), 1},
		"POST with a key not after 503 either":  {"POST", "k", 503, is("1"), 1},
		"DELETE not after 503":                  {"DELETE", "", 503, is("1"), 1},
		"GET after 429":                         {"GET", "", 429, is("1"), 2},
		"POST with a key after 429":             {"POST", "k", 429, is("1"), 2},
		"POST without a key not after 429":      {"POST", "", 429, is("1"), 1},
		"POST with a key not after 429 and x":   {"POST", "k", 429, is("x"), 1},
		"POST with a key not after an hour":     {"POST", "k", 429, is("3600"), 1},
		"not after 400, whatever it says":       {"GET", "", 400, is("1"), 1},
		"not after 200, whatever it says":       {"GET", "", 200, is("1"), 1},
		"POST with a key after 429 on a date":   {"POST", "k", 429, func() string { return date(2 * time.Second) }, 2},
		"GET after 429 that comes with seconds": {"GET", "", 429, is(" 2 "), 2},
	} {
		t.Run(name, func(t *testing.T) {
			asked, seen, after := new(atomic.Int32), new(atomic.Value), new(atomic.Value)
			after.Store("")
			at := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				body, _ := io.ReadAll(r.Body)
				seen.Store(string(body) + r.Header.Get("Idempotency-Key"))
				w.Header().Set("Connection", "close") // so that no connection holds the clock of the bubble
				w.Header().Set("Retry-After", after.Load().(string))
				w.WriteHeader(row.status)
			})
			guard := opened(t, at)
			synctest.Test(t, func(t *testing.T) {
				after.Store(row.after())
				o := outlet{invoker(t, invoke.Options{Guard: guard}), invoke.Target{Origins: []string{at}}}
				body := ""
				if row.method == "POST" {
					body = "sent"
				}
				a, err := o.do(t, invoke.Call{Request: request(t, row.method, at, body), IdempotencyKey: row.key})
				if err != nil {
					t.Fatal(invoke.Reason(err))
				}
				if asked.Load() != row.asked || a.Status != row.status || seen.Load() != body+row.key {
					t.Errorf("asked %d times, want %d; the last %q; answer %d", asked.Load(), row.asked, seen.Load(), a.Status)
				}
			})
		})
	}
}

func is(s string) func() string { return func() string { return s } }

// A second answer is the one that is given.
func TestSecondAnswerIsGiven(t *testing.T) {
	var asked atomic.Int32
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.Header().Set("Retry-After", "0")
			w.Header().Set("Content-Type", "text/html") // which is not taken, and not the last word
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "<h1>busy</h1>")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"a":1}`)
	})
	o := local(t, at)
	o.Timeout = 0
	a, err := o.do(t, invoke.Call{Request: request(t, http.MethodGet, at, ""), JSON: true})
	if err != nil || a.Status != http.StatusOK || asked.Load() != 2 {
		t.Errorf("asked %d times, %v", asked.Load(), invoke.Reason(err))
	}
}

// failsFirst answers the second request of a test only: what came before it is
// broken off in the way of breaks.
func failsFirst(t *testing.T, breaks func(net.Conn)) (string, *atomic.Int32) {
	t.Helper()
	asked := new(atomic.Int32)
	return raw(t, func(c net.Conn) {
		if asked.Add(1) == 1 {
			breaks(c)
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	}), asked
}

func TestRepeatsOfWhatWasBrokenOff(t *testing.T) {
	silent := func(net.Conn) {}
	reset := func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }
	half := func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") }
	for name, row := range map[string]struct {
		breaks      func(net.Conn)
		method, key string
		want        invoke.Code
		asked       int32
	}{
		"a POST with a key, closed":       {silent, "POST", "k", "", 2},
		"a POST with a key, reset":        {reset, "POST", "k", "", 2},
		"a POST without a key":            {silent, "POST", "", invoke.NoResponse, 1},
		"a POST without a key, reset":     {reset, "POST", "", invoke.NoResponse, 1},
		"a GET, which was read":           {silent, "GET", "", invoke.NoResponse, 1},
		"a POST with a key, half answer":  {half, "POST", "k", invoke.NoResponse, 1},
		"a DELETE with a key":             {reset, "DELETE", "k", "", 2},
		"a GET with a key, if it has one": {reset, "GET", "k", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			at, asked := failsFirst(t, row.breaks)
			o := local(t, at)
			o.Timeout = 5 * time.Second
			_, err := o.do(t, invoke.Call{Request: request(t, row.method, at, ""), IdempotencyKey: row.key})
			ends(t, err, row.want)
			if asked.Load() != row.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), row.asked)
			}
		})
	}
}

// The first address of the name is dead, the second, a moment later, is not.
func TestRepeatsWhatWasNotConnected(t *testing.T) {
	for method, want := range map[string]invoke.Code{"GET": "", "HEAD": "", "POST": invoke.NoResponse} {
		t.Run(method, func(t *testing.T) {
			at, err := url.Parse(serveAt(t, "127.0.0.2:0", func(http.ResponseWriter, *http.Request) {}))
			if err != nil {
				t.Fatal(err)
			}
			origin := "http://api.example:" + at.Port()
			o := outlet{
				invoker(t, invoke.Options{Guard: opened(t, at.String()), Resolver: dns(t, alternate("127.0.0.3", "127.0.0.2"))}),
				invoke.Target{Origins: []string{origin}},
			}
			_, err = o.call(t, method, origin, "")
			ends(t, err, want)
		})
	}
}

// A kept connection that the target closes while a POST is read is no reason to
// send it again.
func TestPostIsSentOnceOnAKeptConnection(t *testing.T) {
	var posts atomic.Int32
	at := raw(t, func(c net.Conn) {
		for {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			b := make([]byte, 4096)
			n, err := c.Read(b)
			if err != nil {
				return
			}
			if strings.HasPrefix(string(b[:n]), "POST") {
				posts.Add(1)
				return
			}
		}
	})
	o := local(t, at)
	for range 4 { // each leaves a kept connection behind
		if _, err := o.call(t, http.MethodGet, at, ""); err != nil {
			t.Fatal(invoke.Reason(err))
		}
	}
	_, err := o.call(t, http.MethodPost, at, "once")
	ends(t, err, invoke.NoResponse)
	if posts.Load() != 1 {
		t.Errorf("posted %d times", posts.Load())
	}
}

// A repeat is a call of the rate's too.
func TestRepeatNeedsARate(t *testing.T) {
	var asked atomic.Int32
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	o := local(t, at)
	o.Timeout, o.Rate, o.Burst = 0, 0.001, 1
	a, err := o.call(t, http.MethodGet, at, "")
	if err != nil || a.Status != http.StatusServiceUnavailable || asked.Load() != 1 {
		t.Errorf("asked %d times, %v %v", asked.Load(), a, invoke.Reason(err))
	}
	_, err = o.call(t, http.MethodGet, at, "")
	ends(t, err, invoke.TooMany)
}

package invoke_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/invoke"
)

func TestAnswerIsReadWhole(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Kind", "echo")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.Copy(w, r.Body)
	})
	a, err := local(t, at).call(t, http.MethodPost, at, `{"a":1}`)
	if err != nil {
		t.Fatal(invoke.Reason(err))
	}
	if a.Status != http.StatusBadGateway || string(a.Body) != `{"a":1}` || a.Header.Get("X-Kind") != "echo" {
		t.Errorf("got %d %q %v", a.Status, a.Body, a.Header)
	}
}

func TestBodyOfExactlyTheCapIsTaken(t *testing.T) {
	for size, want := range map[int]invoke.Code{invoke.MaxBody: "", invoke.MaxBody + 1: invoke.NoResponse} {
		at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush() // no Content-Length
			_, _ = w.Write(make([]byte, size))
		})
		_, err := local(t, at).call(t, http.MethodGet, at, "")
		ends(t, err, want)
	}
}

func TestBodyThatIsSentIsBounded(t *testing.T) {
	var asked atomic.Int32
	at := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
	})
	for size, want := range map[int]invoke.Code{invoke.MaxBody: "", invoke.MaxBody + 1: invoke.Misconfigured} {
		req := request(t, http.MethodPost, at, "")
		req.Body = io.NopCloser(io.LimitReader(zeros{}, int64(size))) // of unknown length
		_, err := local(t, at).do(t, invoke.Call{Request: req})
		ends(t, err, want)
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(make([]byte, 64<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func drip(conn net.Conn, head string) {
	_, err := io.WriteString(conn, head)
	for n := 0; err == nil && n < 100; n++ {
		time.Sleep(20 * time.Millisecond)
		_, err = conn.Write([]byte("a"))
	}
}

// flood sends a line for ever.
func flood(conn net.Conn, head string, line func(n int) string) {
	_, err := io.WriteString(conn, head)
	for n := 0; err == nil && n < 1_000_000; n++ {
		_, err = io.WriteString(conn, line(n))
	}
}

// TestSec_SSRF_LIMITS holds that a hostile service costs at most the deadline and
// a few MiB, which here include what the service itself allocates.
func TestSec_SSRF_LIMITS(t *testing.T) {
	zipped := bomb(t)
	says := func(text string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, text) } }
	drips := func(head string) func(net.Conn) { return func(c net.Conn) { drip(c, head) } }
	for name, row := range map[string]struct {
		at   string
		want invoke.Code
	}{
		"a body of 1 GB": {serve(t, func(w http.ResponseWriter, _ *http.Request) {
			b := make([]byte, 1<<20)
			for range 1024 {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		}), invoke.NoResponse},
		"a body without an end": {raw(t, func(c net.Conn) {
			flood(c, "HTTP/1.1 200 OK\r\n\r\n", func(int) string { return "aaaaaaaaaaaaaaaa" })
		}), invoke.NoResponse},
		"a Content-Length of 1 GB": {raw(t, drips("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")), invoke.NoResponse},
		"2 MB of headers": {raw(t, func(c net.Conn) {
			flood(c, "HTTP/1.1 200 OK\r\n", func(n int) string { return "X-" + strconv.Itoa(n) + ": " + strings.Repeat("a", 100) + "\r\n" })
		}), invoke.NoResponse},
		"one header without an end": {raw(t, func(c net.Conn) {
			flood(c, "HTTP/1.1 200 OK\r\nX: ", func(int) string { return "aaaaaaaaaaaaaaaa" })
		}), invoke.NoResponse},
		"a status line without an end": {raw(t, func(c net.Conn) {
			flood(c, "HTTP/1.1 200 ", func(int) string { return "aaaaaaaaaaaaaaaa" })
		}), invoke.NoResponse},
		"a gzip bomb": {serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped)
		}), invoke.NoResponse},
		"two encodings": {serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Encoding"] = []string{"identity", "br"}
		}), invoke.NoResponse},
		"a body byte by byte":      {raw(t, drips("HTTP/1.1 200 OK\r\n\r\n")), invoke.TimedOut},
		"headers byte by byte":     {raw(t, drips("HTTP/1.1 200 OK\r\nX: ")), invoke.TimedOut},
		"silence after accept":     {raw(t, func(net.Conn) { time.Sleep(2 * time.Second) }), invoke.TimedOut},
		"silence after headers":    {raw(t, drips("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")), invoke.TimedOut},
		"a chunk of 100 MB":        {raw(t, drips("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n")), invoke.TimedOut},
		"a chunk size of 64 bits":  {raw(t, drips("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n")), invoke.NoResponse},
		"half a body":              {raw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1}")), invoke.NoResponse},
		"half a chunk":             {raw(t, says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"a\":1}")), invoke.NoResponse},
		"half a header":            {raw(t, says("HTTP/1.1 200 OK\r\nContent-Type: appl")), invoke.NoResponse},
		"the end after the accept": {raw(t, says("")), invoke.NoResponse},
		"two lengths":              {raw(t, drips("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")), invoke.NoResponse},
		"a negative length":        {raw(t, drips("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")), invoke.NoResponse},
		"1xx for ever": {raw(t, func(c net.Conn) {
			flood(c, "", func(int) string { return "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" })
		}), invoke.NoResponse},
		"an upgrade":     {raw(t, drips("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")), invoke.NoResponse},
		"no HTTP at all": {raw(t, drips("-ERR unknown command\r\n")), invoke.NoResponse},
		"HTTP/2 unasked": {raw(t, drips("\x00\x00\x12\x04\x00\x00\x00\x00\x00")), invoke.TimedOut},
		"5 MB of JSON": {serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("[", 5<<20))
		}), invoke.NoResponse},
		"trailers without an end": {raw(t, func(c net.Conn) {
			flood(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n", func(int) string { return "X: aaaaaaaaaaaaaaaa\r\n" })
		}), invoke.NoResponse},
	} {
		t.Run(name, func(t *testing.T) {
			o := local(t, row.at)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := o.call(t, http.MethodPost, row.at, `{"otp":"123456"}`)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			ends(t, err, row.want)
			if took > 2*time.Second {
				t.Errorf("took %v with a deadline of 700 ms", took)
			}
			if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 8 {
				t.Errorf("%d MiB were allocated", mib)
			}
		})
	}
}

func TestTimeoutIsAtMostTheCallTimeout(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the 8 s it measures")
	}
	t.Parallel()
	at := raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) // until the caller has gone
	o := local(t, at)
	o.Timeout = time.Hour
	began := time.Now()
	_, err := o.do(t, invoke.Call{Request: request(t, http.MethodPost, at, "{}"), IdempotencyKey: "k"})
	ends(t, err, invoke.TimedOut)
	if d := time.Since(began); d > flow.CallTimeout+4*time.Second {
		t.Errorf("took %v", d)
	}
}

// The caller's own deadline holds when it is shorter.
func TestCallersDeadlineHolds(t *testing.T) {
	at := raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	o := local(t, at)
	began := time.Now()
	_, err := o.Do(ctx, invoke.Call{Target: o.Target, Request: request(t, http.MethodGet, at, "")})
	ends(t, err, invoke.TimedOut)
	if time.Since(began) > 4*time.Second {
		t.Errorf("ended after %v", time.Since(began))
	}
}

func TestCallerWhoGaveUpIsNotSentFor(t *testing.T) {
	var asked atomic.Int32
	at := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := local(t, at)
	_, err := o.Do(ctx, invoke.Call{Target: o.Target, Request: request(t, http.MethodGet, at, "")})
	ends(t, err, invoke.Failed)
	if !errors.Is(invoke.Reason(err), context.Canceled) || asked.Load() != 0 {
		t.Errorf("asked %d times, reason %v", asked.Load(), invoke.Reason(err))
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	var sent atomic.Int32
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent.Add(int32(len(r.Cookies())))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	o := local(t, at)
	for range 3 {
		if _, err := o.HTTP(o.Target).Do(request(t, http.MethodGet, at, "")); err != nil {
			t.Fatal(err)
		}
		if _, err := o.call(t, http.MethodGet, at, ""); err != nil {
			t.Fatal(err)
		}
	}
	if sent.Load() != 0 {
		t.Error("a cookie came back")
	}
}

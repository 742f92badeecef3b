package invoke_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/invoke"
)

func serveAt(t *testing.T, address string, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ReadHeaderTimeout: time.Second}}
	s.Start()
	t.Cleanup(s.Close)
	return "http://" + l.Addr().String()
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", h)
}

// raw answers one connection with what speak writes.
func raw(t *testing.T, speak func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 4096))
		speak(conn)
	}()
	return "http://" + l.Addr().String()
}

// local is a client of a server on this machine, which the operator has opened.
func local(t *testing.T, origin string) *invoke.Client {
	t.Helper()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(origin, "http://"))
	c, err := invoke.NewClient(guard(t, "127.0.0.1/32:"+port), invoke.Service{Origin: origin, Plain: true, Timeout: 700 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func call(t *testing.T, c *invoke.Client, method, url, body string) (*http.Response, error) {
	t.Helper()
	return c.RoundTrip(request(t, method, url, body))
}

func TestAnswerIsReadWhole(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.Copy(w, r.Body)
	})
	res, err := call(t, local(t, at), http.MethodPost, at, `{"a":1}`)
	if err != nil {
		t.Fatal(invoke.Reason(err))
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusBadGateway || string(body) != `{"a":1}` {
		t.Errorf("got %d %q %v", res.StatusCode, body, err)
	}
}

func TestBodyOfExactlyTheCapIsTaken(t *testing.T) {
	for size, want := range map[int]bool{invoke.MaxBody: true, invoke.MaxBody + 1: false} {
		at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush() // no Content-Length
			_, _ = w.Write(make([]byte, size))
		})
		if _, err := call(t, local(t, at), http.MethodGet, at, ""); (err == nil) != want {
			t.Errorf("%d bytes: %v", size, invoke.Reason(err))
		}
	}
}

// TestSec_SSRF_REDIRECT holds that no redirect is followed, so that no header
// and no body goes to another place.
func TestSec_SSRF_REDIRECT(t *testing.T) {
	var hits atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	for _, code := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
		for name, to := range map[string]string{
			"another port": other + "/", "itself": "/again", "https": "https://api.example/", "long": other + "/" + strings.Repeat("a", 2048),
			"metadata": "http://169.254.169.254/latest", "none": "",
		} {
			t.Run(strconv.Itoa(code)+" to "+name, func(t *testing.T) {
				var asked atomic.Int32
				at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					asked.Add(1)
					w.Header().Set("Location", to)
					w.WriteHeader(code)
				})
				c := local(t, at)
				req := request(t, http.MethodPost, at, `{"otp":"123456"}`)
				req.Header.Set("Authorization", "Bearer secret")
				req.Header.Set("X-Api-Key", "secret")
				if res, err := c.RoundTrip(req); !errors.Is(err, invoke.ErrFailed) {
					t.Errorf("answer %v, error %v", res, err)
				}
				if res, err := c.HTTP().Do(request(t, http.MethodPost, at, "{}")); !errors.Is(err, invoke.ErrFailed) {
					t.Errorf("library client: answer %v, error %v", res, err)
				}
				if asked.Load() != 2 || hits.Load() != 0 {
					t.Errorf("asked %d times, elsewhere %d times", asked.Load(), hits.Load())
				}
			})
		}
	}
}

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

// TestSec_SSRF_LIMITS holds that a hostile service costs at most the deadline and
// a few MiB, which here include what the service itself allocates.
func TestSec_SSRF_LIMITS(t *testing.T) {
	zipped := bomb(t)
	for name, at := range map[string]string{
		"a body of 1 GB": serve(t, func(w http.ResponseWriter, _ *http.Request) {
			b := make([]byte, 1<<20)
			for range 1024 {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		}),
		"a Content-Length of 1 GB": raw(t, func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n") }),
		"2 MB of headers": raw(t, func(c net.Conn) {
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for n := 0; err == nil && n < 20000; n++ {
				_, err = io.WriteString(c, "X-"+strconv.Itoa(n)+": "+strings.Repeat("a", 100)+"\r\n")
			}
		}),
		"a gzip bomb": serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped)
		}),
		"two encodings": serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Encoding"] = []string{"identity", "br"}
		}),
		"a body byte by byte":   raw(t, func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\n\r\n") }),
		"headers byte by byte":  raw(t, func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nX: ") }),
		"silence after accept":  raw(t, func(net.Conn) { time.Sleep(2 * time.Second) }),
		"silence after headers": raw(t, func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n") }),
		"a chunk of 100 MB":     raw(t, func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n") }),
		"a chunk size of 64 bits": raw(t, func(c net.Conn) {
			drip(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n")
		}),
		"half a body": raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1}") }),
		"two lengths": raw(t, func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n") }),
		"1xx for ever": raw(t, func(c net.Conn) {
			var err error
			for n := 0; err == nil && n < 20000; n++ {
				_, err = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
			}
		}),
		"an upgrade": raw(t, func(c net.Conn) {
			drip(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
		}),
		"no HTTP at all": raw(t, func(c net.Conn) { drip(c, "-ERR unknown command\r\n") }),
		"5 MB of JSON": serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("[", 5<<20))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			c := local(t, at)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := call(t, c, http.MethodPost, at, `{"otp":"123456"}`)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, invoke.ErrFailed) || err.Error() != invoke.ErrFailed.Error() {
				t.Errorf("answered %v", err)
			}
			if took > 1500*time.Millisecond {
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
	at := raw(t, func(net.Conn) { time.Sleep(flow.CallTimeout + 2*time.Second) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(at, "http://"))
	c, err := invoke.NewClient(guard(t, "127.0.0.1/32:"+port), invoke.Service{Origin: at, Plain: true, Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := call(t, c, http.MethodGet, at, ""); err == nil {
		t.Error("answered")
	}
	if d := time.Since(began); d > flow.CallTimeout+time.Second {
		t.Errorf("took %v", d)
	}
}

// The caller's own deadline holds when it is shorter.
func TestCallersDeadlineHolds(t *testing.T) {
	at := raw(t, func(net.Conn) { time.Sleep(time.Second) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := local(t, at).RoundTrip(request(t, http.MethodGet, at, "").WithContext(ctx))
	if !errors.Is(invoke.Reason(err), context.DeadlineExceeded) || time.Since(began) > 500*time.Millisecond {
		t.Errorf("ended after %v with %v", time.Since(began), invoke.Reason(err))
	}
}

func TestCertificatesAreAlwaysVerified(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for name, row := range map[string]struct {
		config *tls.Config
		want   bool
	}{
		"the service's own roots":       {&tls.Config{RootCAs: roots}, true},
		"the system's roots":            {nil, false},
		"verification switched off":     {&tls.Config{InsecureSkipVerify: true}, false},
		"another name":                  {&tls.Config{RootCAs: roots, ServerName: "other.example"}, false},
		"a TLS version that is too old": {&tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := invoke.NewClient(guard(t, "127.0.0.1/32:"+port), invoke.Service{Origin: s.URL, TLS: row.config})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			if _, err := call(t, c, http.MethodGet, s.URL, ""); (err == nil) != row.want {
				t.Errorf("got %v", invoke.Reason(err))
			}
		})
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	var sent atomic.Int32
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent.Add(int32(len(r.Cookies())))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	c := local(t, at)
	for range 3 {
		if _, err := c.HTTP().Do(request(t, http.MethodGet, at, "")); err != nil {
			t.Fatal(err)
		}
	}
	if sent.Load() != 0 {
		t.Error("a cookie came back")
	}
}

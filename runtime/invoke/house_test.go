package invoke_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorward/runtime/invoke"
)

func serveAt(t testing.TB, address string, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}}
	s.Start()
	t.Cleanup(s.Close)
	return "http://" + l.Addr().String()
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", h)
}

// answers is a server that always answers 204.
func answers(t testing.TB) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

// raw answers every connection with what speak writes, once something was sent.
func raw(t testing.TB, speak func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := conn.Read(make([]byte, 4096)); err == nil {
					speak(conn)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// dead is an address of this machine where nobody listens.
func dead(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func guard(t testing.TB, openings ...string) *invoke.Guard {
	t.Helper()
	var list []invoke.Opening
	for _, s := range openings {
		o, err := invoke.ParseOpening(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	g, err := invoke.NewGuard(list, []netip.Prefix{
		netip.MustParsePrefix("93.184.216.0/24"), netip.MustParsePrefix("2606:2800:220::/48"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// opened opens the ports of origins on this machine.
func opened(t testing.TB, origins ...string) *invoke.Guard {
	t.Helper()
	var list []string
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, "127.0.0.0/8:"+u.Port())
	}
	return guard(t, list...)
}

func invoker(t testing.TB, o invoke.Options) *invoke.Invoker {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	i := invoke.New(o)
	t.Cleanup(i.Close)
	return i
}

// outlet is one target of an invoker.
type outlet struct {
	*invoke.Invoker
	invoke.Target
}

// local is a target on this machine, which the operator has opened. Its rate ends
// no test.
func local(t testing.TB, origin string) outlet {
	t.Helper()
	return outlet{
		invoker(t, invoke.Options{Guard: opened(t, origin)}),
		invoke.Target{Env: "env", Name: "service", Origins: []string{origin}, Timeout: 700 * time.Millisecond, Rate: 1e6, Burst: 1e6},
	}
}

func (o outlet) do(t testing.TB, c invoke.Call) (*invoke.Answer, error) {
	t.Helper()
	c.Target = o.Target
	return o.Do(t.Context(), c)
}

func (o outlet) call(t testing.TB, method, url, body string) (*invoke.Answer, error) {
	t.Helper()
	return o.do(t, invoke.Call{Request: request(t, method, url, body)})
}

func request(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// code is how a call ended: empty where it was answered.
func code(t testing.TB, err error) invoke.Code {
	t.Helper()
	var e *invoke.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &e):
		t.Fatalf("%T is no error of a call: %v", err, err)
	}
	return e.Code
}

// ends holds that a call ended with a code, and that its text has no secret of ours.
func ends(t testing.TB, err error, want invoke.Code) {
	t.Helper()
	if got := code(t, err); got != want {
		t.Errorf("ended with %q, want %q: %v", got, want, invoke.Reason(err))
	}
	if err != nil && strings.ContainsAny(err.Error(), ":/0123456789") {
		t.Errorf("outside it reads %q", err)
	}
}

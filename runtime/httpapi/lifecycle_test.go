package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/httpapi"
)

func TestHealth(t *testing.T) {
	var down atomic.Bool
	h := open(t, func(p *httpapi.Parts) {
		p.Checks = map[string]func(context.Context) error{
			"directory": func(context.Context) error { return nil },
			"session": func(ctx context.Context) error {
				if _, limited := ctx.Deadline(); !limited {
					return errors.New("no deadline")
				}
				if down.Load() {
					return errors.New("dial 10.0.0.5:6379")
				}
				return nil
			},
			"panics": func(context.Context) error {
				if down.Load() {
					panic("x")
				}
				return nil
			},
		}
	}, nil)
	if r := h.ask("GET", "/readyz", ""); r.StatusCode != 200 || r.body != `{"status":"ready","checks":{"directory":"up","panics":"up","session":"up"}}` {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	down.Store(true)
	if r := h.ask("GET", "/readyz", ""); r.StatusCode != 503 || r.body != `{"status":"not ready","checks":{"directory":"up","panics":"down","session":"down"}}` {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if !strings.Contains(h.log.String(), "10.0.0.5") {
		t.Error("the reason is not in the log")
	}
	if r := h.ask("GET", "/healthz", ""); r.StatusCode != 200 || r.body != "ok\n" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// TestShutdownLosesNothing: while draining, /readyz is red and connections are
// sent away; a request that runs is answered.
func TestShutdownLosesNothing(t *testing.T) {
	running, finish := make(chan struct{}), make(chan struct{})
	h := open(t, func(p *httpapi.Parts) { p.Drain = 2 * time.Second }, nil)
	h.engine.before = func() { close(running); <-finish }
	answered := make(chan reply, 1)
	go func() { answered <- h.ask("POST", thisFlow, right, "Content-Type: "+check) }()
	<-running
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ended <- h.Shutdown(ctx)
	}()
	client := &http.Client{}
	for status := 200; status == 200; {
		res, err := client.Get(h.base + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if status = res.StatusCode; status != 200 && (status != 503 || !res.Close || !strings.Contains(string(b), "draining")) {
			t.Errorf("while draining: %d, close %v, %s", status, res.Close, b)
		}
	}
	if res, err := client.Get(h.base + "/healthz"); err != nil || res.StatusCode != 200 {
		t.Errorf("a request while draining: %v", err)
	}
	closed := func() bool {
		conn, err := net.DialTimeout("tcp", h.addr, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}
	for deadline := time.Now().Add(10 * time.Second); !closed(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the listener is still open")
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("ended before the request: %v", err)
	default:
	}
	close(finish)
	if r := <-answered; r.StatusCode != 200 || !r.Close {
		t.Errorf("the running request: %d, close %v", r.StatusCode, r.Close)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestSeveralListeners(t *testing.T) {
	h := open(t, nil, nil)
	second, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(second) }()
	for _, addr := range []string{h.addr, second.Addr().String()} {
		res, err := http.Get("http://" + addr + "/healthz")
		if err != nil || res.StatusCode != 200 {
			t.Errorf("%s: %v", addr, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestShutdownUnderLoad: twenty times, no request of a client that reads /readyz
// fails.
func TestShutdownUnderLoad(t *testing.T) {
	for range 20 {
		h := open(t, func(p *httpapi.Parts) { p.Drain = 250 * time.Millisecond }, nil)
		var drained atomic.Bool
		var failed atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
				for !drained.Load() {
					res, err := client.Get(h.base + "/healthz")
					if err != nil {
						failed.Add(1)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					if res.Close {
						return // sent away: goes to another node
					}
				}
			})
		}
		time.Sleep(20 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if err := h.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		drained.Store(true)
		wg.Wait()
		if n := failed.Load(); n > 0 {
			t.Fatalf("%d requests failed", n)
		}
	}
}

func TestMeasurements(t *testing.T) {
	h := open(t, nil, nil)
	h.ask("GET", thisFlow, "")
	h.ask("GET", thisPage, "")
	h.ask("GET", "/"+nobodys+"/flows/x", "")
	h.raw(2e9, "nonsense\r\n\r\n")
	for _, want := range []string{"/:env/flows/:id OK", "/:env/signon/ OK", "/:env/flows/:id Not Found", "broken Bad Request"} {
		if h.routes.count(want) != 1 {
			t.Errorf("%q: %v", want, h.routes.seen)
		}
	}
}

// TestForwardedFields are believed of configured proxies only.
func TestForwardedFields(t *testing.T) {
	for _, tc := range []struct {
		name, forwarded, host string
		proxies               []netip.Prefix
		ip                    string
		status                int
	}{
		{"nobody is believed", "9.9.9.9", "evil.example", nil, "127.0.0.1", 200},
		{"a proxy is believed", "9.9.9.9", "", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "9.9.9.9", 200},
		{"the last stranger counts", "1.1.1.1, 9.9.9.9, 127.0.0.2", "", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "9.9.9.9", 200},
		{"a client's own list does not", "127.0.0.9, 9.9.9.9", "", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "9.9.9.9", 200},
		{"nonsense stops the walk", "9.9.9.9, x", "", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "127.0.0.1", 200},
		{"only proxies", "127.0.0.3", "", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "127.0.0.3", 200},
		{"an IPv6 client", "2001:db8::1", "", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "2001:db8::1", 200},
		{"its host is judged", "9.9.9.9", "evil.example", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "", 421},
		{"of several lines the last, too", "6.6.6.6, 127.0.0.9\n9.9.9.9", "evil.example\nother.example", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "9.9.9.9", 200},
		{"a list of hosts is ignored", "9.9.9.9", "evil.example, x", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "9.9.9.9", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := open(t, func(p *httpapi.Parts) { p.Proxies = tc.proxies }, nil)
			fields := []string{"X-Forwarded-Proto: https"}
			for _, line := range strings.Split(tc.forwarded, "\n") {
				fields = append(fields, "X-Forwarded-For: "+line)
			}
			for _, line := range strings.Split(tc.host, "\n") {
				fields = append(fields, "X-Forwarded-Host: "+line)
			}
			r := h.ask("GET", thisFlow, "", fields...)
			if r.StatusCode != tc.status {
				t.Fatalf("%d %s", r.StatusCode, r.body)
			}
			if tc.ip != "" && h.engine.callers[0].Client.RemoteIP.String() != tc.ip {
				t.Errorf("the engine saw %s, want %s", h.engine.callers[0].Client.RemoteIP, tc.ip)
			}
			if strings.Contains(r.body, "https://127") {
				t.Error("an address was built from the request")
			}
		})
	}
}

// BenchmarkReadFlow is a GET on a kept connection, with no store behind it; the
// client's half is in the figure.
func BenchmarkReadFlow(b *testing.B) {
	h := open(b, nil, nil)
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	request := []byte("GET " + thisFlow + " HTTP/1.1\r\nHost: " + h.addr + "\r\nCookie: ST=" + owner + "\r\n\r\n")
	answer := make([]byte, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if n, err := conn.Read(answer); err != nil || n < 500 {
			b.Fatal(n, err)
		}
		h.engine.callers = h.engine.callers[:0]
	}
}

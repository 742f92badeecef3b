package invoke_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"doorward/runtime/invoke"
)

// pong answers every request with as little work as can be, so that what is
// measured is who asks.
func pong(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					if n, err := c.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("{}")) {
						return
					}
					if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// BenchmarkCall compares Invoker.Do with a bare client: the difference is what all
// the rules cost.
func BenchmarkCall(b *testing.B) {
	at := pong(b)
	body := []byte("{}")
	ask := func(b *testing.B) *http.Request {
		b.Helper()
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, at, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header["Authorization"] = []string{"Bearer 0123456789abcdef"}
		req.Header["Content-Type"] = []string{"application/json"}
		return req
	}
	b.Run("bare", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: 8 * time.Second}
		defer client.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			res, err := client.Do(ask(b))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadAll(res.Body); err != nil {
				b.Fatal(err)
			}
			_ = res.Body.Close()
		}
	})
	b.Run("invoker", func(b *testing.B) {
		i := invoker(b, invoke.Options{Guard: opened(b, at)})
		t := invoke.Target{Env: "env", Name: "service", Origins: []string{at}, Rate: 1e9, Burst: 1e9}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := i.Do(b.Context(), invoke.Call{Target: t, Request: ask(b), JSON: true, IdempotencyKey: "k"}); err != nil {
				b.Fatal(invoke.Reason(err))
			}
		}
	})
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/invoke"
)

// What the way out costs: the same request to the same server, which answers from
// memory in this process, by the Invoker and by a bare client. Both times hold the
// server's work, so that their difference is the Invoker's.
const (
	outsideBare    = "call of a service, bare client"
	outsideInvoker = "call of a service, invoker"
)

func outsideRows() []row {
	arms := []string{outsideBare, outsideInvoker}
	return []row{{
		name: "what the invoker adds to a call, CPU", unit: "us", arms: arms, target: atMost(15),
		values: func(r results) (sample, sample) {
			return r[outsideInvoker].value.minus(r[outsideBare].value), nil
		},
	}, {
		name: "  the whole call, CPU", unit: "us", arms: arms,
		values: func(r results) (sample, sample) { return r[outsideInvoker].value, r[outsideBare].value },
	}}
}

func outsideArms(length time.Duration) []arm {
	return []arm{
		{name: outsideBare, run: func(ctx context.Context) (window, error) { return outside(ctx, length, bareCalls) }},
		{name: outsideInvoker, run: func(ctx context.Context) (window, error) { return outside(ctx, length, invokerCalls) }},
	}
}

// caller makes one call.
type caller func(req *http.Request) error

// bareCalls has the transport that the Invoker has, and nothing around it.
func bareCalls(netip.AddrPort) (caller, func(), error) {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: invoke.MaxHeader}, Timeout: flow.CallTimeout}
	return func(req *http.Request) error {
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		return err
	}, client.CloseIdleConnections, nil
}

func invokerCalls(at netip.AddrPort) (caller, func(), error) {
	guard, err := invoke.NewGuard([]invoke.Opening{{Network: netip.PrefixFrom(at.Addr(), 32), Port: at.Port()}}, nil)
	if err != nil {
		return nil, nil, err
	}
	i := invoke.New(invoke.Options{Guard: guard, Now: time.Now})
	target := invoke.Target{Env: "bench", Name: "service", Origins: []string{"http://" + at.String()}, Rate: 1e9, Burst: 1e9}
	return func(req *http.Request) error {
		_, err := i.Do(req.Context(), invoke.Call{Target: target, Request: req, JSON: true})
		return err
	}, i.Close, nil
}

// outside is the CPU of this process by the call, in microseconds.
func outside(ctx context.Context, length time.Duration, of func(netip.AddrPort) (caller, func(), error)) (w window, err error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return w, err
	}
	defer l.Close()
	go pong(l)
	at := netip.MustParseAddrPort(l.Addr().String())
	call, leave, err := of(at)
	if err != nil {
		return w, err
	}
	defer leave()
	calls, before := 0, burnt()
	for end := time.Now().Add(length); time.Now().Before(end); calls++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at.String()+"/users", bytes.NewReader([]byte("{}")))
		if err != nil {
			return w, err
		}
		req.Header.Set("Content-Type", "application/json")
		if err := call(req); err != nil {
			return w, fmt.Errorf("call %d: %w", calls, invoke.Reason(err))
		}
	}
	w.value = float64((burnt() - before).Microseconds()) / float64(calls)
	return w, nil
}

// burnt is the CPU of this process so far.
func burnt() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pong answers each read of a connection, which is one small request, with a small
// piece of JSON.
func pong(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for in := make([]byte, 4096); ; {
				n, err := conn.Read(in)
				if err != nil {
					return
				}
				if !bytes.HasSuffix(in[:n], []byte("{}")) {
					continue // the body comes by itself
				}
				if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}"); err != nil {
					return
				}
			}
		}()
	}
}

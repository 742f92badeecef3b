package invoke_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"doorward/runtime/invoke"
)

// zone answers the n-th question, counted from 0, for a name; nil: no answer at
// all, as of a dead server.
type zone func(n int, q dnsmessage.Question) []dnsmessage.Resource

// dns runs a name server and returns a resolver that asks nobody else.
func dns(t *testing.T, answer zone) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for n := 0; ; n++ {
			k, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:k]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Answers = answer(n, m.Questions[0])
			if m.Answers == nil {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp4", pc.LocalAddr().String())
	}}
}

// records answers a question with those of the addresses that are of its type.
func records(q dnsmessage.Question, addresses ...string) []dnsmessage.Resource {
	out := []dnsmessage.Resource{}
	for _, s := range addresses {
		ip := netip.MustParseAddr(s)
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}
		switch {
		case ip.Is4() && q.Type == dnsmessage.TypeA:
			out = append(out, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
		case ip.Is6() && q.Type == dnsmessage.TypeAAAA:
			out = append(out, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	return out
}

func fixed(addresses ...string) zone {
	return func(_ int, q dnsmessage.Question) []dnsmessage.Resource { return records(q, addresses...) }
}

// inside is a server on 127.0.0.1 and ::1 that counts every connection, even one
// that sends nothing; port is the same on both.
func inside(t *testing.T) (port string, hits *atomic.Int32) {
	t.Helper()
	hits = new(atomic.Int32)
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(first.Addr().String())
	listeners := []net.Listener{first}
	if second, err := net.Listen("tcp6", "[::1]:"+port); err == nil {
		listeners = append(listeners, second)
	}
	for _, l := range listeners {
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				hits.Add(1)
				_ = conn.Close()
			}
		}()
	}
	return port, hits
}

// TestSec_SSRF_REBIND holds that the address that is dialled is the one that was
// judged. 127.0.0.2 stands for an address on the internet: it is opened, and
// nothing listens there, so that no row leaves this machine.
func TestSec_SSRF_REBIND(t *testing.T) {
	for name, answer := range map[string]zone{
		"a private answer":                   fixed("127.0.0.1"),
		"an IPv6 loopback answer":            fixed("::1"),
		"an IPv4-mapped answer":              fixed("::ffff:127.0.0.1"),
		"public A and private AAAA":          fixed("127.0.0.2", "::1"),
		"two A records, the first private":   fixed("127.0.0.1", "127.0.0.2"),
		"two A records, the second private":  fixed("127.0.0.2", "127.0.0.1"),
		"a metadata answer":                  fixed("169.254.169.254"),
		"an Azure platform answer":           fixed("168.63.129.16"),
		"first public, then private answers": alternate("127.0.0.2", "127.0.0.1"),
		"first private, then public answers": alternate("127.0.0.1", "127.0.0.2"),
		"a CNAME to localhost":               alias("localhost."),
	} {
		t.Run(name, func(t *testing.T) {
			port, hits := inside(t)
			origin := "http://api.example:" + port
			g := guard(t, "127.0.0.2/32:"+port)
			for range 6 { // a new invoker each time: no connection is kept
				i := invoker(t, invoke.Options{Guard: g, Resolver: dns(t, answer)})
				_, err := i.Do(t.Context(), invoke.Call{
					Target: invoke.Target{Origins: []string{origin}, Timeout: time.Second}, Request: request(t, http.MethodGet, origin, ""),
				})
				if got := code(t, err); got != invoke.Malicious && got != invoke.NoResponse {
					t.Errorf("ended with %q: %v", got, invoke.Reason(err))
				}
			}
			if n := hits.Load(); n != 0 {
				t.Errorf("%d connections reached the inside", n)
			}
		})
	}
}

// alternate answers the same name differently each time it is asked.
func alternate(addresses ...string) zone {
	var asked atomic.Int32
	return func(_ int, q dnsmessage.Question) []dnsmessage.Resource {
		if q.Type != dnsmessage.TypeA {
			return records(q)
		}
		return records(q, addresses[int(asked.Add(1)-1)%len(addresses)])
	}
}

func alias(to string) zone {
	return func(_ int, q dnsmessage.Question) []dnsmessage.Resource {
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeCNAME, Class: dnsmessage.ClassINET}
		target := dnsmessage.MustNewName(to)
		out := []dnsmessage.Resource{{Header: h, Body: &dnsmessage.CNAMEResource{CNAME: target}}}
		q.Name = target
		return append(out, records(q, "127.0.0.1", "::1")...)
	}
}

// The name that was public when the configuration was checked is judged again,
// at the dial, also by a client that has already used it.
func TestAnswerThatChangesAfterAGoodCall(t *testing.T) {
	public := serveAt(t, "127.0.0.2:0", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	u, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	var now atomic.Value
	now.Store("127.0.0.2")
	origin := "http://api.example:" + u.Port()
	i := invoker(t, invoke.Options{
		Guard:    guard(t, "127.0.0.2/32:"+u.Port()),
		Resolver: dns(t, func(_ int, q dnsmessage.Question) []dnsmessage.Resource { return records(q, now.Load().(string)) }),
	})
	o := outlet{i, invoke.Target{Origins: []string{origin}, Timeout: time.Second}}
	_, err = o.call(t, http.MethodGet, origin, "")
	ends(t, err, "")
	now.Store("127.0.0.1")
	_, err = o.call(t, http.MethodGet, origin, "")
	ends(t, err, invoke.Malicious)
}

func TestNamesThatDoNotAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		zone zone
		want invoke.Code
	}{
		"a dead name server":     {func(int, dnsmessage.Question) []dnsmessage.Resource { return nil }, invoke.TimedOut},
		"a name without address": {fixed(), invoke.NoResponse},
	} {
		t.Run(name, func(t *testing.T) {
			o := outlet{invoker(t, invoke.Options{Resolver: dns(t, row.zone)}), invoke.Target{Origins: []string{"https://api.example"}, Timeout: 300 * time.Millisecond}}
			began := time.Now()
			_, err := o.call(t, http.MethodGet, "https://api.example/", "")
			ends(t, err, row.want)
			if d := time.Since(began); d > 2*time.Second {
				t.Errorf("ended after %v", d)
			}
		})
	}
}

package invoke_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/invoke"
)

func guard(t *testing.T, openings ...string) *invoke.Guard {
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

// TestSec_SSRF_TABLE holds that no forbidden destination is dialled, whatever
// form its address is written in. Nothing here can leave the machine: each row
// is refused before its first packet, and the test says so by asking for
// ErrForbidden, which is made before connect(2).
func TestSec_SSRF_TABLE(t *testing.T) {
	g := guard(t)
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192",
		"198.18.0.1", "198.19.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[fe80::1]", "[fc00::1]", "[fd12:3456::1]",
		"[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]", "[ff02::1]",
		"localhost", "93.184.216.34", "[2606:2800:220::1]",
	} {
		t.Run("refuses "+host, func(t *testing.T) {
			refused(t, g, "https://"+host)
		})
	}
	for _, port := range []string{"22", "25", "80", "6379", "8443", "11211"} {
		t.Run("refuses a public address on port "+port, func(t *testing.T) {
			if err := g.Control("tcp4", "1.1.1.1:"+port, nil); !errors.Is(err, invoke.ErrForbidden) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, origin := range []string{
		"file:///etc/passwd", "gopher://api.example", "ftp://api.example", "unix:///run/x", "ws://api.example",
		"http://api.example", "https://ada@api.example", "https://api.example/path", "https://api.example?q", "//api.example", "",
		"https://[fe80::1%25lo]",
	} {
		t.Run("is not made for "+origin, func(t *testing.T) {
			if _, err := invoke.NewClient(g, invoke.Service{Origin: origin}); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// refused makes a real call, and holds that it ends at once, without a dial,
// with nothing told outside.
func refused(t *testing.T, g *invoke.Guard, origin string) {
	t.Helper()
	c, err := invoke.NewClient(g, invoke.Service{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = call(t, c, http.MethodGet, origin+"/x", "")
	if !errors.Is(invoke.Reason(err), invoke.ErrForbidden) {
		t.Errorf("reason %v, want ErrForbidden", invoke.Reason(err))
	}
	if !errors.Is(err, invoke.ErrFailed) || err.Error() != invoke.ErrFailed.Error() {
		t.Errorf("outside it reads %q", err)
	}
	if d := time.Since(began); d > 500*time.Millisecond {
		t.Errorf("took %v: a forbidden address was waited for", d)
	}
}

func TestGuardPermits(t *testing.T) {
	g := guard(t, "10.1.2.0/24:8443", "[fd12:3456::/64]:443", "93.184.216.34/32:443")
	for address, want := range map[string]bool{
		"1.1.1.1:443": true, "[2606:4700::1]:443": true,
		"[fe80::1%lo]:443": false, "10.1.2.3:8443": true, "10.1.2.3:443": false, "10.1.3.3:8443": false,
		"[fd12:3456::1]:443": true, "[fd12:3457::1]:443": false, "[::ffff:10.1.2.3]:8443": false,
		"93.184.216.34:443": true, "93.184.216.35:443": false,
		"nonsense": false, "1.1.1.1": false,
	} {
		t.Run(address, func(t *testing.T) {
			if got := g.Control("tcp4", address, nil) == nil; got != want {
				t.Errorf("permitted %t, want %t", got, want)
			}
		})
	}
	for _, network := range []string{"udp4", "unix", "ip4", "udp6"} {
		t.Run("never over "+network, func(t *testing.T) {
			for _, address := range []string{"1.1.1.1:443", "10.1.2.3:8443"} {
				if g.Control(network, address, nil) == nil {
					t.Errorf("%s permitted", address)
				}
			}
		})
	}
}

func TestGuardRefusesAnOpeningThatReachesTheNeverList(t *testing.T) {
	for _, s := range []string{
		"0.0.0.0/0:443", "[::/0]:443", "169.254.169.254/32:80", "169.254.0.0/16:443", "168.63.129.16/32:80",
		"100.64.0.0/10:443", "192.0.0.0/24:443", "[fd00::/8]:443", "[fe80::1/128]:443", "[64:ff9b::/96]:443", "[2002::/16]:443",
		"[::ffff:10.0.0.0/104]:443", "10.0.0.0/8:0", "224.0.0.0/4:443", "0.0.0.0/8:443",
	} {
		t.Run(s, func(t *testing.T) {
			o, err := invoke.ParseOpening(s)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := invoke.NewGuard([]invoke.Opening{o}, nil); err == nil {
				t.Error("accepted")
			}
		})
	}
	if _, err := invoke.NewGuard([]invoke.Opening{{Port: 443}}, nil); err == nil {
		t.Error("an opening without a network is accepted")
	}
}

func TestParseOpening(t *testing.T) {
	for _, s := range []string{"10.1.2.0/24:8443", "[fd12::/64]:443", "127.0.0.1/32:1"} {
		if o, err := invoke.ParseOpening(s); err != nil || o.String() != s {
			t.Errorf("%s became %s, %v", s, o, err)
		}
	}
	for _, s := range []string{"", "10.0.0.1:443", "10.0.0.0/8", "10.0.0.0/8:", "10.0.0.0/8:65536", "10.0.0.0/8:https", "example.com/8:443", "10.0.0.0/33:1"} {
		if o, err := invoke.ParseOpening(s); err == nil {
			t.Errorf("%q accepted as %s", s, o)
		}
	}
}

// The proxies of the environment would see the address instead of the guard.
func TestEnvironmentProxyIsNotUsed(t *testing.T) {
	var hits atomic.Int32
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	for _, k := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(k, proxy)
	}
	c, err := invoke.NewClient(guard(t), invoke.Service{Origin: "http://169.254.169.254", Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = call(t, c, http.MethodGet, "http://169.254.169.254/latest", "")
	if !errors.Is(invoke.Reason(err), invoke.ErrForbidden) || hits.Load() != 0 {
		t.Errorf("%d requests went to the proxy, reason %v", hits.Load(), invoke.Reason(err))
	}
}

func TestRequestsStayAtTheOrigin(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	c := local(t, at)
	if res, err := call(t, c, http.MethodGet, at+"/a?b=c", ""); err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("the origin itself: %v", invoke.Reason(err))
	}
	host := strings.TrimPrefix(at, "http://")
	for _, target := range []string{
		"https://" + host, "http://ada@" + host, "http://localhost:1", "http://" + host + "0", "http://evil.example",
		"http://evil.example:80@" + host, "file:///etc/passwd", "http:" + host,
	} {
		t.Run(target, func(t *testing.T) {
			if _, err := call(t, c, http.MethodPost, target, "body"); !errors.Is(invoke.Reason(err), invoke.ErrForbidden) {
				t.Errorf("reason %v, want ErrForbidden", invoke.Reason(err))
			}
		})
	}
	req := request(t, http.MethodGet, at, "")
	req.Host = "evil.example"
	if _, err := c.RoundTrip(req); !errors.Is(invoke.Reason(err), invoke.ErrForbidden) {
		t.Errorf("another Host header: %v", invoke.Reason(err))
	}
}

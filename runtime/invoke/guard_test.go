package invoke_test

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/invoke"
)

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
	for _, port := range []string{"0", "80", "8443"} {
		t.Run("refuses every address on port "+port, func(t *testing.T) {
			refused(t, g, "https://1.1.1.1:"+port)
		})
	}
	for _, host := range []string{"2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.0.01", "0177.0.0.1", "127.0.0.1.", "10.0.0.1.", "0x", "[fe80::1%25lo]", "[::1%251]"} {
		t.Run("refuses a disguised "+host, func(t *testing.T) {
			refused(t, g, "https://"+host)
		})
	}
	for _, origin := range []string{
		"file:///etc/passwd", "gopher://api.example", "ftp://api.example", "unix:///run/x", "ws://api.example",
		"http://api.example", "https://ada@api.example", "https://api.example/path", "https://api.example?q", "//api.example", "",
		"https://", "https://:443", "https://api.example:", "https:api.example", "https://api.example#x",
	} {
		t.Run("is not called at "+origin, func(t *testing.T) {
			i := invoker(t, invoke.Options{Guard: g})
			to := "https://api.example/x"
			if u, err := url.Parse(origin); err == nil && u.Host != "" {
				to = u.Scheme + "://" + u.Host + "/x"
				if u.User != nil {
					to = origin
				}
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, http.NoBody)
			if err != nil {
				t.Skip("no request can be made of it")
			}
			_, err = i.Do(t.Context(), invoke.Call{Target: invoke.Target{Origins: []string{origin}}, Request: req})
			ends(t, err, invoke.Misconfigured)
		})
	}
}

// refused makes a real call, and holds that it ends at once, without a dial,
// with nothing told outside.
func refused(t *testing.T, g *invoke.Guard, origin string) {
	t.Helper()
	i := invoker(t, invoke.Options{Guard: g})
	began := time.Now()
	_, err := i.Do(t.Context(), invoke.Call{Target: invoke.Target{Origins: []string{origin}}, Request: request(t, http.MethodGet, origin+"/x", "")})
	ends(t, err, invoke.Malicious)
	if !errors.Is(invoke.Reason(err), invoke.ErrForbidden) {
		t.Errorf("reason %v, want ErrForbidden", invoke.Reason(err))
	}
	if err != nil && err.Error() != "The URL of the external service is not permitted." {
		t.Errorf("outside it reads %q", err)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("took %v: a forbidden address was waited for", d)
	}
	if s := i.States(); len(s) != 1 || s[0].Breaker != "closed" || s[0].Failures[invoke.Malicious] != 1 {
		t.Errorf("states are %+v", s)
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
		"[::ffff:10.0.0.0/104]:443", "10.0.0.0/8:0", "32.0.0.0/3:443", "10.0.0.0/7:443", "[2600::/16]:443", "env=0.0.0.0/0:443", "env=169.254.169.254/32:80", "224.0.0.0/4:443", "0.0.0.0/8:443",
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
	for _, s := range []string{"10.1.2.0/24:8443", "[fd12::/64]:443", "127.0.0.1/32:1", "abc-1=10.1.2.0/24:8443", "abc-1=[fd12::/64]:443"} {
		if o, err := invoke.ParseOpening(s); err != nil || o.String() != s {
			t.Errorf("%s became %s, %v", s, o, err)
		}
	}
	for _, s := range []string{
		"", "10.0.0.1:443", "10.0.0.0/8", "10.0.0.0/8:", "10.0.0.0/8:65536", "10.0.0.0/8:https", "example.com/8:443", "10.0.0.0/33:1",
		"=10.0.0.0/8:443", "a b=10.0.0.0/8:443", "a=b=10.0.0.0/8:443", "a=",
	} {
		if o, err := invoke.ParseOpening(s); err == nil {
			t.Errorf("%q accepted as %s", s, o)
		}
	}
}

// An opening of one environment is none of another's.
func TestOpeningsOfAnEnvironment(t *testing.T) {
	g := guard(t, "10.1.0.0/16:443", "one=10.2.0.0/16:443")
	for env, want := range map[string][2]bool{"one": {true, true}, "two": {true, false}, "": {true, false}} {
		in := g.In(env)
		if got := [2]bool{in.Control("tcp4", "10.1.0.1:443", nil) == nil, in.Control("tcp4", "10.2.0.1:443", nil) == nil}; got != want {
			t.Errorf("environment %q: %v, want %v", env, got, want)
		}
	}
	if g.Control("tcp4", "10.2.0.1:443", nil) == nil {
		t.Error("the opening of one environment holds for all")
	}
	at := answers(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(at, "http://"))
	i := invoker(t, invoke.Options{Guard: guard(t, "one=127.0.0.1/32:"+port)})
	for env, want := range map[string]invoke.Code{"one": "", "two": invoke.Misconfigured} {
		_, err := i.Do(t.Context(), invoke.Call{Target: invoke.Target{Env: env, Origins: []string{at}}, Request: request(t, http.MethodGet, at, "")})
		ends(t, err, want)
	}
}

// http goes where the operator opened a network, and elsewhere only where the
// target is a plain one.
func TestHTTPNeedsAnOpening(t *testing.T) {
	at := answers(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(at, "http://"))
	for name, row := range map[string]struct {
		guard  *invoke.Guard
		origin string
		plain  bool
		want   invoke.Code
	}{
		"no opening":                      {guard(t), "http://1.1.1.1:443", false, invoke.Misconfigured},
		"an opening elsewhere":            {guard(t, "10.0.0.0/8:80"), "http://1.1.1.1:443", false, invoke.Malicious},
		"an opening here":                 {guard(t, "127.0.0.1/32:"+port), at, false, ""},
		"a plain target without one":      {guard(t), at, true, invoke.Malicious},
		"a plain target with one":         {guard(t, "127.0.0.1/32:"+port), at, true, ""},
		"a plain target and the metadata": {guard(t, "127.0.0.1/32:"+port), "http://169.254.169.254", true, invoke.Malicious},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := invoker(t, invoke.Options{Guard: row.guard}).Do(t.Context(), invoke.Call{
				Target: invoke.Target{Origins: []string{row.origin}, Plain: row.plain}, Request: request(t, http.MethodGet, row.origin+"/", ""),
			})
			ends(t, err, row.want)
		})
	}
}

// The proxies of the environment would see the address instead of the guard.
func TestEnvironmentProxyIsNotUsed(t *testing.T) {
	var hits atomic.Int32
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	for _, k := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(k, proxy)
	}
	i := invoker(t, invoke.Options{Guard: opened(t, proxy)})
	for _, origin := range []string{"http://169.254.169.254", "https://169.254.169.254"} {
		_, err := i.Do(t.Context(), invoke.Call{
			Target: invoke.Target{Origins: []string{origin}, Plain: true}, Request: request(t, http.MethodGet, origin+"/latest", ""),
		})
		ends(t, err, invoke.Malicious)
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests went to the proxy", hits.Load())
	}
}

func TestRequestsStayAtTheOrigin(t *testing.T) {
	at := answers(t)
	o := local(t, at)
	if a, err := o.call(t, http.MethodGet, at+"/a?b=c", ""); err != nil || a.Status != http.StatusNoContent {
		t.Fatalf("the origin itself: %v", invoke.Reason(err))
	}
	host := strings.TrimPrefix(at, "http://")
	for _, target := range []string{
		"https://" + host, "http://ada@" + host, "http://localhost:1", "http://" + host + "0", "http://evil.example",
		"http://evil.example:80@" + host, "file:///etc/passwd", "http:" + host, "http://" + host + ".evil.example", "//" + host, "http://127.0.0.1",
		at + "/" + strings.Repeat("a", invoke.MaxURL),
	} {
		t.Run(target[:min(len(target), 40)], func(t *testing.T) {
			u, err := url.Parse(target)
			if err != nil {
				t.Skip("no URL")
			}
			req := request(t, http.MethodPost, at, "body")
			req.URL, req.Host = u, ""
			_, err = o.do(t, invoke.Call{Request: req})
			ends(t, err, invoke.Misconfigured)
		})
	}
	req := request(t, http.MethodGet, at, "")
	req.Host = "evil.example"
	_, err := o.do(t, invoke.Call{Request: req})
	ends(t, err, invoke.Misconfigured)
	if s := o.States(); s[0].Breaker != "closed" || s[0].Answers != 1 {
		t.Errorf("states are %+v", s)
	}
}

// An origin is the same however it is written.
func TestOriginsAreCompared(t *testing.T) {
	for configured, at := range map[string]string{
		"https://API.example": "https://api.example/x", "https://api.example:443": "https://api.example", "https://api.example": "https://Api.Example:443/x",
		"https://[fd12:0::1]": "https://[fd12:0::1]:443/", "https://[FD12::1]:8443": "https://[fd12::1]:8443/",
	} {
		_, err := invoker(t, invoke.Options{Resolver: dns(t, fixed("127.0.0.1"))}).Do(t.Context(), invoke.Call{
			Target: invoke.Target{Origins: []string{"https://other.example", configured}, Timeout: 300 * time.Millisecond}, Request: request(t, http.MethodGet, at, ""),
		})
		if got := code(t, err); got == invoke.Misconfigured {
			t.Errorf("%s is not at %s: %v", at, configured, invoke.Reason(err))
		}
	}
}

package external_test

import (
	"strings"
	"testing"

	"doorward/runtime/external"
)

func TestAnAddressIsReadInOneSpelling(t *testing.T) {
	for text, want := range map[string]struct{ origin, url string }{
		"https://api.example":                 {"https://api.example", "https://api.example/"},
		"https://api.example/":                {"https://api.example", "https://api.example/"},
		"HTTPS://API.Example:443/A?b=C":       {"https://api.example", "https://api.example/A?b=C"},
		"http://api.example:80?q":             {"http://api.example", "http://api.example/?q"},
		"https://api.example:8443/a/b/":       {"https://api.example:8443", "https://api.example:8443/a/b/"},
		"https://[2001:DB8::1]/x":             {"https://[2001:db8::1]", "https://[2001:db8::1]/x"},
		"https://[2001:db8::1]:9000/x":        {"https://[2001:db8::1]:9000", "https://[2001:db8::1]:9000/x"},
		"https://a.example/u/%2e%2eetc":       {"https://a.example", "https://a.example/u/%2e%2eetc"},
		"https://a.example/a%2Fb?q=%0d%0a&r=": {"https://a.example", "https://a.example/a%2Fb?q=%0d%0a&r="},
		"https://a.example/a@b;c=d?e[f]=g":    {"https://a.example", "https://a.example/a@b;c=d?e[f]=g"},
	} {
		a, complaint := external.ReadAddress(text)
		if complaint != "" || a.Origin != want.origin || a.String() != want.url {
			t.Errorf("%s is %s at %s %q, want %s at %s", text, a, a.Origin, complaint, want.url, want.origin)
		}
	}
}

func TestAnAddressIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "no absolute URL",
		"api.example/get":                       "no absolute URL",
		"//evil.example/":                       "no absolute URL",
		"ftp://api.example/":                    "no absolute URL",
		"file:///etc/passwd":                    "no absolute URL",
		"gopher://api.example/":                 "no absolute URL",
		"javascript:alert(1)":                   "no absolute URL",
		"https:api.example":                     "no absolute URL",
		"https:///path":                         "no host",
		"https://?q":                            "no host",
		"https://:443/":                         "no host",
		"https://a.example:/":                   "port",
		"https://a.example:0/":                  "port",
		"https://a.example:65536/":              "port",
		"https://a.example:+443/":               "port",
		"https://a.example:0443/":               "port",
		"https://user@a.example/":               "user name",
		"https://a.example@evil.example/":       "user name",
		"https://a%2eexample/":                  "no host",
		"https://[::1/":                         "no host",
		"https://[fe80::1%25eth0]/":             "no host",
		"https://[127.0.0.1]/":                  "no host",
		"https://a..example/":                   "no host",
		"https://a.example/#x":                  "fragment",
		"https://a.example/a b":                 "asUrlEncoded",
		"https://a.example/ä":                   "asUrlEncoded",
		"https://a.example\\@evil.example/":     "asUrlEncoded",
		"https://a.example/a\r\nHost: b":        "asUrlEncoded",
		"https://a.example/a\x00":               "asUrlEncoded",
		"https://a.example/嘍":                   "asUrlEncoded",
		"https://a.example/{id}":                "asUrlEncoded",
		"https://a.example/%":                   "encodes nothing",
		"https://a.example/%zz":                 "encodes nothing",
		"https://a.example/%00":                 "control",
		"https://a.example/a%0d%0a":             "control",
		"https://a.example/%c0%ae%c0%ae/x":      "control",
		"https://a.example//x":                  "empty segment",
		"https://a.example/a//b":                "empty segment",
		"https://a.example/a/../b":              `".."`,
		"https://a.example/a/./b":               `".."`,
		"https://a.example/a/..":                `".."`,
		"https://a.example/a/%2e%2e/b":          `".."`,
		"https://a.example/a/.%2E":              `".."`,
		"https://a.example/a/%252e%252e":        `".."`,
		"https://a.example/a/%25252e%25252e":    `".."`,
		"https://a.example/a/..%2F..%2Fadmin":   `".."`,
		"https://a.example/a/x%5C..%5Cadmin":    `".."`,
		"https://a.example/a/..;/admin":         `".."`,
		"https://a.example/a/..;a=b/admin":      `".."`,
		"https://a.example/a/..%20/admin":       `".."`,
		"https://a.example/a/b%2f%2e%2e%2f/adm": `".."`,
	} {
		if _, complaint := external.ReadAddress(text); !strings.Contains(complaint, want) {
			t.Errorf("%q is complained of as %q, want %q", text, complaint, want)
		}
	}
}

func TestHeaderNames(t *testing.T) {
	for _, name := range []string{"X-User", "Authorization", "Accept", "Content-Type", "x_y.z~1", "X-Api-Key"} {
		if complaint := external.HeaderFault(name); complaint != "" {
			t.Errorf("%s: %s", name, complaint)
		}
	}
	for _, name := range []string{
		"Host", "HOST", "content-length", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "TE", "Upgrade", "Expect",
		"Proxy-Authorization", "proxy-x", "Forwarded", "X-Forwarded-For", "x-forwarded-host", "Via", "Cookie", "Set-Cookie",
		"Content-Encoding", "Accept-Encoding", "Idempotency-Key", "", "X User", "X:User", "X-User\r\nHost", "Ünicode", strings.Repeat("x", 101),
	} {
		if external.HeaderFault(name) == "" {
			t.Errorf("%q is taken", name)
		}
	}
}

func TestHeaderValues(t *testing.T) {
	for value, good := range map[string]bool{
		"": true, "a b\tc": true, "Ädä": true, strings.Repeat("x", 8<<10): true,
		"a\r\nX-Evil: 1": false, "a\nb": false, "a\rb": false, "a\x00": false, "\x7f": false, "\x1b[0m": false, strings.Repeat("x", 8<<10+1): false,
	} {
		if got := external.ValueFault(value); (got == "") != good {
			t.Errorf("%.20q: %q", value, got)
		}
	}
}

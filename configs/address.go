package configs

import (
	"net/netip"
	"net/url"
	"strings"
)

// uuidFault says what keeps s from being an id. Source: reference/flows.md 0.
func uuidFault(s string) string {
	const form = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
	fits := len(s) == len(form)
	for i := 0; fits && i < len(form); i++ {
		switch form[i] {
		case 'x':
			fits = strings.IndexByte("0123456789abcdef", s[i]) >= 0
		case 'y':
			fits = strings.IndexByte("89ab", s[i]) >= 0
		default:
			fits = s[i] == form[i]
		}
	}
	if !fits {
		return "takes a UUID of version 4 in lower case"
	}
	return ""
}

// baseFault says what keeps s from being scheme://host[:port] exactly as a
// browser writes an origin: lower case, no default port, nothing behind it.
// Source: RFC 6454 section 6.2.
func baseFault(s string) string {
	u, err := url.Parse(s)
	port := map[string]string{"https": "443", "http": "80"}
	if err != nil || port[u.Scheme] == "" || u.Hostname() == "" || u.Port() == port[u.Scheme] ||
		s != u.Scheme+"://"+u.Host || s != strings.ToLower(s) || !visible(s) || strings.HasSuffix(s, ":") {
		return "takes https://host or https://host:port in lower case, without a default port, path or slash at the end"
	}
	return ""
}

// originFault is baseFault for the page of another origin: plain http is for
// this machine only.
func originFault(s string) string {
	if message := baseFault(s); message != "" {
		return message
	}
	return pageFault(s)
}

// pageFault says what keeps s from being an address that a browser may be sent
// to: https, or http to this machine.
func pageFault(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || !u.IsAbs() || !visible(s) || !strings.HasPrefix(s, u.Scheme+":"):
		return "takes an absolute URI of visible ASCII characters"
	case strings.Contains(s, "#"):
		return "takes no fragment"
	case u.User != nil:
		return "takes no user name"
	case strings.Contains(s, "*"):
		return "takes no wildcard"
	case u.Scheme == "https" && u.Hostname() != "", u.Scheme == "http" && loopback(u.Hostname()):
		return ""
	}
	return "takes https, or http to localhost, 127.0.0.1 or [::1]"
}

// redirectFault is pageFault, but an installed application may have a scheme of
// its own when it is a reversed domain name. Sources: RFC 9700 section 2.1, RFC
// 8252 sections 7.1 and 7.3.
func redirectFault(s string, native bool) string {
	u, err := url.Parse(s)
	web := err != nil || u.Scheme == "" || u.Scheme == "http" || u.Scheme == "https"
	switch own := "https://own.invalid/"; {
	case web:
		return pageFault(s)
	case !native:
		return "takes https, or http to localhost, 127.0.0.1 or [::1]; a scheme of its own is for NATIVE_APP"
	case !strings.Contains(u.Scheme, "."):
		return "takes a scheme that is a reversed domain name, such as com.example.app"
	case !strings.HasPrefix(s, u.Scheme+":"):
		return "takes a scheme in lower case"
	default: // behind the scheme the same rules hold
		return pageFault(own + strings.TrimLeft(s[len(u.Scheme)+1:], "/"))
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// visible reports whether s is made of ASCII characters that mean the same to
// every reader of an address.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\\\"<>^`{|}", r) })
}

package oidc

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxRedirect is the longest redirect URI taken, in bytes.
const maxRedirect = 2048

// redirectMatches reports whether sent is one of the registered URIs, compared
// byte for byte. A registered loopback address takes any port, since a native
// application cannot know which it will get. Source: RFC 8252 7.3, RFC 9700 4.1.
func redirectMatches(registered []string, sent string) bool {
	if sent == "" || len(sent) > maxRedirect || strings.Contains(sent, "#") {
		return false
	}
	for _, r := range registered {
		if r == sent || sameButPort(r, sent) {
			return true
		}
	}
	return false
}

// sameButPort reports whether both begin with the same literal loopback host and
// differ at most in their port.
func sameButPort(registered, sent string) bool {
	for _, host := range [...]string{"http://127.0.0.1", "http://[::1]", "https://127.0.0.1", "https://[::1]"} {
		ours, is := strings.CutPrefix(registered, host)
		theirs, also := strings.CutPrefix(sent, host)
		if !is || !also {
			continue
		}
		ours, is = afterPort(ours)
		theirs, also = afterPort(theirs)
		return is && also && ours == theirs
	}
	return false
}

// afterPort cuts a port from 1 to 65535 off what follows a host; false when
// something else follows it than a port, a path, a query or nothing.
func afterPort(s string) (string, bool) {
	if port, is := strings.CutPrefix(s, ":"); is {
		end := strings.IndexAny(port, "/?")
		if end < 0 {
			end = len(port)
		}
		n, err := strconv.ParseUint(port[:end], 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return "", false
		}
		s = port[end:]
	}
	return s, s == "" || s[0] == '/' || s[0] == '?'
}

// withQuery adds parameters to a URI, keeping the query it has as it is.
func withQuery(uri string, add url.Values) string {
	query := add.Encode()
	switch {
	case query == "":
		return uri
	case !strings.Contains(uri, "?"):
		return uri + "?" + query
	case strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&"):
		return uri + query
	}
	return uri + "&" + query
}

// redirect sends the browser on, without telling the next page where it was.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusFound)
}

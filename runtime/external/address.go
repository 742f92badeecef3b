package external

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Address is a URL taken apart, as far as its shape goes.
type Address struct {
	Origin string   // scheme, host and port, in lower case, without a default port: "https://api.example"
	path   []string // segments, as they are written
	names  []string // of the query, in order, decoded
	rest   string   // path and query
}

// String is the URL as it is sent.
func (a Address) String() string { return a.Origin + a.rest }

// encode is what every complaint about a character ends with.
const encode = "; put what varies into #string.asUrlEncoded(…)"

// ReadAddress takes a URL apart, or says what is wrong with it: it must be
// absolute, http or https, without userinfo and fragment, written in the
// characters of RFC 3986, and have no segment that is empty or leads up, however
// that is written.
func ReadAddress(text string) (a Address, complaint string) {
	if at := strings.IndexFunc(text, notOfURL); at >= 0 {
		return a, "holds a character that a URL must have encoded" + encode
	}
	if strings.Contains(text, "#") {
		return a, "has a fragment, which is never sent" + encode
	}
	scheme, rest, _ := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if scheme != "https" && scheme != "http" {
		return a, "is no absolute URL that begins with https:// or http://"
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, complaint := hostOf(scheme, rest[:end])
	if complaint != "" {
		return a, complaint
	}
	a.Origin = scheme + "://" + host
	path, query, queried := strings.Cut(rest[end:], "?")
	if path == "" {
		path = "/"
	}
	if a.rest = path; queried {
		a.rest += "?" + query
	}
	a.path, complaint = segments(path)
	if _, err := url.Parse(a.String()); err != nil && complaint == "" {
		complaint = "is no URL" + encode
	}
	a.names = names(query)
	return a, complaint
}

// notOfURL is what no URL is written in. Brackets are not of a query either, but
// are sent there by everybody. Source: RFC 3986 2.
func notOfURL(r rune) bool {
	return !letterOrDigit(r) && !strings.ContainsRune("-._~:/?#[]@!$&'()*+,;=%", r)
}

// hostOf is host and port in one way of writing them.
func hostOf(scheme, text string) (host, complaint string) {
	const wrong = "has no host that a name or an address can be read from"
	if strings.Contains(text, "@") {
		return "", "holds a user name, or a @ before its host"
	}
	host, port := strings.ToLower(text), ""
	if colon := strings.LastIndex(host, ":"); colon > strings.LastIndex(host, "]") {
		host, port = host[:colon], host[colon+1:]
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || port != strconv.Itoa(n) {
			return "", "has a port that is none"
		}
	}
	if inner, is := strings.CutPrefix(host, "["); is {
		inner, closed := strings.CutSuffix(inner, "]")
		if addr, err := netip.ParseAddr(inner); !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", wrong
		}
	} else if host == "" || len(host) > 253 || strings.HasPrefix(host, ".") || strings.Contains(host, "..") ||
		strings.ContainsFunc(host, func(r rune) bool { return !letterOrDigit(r) && r != '-' && r != '.' && r != '_' }) {
		return "", wrong
	}
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return host, ""
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port), ""
}

// segments are those of a path.
func segments(path string) ([]string, string) {
	all := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range all {
		plain, err := url.PathUnescape(s)
		switch {
		case s == "" && i < len(all)-1:
			return nil, "has an empty segment in its path"
		case err != nil:
			return nil, "holds a % that encodes nothing" + encode
		case !utf8.ValidString(plain) || strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return nil, "has control characters in its path"
		case climbs(s):
			return nil, `has a segment "." or ".." in its path`
		}
	}
	return all, ""
}

// climbs reports whether some server on the way may read a segment as "." or "..":
// it decodes once more, takes %2F or a backslash for a slash, or takes what is
// behind a semicolon off.
func climbs(segment string) bool {
	for range 4 {
		for part := range strings.FieldsFuncSeq(segment, func(r rune) bool { return r == '/' || r == '\\' }) {
			part, _, _ = strings.Cut(part, ";")
			if part = strings.TrimSpace(part); part == "." || part == ".." {
				return true
			}
		}
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == segment {
			return false
		}
		segment = plain
	}
	return false
}

// names are those of the parameters of a query, by the separators that any server
// knows.
func names(query string) []string {
	var out []string
	for _, p := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, _ := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		out = append(out, name)
	}
	return out
}

// like is what sets the shape of a apart from that of harmless, which was made of
// inputs that mean nothing in a URL; empty: nothing does.
func (a Address) like(harmless Address) string {
	switch {
	case a.Origin != harmless.Origin:
		return "an input changes its host"
	case len(a.path) != len(harmless.path):
		return "an input changes the depth of its path" + encode
	case !slices.Equal(a.names, harmless.names):
		return "an input changes the parameters of its query" + encode
	}
	return ""
}

// open reports whether the path ends in a slash.
func (a Address) open() bool { return len(a.path) > 1 && a.path[len(a.path)-1] == "" }

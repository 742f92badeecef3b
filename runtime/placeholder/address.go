package placeholder

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

var (
	errAddress  = errors.New("takes a URL that begins with http:// or https:// and has its host and port written out, such as https://api.example.com/users/${user.id}?title=${user.title}; a placeholder may stand behind the / of the path, or behind the = of a parameter")
	errFragment = errors.New("has a #, and what stands behind one is not sent")
)

// writtenOut reports what is wrong with a URL: a placeholder that could change
// where it leads, or what it is about.
func writtenOut(parts []part) error {
	if len(parts) == 0 || parts[0].path != nil {
		return errAddress
	}
	_, rest, _ := strings.Cut(parts[0].text, "://")
	if len(parts) > 1 && !strings.ContainsAny(rest, "/?") {
		return errAddress
	}
	var whole strings.Builder
	for i, p := range parts {
		before := whole.String()
		_, query, asks := strings.Cut(before, "?")
		switch parameter := query[strings.LastIndexByte(query, '&')+1:]; {
		case p.path == nil:
			whole.WriteString(p.text)
			continue
		case asks && !strings.Contains(parameter, "="):
			return errAddress
		case i > 0:
			whole.WriteByte('x') // as any value it is encoded, and ends an escape that was begun
		}
	}
	text := whole.String()
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "#"):
		return errFragment
	case err != nil, u.Scheme != "http" && u.Scheme != "https", !strings.HasPrefix(text, u.Scheme+"://"), u.Hostname() == "", u.User != nil:
		return errAddress
	case strings.ContainsFunc(text, func(r rune) bool { return r == '\\' || unicode.IsSpace(r) || unicode.IsControl(r) }):
		return errAddress
	}
	return nil
}

// address is a URL with its placeholders filled in; empty where a value would
// leave out a segment of the path, or walk up.
func (n *node) address(find func([]string) any) string {
	var b []byte
	start, filled, path := 0, false, true // of the segment that is written
	for i := range n.text {
		p := &n.text[i]
		if p.path != nil {
			b = append(b, component(Text(find(p.path)))...)
			filled = true
		}
		for _, c := range []byte(p.text) {
			if path && (c == '/' || c == '?') {
				if filled && !isSegment(b[start:]) {
					return ""
				}
				start, filled, path = len(b)+1, false, c == '/'
			}
			b = append(b, c)
		}
		if len(b) > maxText {
			break
		}
	}
	if path && filled && !isSegment(b[start:]) {
		return ""
	}
	return string(b)
}

// component is text as a part of a URL in which none of it means anything.
// Source: RFC 3986 sections 2.1, 2.3.
func component(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// isSegment reports whether a segment is one that stays where it is. Source: RFC
// 3986 section 5.2.4.
func isSegment(b []byte) bool {
	s, err := url.PathUnescape(string(b))
	return err == nil && !slices.Contains([]string{"", ".", ".."}, s)
}

package external

import (
	"fmt"
	"slices"
	"strings"
)

// maxHeader is what all headers of a request may come to, in bytes.
const maxHeader = 8 << 10

// HeaderFault is what is wrong with the name of a header of a request; empty:
// nothing. Those that decide how a request is framed, where it goes, who relays it
// and whom it belongs to are not a document's to set. Source: RFC 9110 5.1.
func HeaderFault(name string) string {
	const token = "!#$%&'*+-.^_`|~"
	strange := func(r rune) bool { return !letterOrDigit(r) && !strings.ContainsRune(token, r) }
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, strange) {
		return "is no name of a header: up to 100 letters, digits and " + token
	}
	lower := strings.ToLower(name)
	reserved := []string{
		"host", "content-length", "transfer-encoding", "connection", "keep-alive", "trailer", "te", "upgrade", "expect",
		"forwarded", "via", "cookie", "set-cookie", "content-encoding", "accept-encoding", "idempotency-key",
	}
	if slices.Contains(reserved, lower) || strings.HasPrefix(lower, "proxy-") || strings.HasPrefix(lower, "x-forwarded-") {
		return "is a header that the server sets itself, or that must not be sent"
	}
	return ""
}

// ValueFault is what is wrong with the value of a header; empty: nothing. It is
// in UTF-8, and its only control character is the tab. Source: RFC 9110 5.5.
func ValueFault(value string) string {
	if len(value) > maxHeader {
		return fmt.Sprintf("has more than %d bytes", maxHeader)
	}
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return "holds a line break or another control character"
		}
	}
	return ""
}

package flow

import (
	"strings"
	"unicode/utf8"
)

// Masked is a mail address as a page shows where a code went: enough to know
// one's own by, "j•••@example.com". It is empty for what is no address.
func Masked(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 {
		return ""
	}
	_, n := utf8.DecodeRuneInString(address)
	if n == at {
		n = 0 // the first letter would be all of it
	}
	return address[:n] + "•••" + address[at:]
}

package directory

import (
	"errors"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ErrEmail says that a text is no mail address that we would write to.
var ErrEmail = errors.New("not a mail address")

// emailMax is the longest address, in bytes. Source: RFC 5321 4.5.3.1.3, less
// the angle brackets.
const emailMax = 254

// NormalEmail is the form in which addresses are compared when somebody
// registers: two addresses with the same normal form are one. Mail always goes to
// the address as it was given. It is ErrEmail for what is no address.
//
// The rule:
//
//  1. spaces around it do not count;
//  2. refused: more than 254 bytes, invalid UTF-8, what net/mail does not read as
//     a bare address (no name, comment, angle brackets or quotes), a domain that
//     is no host name in ASCII or IDNA (so no address literal), and before the @
//     every character that no username may have, so all control, zero-width and
//     bidirectional ones, and "=?", which mail software may decode into another
//     address (RFC 2047);
//  3. the domain in ASCII (Punycode), lower case;
//  4. what is before the @ compatibility composed and case folded, as usernames
//     are. RFC 5321 lets a host tell Ada@ and ada@ apart; none that people use
//     does, and two accounts for one mailbox do more harm.
//
// Tags (ada+news@) and dots (a.da@) stay: which hosts ignore them is theirs to
// say, and an address that differs from another there may be somebody else's.
func NormalEmail(address string) (string, error) {
	address = strings.TrimSpace(address)
	if len(address) > emailMax || !utf8.ValidString(address) {
		return "", ErrEmail
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return "", ErrEmail
	}
	at := strings.LastIndexByte(address, '@')
	local, domain := address[:at], address[at+1:]
	if strings.Contains(local, "=?") || strings.ContainsFunc(local, func(r rune) bool { return !nameRune(r) }) {
		return "", ErrEmail
	}
	if _, err := idna.Lookup.ToASCII(domain); err != nil || !hostName(asciiDomain(domain)) {
		return "", ErrEmail
	}
	return emailKey(address), nil
}

// emailKey is the normal form of an address that was let in by somebody else, so
// that it may be anything; empty for none.
func emailKey(address string) string {
	address = strings.TrimSpace(address)
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return fold(address)
	}
	return fold(address[:at]) + "@" + asciiDomain(address[at+1:])
}

func fold(s string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
}

func asciiDomain(domain string) string {
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return strings.ToLower(ascii)
	}
	return fold(domain)
}

// hostName reports whether an ASCII domain has the lengths of one. Source:
// RFC 1035 2.3.4.
func hostName(domain string) bool {
	if len(domain) > 253 {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return true
}

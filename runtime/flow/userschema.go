package flow

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// Attribute is one text of a user that may be set. A username and an address must
// be more than fits here, as the directory knows.
// Source: reference/management.md 5.3.
type Attribute struct {
	Name string // dotted: "name.given"
	Most int    // characters; the least of one that is there is 1
	// Wants is what a value has to be, as the end of a sentence: "takes ...".
	Wants string

	fits func(string) bool
}

// Fits reports whether a value is one of the attribute's, its length left out.
func (a *Attribute) Fits(value string) bool { return a.fits(value) }

// UserAttributes are all of them, in the order of a document.
func UserAttributes() []Attribute { return userAttributes() }

// UserAttribute finds one by its name.
func UserAttribute(name string) (Attribute, bool) {
	for _, a := range userAttributes() {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

var userAttributes = sync.OnceValue(func() []Attribute { //nolint:gochecknoglobals // never changes
	const (
		printed = "takes letters, digits, marks, symbols, punctuation and spaces"
		names   = "takes letters, marks, digits, apostrophes, spaces, dots and hyphens"
		phone   = "takes a phone number: +1.2225554444"
		other   = `([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*|\*)(; ?q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?))?`
	)
	languages := regexp.MustCompile(`^` + other + `(, ?` + other + `)*$`).MatchString
	number := regexp.MustCompile(`^\+?[0-9(][0-9 ().\-/]*[0-9]( ?(x|ext\.?) ?[0-9]{1,7})?$`).MatchString
	return []Attribute{
		{"username", 128, printed, isPrinted},
		{"email", 254, "takes one mail address, without a name", isPrinted},
		{"name.formatted", 256, names, isName},
		{"name.given", 256, printed, isPrinted},
		{"name.middle", 256, printed, isPrinted},
		{"name.family", 256, names, isName},
		{"name.honorificPrefix", 256, printed, isPrinted},
		{"name.honorificSuffix", 256, printed, isPrinted},
		{"nickname", 256, printed, isPrinted},
		{"title", 256, printed, isPrinted},
		{"type", 256, printed, isPrinted},
		{"locale", 256, printed, isPrinted},
		{"preferredLanguage", 256, "takes language tags, as Accept-Language does: de-CH, de;q=0.9", languages},
		{"timezone", 256, "takes the name of a time zone: Europe/Berlin", regexp.MustCompile(`^\w+/\w+$`).MatchString},
		{"externalId", 1024, printed, isPrinted},
		{"primaryPhone", 32, phone, number},
		{"mobilePhone", 32, phone, number},
		{"address.streetAddress", 256, printed, isPrinted},
		{"address.locality", 256, printed, isPrinted},
		{"address.region", 256, printed, isPrinted},
		{"address.postalCode", 40, printed, isPrinted},
		{"address.countryCode", 2, "takes two capital letters: DE", regexp.MustCompile(`^[A-Z]{2}$`).MatchString},
		{"photo.href", 2048, "takes an http or https address", isPhoto},
	}
})

func isPrinted(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < ' ' || r > '~') && !unicode.In(r, unicode.L, unicode.M, unicode.Zs, unicode.S, unicode.N, unicode.P) || r == unicode.ReplacementChar
	})
}

func isName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune("' .-", r)
	})
}

func isPhoto(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

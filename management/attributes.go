package management

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorward/directory"
	"doorward/runtime/flow"
)

// attribute is one text of a user: its place in the document, what it may be, and
// where it is kept. Source: reference/management.md 5.3.
type attribute struct {
	path  string                        // dotted: name.given
	most  int                           // characters; the least is 1
	fault func(value string) string     // what is wrong with a value; nil: nothing
	field func(*directory.User) *string // nil: it is kept in the profile
}

// attributes are all that a client may write, in the order of a document.
func attributes() []attribute {
	return []attribute{
		{"username", 128, usernameFault, func(u *directory.User) *string { return &u.Username }},
		{"email", 254, emailFault, func(u *directory.User) *string { return &u.Email }},
		{"name.formatted", 256, namesOnly, nil},
		{"name.given", 256, printed, func(u *directory.User) *string { return &u.Given }},
		{"name.middle", 256, printed, nil},
		{"name.family", 256, namesOnly, func(u *directory.User) *string { return &u.Family }},
		{"name.honorificPrefix", 256, printed, nil},
		{"name.honorificSuffix", 256, printed, nil},
		{"nickname", 256, printed, nil},
		{"title", 256, printed, nil},
		{"type", 256, printed, func(u *directory.User) *string { return &u.Type }},
		{"locale", 256, printed, func(u *directory.User) *string { return &u.Locale }},
		{"preferredLanguage", 256, languageFault, func(u *directory.User) *string { return &u.PreferredLanguage }},
		{"timezone", 256, timezoneFault, nil},
		{"externalId", 1024, printed, nil},
		{"primaryPhone", 32, phoneFault, nil},
		{"mobilePhone", 32, phoneFault, nil},
		{"address.streetAddress", 256, printed, nil},
		{"address.locality", 256, printed, nil},
		{"address.region", 256, printed, nil},
		{"address.postalCode", 40, printed, nil},
		{"address.countryCode", 2, countryFault, nil},
		{"photo.href", 2048, photoFault, nil},
	}
}

// groups are the objects that attributes are members of.
func groups() []string { return []string{"name", "address", "photo"} }

// judge says what is wrong with a value that is to be kept.
func (a *attribute) judge(value any) (string, *flow.Detail) {
	d := &flow.Detail{Code: flow.InvalidValue, Target: a.path, Pointer: pointer(a.path)}
	s, is := value.(string)
	switch {
	case !is:
		d.Message = a.path + " takes a string."
	case s == "":
		d.Code, d.Message = flow.EmptyValue, a.path+" takes at least one character; send null to clear it."
	case utf8.RuneCountInString(s) > a.most:
		d.Code, d.Inner = flow.SizeLimitExceeded, map[string]any{"maximumValue": a.most}
		d.Message = a.path + " takes at most " + strconv.Itoa(a.most) + " characters."
	case a.fault(s) != "":
		d.Message = a.path + " " + a.fault(s) + "."
	default:
		return s, nil
	}
	return "", d
}

func usernameFault(s string) string {
	if _, err := directory.NormalName(s); err != nil || strings.TrimSpace(s) != s {
		return "takes letters, digits, marks, symbols, punctuation and single spaces inside"
	}
	return ""
}

func emailFault(s string) string {
	if _, err := directory.NormalEmail(s); err != nil || strings.TrimSpace(s) != s {
		return "takes one mail address, without a name"
	}
	return ""
}

func printed(s string) string {
	return unless(`^[\p{L}\p{M}\p{Zs}\p{S}\p{N}\p{P}]*$`, s, "takes letters, digits, marks, symbols, punctuation and spaces")
}

func namesOnly(s string) string {
	return unless(`^[\p{L}\p{M}\p{N}' .-]*$`, s, "takes letters, marks, digits, apostrophes, spaces, dots and hyphens")
}

func languageFault(s string) string {
	const one = `([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*|\*)(; ?q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?))?`
	return unless(`^`+one+`(, ?`+one+`)*$`, s, "takes language tags, as Accept-Language does: de-CH, de;q=0.9")
}

func timezoneFault(s string) string {
	return unless(`^\w+/\w+$`, s, "takes the name of a time zone: Europe/Berlin")
}

func countryFault(s string) string {
	return unless(`^[A-Z]{2}$`, s, "takes two capital letters: DE")
}

// phoneFault takes a number as people and E.164 write it, with an extension.
func phoneFault(s string) string {
	return unless(`^\+?[0-9(][0-9 ().\-/]*[0-9]( ?(x|ext\.?) ?[0-9]{1,7})?$`, s, "takes a phone number: +1.2225554444")
}

func photoFault(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "takes an http or https address"
	}
	return ""
}

func unless(pattern, s, message string) string {
	if regexp.MustCompile(pattern).MatchString(s) {
		return ""
	}
	return message
}

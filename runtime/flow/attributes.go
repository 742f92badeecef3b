package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Attributes are those of a user that a definition sets, by dotted name, such as
// "name.given"; an empty one is none. Source: reference/management.md 5.3.
type Attributes map[string]string

// TakeAttributes reads a user as a definition gives it. Details say what cannot
// be, with the target "user." and the name. What a user has and nobody may set in
// a definition is left out, and then ignored is true; so is the password, which is
// not an attribute.
func TakeAttributes(user map[string]any) (a Attributes, ignored bool, faults []Detail) {
	a = Attributes{}
	var take func(at string, members map[string]any)
	take = func(at string, members map[string]any) {
		for name, v := range members {
			name = at + name
			inner, object := v.(map[string]any)
			switch {
			case withheld(name):
				ignored = ignored || name != "id" && name != "password"
			case object && at == "" && (name == "name" || name == "address" || name == "photo"):
				take(name+".", inner)
			default:
				if d := a.set(name, v); d != nil {
					faults = append(faults, *d)
				}
			}
		}
	}
	take("", user)
	slices.SortFunc(faults, func(x, y Detail) int { return strings.Compare(x.Target, y.Target) })
	return a, ignored, faults
}

// withheld are the attributes that nobody sets in a definition. Source: as above.
func withheld(name string) bool {
	switch name {
	case "id", "password", "createdAt", "updatedAt", "enabled", "emailVerified", "memberOfGroupIDs", "memberOfGroupNames", "lastSignOn",
		"population", "lifecycle", "account", "identityProvider", "mfaEnabled", "verifyStatus", "environment":
		return true
	}
	return false
}

func (a Attributes) set(name string, v any) *Detail {
	most, pattern := attribute(name)
	target := "user." + strings.ToValidUTF8(name[:min(len(name), 64)], "")
	if most == 0 {
		return &Detail{Code: InvalidValue, Target: target, Message: "A user has no such attribute."}
	}
	if v == nil {
		v = ""
	}
	s, ok := v.(string)
	_, twice := a[name]
	switch {
	case twice:
		return &Detail{Code: InvalidValue, Target: target, Message: "The attribute is given in two ways."}
	case !ok:
		return &Detail{Code: InvalidValue, Target: target, Message: "The attribute takes a string."}
	case utf8.RuneCountInString(s) > most:
		return &Detail{
			Code: SizeLimitExceeded, Target: target, Inner: map[string]any{"maximumValue": most},
			Message: fmt.Sprintf("The attribute takes at most %d characters.", most),
		}
	case s != "" && !regexp.MustCompile(pattern).MatchString(s), !utf8.ValidString(s):
		return &Detail{Code: InvalidValue, Target: target, Message: "The attribute cannot have this value."}
	}
	a[name] = s
	return nil
}

// attribute is how many characters an attribute has at most, and its pattern; 0
// for one that no user has. A username and an address must be more than that, as
// the directory knows.
func attribute(name string) (most int, pattern string) {
	const (
		printed  = `^[\p{L}\p{M}\p{Zs}\p{S}\p{N}\p{P}]*$`
		names    = `^[\p{L}\p{M}\p{N}' .-]*$`
		language = `([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*|\*)(; ?q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?))?`
	)
	switch name {
	case "username":
		return 128, printed
	case "email":
		return 254, printed
	case "name.given", "name.middle", "name.honorificPrefix", "name.honorificSuffix", "nickname", "title", "type", "locale",
		"address.streetAddress", "address.locality", "address.region":
		return 256, printed
	case "name.family", "name.formatted":
		return 256, names
	case "preferredLanguage": // as Accept-Language
		return 256, `^` + language + `(, ?` + language + `)*$`
	case "timezone":
		return 256, `^\w+/\w+$`
	case "externalId":
		return 1024, printed
	case "primaryPhone", "mobilePhone": // as people and E.164 write it, with an extension
		return 32, `^\+?[0-9(][0-9 ().\-/]*[0-9]( ?(x|ext\.?) ?[0-9]{1,7})?$`
	case "address.postalCode":
		return 40, printed
	case "address.countryCode":
		return 2, `^[A-Z]{2}$`
	case "photo.href": // no user information in it
		return 2048, `^https?://[^/?#@\x00-\x20\x7f-\x{10ffff}]+([/?#][!-~]*)?$`
	}
	return 0, ""
}

// Nested are the attributes as a user is written: {"name":{"given":...}}. Empty
// ones are left out.
func (a Attributes) Nested() map[string]any {
	out := map[string]any{}
	for name, value := range a {
		if value != "" {
			Put(out, name, value)
		}
	}
	return out
}

// Put sets a member of an object by its dotted name; an empty value takes it away,
// and the object that it was in with the last of it.
func Put(object map[string]any, name, value string) {
	outer, member, dotted := strings.Cut(name, ".")
	if !dotted {
		if object[name] = value; value == "" {
			delete(object, name)
		}
		return
	}
	inside, ok := object[outer].(map[string]any)
	if !ok {
		inside = map[string]any{}
	}
	Put(inside, member, value)
	if object[outer] = inside; len(inside) == 0 {
		delete(object, outer)
	}
}

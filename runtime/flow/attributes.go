package flow

import (
	"fmt"
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
	attribute, known := UserAttribute(name)
	target := "user." + strings.ToValidUTF8(name[:min(len(name), 64)], "")
	if !known {
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
	case utf8.RuneCountInString(s) > attribute.Most:
		return &Detail{
			Code: SizeLimitExceeded, Target: target, Inner: map[string]any{"maximumValue": attribute.Most},
			Message: fmt.Sprintf("The attribute takes at most %d characters.", attribute.Most),
		}
	case s != "" && !attribute.Fits(s), !utf8.ValidString(s):
		return &Detail{Code: InvalidValue, Target: target, Message: "The attribute cannot have this value."}
	}
	a[name] = s
	return nil
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

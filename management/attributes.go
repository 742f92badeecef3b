package management

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"doorward/directory"
	"doorward/runtime/flow"
)

// attribute is one text of a user, and where it is kept.
type attribute struct {
	flow.Attribute

	field func(*directory.User) *string // nil: it is kept in the profile
}

// attributes are all that a client may write, in the order of a document.
func attributes() []attribute {
	columns := map[string]func(*directory.User) *string{
		"username":          func(u *directory.User) *string { return &u.Username },
		"email":             func(u *directory.User) *string { return &u.Email },
		"name.given":        func(u *directory.User) *string { return &u.Given },
		"name.family":       func(u *directory.User) *string { return &u.Family },
		"type":              func(u *directory.User) *string { return &u.Type },
		"locale":            func(u *directory.User) *string { return &u.Locale },
		"preferredLanguage": func(u *directory.User) *string { return &u.PreferredLanguage },
	}
	all := flow.UserAttributes()
	out := make([]attribute, len(all))
	for i, a := range all {
		out[i] = attribute{a, columns[a.Name]}
	}
	return out
}

// groups are the objects that attributes are members of.
func groups() []string { return []string{"name", "address", "photo"} }

// judge says what is wrong with a value that is to be kept.
func (a *attribute) judge(value any) (string, *flow.Detail) {
	d := &flow.Detail{Code: flow.InvalidValue, Target: a.Name, Pointer: pointer(a.Name)}
	s, is := value.(string)
	switch {
	case !is:
		d.Message = a.Name + " takes a string."
	case s == "":
		d.Code, d.Message = flow.EmptyValue, a.Name+" takes at least one character; send null to clear it."
	case utf8.RuneCountInString(s) > a.Most:
		d.Code, d.Inner = flow.SizeLimitExceeded, map[string]any{"maximumValue": a.Most}
		d.Message = a.Name + " takes at most " + strconv.Itoa(a.Most) + " characters."
	case a.fault(s) != "":
		d.Message = a.Name + " " + a.fault(s) + "."
	default:
		return s, nil
	}
	return "", d
}

// fault is what is wrong with a value; empty: nothing.
func (a *attribute) fault(s string) string {
	switch a.Name {
	case "username":
		if _, err := directory.NormalName(s); err != nil || strings.TrimSpace(s) != s {
			return "takes letters, digits, marks, symbols, punctuation and single spaces inside"
		}
	case "email":
		if _, err := directory.NormalEmail(s); err != nil || strings.TrimSpace(s) != s {
			return a.Wants
		}
	}
	if !a.Fits(s) {
		return a.Wants
	}
	return ""
}

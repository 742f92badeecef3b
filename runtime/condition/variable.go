package condition

import (
	"slices"
	"strings"
	"unicode"
)

// variable is the name in a placeholder, if there is such a variable. The key of a
// step may hold any letter, and slashes where the compiler of definitions has put
// it inside another one. Source: reference/management.md 2.2, 2.4, 4.4.
func variable(placeholder string) (name string, ok bool) {
	inside, opened := strings.CutPrefix(placeholder, "${")
	name, closed := strings.CutSuffix(inside, "}")
	if !opened || !closed {
		return "", false
	}
	switch name {
	case "session.lastSignOn.at", "flow.request.http.remoteIp", "identifier", "flow.id", "flow.definition.id":
		return name, true
	}
	path := strings.Split(name, ".")
	begins := func(roots ...string) bool {
		return len(path) > len(roots) && slices.Equal(path[:len(roots)], roots)
	}
	var from int // of the segments that may be anything
	switch {
	case begins("session", "lastSignOn", "withAuthenticator"):
		return name, len(path) == 5 && path[4] == "at" && word(path[3], "_") && !strings.ContainsFunc(path[3], func(r rune) bool { return r > unicode.MaxASCII })
	case begins("steps") && len(path) > 2 && word(path[1], "_-/"):
		from = 2
	case begins("user"):
		from = 1
	case begins("flow", "inputs"), begins("flow", "context", "user"):
		from = 2
	default:
		return "", false
	}
	return name, !slices.ContainsFunc(path[from:], func(segment string) bool { return !word(segment, "_-") })
}

// word reports whether s is made of letters, digits and the signs.
func word(s, signs string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune(signs, r)
	})
}

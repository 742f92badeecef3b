package expression

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// translation turns a regular expression of Java's into one that both engines read
// the same way.
type translation struct {
	rest       string
	out        []byte
	backtracks bool // only the engine that goes back has what it uses
	problem    string
}

func (t *translation) fail(format string, args ...any) {
	if t.problem == "" {
		t.problem = fmt.Sprintf(format, args...)
	}
	t.rest = ""
}

// next takes a character.
func (t *translation) next() rune {
	r, n := utf8.DecodeRuneInString(t.rest)
	t.rest = t.rest[n:]
	return r
}

// accept takes a prefix.
func (t *translation) accept(prefix string) bool {
	rest, ok := strings.CutPrefix(t.rest, prefix)
	t.rest = rest
	return ok
}

func (t *translation) translate() {
	for t.rest != "" {
		switch c := t.next(); c {
		case '\\':
			t.escape()
		case '[':
			t.class()
		case '(':
			t.group()
		case '{':
			t.repetition()
		case '*', '+', '?':
			t.out = append(t.out, byte(c))
			t.manner()
		case '|', '^', '$', '.', ')':
			t.out = append(t.out, byte(c))
		default:
			t.literal(c)
		}
	}
}

// manner reads what says how a repetition goes on: lazily, or without going back.
func (t *translation) manner() {
	switch {
	case t.accept("?"):
		t.out = append(t.out, '?')
	case t.accept("+"):
		t.out = append(t.out, '+')
		t.backtracks = true
	}
}

func (t *translation) repetition() {
	inside, behind, found := strings.Cut(t.rest, "}")
	least, most, ranged := strings.Cut(inside, ",")
	n, err := strconv.Atoi(least)
	m := n
	if ranged && most != "" && err == nil {
		m, err = strconv.Atoi(most)
	}
	if !found || err != nil || n < 0 || m < n || m > 1000 || strings.ContainsAny(inside, "+-") {
		t.fail("{ begins a repetition such as {2} or {2,5}, up to 1000; itself it is written \\{")
		return
	}
	t.out = append(append(append(t.out, '{'), inside...), '}')
	t.rest = behind
	t.manner()
}

// group reads what stands behind an opening parenthesis.
func (t *translation) group() {
	if !t.accept("?") {
		t.out = append(t.out, '(')
		return
	}
	for _, kind := range []string{"=", "!", ">", "<=", "<!"} {
		if t.accept(kind) {
			t.out = append(append(t.out, "(?"...), kind...)
			t.backtracks = true
			return
		}
	}
	if t.accept("<") {
		if named := t.named(); named != "" {
			t.out = append(t.out, "(?<"+named+">"...)
		}
		return
	}
	n := strings.IndexAny(t.rest, ":)")
	if n < 0 || strings.Trim(t.rest[:n], "ims-") != "" || strings.Count(t.rest[:n], "-") > 1 || strings.HasSuffix(t.rest[:n], "-") || n == 0 && t.rest[0] == ')' {
		t.fail("(? is followed by :, =, !, >, <=, <!, <NAME> or some of the flags i, m and s")
		return
	}
	t.out = append(append(t.out, "(?"...), t.rest[:n+1]...)
	t.rest = t.rest[n+1:]
}

// named reads the name of a group and what closes it.
func (t *translation) named() string {
	named, behind, found := strings.Cut(t.rest, ">")
	if !found || named == "" || digit(named[0]) || strings.ContainsFunc(named, func(r rune) bool { return !alphanumeric(r) }) {
		t.fail("a group's name is of letters and digits")
		return ""
	}
	t.rest = behind
	return named
}

// alphanumeric reports whether a character is an ASCII letter or digit.
func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// literal writes a character that stands for itself.
func (t *translation) literal(r rune) {
	switch {
	case r < utf8.RuneSelf && strings.ContainsRune(`\.+*?()|[]{}^$-&~#`, r):
		t.out = utf8.AppendRune(append(t.out, '\\'), r)
	case r < ' ' || r == 0x7f || r == utf8.RuneError:
		t.out = fmt.Appendf(t.out, `\x{%x}`, r)
	default:
		t.out = utf8.AppendRune(t.out, r)
	}
}

// escape reads what stands behind a backslash, outside of brackets.
func (t *translation) escape() {
	switch c := t.next(); {
	case t.shorthand(c, false):
	case c == 'b' || c == 'B' || c == 'A' || c == 'z':
		t.out = append(t.out, '\\', byte(c))
	case c == 'Z':
		t.out = append(t.out, `\z`...)
	case c == 'Q':
		quoted, behind, _ := strings.Cut(t.rest, `\E`)
		for _, r := range quoted {
			t.literal(r)
		}
		t.rest = behind
	case c >= '1' && c <= '9':
		t.out = append(t.out, `(?:\`+string(c)+`)`...)
		t.backtracks = true
	case c == 'k' && t.accept("<"):
		if named := t.named(); named != "" {
			t.out = append(t.out, `\k<`+named+`>`...)
			t.backtracks = true
		}
	default:
		if r, ok := t.character(c); ok {
			t.literal(r)
		}
	}
}

// character reads an escape that stands for one character.
func (t *translation) character(c rune) (rune, bool) {
	digits, base := "", 16
	switch c {
	case 't', 'n', 'r', 'f', 'a', 'e':
		return rune("\t\n\r\f\a\x1b"[strings.IndexRune("tnrfae", c)]), true
	case 'c':
		if t.rest != "" {
			return t.next() ^ 64, true
		}
	case '0':
		n := 0
		for n < len(t.rest) && n < 3 && t.rest[n] >= '0' && t.rest[n] <= '7' && (n < 2 || t.rest[0] <= '3') {
			n++
		}
		digits, base, t.rest = t.rest[:n], 8, t.rest[n:]
	case 'x':
		if t.accept("{") {
			digits, t.rest, _ = strings.Cut(t.rest, "}")
		} else if len(t.rest) >= 2 {
			digits, t.rest = t.rest[:2], t.rest[2:]
		}
	case 'u':
		if len(t.rest) >= 4 {
			digits, t.rest = t.rest[:4], t.rest[4:]
		}
	default:
		if !alphanumeric(c) && c != utf8.RuneError {
			return c, true
		}
	}
	i, err := strconv.ParseInt(digits, base, 32)
	if err != nil || i < 0 || i > utf8.MaxRune || !utf8.ValidRune(rune(i)) {
		t.fail(`a backslash is followed by what it is known for; \%s is not`, strings.ToValidUTF8(string(c), ""))
		return 0, false
	}
	return rune(i), true
}

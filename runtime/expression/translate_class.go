package expression

import (
	"fmt"
	"strings"
	"unicode"
)

// class reads what stands in brackets.
func (t *translation) class() {
	t.out = append(t.out, '[')
	if t.accept("^") {
		t.out = append(t.out, '^')
	}
	for first := true; ; first = false {
		if t.rest == "" {
			t.fail("[ is closed by ]")
			return
		}
		switch {
		case t.accept("]"):
			if first {
				t.fail("something stands between [ and ]")
			}
			t.out = append(t.out, ']')
			return
		case t.accept("["):
			t.fail(`brackets do not stand in brackets; a [ is written \[`)
		case t.accept("&&"):
			t.fail("&& does not stand in brackets")
		case t.accept(`\`):
			c := t.next()
			if !t.shorthand(c, true) {
				if r, ok := t.character(c); ok {
					t.span(r)
				}
			}
		default:
			t.span(t.next())
		}
	}
}

// span writes a character in brackets, or the range that it begins.
func (t *translation) span(from rune) {
	t.literal(from)
	if len(t.rest) < 2 || t.rest[0] != '-' || t.rest[1] == ']' || t.rest[1] == '[' {
		return
	}
	behind := t.rest[1:]
	if strings.HasPrefix(behind, `\`) && len(behind) > 1 && strings.IndexByte("dDwWsSpP", behind[1]) >= 0 {
		return
	}
	t.rest = behind
	to := t.next()
	if to == '\\' {
		var ok bool
		if to, ok = t.character(t.next()); !ok {
			return
		}
	}
	if to < from {
		t.fail("a range goes from the smaller to the larger")
		return
	}
	t.out = append(t.out, '-')
	t.literal(to)
}

// shorthand writes a class that has a letter or a name.
func (t *translation) shorthand(c rune, bracketed bool) bool {
	switch c {
	case 'd', 'D', 'w', 'W':
		t.out = append(t.out, '\\', byte(c))
	case 's', 'S':
		t.ranges(asciiClass("Space"), c == 'S', bracketed)
	case 'p', 'P':
		t.property(c == 'P', bracketed)
	default:
		return false
	}
	return true
}

// property reads the name of a class: a category or script of Unicode, or one of
// POSIX, which is of ASCII.
func (t *translation) property(not, bracketed bool) {
	named := ""
	if t.accept("{") {
		named, t.rest, _ = strings.Cut(t.rest, "}")
	} else if t.rest != "" {
		named = string(t.next())
	}
	if class := asciiClass(named); class != "" {
		t.ranges(class, not, bracketed)
		return
	}
	short := strings.TrimPrefix(named, "Is")
	switch short {
	case "Alphabetic", "Letter":
		short = "L"
	case "Digit":
		short = "Nd"
	case "Uppercase":
		short = "Lu"
	case "Lowercase":
		short = "Ll"
	}
	if unicode.Categories[short] == nil && (unicode.Scripts[short] == nil || short == named) {
		t.fail(`\p{…} is followed by a category such as L or Lu, a script such as IsLatin, or a class such as Alpha`)
		return
	}
	verb := 'p'
	if not {
		verb = 'P'
	}
	t.out = fmt.Appendf(t.out, `\%c{%s}`, verb, short)
}

// asciiClass are the ranges of a class of POSIX, each as its first and its last
// character.
func asciiClass(named string) string {
	switch named {
	case "Lower":
		return "az"
	case "Upper":
		return "AZ"
	case "Alpha":
		return "AZaz"
	case "Digit":
		return "09"
	case "Alnum":
		return "09AZaz"
	case "XDigit":
		return "09AFaf"
	case "Punct":
		return "!/:@[`{~"
	case "Graph":
		return "!~"
	case "Print":
		return " ~"
	case "Blank":
		return "\t\t  "
	case "Space":
		return "\t\r  "
	case "Cntrl":
		return "\x00\x1f\x7f\x7f"
	case "ASCII":
		return "\x00\x7f"
	}
	return ""
}

// ranges writes a class, or what is not in it, character by character: the engines
// do not agree on what their names for it mean.
func (t *translation) ranges(class string, not, bracketed bool) {
	if !bracketed {
		t.out = append(t.out, '[')
	}
	from := rune(0)
	for i := 0; i < len(class); i += 2 {
		first, last := rune(class[i]), rune(class[i+1])
		if !not {
			t.out = fmt.Appendf(t.out, `\x{%x}-\x{%x}`, first, last)
		} else if from < first {
			t.out = fmt.Appendf(t.out, `\x{%x}-\x{%x}`, from, first-1)
		}
		from = last + 1
	}
	if not {
		t.out = fmt.Appendf(t.out, `\x{%x}-\x{10ffff}`, from)
	}
	if !bracketed {
		t.out = append(t.out, ']')
	}
}

package expression

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// format is java.util.Formatter for what an expression can hold: %s %S %d %x %X %o
// %f %e %E %c %C %b %B %n %%, with index, flags, width and precision. What Java
// refuses, and its other conversions, make the whole result nothing. Source:
// reference/management.md 6.3.
func format(c *call) any {
	if c.null(0) {
		return nil
	}
	f := formatter{c: c, args: c.args[1:], last: -1}
	rest := c.text(0)
	for {
		plain, behind, found := strings.Cut(rest, "%")
		if !f.write(plain) {
			return nil
		}
		if !found {
			return string(f.out)
		}
		if rest = f.specifier(behind); f.illegal || c.err != nil {
			return nil
		}
	}
}

type formatter struct {
	c       *call
	args    []any
	out     []byte
	next    int // the argument that %s takes
	last    int // the one that %<s takes
	illegal bool
}

func (f *formatter) write(s string) bool {
	if !f.c.is(f.c.e.make(f.c.at, len(s))) {
		return false
	}
	f.out = append(f.out, s...)
	return true
}

// spec is a specifier: %[index$][flags][width][.precision]conversion.
type spec struct {
	flags            string
	width, precision int // -1: none
	verb             byte
}

func (s *spec) has(flag byte) bool { return strings.IndexByte(s.flags, flag) >= 0 }

// specifier writes what one stands for, and is what stands behind it.
func (f *formatter) specifier(s string) string {
	f.c.is(f.c.e.visit(f.c.at, 1))
	sp := spec{width: -1, precision: -1}
	index := 0
	if n, rest := leadingNumber(s); n > 0 && strings.HasPrefix(rest, "$") {
		index, s = n, rest[1:]
	}
	behind := strings.TrimLeft(s, "-#+ 0,(<")
	sp.flags, s = s[:len(s)-len(behind)], behind
	if n, rest := leadingNumber(s); len(rest) < len(s) {
		sp.width, s = n, rest
	}
	if strings.HasPrefix(s, ".") {
		n, rest := leadingNumber(s[1:])
		if len(rest) == len(s)-1 {
			f.illegal = true
			return ""
		}
		sp.precision, s = n, rest
	}
	if s == "" || repeated(sp.flags) || sp.width < 0 && (sp.has('-') || sp.has('0')) || sp.has('-') && sp.has('0') || sp.has('+') && sp.has(' ') {
		f.illegal = true
		return ""
	}
	sp.verb = s[0]
	if !f.c.room(max(sp.width, sp.precision, 0)) {
		return ""
	}
	f.convert(&sp, index)
	return s[1:]
}

// leadingNumber reads digits; a number past all limits is as large as one can be.
func leadingNumber(s string) (int, string) {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	if n > 9 {
		return maxBytes + 1, s[n:]
	}
	i, _ := strconv.Atoi(s[:n])
	return i, s[n:]
}

func repeated(flags string) bool {
	for i := range flags {
		if strings.IndexByte(flags[i+1:], flags[i]) >= 0 {
			return true
		}
	}
	return false
}

func (f *formatter) convert(sp *spec, index int) {
	switch sp.verb {
	case 'n':
		f.illegal = sp.width >= 0 || sp.precision >= 0 || sp.flags != ""
		f.write("\n")
		return
	case '%':
		f.illegal = sp.precision >= 0 || strings.Trim(sp.flags, "-") != ""
		f.padded(sp, "%")
		return
	}
	switch {
	case sp.has('<'):
		index = f.last
	case index > 0:
		index--
	default:
		index = f.next
		f.next++
	}
	if index < 0 || index >= len(f.args) {
		f.illegal = true
		return
	}
	f.last = index
	upper := sp.verb >= 'A' && sp.verb <= 'Z'
	s, ok := f.converted(sp, f.args[index])
	if f.illegal = !ok; !ok {
		return
	}
	if upper {
		s = strings.ToUpper(s)
	}
	f.padded(sp, s)
}

// converted is an argument by its conversion; not ok: Java has none.
func (f *formatter) converted(sp *spec, v any) (string, bool) {
	plain := strings.Trim(sp.flags, "-<") == ""
	switch sp.verb {
	case 's', 'S', 'b', 'B':
		if sp.verb|0x20 == 'b' {
			if _, ok := v.(bool); !ok {
				v = v != nil
			}
		}
		s, err := f.c.e.text(f.c.at, v)
		if f.c.is(err) && sp.precision >= 0 {
			s = s[:offset(s, sp.precision)]
		}
		return s, plain
	case 'c', 'C':
		if i, ok := v.(integer); ok {
			return string(rune(i)), plain && sp.precision < 0 && utf8.ValidRune(rune(i))
		}
		s, ok := v.(string)
		return s, plain && sp.precision < 0 && (v == nil || ok && length(s) == 1)
	case 'd', 'x', 'X', 'o':
		return f.wholeNumber(sp, v)
	case 'f', 'e', 'E':
		return f.fraction(sp, v)
	}
	return "", false
}

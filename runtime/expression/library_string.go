package expression

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// stringFunction finds a function of #string. Source: reference/management.md 6.3.
func stringFunction(named string) (function, bool) {
	f := function{least: 1, most: 1}
	switch named {
	case "isNotEmpty":
		f.run = func(c *call) any { return c.text(0) != "" }
	case "isNotBlank":
		f.run = func(c *call) any { return !isBlank(c.text(0)) }
	case "upperCase":
		f.run = changed(strings.ToUpper)
	case "lowerCase":
		f.run = changed(strings.ToLower)
	case "trim":
		f.run = changed(func(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) })
	case "length":
		f.run = func(c *call) any { return counted(length(c.text(0))) }
	case "substring":
		f.least, f.most, f.run = 3, 3, substring
	case "startsWith":
		f.least, f.most, f.run = 2, 2, affix(strings.HasPrefix)
	case "endsWith":
		f.least, f.most, f.run = 2, 2, affix(strings.HasSuffix)
	case "split":
		f.least, f.most, f.run = 2, 2, split
	case "join":
		f.least, f.most, f.run = 2, 2, join
	case "indexOf":
		f.least, f.most, f.run = 3, 3, indexOf
	case "lastIndexOf":
		f.least, f.most, f.run = 3, 3, lastIndexOf
	case "replace":
		f.least, f.most, f.run = 4, 4, replace
	case "compare":
		f.least, f.most, f.run = 3, 3, compareStrings
	case "firstNonEmpty":
		f.most, f.run = 10, firstOf(func(s string) bool { return s != "" })
	case "firstNonBlank":
		f.most, f.run = 10, firstOf(func(s string) bool { return !isBlank(s) })
	case "format":
		f.most, f.run = 32, format
	default:
		return function{}, false
	}
	return f, true
}

// isBlank reports whether text is white space alone, as Java sees it.
func isBlank(s string) bool {
	return strings.TrimFunc(s, isWhitespace) == ""
}

// isWhitespace is Character.isWhitespace.
func isWhitespace(r rune) bool {
	switch r {
	case '\u00a0', '\u2007', '\u202f', '\u0085':
		return false
	}
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// changed is a function from text to text; of nothing it is nothing.
func changed(by func(string) string) func(*call) any {
	return func(c *call) any {
		if c.null(0) {
			return nil
		}
		s := c.text(0)
		if !c.room(len(s)) {
			return nil
		}
		return c.made(by(s))
	}
}

func affix(has func(s, affix string) bool) func(*call) any {
	return func(c *call) any {
		if c.null(0) || c.null(1) {
			return c.null(0) && c.null(1)
		}
		return has(c.text(0), c.text(1))
	}
}

// substring counts from the end where a position is negative.
func substring(c *call) any {
	if c.null(0) {
		return nil
	}
	s, start, end := c.text(0), c.int(1), c.int(2)
	n := length(s)
	if start < 0 {
		start = max(start+n, 0)
	}
	if end < 0 {
		end = max(end+n, 0)
	}
	if end = min(end, n); start >= end {
		return ""
	}
	from := offset(s, start)
	return c.made(s[from : from+offset(s[from:], end-start)])
}

// offset is where in bytes the character at an index begins.
func offset(s string, index int) int {
	at := 0
	for ; index > 0 && at < len(s); index-- {
		_, n := utf8.DecodeRuneInString(s[at:])
		at += n
	}
	return at
}

func split(c *call) any {
	if c.null(0) {
		return nil
	}
	separates := isWhitespace
	if !c.null(1) {
		separators := c.text(1)
		separates = func(r rune) bool { return strings.ContainsRune(separators, r) }
		c.is(c.e.work(c.at, len(c.text(0))*(1+len(separators)/8)))
	}
	if c.err != nil {
		return nil
	}
	var parts list
	for part := range strings.FieldsFuncSeq(c.text(0), separates) {
		if !c.is(c.e.hold(c.at, 1)) || !c.is(c.e.make(c.at, len(part))) {
			return nil
		}
		parts = append(parts, part)
	}
	if parts == nil {
		parts = list{}
	}
	return parts
}

// join leaves out what is nothing.
func join(c *call) any {
	if c.null(0) {
		return nil
	}
	items, separator := c.list(0), c.text(1)
	var b []byte
	for _, item := range items {
		if item == nil {
			continue
		}
		if len(b) > 0 {
			if !c.is(c.e.make(c.at, len(separator))) {
				return nil
			}
			b = append(b, separator...)
		}
		var err error
		if b, err = c.e.append(b, c.at, item, 1); !c.is(err) || !c.is(c.e.visit(c.at, 1)) {
			return nil
		}
	}
	return string(b)
}

func indexOf(c *call) any {
	if c.null(0) || c.null(1) {
		return integer(-1)
	}
	s, find, from := c.text(0), c.text(1), max(c.int(2), 0)
	at := offset(s, from)
	i := strings.Index(s[at:], find)
	if i < 0 || from > length(s) && find != "" {
		return integer(-1)
	}
	return counted(length(s[:at+i]))
}

func lastIndexOf(c *call) any {
	if c.null(0) || c.null(1) {
		return integer(-1)
	}
	s, find, from := c.text(0), c.text(1), max(c.int(2), 0)
	i := strings.LastIndex(s[:min(offset(s, from)+len(find), len(s))], find)
	if i < 0 {
		return integer(-1)
	}
	return counted(length(s[:i]))
}

func replace(c *call) any {
	if c.null(0) {
		return nil
	}
	s, find, with, most := c.text(0), c.text(1), c.text(2), c.int(3)
	if c.null(1) || c.null(2) || find == "" || most == 0 {
		return s
	}
	n := strings.Count(s, find)
	if most > 0 {
		n = min(n, most)
	}
	if !c.room(len(s) + n*(len(with)-len(find))) {
		return nil
	}
	return c.made(strings.Replace(s, find, with, n))
}

// compareStrings puts nothing before everything.
func compareStrings(c *call) any {
	if c.null(0) || c.null(1) {
		return counted(truthAsNumber(!c.null(0)) - truthAsNumber(!c.null(1)))
	}
	a, b := c.text(0), c.text(1)
	ignore, ok := c.args[2].(bool)
	if !ok {
		c.fail("true or false as argument 3")
		return nil
	}
	if ignore {
		if !c.room(len(a) + len(b)) {
			return nil
		}
		a, b = strings.ToLower(strings.ToUpper(a)), strings.ToLower(strings.ToUpper(b))
	}
	return counted(strings.Compare(a, b))
}

func firstOf(good func(string) bool) func(*call) any {
	return func(c *call) any {
		for i := range c.args {
			if s := c.text(i); !c.null(i) && good(s) {
				return s
			}
		}
		return nil
	}
}

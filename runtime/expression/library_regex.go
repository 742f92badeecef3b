package expression

import (
	"slices"
	"strconv"
	"strings"
)

// regexFunction finds a function of #regex. Source: reference/management.md 6.3.
func regexFunction(named string) (function, bool) {
	f := function{least: 2, most: 2, patterns: true}
	switch named {
	case "matches":
		f.whole, f.run = true, matches
	case "findAllMatches":
		f.run = findAllMatches
	case "replaceFirst":
		f.least, f.most, f.run = 3, 3, func(c *call) any { return c.replaced(true) }
	case "replaceAll":
		f.least, f.most, f.run = 3, 41, func(c *call) any { return c.replaced(false) }
	default:
		return function{}, false
	}
	return f, true
}

// pattern is an argument that is a regular expression; nil where it is nothing, or
// an error.
func (c *call) pattern(i int, whole bool) *pattern {
	if c.null(i) {
		return nil
	}
	if p, ok := c.args[i].(*pattern); ok {
		return p
	}
	s, ok := c.args[i].(string)
	if !ok {
		c.fail("a regular expression as argument %d, not %s", i+1, describe(c.args[i]))
		return nil
	}
	p, err := c.e.pattern(c.at, s, whole)
	c.is(err)
	return p
}

func matches(c *call) any {
	p := c.pattern(1, true)
	if p == nil || c.null(0) {
		return false
	}
	is, err := c.e.whole(c.at, p, c.text(0))
	return c.is(err) && is
}

func findAllMatches(c *call) any {
	p := c.pattern(1, false)
	if p == nil || c.null(0) {
		return nil
	}
	s, all := c.text(0), list{}
	c.is(c.e.each(c.at, p, s, func(bounds []int) bool {
		all = append(all, s[bounds[0]:bounds[1]])
		return c.is(c.e.hold(c.at, 1)) && c.is(c.e.make(c.at, bounds[1]-bounds[0]))
	}))
	return all
}

// replaced goes through the pairs of pattern and replacement. A pattern without a
// replacement changes nothing.
func (c *call) replaced(once bool) any {
	if c.null(0) {
		return nil
	}
	s := c.text(0)
	for i := 1; i+1 < len(c.args) && c.err == nil; i += 2 {
		if p := c.pattern(i, false); p != nil && !c.null(i+1) {
			s = c.replacement(s, p, c.text(i+1), once)
		}
	}
	return s
}

func (c *call) replacement(s string, p *pattern, with string, once bool) string {
	parts := c.parts(p, with)
	var b []byte
	from := 0
	add := func(s string) bool {
		b = append(b, s...)
		return c.is(c.e.make(c.at, len(s)))
	}
	c.is(c.e.each(c.at, p, s, func(bounds []int) bool {
		add(s[from:bounds[0]])
		from = bounds[1]
		for _, part := range parts {
			text := part.text
			if part.group >= 0 && bounds[2*part.group] >= 0 {
				text = s[bounds[2*part.group]:bounds[2*part.group+1]]
			}
			if !add(text) {
				return false
			}
		}
		return !once && c.is(c.e.visit(c.at, len(parts)))
	}))
	if c.err != nil || b == nil && from == 0 {
		return s
	}
	add(s[from:])
	return string(b)
}

// part is a piece of a replacement: text, or what a group matched.
type part struct {
	text  string
	group int // -1: text
}

// parts reads a replacement as Java does: $1 and ${name} are groups, a backslash
// takes what follows as it is.
func (c *call) parts(p *pattern, with string) []part {
	groups := p.back.GetGroupNumbers()
	var parts []part
	var text []byte
	for i := 0; i < len(with) && c.err == nil; i++ {
		switch {
		case with[i] == '\\' && i+1 < len(with):
			i++
			text = append(text, with[i])
		case with[i] != '$' && with[i] != '\\':
			text = append(text, with[i])
		default:
			group, n := reference(p, groups, with[i+1:])
			if n == 0 || with[i] == '\\' {
				c.fail("a replacement in which $ is followed by the number of a group or {NAME}, and \\ by a character")
				return nil
			}
			if len(text) > 0 {
				parts, text = append(parts, part{string(text), -1}), nil
			}
			parts = append(parts, part{"", group})
			i += n
		}
	}
	if len(text) > 0 {
		parts = append(parts, part{string(text), -1})
	}
	return parts
}

// reference reads what stands behind a $: the group, and how many bytes. Digits
// belong to it as long as there is such a group.
func reference(p *pattern, groups []int, s string) (group, n int) {
	if named, _, found := strings.Cut(strings.TrimPrefix(s, "{"), "}"); found && s[0] == '{' {
		group = p.back.GroupNumberFromName(named)
		if group < 0 {
			return 0, 0
		}
		return group, len(named) + 2
	}
	for n < len(s) && n < 3 && digit(s[n]) {
		next, _ := strconv.Atoi(s[:n+1])
		if !slices.Contains(groups, next) {
			break
		}
		group = next
		n++
	}
	return group, n
}

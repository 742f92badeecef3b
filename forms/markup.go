package forms

import (
	"strconv"
	"strings"
)

// constant is markup of ours. A literal becomes one by itself and a string only
// by a conversion, of which there is none: what comes from outside cannot get
// into a page but through text and attr. Source: the technique of safehtml
// (github.com/google/safehtml), whose templates take untyped constants alone.
type constant string

// markup is a page being written. Values stand in text and in quoted attributes
// only; there is no script, no style and no comment that one could stand in.
type markup struct {
	*words
	out []byte
}

// ready is markup that was written before, and is written again as it is. Only a
// markup makes one.
type ready []byte

// cut takes what was written so far.
func (m *markup) cut() ready {
	out := ready(m.out)
	m.out = nil
	return out
}

// again writes what was written before.
func (m *markup) again(r ready) { m.out = append(m.out, r...) }

// raw writes markup of ours.
func (m *markup) raw(s constant) { m.out = append(m.out, s...) }

// text writes what somebody says.
func (m *markup) text(s string) {
	last := 0
	for i := range len(s) {
		var escaped string
		switch s[i] {
		case '&':
			escaped = "&amp;"
		case '<':
			escaped = "&lt;"
		case '>':
			escaped = "&gt;"
		case '"':
			escaped = "&#34;"
		case '\'':
			escaped = "&#39;"
		case 0:
			escaped = "\uFFFD"
		default:
			continue
		}
		m.out = append(m.out, s[last:i]...)
		m.out = append(m.out, escaped...)
		last = i + 1
	}
	m.out = append(m.out, s[last:]...)
}

// attr writes an attribute: ` name="value"`.
func (m *markup) attr(name constant, value string) {
	m.raw(" ")
	m.raw(name)
	m.raw(`="`)
	m.text(value)
	m.raw(`"`)
}

// some writes an attribute that has a value.
func (m *markup) some(name constant, value string) {
	if value != "" {
		m.attr(name, value)
	}
}

// flag writes an attribute that says something by being there.
func (m *markup) flag(name constant, on bool) {
	if on {
		m.raw(" ")
		m.raw(name)
	}
}

// number writes an attribute that counts.
func (m *markup) number(name constant, n int) { m.attr(name, strconv.Itoa(n)) }

// address writes an attribute that leads somewhere: to a web page or into this
// one. Anything else, a script above all, leads nowhere.
func (m *markup) address(name constant, to string) {
	web := strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "http://")
	local := strings.HasPrefix(to, "#") || strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.HasPrefix(to, `/\`)
	if !web && !local {
		to = "#"
	}
	m.attr(name, to)
}

// element writes text inside an element.
func (m *markup) element(open constant, text string, closing constant) {
	m.raw(open)
	m.text(text)
	m.raw(closing)
}

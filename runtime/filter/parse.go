package filter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxLength is the longest filter, in bytes.
	MaxLength = 2048
	// MaxDepth is how many parentheses may be open at a time.
	MaxDepth = 16
)

// SyntaxError says where a text is no filter, and what could have stood there.
type SyntaxError struct {
	Position int // in bytes, from 0
	Expected string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("at position %d: expected %s", e.Position, e.Expected)
}

// Parse reads a filter. It fails with a *SyntaxError, also when the text is over
// MaxLength or MaxDepth. It takes time in proportion to the text's length.
//
//	or      = and *( "or" and )
//	and     = one *( "and" one )
//	one     = [ "not" ] "(" or ")" / attribute op value
//	value   = a JSON string, number, true or false
//
// A string with U+0000 or half a surrogate pair is refused: not every store that
// is asked can hold one.
func Parse(s string) (Expr, error) {
	if len(s) > MaxLength {
		return nil, &SyntaxError{MaxLength, fmt.Sprintf("at most %d bytes", MaxLength)}
	}
	if !utf8.ValidString(s) {
		return nil, &SyntaxError{strings.IndexRune(s, utf8.RuneError), "UTF-8"}
	}
	p := parser{text: s}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(s) {
		return nil, p.expected("and, or or the end")
	}
	return e, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) expected(what string) error { return &SyntaxError{p.at, what} }

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take goes past a byte, and the space before it, if it is next.
func (p *parser) take(b byte) bool {
	if p.space(); p.at < len(p.text) && p.text[p.at] == b {
		p.at++
		return true
	}
	return false
}

// word is what stands next, up to a space, parenthesis or quote; it is not taken.
func (p *parser) word() string {
	p.space()
	rest := p.text[p.at:]
	if end := strings.IndexAny(rest, " \t\r\n()\""); end >= 0 {
		return rest[:end]
	}
	return rest
}

// keyword goes past a word, in any case, if it is next.
func (p *parser) keyword(name string) bool {
	if !strings.EqualFold(p.word(), name) {
		return false
	}
	p.at += len(name)
	return true
}

func (p *parser) or(depth int) (Expr, error) {
	first, err := p.and(depth)
	all := Or{first}
	for err == nil && p.keyword("or") {
		var next Expr
		next, err = p.and(depth)
		all = append(all, next)
	}
	if err != nil || len(all) == 1 {
		return first, err
	}
	return all, nil
}

func (p *parser) and(depth int) (Expr, error) {
	first, err := p.one(depth)
	all := And{first}
	for err == nil && p.keyword("and") {
		var next Expr
		next, err = p.one(depth)
		all = append(all, next)
	}
	if err != nil || len(all) == 1 {
		return first, err
	}
	return all, nil
}

func (p *parser) one(depth int) (Expr, error) {
	not := p.keyword("not")
	if p.take('(') {
		if depth == MaxDepth {
			p.at--
			return nil, p.expected(fmt.Sprintf("at most %d parentheses inside one another", MaxDepth))
		}
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.take(')') {
			return nil, p.expected("and, or or )")
		}
		if not {
			return Not{e}, nil
		}
		return e, nil
	}
	if not {
		return nil, p.expected("( after not")
	}
	return p.compare()
}

func (p *parser) compare() (Expr, error) {
	attribute := p.word()
	if !isAttribute(attribute) {
		return nil, p.expected("an attribute, not ( or (")
	}
	p.at += len(attribute)
	op := Op(strings.ToLower(p.word()))
	if !slices.Contains(Ops(), op) {
		return nil, p.expected("one of the operators " + list(Ops()))
	}
	p.at += len(op)
	p.space()
	from := p.at
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	_, isText := value.(string)
	_, isBool := value.(bool)
	takes := ""
	switch op {
	case StartsWith, EndsWith, Contains:
		if !isText {
			takes = "a string after " + string(op)
		}
	case Greater, AtLeast, Less, AtMost:
		if isBool {
			takes = "a string or a number after " + string(op)
		}
	case Equal:
	}
	if takes != "" {
		p.at = from
		return nil, p.expected(takes)
	}
	return Compare{attribute, op, value}, nil
}

// isAttribute reports whether a word is a path of names. Source:
// reference/management.md 5.13 (a name starts with a letter; then letters,
// digits and hyphens), with the underscore that SCIM has beside them.
func isAttribute(word string) bool {
	for _, keyword := range []string{"and", "or", "not"} {
		if strings.EqualFold(word, keyword) {
			return false
		}
	}
	for name := range strings.SplitSeq(word, ".") {
		for i, c := range []byte(name) {
			letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
			if !letter && (i == 0 || c != '-' && c != '_' && (c < '0' || c > '9')) {
				return false
			}
		}
		if name == "" {
			return false
		}
	}
	return true
}

func (p *parser) value() (any, error) {
	if p.at < len(p.text) && p.text[p.at] == '"' {
		return p.quoted()
	}
	word := p.word()
	var v any
	switch {
	case word == "true" || word == "false":
		v = word == "true"
	case word != "" && (word[0] == '-' || word[0] >= '0' && word[0] <= '9') && json.Valid([]byte(word)):
		n, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return nil, p.expected("a number that is not as large")
		}
		v = n
	default:
		return nil, p.expected("a string in double quotes, a number, true or false")
	}
	p.at += len(word)
	return v, nil
}

// quoted reads a JSON string.
func (p *parser) quoted() (string, error) {
	end := p.at + 1
	for ; end < len(p.text) && p.text[end] != '"'; end++ {
		if p.text[end] == '\\' {
			end++
		}
	}
	if end >= len(p.text) {
		p.at = len(p.text)
		return "", p.expected(`" after the string`)
	}
	literal := p.text[p.at : end+1]
	var s string
	if json.Unmarshal([]byte(literal), &s) != nil || strings.ContainsRune(s, 0) || halfPair(literal) {
		return "", p.expected("a string with the escapes of JSON")
	}
	p.at = end + 1
	return s, nil
}

// halfPair reports whether a valid JSON string has an escape that is half of a
// surrogate pair, which encoding/json would replace.
func halfPair(literal string) bool {
	var high bool
	for i := 0; i < len(literal); i++ {
		unit := uint64(0)
		if literal[i] == '\\' {
			if i++; literal[i] == 'u' {
				unit, _ = strconv.ParseUint(literal[i+1:i+5], 16, 16) // cannot fail: the string is valid
				i += 4
			}
		}
		low := unit >= 0xdc00 && unit <= 0xdfff
		if high != low {
			return true
		}
		high = unit >= 0xd800 && unit <= 0xdbff
	}
	return false
}

package expression

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind uint8

const (
	end    kind = iota
	name        // of a property, a function, an operator that is a word
	text        // a string literal, without its quotes
	number      // a number literal
	symbol      // everything else
)

// token is a word of an expression.
type token struct {
	kind        kind
	text        string
	at          int  // in characters, from 1
	left, right bool // whether a space, or an end, is beside it
}

// symbols are those of several characters. What is refused is among them, so that
// it can be named.
const symbols = " ?[ ![ ^[ $[ ?: == != <= >= && || ?. ++ -- "

// lexer cuts a source into tokens.
type lexer struct {
	source string
	at     int // in bytes
	column int // in characters, from 1
}

// lex reads the source into the parser's tokens.
func (p *parser) lex(source string) error {
	if len(source) > maxSource {
		return failed(1, "expected at most %d bytes", maxSource)
	}
	if !utf8.ValidString(source) {
		return failed(1, "expected UTF-8")
	}
	l := &lexer{source: source, column: 1}
	p.tokens = make([]token, 0, len(source)/4+2)
	for {
		t, err := l.next()
		if err != nil {
			return err
		}
		p.tokens = append(p.tokens, t)
		if t.kind == end {
			return nil
		}
	}
}

func (l *lexer) next() (token, error) {
	for l.at < len(l.source) && (l.source[l.at] == ' ' || l.source[l.at] == '\t') {
		l.advance(1)
	}
	t := token{at: l.column, left: l.at == 0 || blank(l.source[l.at-1])}
	if l.at == len(l.source) {
		return t, nil
	}
	var n int
	var err error
	switch c := l.source[l.at]; {
	case c == '\'' || c == '"':
		t.kind = text
		n, t.text, err = l.quoted(c)
	case digit(c):
		t.kind = number
		n = l.number()
	case letter(c):
		t.kind = name
		n = l.run(l.at, func(c byte) bool { return letter(c) || digit(c) })
	default:
		t.kind = symbol
		n, err = l.symbol()
	}
	if err != nil {
		return token{}, err
	}
	if t.kind != text {
		t.text = l.source[l.at : l.at+n]
	}
	l.advance(n)
	t.right = l.at == len(l.source) || blank(l.source[l.at])
	return t, nil
}

// advance passes n bytes.
func (l *lexer) advance(n int) {
	l.column += utf8.RuneCountInString(l.source[l.at : l.at+n])
	l.at += n
}

func blank(c byte) bool  { return c == ' ' || c == '\t' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// run is how many bytes from one on are of a class.
func (l *lexer) run(from int, of func(byte) bool) int {
	n := 0
	for from+n < len(l.source) && of(l.source[from+n]) {
		n++
	}
	return n
}

// quoted reads a string literal. Its quote is written twice inside; nothing else is
// an escape.
func (l *lexer) quoted(quote byte) (length int, value string, err error) {
	from, doubled := l.at+1, false
	for i := from; i < len(l.source); i++ {
		switch c := l.source[i]; {
		case c == '\n' || c == '\r':
			return 0, "", failed(l.column, "expected the string to end on its line")
		case c != quote:
		case i+1 < len(l.source) && l.source[i+1] == quote:
			doubled = true
			i++
		default:
			value = l.source[from:i]
			if doubled {
				value = strings.ReplaceAll(value, string(quote)+string(quote), string(quote))
			}
			return i + 1 - l.at, value, nil
		}
	}
	return 0, "", failed(l.column, "expected the string that begins here to end with %c", quote)
}

// number reads a literal as Java has it: 12, 12L, 0x1F, 8.57, 8.5e3, 1.5f, 2d.
func (l *lexer) number() int {
	at := l.at
	if rest := l.source[at:]; len(rest) > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X') {
		at += 2 + l.run(at+2, func(c byte) bool { return letter(c) || digit(c) })
		return at - l.at
	}
	at += l.run(at, digit)
	if at+1 < len(l.source) && l.source[at] == '.' && digit(l.source[at+1]) {
		at++
		at += l.run(at, digit)
	}
	if at < len(l.source) && l.source[at]|0x20 == 'e' {
		sign := at + 1
		if sign < len(l.source) && (l.source[sign] == '+' || l.source[sign] == '-') {
			sign++
		}
		if n := l.run(sign, digit); n > 0 {
			at = sign + n
		}
	}
	at += l.run(at, func(c byte) bool { return letter(c) || digit(c) })
	return at - l.at
}

func (l *lexer) symbol() (int, error) {
	rest := l.source[l.at:]
	if len(rest) > 1 && rest[0] != ' ' && rest[1] != ' ' && strings.Contains(symbols, " "+rest[:2]+" ") {
		return 2, nil
	}
	r, n := utf8.DecodeRuneInString(rest)
	switch {
	case strings.IndexByte("+-*/%^<>!=?:.,()[]{}#@&|;\\~`$", rest[0]) >= 0:
		return n, nil
	case r == '\n' || r == '\r':
		return 0, failed(l.column, "expected no line break: an expression is one line")
	case unicode.IsLetter(r):
		return 0, failed(l.column, "expected a name of ASCII letters, digits and _; others are read by ['NAME']")
	}
	return 0, failed(l.column, "expected a literal, a name or an operator, not %U", r)
}

package expression

import (
	"slices"
	"strings"
)

// parser reads tokens into nodes. After its first error it sees nothing but the end.
type parser struct {
	tokens []token
	roots  []string
	reads  []*path // from the root
	depth  int     // brackets that are open
	inner  int     // selections and projections that are open: names are of an element
	nodes  int
	err    error
}

func (p *parser) peek() token {
	if p.err != nil {
		return token{left: true, right: true}
	}
	return p.tokens[0]
}

// take passes the next token; the end stays.
func (p *parser) take() token {
	t := p.peek()
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	if p.nodes++; p.nodes > maxNodes {
		p.fail(t.at, "expected at most %d names, literals and operators", maxNodes)
	}
	return t
}

func (p *parser) fail(at int, format string, args ...any) {
	if p.err == nil {
		p.err = failed(at, format, args...)
	}
}

// unexpected says what was expected instead of a token, and why what other
// languages have there is not in this one.
func (p *parser) unexpected(t token, expected string) {
	if why := foreign(t); why != "" {
		p.fail(t.at, "expected %s; %s", expected, why)
		return
	}
	p.fail(t.at, "expected %s", expected)
}

// foreign says why a token of Spring's language is refused. Source:
// reference/management.md 6.2.
func foreign(t token) string {
	if t.kind == name {
		switch strings.ToLower(t.text) {
		case "instanceof":
			return "instanceof is not in this language"
		case "between":
			return "between is not in this language: use >= and <="
		}
		return ""
	}
	if t.kind != symbol {
		return ""
	}
	switch t.text {
	case "=", "++", "--":
		return "nothing can be assigned"
	case "?.":
		return "?. is not in this language: a path through null is null already"
	case "@", "&":
		return "there are no beans"
	case "$":
		return "${ } is not written inside an expression"
	case ";":
		return "there is one expression"
	}
	return ""
}

// is reports whether the next token is the symbol.
func (p *parser) is(s string) bool {
	t := p.peek()
	return t.kind == symbol && t.text == s
}

// accept passes the symbol if it is next.
func (p *parser) accept(s string) bool {
	if p.is(s) {
		p.take()
		return true
	}
	return false
}

// expect passes the symbol, which must be next.
func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.unexpected(p.peek(), s)
	}
}

// open counts an opening bracket. Whoever calls it closes again.
func (p *parser) open(at int) {
	if p.depth++; p.depth > maxDepth {
		p.fail(at, "expected at most %d brackets inside each other", maxDepth)
	}
}

// operator passes the next token if it is one of the operators, words in any case.
// It takes a space on both sides.
func (p *parser) operator(among ...string) (token, bool) {
	t := p.peek()
	word := t.text
	switch t.kind {
	case name:
		word = strings.ToLower(word)
	case symbol:
	default:
		return t, false
	}
	if !slices.Contains(among, word) {
		return t, false
	}
	if !t.left || !t.right {
		p.fail(t.at, "expected a space on both sides of %s", t.text)
	}
	p.take()
	t.text = word
	return t, true
}

func (p *parser) expression() node {
	p.open(p.peek().at)
	defer func() { p.depth-- }()
	left := p.or()
	if t, ok := p.operator("?:"); ok {
		return &elvis{at(t.at), left, p.expression()}
	}
	if t := p.peek(); p.accept("?") {
		then := p.expression()
		p.expect(":")
		return &ternary{at(t.at), left, then, p.expression()}
	}
	return left
}

func (p *parser) or() node {
	left := p.and()
	for {
		t, ok := p.operator("or", "||")
		if !ok {
			return left
		}
		left = &logical{at(t.at), true, left, p.and()}
	}
}

func (p *parser) and() node {
	left := p.not()
	for {
		t, ok := p.operator("and", "&&")
		if !ok {
			return left
		}
		left = &logical{at(t.at), false, left, p.not()}
	}
}

func (p *parser) not() node {
	t := p.peek()
	if !p.is("!") && (t.kind != name || !strings.EqualFold(t.text, "not")) {
		return p.relation()
	}
	p.take()
	p.open(t.at)
	defer func() { p.depth-- }()
	return &negation{at(t.at), p.not()}
}

func (p *parser) relation() node {
	left := p.sum()
	t, ok := p.operator("<", "lt", "<=", "le", ">", "gt", ">=", "ge", "==", "eq", "!=", "ne", "matches")
	if !ok {
		return left
	}
	right := p.sum()
	switch t.text {
	case "==", "eq":
		return &equality{at(t.at), false, left, right}
	case "!=", "ne":
		return &equality{at(t.at), true, left, right}
	case "matches":
		return p.matching(t, left, right)
	}
	return &comparison{at(t.at), order(t.text), left, right}
}

// matching compiles the pattern now if it is written out.
func (p *parser) matching(t token, left, right node) node {
	m := &match{at: at(t.at), left: left, right: right}
	if l, ok := right.(*literal); ok && p.err == nil {
		if s, ok := l.value.(string); ok {
			m.pattern, p.err = compilePattern(l.position(), s, true)
		}
	}
	return m
}

func (p *parser) sum() node {
	left := p.product()
	own := false // left is a sum that was begun here, not one in brackets
	for {
		t, ok := p.operator("+", "-")
		if !ok {
			return left
		}
		right := p.product()
		switch {
		case t.text == "-":
			left, own = &arithmetic{at(t.at), '-', left, right}, false
		case own:
			s := left.(*sum)
			s.terms, s.signs = append(s.terms, right), append(s.signs, t.at)
		default:
			left, own = &sum{at(t.at), []node{left, right}, []int{t.at}}, true
		}
	}
}

func (p *parser) product() node {
	left := p.power()
	for {
		t, ok := p.operator("*", "/", "div", "%", "mod")
		if !ok {
			return left
		}
		op := t.text[0]
		switch op {
		case 'd':
			op = '/'
		case 'm':
			op = '%'
		}
		left = &arithmetic{at(t.at), op, left, p.power()}
	}
}

func (p *parser) power() node {
	left := p.unary()
	if t, ok := p.operator("^"); ok {
		p.open(t.at)
		defer func() { p.depth-- }()
		return &arithmetic{at(t.at), '^', left, p.power()}
	}
	return left
}

func (p *parser) unary() node {
	t := p.peek()
	if !p.is("-") && !p.is("+") && !p.is("!") {
		return p.postfix()
	}
	p.take()
	p.open(t.at)
	defer func() { p.depth-- }()
	if t.text == "!" {
		return &negation{at(t.at), p.unary()}
	}
	if next := p.peek(); next.kind == number && t.text == "-" {
		next.text = "-" + next.text
		p.tokens[0] = next // so that the least int can be written
		return p.postfix()
	}
	return &sign{at(t.at), t.text[0], p.unary()}
}

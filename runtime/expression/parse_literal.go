package expression

import (
	"math/big"
	"strconv"
	"strings"
)

// primitives are the types that arrays may have.
const primitives = " byte short int long float double char boolean "

// array reads new int[] {1, 2}, new int[4] or new int[2][2].
func (p *parser) array(t token) node {
	of := p.take()
	if !strings.Contains(primitives, " "+of.text+" ") {
		p.fail(of.at, "expected one of the types%sbehind new; nothing else can be constructed", primitives)
		return nil
	}
	a := &array{at: at(t.at), of: of.text}
	p.expect("[")
	if p.accept("]") {
		if !p.is("{") {
			p.unexpected(p.peek(), "{ and the elements of the array")
			return nil
		}
		p.take()
		a.items, a.filled = p.list("}"), true
		return a
	}
	a.sizes = append(a.sizes, p.expression())
	p.expect("]")
	for p.err == nil && p.is("[") && len(a.sizes) < 8 {
		p.take()
		a.sizes = append(a.sizes, p.expression())
		p.expect("]")
	}
	if p.is("{") {
		p.fail(p.peek().at, "expected no elements behind an array with sizes")
	}
	return a
}

// number is the value of a literal. Source: reference/management.md 6.1.
func (p *parser) number(t token) node {
	v, problem := parseNumber(t.text)
	if problem != "" {
		p.fail(t.at, "expected %s", problem)
	}
	return &literal{at(t.at), v}
}

func parseNumber(s string) (v any, problem string) {
	digits, suffix := s, s[len(s)-1]|0x20
	hex := strings.HasPrefix(strings.ToLower(strings.TrimPrefix(s, "-")), "0x")
	if suffix == 'l' || !hex && (suffix == 'f' || suffix == 'd') {
		digits = s[:len(s)-1]
	}
	if !hex && (suffix == 'f' || suffix == 'd' || strings.ContainsAny(digits, ".eE")) {
		bits := 64
		if suffix == 'f' {
			bits = 32
		}
		f, err := strconv.ParseFloat(digits, bits)
		if err != nil || suffix == 'l' {
			return nil, "a number with a fraction, such as 8.57"
		}
		if bits == 32 {
			return single(f), ""
		}
		return double(f), ""
	}
	base, bits := 10, 32
	if hex {
		base, digits = 16, strings.Replace(strings.ToLower(digits), "0x", "", 1)
	}
	if suffix == 'l' {
		bits = 64
	}
	i, err := strconv.ParseInt(digits, base, bits)
	switch {
	case err == nil && bits == 32:
		return narrow(i), ""
	case err == nil:
		return long(i), ""
	}
	if _, ok := new(big.Int).SetString(digits, base); !ok {
		return nil, "a number, such as 12, 345L or 8.57"
	}
	if bits == 32 {
		return nil, "a number of 32 bits; larger ones end with L"
	}
	return nil, "a number of 64 bits"
}

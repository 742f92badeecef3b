package expression

import (
	"math/big"
	"strconv"
	"strings"
)

// wholeNumber is %d, %x, %X or %o.
func (f *formatter) wholeNumber(sp *spec, v any) (string, bool) {
	if v == nil {
		return "null", sp.precision < 0
	}
	b, isBig := v.(*big.Int)
	if !isBig {
		i, ok := whole(v)
		if r := rankOf(v); !ok || r != ofInteger && r != ofLong {
			return "", false
		}
		b = big.NewInt(i)
	}
	if sp.precision >= 0 {
		return "", false
	}
	if sp.verb == 'd' {
		return f.signed(sp, b.Sign() < 0, grouped(sp, new(big.Int).Abs(b).String())), !sp.has('#')
	}
	if b.Sign() < 0 && !isBig { // as two's complement of its type
		bits := uint(64)
		if rankOf(v) == ofInteger {
			bits = 32
		}
		b = new(big.Int).Add(b, new(big.Int).Lsh(big.NewInt(1), bits))
	}
	base, mark := 16, "0x"
	if sp.verb == 'o' {
		base, mark = 8, "0"
	}
	s := b.Text(base)
	if sp.has('#') {
		s = mark + s
	}
	return f.zeros(sp, "", s, ""), strings.Trim(sp.flags, "-#0<") == ""
}

func (f *formatter) fraction(sp *spec, v any) (string, bool) {
	if v == nil {
		return "null", true
	}
	x, ok := approximate(v)
	if r := rankOf(v); !ok || r < ofSingle {
		return "", false
	}
	precision := sp.precision
	if precision < 0 {
		precision = 6
	}
	negative := x < 0
	if negative {
		x = -x
	}
	if precision > maxScale {
		f.c.is(limited(f.c.at, "comes to more than %d digits", maxScale))
		return "", true
	}
	if sp.verb != 'f' {
		return f.signed(sp, negative, strconv.FormatFloat(x, 'e', precision, 64)), !sp.has(',')
	}
	d := toDecimal(v)
	if d == nil {
		return "", false
	}
	return f.signed(sp, negative, grouped(sp, rounded(d, precision))), true
}

// rounded are the digits of a decimal with so many behind the point; half is rounded
// up, as Java does.
func rounded(d *decimal, precision int) string {
	digits := shifted(new(big.Int).Abs(d.digits), max(precision-d.scale, 0))
	if drop := d.scale - precision; drop > 0 {
		q, r := new(big.Int).QuoRem(digits, shifted(big.NewInt(1), drop), new(big.Int))
		if r.Lsh(r, 1).Cmp(shifted(big.NewInt(1), drop)) >= 0 {
			q.Add(q, big.NewInt(1))
		}
		digits = q
	}
	s := digits.String()
	if precision == 0 {
		return s
	}
	if pad := precision - len(s) + 1; pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	return s[:len(s)-precision] + "." + s[len(s)-precision:]
}

// grouped puts commas between thousands where the flag says so.
func grouped(sp *spec, s string) string {
	if !sp.has(',') {
		return s
	}
	whole, fraction, found := strings.Cut(s, ".")
	var b strings.Builder
	for i, c := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(c)
	}
	if found {
		b.WriteString("." + fraction)
	}
	return b.String()
}

func (f *formatter) signed(sp *spec, negative bool, s string) string {
	switch {
	case negative && sp.has('('):
		return f.zeros(sp, "(", s, ")")
	case negative:
		return f.zeros(sp, "-", s, "")
	case sp.has('+'):
		return f.zeros(sp, "+", s, "")
	case sp.has(' '):
		return f.zeros(sp, " ", s, "")
	}
	return f.zeros(sp, "", s, "")
}

// zeros fills up to the width where the flag says so.
func (f *formatter) zeros(sp *spec, before, s, behind string) string {
	if n := sp.width - len(before) - len(s) - len(behind); sp.has('0') && n > 0 {
		s = strings.Repeat("0", n) + s
	}
	return before + s + behind
}

func (f *formatter) padded(sp *spec, s string) {
	n := max(sp.width-length(s), 0)
	if f.illegal || !f.c.is(f.c.e.make(f.c.at, n)) {
		return
	}
	space := strings.Repeat(" ", n)
	if sp.has('-') {
		f.write(s + space)
	} else {
		f.write(space + s)
	}
}

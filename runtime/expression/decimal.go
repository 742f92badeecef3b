package expression

import (
	"math/big"
	"strconv"
	"strings"
)

// decimalSteps is what computing with two decimals costs, however long they are.
const decimalSteps = 200

// decimal is Java's BigDecimal: digits with a point before the last scale of them.
type decimal struct {
	digits *big.Int
	scale  int // negative: zeros behind
}

// parseDecimal reads what Java reads, or nothing where it is none or larger than
// maxBits and maxScale allow. Source: reference/management.md 6.3, asBigDecimal.
func parseDecimal(s string) *decimal {
	if len(s) > 2*maxScale {
		return nil
	}
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n < -2*maxScale || n > 2*maxScale {
			return nil
		}
		mantissa, exponent = s[:i], n
	}
	before, after, _ := strings.Cut(mantissa, ".")
	if strings.Trim(after, "0123456789") != "" {
		return nil
	}
	digits := parseBig(before + after)
	d := &decimal{digits, len(after) - exponent}
	if digits == nil || !d.fits() {
		return nil
	}
	return d
}

func (d *decimal) fits() bool {
	return d.digits.BitLen() <= maxBits && d.scale <= maxScale && d.scale >= -maxScale
}

// toDecimal is a number as a decimal, or nothing where it is too large for one.
func toDecimal(v any) *decimal {
	switch v := v.(type) {
	case *decimal:
		return v
	case double, single:
		b, _ := appendNumber(nil, v)
		return parseDecimal(string(b))
	}
	return &decimal{toBig(v), 0}
}

// String is BigDecimal.toString.
func (d *decimal) String() string {
	digits := new(big.Int).Abs(d.digits).String()
	sign := ""
	if d.digits.Sign() < 0 {
		sign = "-"
	}
	exponent := len(digits) - 1 - d.scale
	if d.scale >= 0 && exponent >= -6 {
		if d.scale == 0 {
			return sign + digits
		}
		if pad := d.scale - len(digits) + 1; pad > 0 {
			digits = strings.Repeat("0", pad) + digits
		}
		point := len(digits) - d.scale
		return sign + digits[:point] + "." + digits[point:]
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	if exponent == 0 {
		return sign + digits
	}
	plus := ""
	if exponent > 0 {
		plus = "+"
	}
	return sign + digits + "E" + plus + strconv.Itoa(exponent)
}

// aligned are the digits of two decimals with as many behind the point.
func (d *decimal) aligned(other *decimal) (a, b *big.Int, scale int) {
	scale = max(d.scale, other.scale)
	return shifted(d.digits, scale-d.scale), shifted(other.digits, scale-other.scale), scale
}

func shifted(i *big.Int, tens int) *big.Int {
	if tens == 0 {
		return i
	}
	ten := big.NewInt(10)
	return ten.Exp(ten, big.NewInt(int64(tens)), nil).Mul(ten, i)
}

func (d *decimal) compare(other *decimal) int {
	a, b, _ := d.aligned(other)
	return a.Cmp(b)
}

// decimals computes as BigDecimal does; a quotient has as many digits behind the
// point as the longer operand, rounded to the even one. Source: Spring, OpDivide.
func (e *evaluation) decimals(position int, op byte, x, y *decimal) (any, error) {
	if err := e.visit(position, decimalSteps); err != nil {
		return nil, err
	}
	a, b, scale := x.aligned(y)
	var d *decimal
	switch op {
	case '+':
		d = &decimal{new(big.Int).Add(a, b), scale}
	case '-':
		d = &decimal{new(big.Int).Sub(a, b), scale}
	case '*':
		d = &decimal{new(big.Int).Mul(x.digits, y.digits), x.scale + y.scale}
	case '^':
		n, ok := whole(y.digits)
		if !ok || y.scale != 0 || n < 0 {
			return nil, failed(position, "expected a whole exponent of 0 or more")
		}
		if n > maxScale || int64(x.digits.BitLen()-1)*n > maxBits {
			return nil, limited(position, "comes to a decimal of more than %d digits", maxScale)
		}
		d = &decimal{new(big.Int).Exp(x.digits, big.NewInt(n), nil), x.scale * int(n)}
	default:
		if b.Sign() == 0 {
			return nil, failed(position, "expected "+notZero)
		}
		if op == '%' {
			d = &decimal{new(big.Int).Rem(a, b), scale}
			break
		}
		if scale < 0 {
			a, b, scale = shifted(a, -scale), shifted(b, -scale), 0
		}
		d = &decimal{roundedQuotient(shifted(a, scale), b), scale}
	}
	if !d.fits() {
		return nil, limited(position, "comes to a decimal of more than %d digits", maxScale)
	}
	return d, nil
}

// roundedQuotient is a / b, half rounded to the even neighbour.
func roundedQuotient(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	twice := new(big.Int).Abs(r)
	twice.Lsh(twice, 1)
	switch c := twice.CmpAbs(b); {
	case c < 0 || c == 0 && q.Bit(0) == 0:
	case a.Sign() == b.Sign():
		q.Add(q, big.NewInt(1))
	default:
		q.Sub(q, big.NewInt(1))
	}
	return q
}

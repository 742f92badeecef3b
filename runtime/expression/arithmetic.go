package expression

import (
	"math"
	"math/big"
)

// arithmetic computes a op b in the wider of their two types. Source: Spring,
// OpPlus and its kin.
func (e *evaluation) arithmetic(position int, op byte, a, b any) (any, error) {
	a, b = norm(a), norm(b)
	if !numeric(a) || !numeric(b) {
		return nil, failed(position, "expected two numbers for %c, not %s and %s", op, describe(a), describe(b))
	}
	switch widest := max(rankOf(a), rankOf(b)); widest {
	case ofInteger, ofLong:
		x, _ := whole(a)
		y, _ := whole(b)
		i, problem := wholes(op, x, y)
		if problem != "" {
			return nil, failed(position, "expected %s", problem)
		}
		if widest == ofInteger {
			return narrow(i), nil
		}
		return long(i), nil
	case ofBigInteger:
		return e.bigs(position, op, toBig(a), toBig(b))
	case ofDecimal:
		x, y := toDecimal(a), toDecimal(b)
		if x == nil || y == nil {
			return nil, limited(position, "comes to a decimal of more than %d digits", maxScale)
		}
		return e.decimals(position, op, x, y)
	default:
		x, _ := approximate(a)
		y, _ := approximate(b)
		f := floats(op, x, y)
		if widest == ofSingle {
			f = float64(float32(f))
		}
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, failed(position, "expected a result that is a finite number")
		}
		if widest == ofSingle {
			return single(f), nil
		}
		return double(f), nil
	}
}

func floats(op byte, x, y float64) float64 {
	switch op {
	case '+':
		return x + y
	case '-':
		return x - y
	case '*':
		return x * y
	case '/':
		return x / y
	case '%':
		return math.Mod(x, y)
	}
	return math.Pow(x, y)
}

const (
	tooLarge = "a result that 64 bits hold"
	notZero  = "a divisor other than zero"
)

// wholes computes in 64 bits; what they do not hold is a problem.
func wholes(op byte, x, y int64) (result int64, problem string) {
	switch op {
	case '+':
		if result = x + y; (x^result)&(y^result) < 0 {
			return 0, tooLarge
		}
	case '-':
		if result = x - y; (x^y)&(x^result) < 0 {
			return 0, tooLarge
		}
	case '*':
		result = x * y
		if x != 0 && (result/x != y || x == -1 && y == math.MinInt64) {
			return 0, tooLarge
		}
	case '/', '%':
		switch {
		case y == 0:
			return 0, notZero
		case op == '%':
			if y == -1 {
				return 0, ""
			}
			return x % y, ""
		case x == math.MinInt64 && y == -1:
			return 0, tooLarge
		}
		return x / y, ""
	default:
		return powered(x, y)
	}
	return result, ""
}

// powered is x to the y. A negative y leaves what is whole of the fraction.
func powered(x, y int64) (int64, string) {
	switch {
	case y == 0 || x == 1:
		return 1, ""
	case x == 0 && y < 0:
		return 0, notZero
	case x == 0:
		return 0, ""
	case x == -1:
		return 1 - 2*(y&1), ""
	case y < 0:
		return 0, ""
	}
	result := int64(1)
	for ; y > 0; y-- { // at most 63 times before it is too large
		var problem string
		if result, problem = wholes('*', result, x); problem != "" {
			return 0, problem
		}
	}
	return result, ""
}

// bigs computes in big integers, up to maxBits.
func (e *evaluation) bigs(position int, op byte, x, y *big.Int) (any, error) {
	if err := e.visit(position, (x.BitLen()+y.BitLen())/64); err != nil {
		return nil, err
	}
	z := new(big.Int)
	switch op {
	case '+':
		z.Add(x, y)
	case '-':
		z.Sub(x, y)
	case '*':
		z.Mul(x, y)
	case '/', '%':
		if y.Sign() == 0 {
			return nil, failed(position, "expected "+notZero)
		}
		if op == '/' {
			z.Quo(x, y)
		} else {
			z.Rem(x, y)
		}
	default:
		if y.Sign() < 0 {
			return nil, failed(position, "expected an exponent of 0 or more")
		}
		if x.BitLen() > 1 && (!y.IsInt64() || y.Int64() > maxBits/int64(x.BitLen()-1)) {
			return nil, limited(position, "comes to a number of more than %d bits", maxBits)
		}
		if odd := y.Bit(0) == 1; x.BitLen() <= 1 && y.Sign() > 0 { // 0, 1 or -1: as to the power of 1 or 2
			y = big.NewInt(2)
			if odd {
				y.SetInt64(1)
			}
		}
		z.Exp(x, y, nil)
	}
	if z.BitLen() > maxBits {
		return nil, limited(position, "comes to a number of more than %d bits", maxBits)
	}
	return z, nil
}

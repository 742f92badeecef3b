package expression

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Numbers are of Java's types. Beside these there are *big.Int and *decimal.
type (
	integer int32
	long    int64
	single  float32
	double  float64
)

// rank is where a type stands among those that two operands are widened to.
type rank uint8

const (
	none rank = iota
	ofInteger
	ofLong
	ofBigInteger
	ofSingle
	ofDouble
	ofDecimal
)

func rankOf(v any) rank {
	switch v.(type) {
	case integer:
		return ofInteger
	case long:
		return ofLong
	case *big.Int:
		return ofBigInteger
	case single:
		return ofSingle
	case double:
		return ofDouble
	case *decimal:
		return ofDecimal
	}
	return none
}

func numeric(v any) bool { return rankOf(v) != none }

// norm gives a number that was read the type that Java would give it. Everything
// else stays.
func norm(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return narrow(int64(v))
		}
		return double(v)
	case int:
		return narrow(int64(v))
	case int64:
		return narrow(v)
	case json.Number:
		if n := fromText(string(v)); n != nil {
			return n
		}
	case float32:
		return norm(float64(v))
	case int32:
		return integer(v)
	}
	return v
}

// fromText is a number as it stands in JSON, or nothing.
func fromText(s string) any {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return narrow(i)
	}
	if i := parseBig(s); i != nil {
		return i
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return double(f)
	}
	return nil
}

// counted is a number that counts something.
func counted(n int) any { return narrow(int64(n)) }

// narrow is an int if 32 bits hold it, else a long.
func narrow(i int64) any {
	if i >= math.MinInt32 && i <= math.MaxInt32 {
		return integer(i)
	}
	return long(i)
}

// parseBig reads the digits of a big integer, which are not more than maxBits hold.
func parseBig(s string) *big.Int {
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	if digits == "" || len(digits) > maxScale || strings.Trim(digits, "0123456789") != "" || strings.HasPrefix(s, "+-") || strings.HasPrefix(s, "-+") {
		return nil
	}
	i, ok := new(big.Int).SetString(strings.TrimPrefix(s, "+"), 10)
	if !ok || i.BitLen() > maxBits {
		return nil
	}
	return i
}

// whole is a number that has no fraction, in 64 bits.
func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case integer:
		return int64(v), true
	case long:
		return int64(v), true
	case double:
		i := int64(v)
		return i, math.Abs(float64(v)) <= 1<<53 && double(i) == v
	case single:
		i := int64(v)
		return i, math.Abs(float64(v)) <= 1<<24 && single(i) == v
	case *big.Int:
		return v.Int64(), v.IsInt64()
	}
	return 0, false
}

// approximate is a number as a double.
func approximate(v any) (float64, bool) {
	switch v := v.(type) {
	case integer:
		return float64(v), true
	case long:
		return float64(v), true
	case single:
		return float64(v), true
	case double:
		return float64(v), true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	case *decimal:
		f, err := strconv.ParseFloat(v.String(), 64)
		return f, err == nil
	}
	return 0, false
}

// compareNumbers compares by value, whatever the types.
func compareNumbers(a, b any) int {
	switch widest := max(rankOf(a), rankOf(b)); widest {
	case ofInteger, ofLong:
		x, _ := whole(a)
		y, _ := whole(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	case ofBigInteger:
		return toBig(a).Cmp(toBig(b))
	case ofDecimal:
		x, y := toDecimal(a), toDecimal(b)
		if x != nil && y != nil {
			return x.compare(y)
		}
	default:
	}
	x, _ := approximate(a)
	y, _ := approximate(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// weigh charges for two numbers that may have many digits.
func (e *evaluation) weigh(position int, a, b any) error {
	if max(rankOf(a), rankOf(b)) != ofDecimal {
		return nil
	}
	return e.visit(position, decimalSteps)
}

// toBig is a whole number as a big one.
func toBig(v any) *big.Int {
	if b, ok := v.(*big.Int); ok {
		return b
	}
	i, _ := whole(v)
	return big.NewInt(i)
}

// appendNumber adds a number as Java prints it.
func appendNumber(b []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case integer:
		return strconv.AppendInt(b, int64(v), 10), true
	case long:
		return strconv.AppendInt(b, int64(v), 10), true
	case double:
		return appendFloat(b, float64(v), 64), true
	case single:
		return appendFloat(b, float64(v), 32), true
	case *big.Int:
		return v.Append(b, 10), true
	case *decimal:
		return append(b, v.String()...), true
	}
	return b, false
}

// appendFloat is Double.toString and Float.toString: 3.0, 1.0E10, 1.0E-5. Source:
// Java 19, Double.toString.
func appendFloat(b []byte, f float64, bits int) []byte {
	if abs := math.Abs(f); f == 0 || abs >= 1e-3 && abs < 1e7 {
		from := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, bits)
		if !strings.Contains(string(b[from:]), ".") {
			b = append(b, ".0"...)
		}
		return b
	}
	s := strconv.FormatFloat(f, 'e', -1, bits)
	mantissa, exponent, _ := strings.Cut(s, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	b = append(append(b, mantissa...), 'E')
	return strconv.AppendInt(b, int64(n), 10)
}

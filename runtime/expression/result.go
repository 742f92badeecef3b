package expression

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
)

// result is a value as it leaves: of the types of encoding/json, and measured. What
// was made is turned over in place; what was read stays as it is.
func (e *evaluation) result(v any) (any, error) {
	return outward(v, &e.left, 0)
}

func outward(v any, left *int, level int) (any, error) {
	if *left -= 2; *left < 0 {
		return nil, limited(1, "comes to more than %d bytes", maxResult)
	}
	if level > maxLevels {
		return nil, limited(1, "comes to more than %d lists and objects inside each other", maxLevels)
	}
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		*left -= len(v)
		return v, exceeded(*left)
	case list:
		return outwardList(v, left, level)
	case []any:
		_, err := outwardList(v, left, level)
		return v, err
	case object:
		return outwardMap(v, left, level)
	case map[string]any:
		_, err := outwardMap(v, left, level)
		return v, err
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, failed(1, "expected a number that is finite")
		}
		return v, nil
	case int, int64:
		return v, nil
	case json.Number:
		*left -= len(v)
		return v, exceeded(*left)
	}
	n, ok := outwardNumber(v, left)
	if !ok {
		return nil, failed(1, "expected a JSON value, not %s", describe(v))
	}
	return n, exceeded(*left)
}

func exceeded(left int) error {
	if left < 0 {
		return limited(1, "comes to more than %d bytes", maxResult)
	}
	return nil
}

// outwardList writes only what changes, so that what was read is not touched.
func outwardList(items []any, left *int, level int) ([]any, error) {
	for i, item := range items {
		v, err := outward(item, left, level+1)
		if err != nil {
			return nil, err
		}
		if made(item) {
			items[i] = v
		}
	}
	return items, nil
}

func outwardMap(m map[string]any, left *int, level int) (map[string]any, error) {
	for k, item := range m {
		*left -= len(k) + 2
		v, err := outward(item, left, level+1)
		if err != nil {
			return nil, err
		}
		if made(item) {
			m[k] = v
		}
	}
	return m, nil
}

// made reports whether a value is of a type that only this package has. What holds
// one was made here too.
func made(v any) bool {
	switch v.(type) {
	case list, object, integer, long, single, double, *decimal:
		return true
	}
	return false
}

func outwardNumber(v any, left *int) (any, bool) {
	switch v := v.(type) {
	case integer:
		return int64(v), true
	case long:
		return int64(v), true
	case double:
		return float64(v), true
	case single: // the double that is written as the float is
		f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		return f, err == nil
	case *big.Int:
		*left -= v.BitLen() / 3
		return v, true
	case *decimal:
		s := v.String()
		*left -= len(s)
		return json.Number(s), true
	}
	n := norm(v)
	if n == nil || !numeric(n) || n == v {
		return nil, false
	}
	return outwardNumber(n, left)
}

package expression

import (
	"maps"
	"math/big"
	"slices"
	"unicode/utf8"
)

// What an expression has made is told from what it has read, because Java tells
// more apart than JSON does.
type (
	list   []any          // made, or an array
	object map[string]any // written out in the expression
)

// elements are those of a list.
func elements(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case list:
		return v, true
	}
	return nil, false
}

// members are those of an object.
func members(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case object:
		return v, true
	}
	return nil, false
}

// describe is what a value is, for an error; never the value itself.
func describe(v any) string {
	switch norm(v).(type) {
	case nil:
		return "nothing"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any, list:
		return "a list"
	case map[string]any, object:
		return "an object"
	}
	if numeric(norm(v)) {
		return "a number"
	}
	return "something that is not JSON"
}

func length(s string) int { return utf8.RuneCountInString(s) }

// text is a value as text. It fails where the text is too large.
func (e *evaluation) text(position int, v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	b, err := e.append(nil, position, v, 0)
	return string(b), err
}

// append adds a value to text, as Spring converts it: null, numbers as Java prints
// them, the elements of a list with commas between them, a map as {k=v, k=v}.
func (e *evaluation) append(b []byte, position int, v any, level int) ([]byte, error) {
	if level > maxLevels {
		return b, limited(position, "holds more than %d lists and objects inside each other", maxLevels)
	}
	before := len(b)
	switch v := norm(v).(type) {
	case nil:
		b = append(b, "null"...)
	case string:
		if err := e.make(position, len(v)); err != nil {
			return b, err
		}
		return append(b, v...), e.work(position, len(v))
	case bool:
		if v {
			b = append(b, "true"...)
		} else {
			b = append(b, "false"...)
		}
	case []any:
		return e.appendList(b, position, v, level)
	case list:
		return e.appendList(b, position, v, level)
	case map[string]any:
		return e.appendMap(b, position, v, level)
	case object:
		return e.appendMap(b, position, v, level)
	default:
		var ok bool
		if b, ok = appendNumber(b, v); !ok {
			return b, failed(position, "expected a JSON value, not %s", describe(v))
		}
	}
	return b, e.make(position, len(b)-before)
}

func (e *evaluation) appendList(b []byte, position int, items []any, level int) ([]byte, error) {
	if err := e.visit(position, len(items)); err != nil {
		return b, err
	}
	if err := e.make(position, len(items)); err != nil {
		return b, err
	}
	for i, v := range items {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = e.append(b, position, v, level+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (e *evaluation) appendMap(b []byte, position int, m map[string]any, level int) ([]byte, error) {
	if err := e.visit(position, len(m)); err != nil {
		return b, err
	}
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ", "...)
		}
		if err := e.make(position, len(k)+4); err != nil {
			return b, err
		}
		b = append(append(b, k...), '=')
		var err error
		if b, err = e.append(b, position, m[k], level+1); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// same is equality as Java has it: two numbers are the same only if their types
// are, so that an int equals no double. Source: reference/management.md 6.3, #data.
func (e *evaluation) same(position int, a, b any, level int) (bool, error) {
	if err := e.visit(position, 1); err != nil {
		return false, err
	}
	if level > maxLevels {
		return false, limited(position, "holds more than %d lists and objects inside each other", maxLevels)
	}
	a, b = norm(a), norm(b)
	if x, ok := elements(a); ok {
		y, ok := elements(b)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := e.same(position, x[i], y[i], level+1); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	if x, ok := members(a); ok {
		y, ok := members(b)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for k := range x {
			other, ok := y[k]
			if !ok {
				return false, nil
			}
			if same, err := e.same(position, x[k], other, level+1); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return x == y, e.work(position, len(x))
	case *big.Int:
		y, ok := b.(*big.Int)
		return ok && x.Cmp(y) == 0, nil
	case *decimal:
		y, ok := b.(*decimal)
		return ok && x.scale == y.scale && x.digits.Cmp(y.digits) == 0, nil
	case nil, bool, integer, long, single, double:
		return a == b, nil
	}
	return false, failed(position, "expected JSON values to compare, not %s", describe(a))
}

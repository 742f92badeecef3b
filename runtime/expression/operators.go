package expression

import "strings"

// elvis is its left side, unless that is nothing or empty text. Source: Spring,
// Elvis operator.
type elvis struct {
	at
	left, right node
}

func (n *elvis) eval(e *evaluation, this any) (any, error) {
	v, err := e.eval(n.left, this)
	if err != nil || v != nil && v != "" {
		return v, err
	}
	return e.eval(n.right, this)
}

type ternary struct {
	at
	condition, then, otherwise node
}

func (n *ternary) eval(e *evaluation, this any) (any, error) {
	is, err := e.truth(n.condition, this)
	if err != nil {
		return nil, err
	}
	if is {
		return e.eval(n.then, this)
	}
	return e.eval(n.otherwise, this)
}

// logical is "or" or "and"; the right side is looked at only where it matters.
type logical struct {
	at
	or          bool
	left, right node
}

func (n *logical) eval(e *evaluation, this any) (any, error) {
	is, err := e.truth(n.left, this)
	if err != nil || is == n.or {
		return is, err
	}
	return boolean(e.truth(n.right, this))
}

type negation struct {
	at
	of node
}

func (n *negation) eval(e *evaluation, this any) (any, error) {
	is, err := e.truth(n.of, this)
	return !is, err
}

func boolean(is bool, err error) (any, error) { return is, err }

// truth is a condition. Text is one as Spring converts it; nothing is none.
// Source: reference/management.md 6.1.
func (e *evaluation) truth(n node, this any) (bool, error) {
	v, err := e.eval(n, this)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if len(v) > 5 {
			break
		}
		switch strings.ToLower(v) {
		case "true", "on", "yes", "1":
			return true, nil
		case "false", "off", "no", "0":
			return false, nil
		}
	}
	return false, failed(n.position(), "expected true or false, not %s", describe(v))
}

type equality struct {
	at
	not         bool
	left, right node
}

func (n *equality) eval(e *evaluation, this any) (any, error) {
	a, b, err := e.both(n.left, n.right, this)
	if err != nil {
		return nil, err
	}
	if x, y := norm(a), norm(b); numeric(x) && numeric(y) {
		return (compareNumbers(x, y) == 0) != n.not, e.weigh(int(n.at), x, y)
	}
	same, err := e.same(int(n.at), a, b, 0)
	return same != n.not, err
}

// order is one of < lt <= le > gt >= ge.
type order string

func (o order) holds(c int) bool {
	switch o {
	case "<", "lt":
		return c < 0
	case "<=", "le":
		return c <= 0
	case ">", "gt":
		return c > 0
	}
	return c >= 0
}

type comparison struct {
	at
	order       order
	left, right node
}

// eval compares numbers, strings or booleans. Nothing is less than anything.
// Source: Spring, StandardTypeComparator.
func (n *comparison) eval(e *evaluation, this any) (any, error) {
	a, b, err := e.both(n.left, n.right, this)
	if err != nil {
		return nil, err
	}
	if a == nil || b == nil {
		return n.order.holds(truthAsNumber(a != nil) - truthAsNumber(b != nil)), nil
	}
	a, b = norm(a), norm(b)
	if numeric(a) && numeric(b) {
		return n.order.holds(compareNumbers(a, b)), e.weigh(int(n.at), a, b)
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return n.order.holds(strings.Compare(x, y)), e.work(int(n.at), min(len(x), len(y)))
		}
	case bool:
		if y, ok := b.(bool); ok {
			return n.order.holds(truthAsNumber(x) - truthAsNumber(y)), nil
		}
	}
	return nil, failed(int(n.at), "expected two numbers, two strings or two booleans to compare, not %s and %s", describe(a), describe(b))
}

func truthAsNumber(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (e *evaluation) both(left, right node, this any) (a, b any, err error) {
	if a, err = e.eval(left, this); err != nil {
		return nil, nil, err
	}
	b, err = e.eval(right, this)
	return a, b, err
}

// match is the operator "matches": the whole text is of the pattern.
type match struct {
	at
	left, right node
	pattern     *pattern // nil: the right side is computed
}

func (n *match) eval(e *evaluation, this any) (any, error) {
	v, err := e.eval(n.left, this)
	if err != nil {
		return nil, err
	}
	p := n.pattern
	if p == nil {
		source, err := e.eval(n.right, this)
		if err != nil {
			return nil, err
		}
		s, ok := source.(string)
		if !ok {
			return nil, failed(n.right.position(), "expected a regular expression, not %s", describe(source))
		}
		if p, err = e.pattern(n.right.position(), s, true); err != nil {
			return nil, err
		}
	}
	if v == nil {
		return nil, failed(n.left.position(), "expected text to match, not nothing")
	}
	s, err := e.text(n.left.position(), v)
	if err != nil {
		return nil, err
	}
	return boolean(e.whole(int(n.at), p, s))
}

// sum is terms with "+" between them. As soon as one side is text, the rest is
// appended to it.
type sum struct {
	at
	terms []node
	signs []int // where the "+" stand
}

func (n *sum) eval(e *evaluation, this any) (any, error) {
	acc, err := e.eval(n.terms[0], this)
	if err != nil {
		return nil, err
	}
	var short [128]byte
	var joined []byte // nil: there was no text
	for i, term := range n.terms[1:] {
		v, err := e.eval(term, this)
		if err != nil {
			return nil, err
		}
		if joined == nil {
			if !textual(acc) && !textual(v) {
				if acc, err = e.arithmetic(n.signs[i], '+', acc, v); err != nil {
					return nil, err
				}
				continue
			}
			if joined, err = e.append(short[:0], n.signs[i], acc, 0); err != nil {
				return nil, err
			}
		}
		if joined, err = e.append(joined, n.signs[i], v, 0); err != nil {
			return nil, err
		}
	}
	if joined == nil {
		return acc, nil
	}
	return string(joined), nil
}

func textual(v any) bool {
	_, ok := v.(string)
	return ok
}

type sign struct {
	at
	op byte
	of node
}

func (n *sign) eval(e *evaluation, this any) (any, error) {
	v, err := e.eval(n.of, this)
	if err != nil {
		return nil, err
	}
	return e.arithmetic(int(n.at), n.op, integer(0), v)
}

type arithmetic struct {
	at
	op          byte // - * / % ^
	left, right node
}

func (n *arithmetic) eval(e *evaluation, this any) (any, error) {
	a, b, err := e.both(n.left, n.right, this)
	if err != nil {
		return nil, err
	}
	return e.arithmetic(int(n.at), n.op, a, b)
}

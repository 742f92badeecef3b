package filter

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Match reports whether a decoded JSON document fulfils a condition.
//
//   - An attribute is a path of members; one with several values, or under an
//     element with several, fulfils a comparison when any of them does. One that
//     is not there fulfils none, so that a not around the comparison holds.
//   - Strings are compared without case, character by character (simple Unicode
//     case folding), by every operator. Two times of RFC 3339 are ordered as
//     times, all other strings by code point.
//   - Values of different types fulfil no comparison.
func Match(e Expr, doc map[string]any) bool {
	holds := func(one Expr) bool { return Match(one, doc) }
	switch e := e.(type) {
	case And:
		return !slices.ContainsFunc(e, func(one Expr) bool { return !holds(one) })
	case Or:
		return slices.ContainsFunc(e, holds)
	case Not:
		return !holds(e.Expr)
	case Compare:
		return e.any(doc, e.Attribute)
	}
	return false
}

// any reports whether one of the values at a path under v fulfils the comparison.
func (c Compare) any(v any, path string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return c.any(one, path) })
	case map[string]any:
		name, rest, _ := strings.Cut(path, ".")
		next, there := v[name]
		return path != "" && there && c.any(next, rest)
	}
	return path == "" && c.holds(v)
}

func (c Compare) holds(v any) bool {
	switch want := c.Value.(type) {
	case string:
		have, ok := v.(string)
		return ok && c.texts(fold(have), fold(want))
	case float64:
		have, ok := number(v)
		return ok && c.ordered(cmp.Compare(have, want))
	case bool:
		return c.Op == Equal && v == any(want)
	}
	return false
}

func (c Compare) texts(have, want string) bool {
	switch c.Op {
	case StartsWith:
		return strings.HasPrefix(have, want)
	case EndsWith:
		return strings.HasSuffix(have, want)
	case Contains:
		return strings.Contains(have, want)
	case Equal:
		return have == want
	case Greater, AtLeast, Less, AtMost:
	}
	a, errA := time.Parse(time.RFC3339, have)
	b, errB := time.Parse(time.RFC3339, want)
	if errA == nil && errB == nil {
		return c.ordered(a.Compare(b))
	}
	return c.ordered(cmp.Compare(have, want))
}

func (c Compare) ordered(order int) bool {
	switch c.Op {
	case Equal:
		return order == 0
	case Greater:
		return order > 0
	case AtLeast:
		return order >= 0
	case Less:
		return order < 0
	case AtMost:
		return order <= 0
	case StartsWith, EndsWith, Contains:
	}
	return false
}

// number is a JSON number, however it was decoded.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// fold writes each character as the first of those that differ from it in case
// only: two strings are equal then if strings.EqualFold says so of them.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, s)
}

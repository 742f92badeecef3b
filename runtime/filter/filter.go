// Package filter is the language in which a collection is asked for some of its
// members: a subset of SCIM's, such as
//
//	name.family eq "Smith" and (name.given sw "W" or not (enabled eq true))
//
// A text is parsed into a tree. Who keeps a collection says which attributes and
// operators it knows (Check), and either compiles the tree into a query of its
// own or has small documents judged here (Match).
//
// Strings compare without case; Match says how. Attributes are written as the
// documents write them; operators, and, or and not in any case. not binds closer
// than and, and closer than or.
// Source: reference/management.md 7.3; RFC 7644 3.4.2.2.
package filter

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Op is an operator of a comparison.
type Op string

// The operators. ne and pr, which SCIM has too, are not taken.
// Source: reference/management.md 7.3.
const (
	Equal      Op = "eq"
	StartsWith Op = "sw"
	EndsWith   Op = "ew"
	Contains   Op = "co"
	Greater    Op = "gt"
	AtLeast    Op = "ge"
	Less       Op = "lt"
	AtMost     Op = "le"
)

// Ops are the operators, in the order in which an error lists them.
func Ops() []Op {
	return []Op{Equal, StartsWith, EndsWith, Contains, Greater, AtLeast, Less, AtMost}
}

// Expr is a condition: an And, Or, Not or Compare.
type Expr interface{ expr() }

// And holds when each of its conditions does; there are at least two.
type And []Expr

// Or holds when one of its conditions does; there are at least two.
type Or []Expr

// Not holds when its condition does not.
type Not struct{ Expr Expr }

// Compare holds when the attribute stands to the value as the operator says.
type Compare struct {
	Attribute string // dotted: name.family
	Op        Op
	Value     any // string, bool or float64; of sw, ew and co a string, of gt, ge, lt and le no bool
}

func (And) expr()     {}
func (Or) expr()      {}
func (Not) expr()     {}
func (Compare) expr() {}

// All are the comparisons of a condition, in the order of its text.
func All(e Expr) iter.Seq[Compare] {
	return func(yield func(Compare) bool) { walk(e, yield) }
}

func walk(e Expr, yield func(Compare) bool) bool {
	each := func(list []Expr) bool {
		return !slices.ContainsFunc(list, func(one Expr) bool { return !walk(one, yield) })
	}
	switch e := e.(type) {
	case And:
		return each(e)
	case Or:
		return each(e)
	case Not:
		return walk(e.Expr, yield)
	case Compare:
		return yield(e)
	}
	return true
}

// Unsupported is the error of a comparison that a collection does not know.
type Unsupported struct {
	Attribute string
	Op        Op
	Takes     string // what the attribute is compared with, when only the value is wrong: "a string"

	Attributes []string // those that the collection knows, in order
	Operators  []Op     // those of the attribute; when it is not known itself, of any
}

func (u *Unsupported) Error() string {
	switch {
	case u.Takes != "":
		return fmt.Sprintf("%s is compared with %s", u.Attribute, u.Takes)
	case slices.Contains(u.Attributes, u.Attribute):
		return fmt.Sprintf("%s does not take %s, but %s", u.Attribute, u.Op, list(u.Operators))
	}
	return fmt.Sprintf("%s cannot be filtered by; there are %s", u.Attribute, list(u.Attributes))
}

func list[S ~string](names []S) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}

// Check reports the first comparison whose attribute is not allowed, or not with
// its operator, as an *Unsupported. and, or and not are always allowed. Its lists
// are those that an answer INVALID_FILTER names.
// Source: reference/management.md 7.3, 7.4 (supportedAttributes, supportedOperators).
func Check(e Expr, allowed map[string][]Op) error {
	for c := range All(e) {
		if !slices.Contains(allowed[c.Attribute], c.Op) {
			return NewUnsupported(c, "", allowed)
		}
	}
	return nil
}

// NewUnsupported is the error of one comparison; takes is empty unless only the
// value is wrong.
func NewUnsupported(c Compare, takes string, allowed map[string][]Op) *Unsupported {
	ops, known := allowed[c.Attribute]
	operators := slices.DeleteFunc(Ops(), func(op Op) bool {
		if known {
			return !slices.Contains(ops, op)
		}
		for _, some := range allowed {
			if slices.Contains(some, op) {
				return false
			}
		}
		return true
	})
	return &Unsupported{
		Attribute: c.Attribute, Op: c.Op, Takes: takes,
		Attributes: slices.Sorted(maps.Keys(allowed)), Operators: operators,
	}
}

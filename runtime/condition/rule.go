package condition

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Rule is a compiled condition. It is immutable and safe for concurrent use.
type Rule struct {
	test  test
	names []string
}

// test is one compiled rule. A closure takes no look at the JSON again.
type test func(now time.Time, fact func(string) any) bool

// Holds reports whether the rule is true at now. fact gives what is known under
// a name, nil for what is not; a time is a time.Time, an address a netip.Addr,
// an attribute a string, a bool, a float64, or a []string or []any when it has
// several values. A fact of another type counts as not known.
func (r *Rule) Holds(now time.Time, fact func(string) any) bool { return r.test(now, fact) }

// Names lists the variables the rule reads, each once, without "${" and "}".
func (r *Rule) Names() []string { return slices.Clone(r.names) }

// skew is how far in the future a time may lie and still count: what the clocks
// of two nodes may be apart. It is flow.Skew, which the ledger goes by.
const skew = 5 * time.Second

func all(rules []test) test {
	return func(now time.Time, fact func(string) any) bool {
		return !slices.ContainsFunc(rules, func(t test) bool { return !t(now, fact) })
	}
}

func some(rules []test) test {
	return func(now time.Time, fact func(string) any) bool {
		return slices.ContainsFunc(rules, func(t test) bool { return t(now, fact) })
	}
}

func inverse(t test) test {
	return func(now time.Time, fact func(string) any) bool { return !t(now, fact) }
}

func older(name string, seconds int64) test {
	age := time.Duration(seconds) * time.Second
	return func(now time.Time, fact func(string) any) bool {
		at, known := fact(name).(time.Time)
		return !known || at.IsZero() || at.After(now.Add(skew)) || now.Sub(at) > age
	}
}

func within(name string, networks []netip.Prefix) test {
	return func(_ time.Time, fact func(string) any) bool {
		addr, _ := fact(name).(netip.Addr)
		addr = addr.Unmap().WithZone("")
		return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr) })
	}
}

func equal(name string, want any) test {
	return func(_ time.Time, fact func(string) any) bool {
		switch v := fact(name).(type) {
		case string, bool, float64:
			return v == want
		case []string:
			text, ok := want.(string)
			return ok && slices.Contains(v, text)
		case []any:
			return slices.ContainsFunc(v, func(item any) bool { return same(item, want) })
		}
		return false
	}
}

// same compares one of several values, of which some may be lists or objects.
func same(v, want any) bool {
	switch v.(type) {
	case string, bool, float64:
		return v == want
	}
	return false
}

// containing compares as written, but an identifier that a person typed without
// regard to case. Source: reference/management.md 4.4.
func containing(name, part string) test {
	fold := func(s string) string { return s }
	if name == "identifier" {
		fold = strings.ToLower
	}
	part = fold(part)
	return func(_ time.Time, fact func(string) any) bool {
		switch v := fact(name).(type) {
		case string:
			return strings.Contains(fold(v), part)
		case []string:
			return slices.ContainsFunc(v, func(s string) bool { return strings.Contains(fold(s), part) })
		case []any:
			return slices.ContainsFunc(v, func(item any) bool {
				s, ok := item.(string)
				return ok && strings.Contains(fold(s), part)
			})
		}
		return false
	}
}

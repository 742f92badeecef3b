package condition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorward/runtime/document"
)

const (
	// maxDepth is how many rules may lie inside each other.
	maxDepth = 32
	// maxSeconds is the longest age a rule can ask for: 68 years, which a
	// time.Duration holds.
	maxSeconds = 1<<31 - 1
)

// shapes is what an object that is no rule is told.
const shapes = "a rule is one of {and}, {or}, {not}, {value, equals}, {value, contains}, {secondsSince, greater}, {ipRange, contains}"

// Compile reads one rule. The error is a document.Faults that names every mistake.
func Compile(raw json.RawMessage) (*Rule, error) {
	var c compiler
	var t test
	switch {
	case !utf8.Valid(raw):
		c.faults.Add(document.Root, "is not UTF-8")
	case !json.Valid(raw):
		c.faults.Add(document.Root, "is not one JSON value")
	default:
		t = c.rule(document.Root, raw, 1)
	}
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	return &Rule{test: t, names: c.names}, nil
}

type compiler struct {
	names  []string
	faults document.Faults
}

// rule compiles any rule. What it returns is of no use once a fault was added.
func (c *compiler) rule(p document.Path, raw json.RawMessage, depth int) test {
	m := c.members(p, raw)
	if m == nil {
		return nil
	}
	if depth > maxDepth {
		c.faults.Add(p, fmt.Sprintf("lies deeper than %d rules", maxDepth))
		return nil
	}
	switch {
	case m.has("and"):
		return all(c.list(p, m, "and", depth))
	case m.has("or"):
		return some(c.list(p, m, "or", depth))
	case m.has("not"):
		return c.not(p, m)
	}
	return c.data(p, m)
}

func (c *compiler) data(p document.Path, m members) test {
	switch {
	case m.has("ipRisk"), m.has("geoVelocity"), m.has("anonymousNetwork"):
		c.faults.Add(p, "ipRisk, geoVelocity and anonymousNetwork need a risk service, which this server does not have")
		return nil
	case m.has("secondsSince"):
		c.only(p, m, "secondsSince", "greater")
		return older(c.variable(p, m, "secondsSince"), c.seconds(p, m))
	case m.has("ipRange"):
		c.only(p, m, "ipRange", "contains")
		return within(c.variable(p, m, "contains"), c.networks(p, m))
	case m.has("equals"):
		c.only(p, m, "value", "equals")
		return equal(c.variable(p, m, "value"), c.literal(p, m))
	case m.has("contains"):
		c.only(p, m, "value", "contains")
		return containing(c.variable(p, m, "value"), c.text(p, m, "contains"))
	}
	c.faults.Add(p, shapes)
	return nil
}

func (c *compiler) list(p document.Path, m members, name string, depth int) []test {
	c.only(p, m, name)
	p = p.Member(name)
	var rules []json.RawMessage
	if json.Unmarshal(m[name], &rules) != nil || len(rules) == 0 {
		c.faults.Add(p, "takes a list of at least one rule")
		return nil
	}
	tests := make([]test, len(rules))
	for i, r := range rules {
		tests[i] = c.rule(p.Index(i), r, depth+1)
	}
	return tests
}

// not takes a data rule only. Source: reference/management.md 4.4.
func (c *compiler) not(p document.Path, m members) test {
	c.only(p, m, "not")
	p = p.Member("not")
	inner := c.members(p, m["not"])
	switch {
	case inner == nil:
		return nil
	case inner.has("and"), inner.has("or"), inner.has("not"):
		c.faults.Add(p, "takes one data rule, not and, or or not")
		return nil
	}
	return inverse(c.data(p, inner))
}

// variable reads "${name}" and remembers the name.
func (c *compiler) variable(p document.Path, m members, member string) string {
	name, ok := variable(c.text(p, m, member))
	if !ok {
		if m.isText(member) {
			c.faults.Add(p.Member(member), "takes one variable: ${session.lastSignOn.at}, ${session.lastSignOn.withAuthenticator.NAME.at}, ${flow.request.http.remoteIp}, ${user.ATTRIBUTE}, ${identifier}, ${steps.KEY.outputs.PATH}, ${steps.KEY.error.code}, ${flow.inputs.parameters.NAME}, ${flow.context.user.ATTRIBUTE}, ${flow.id}, ${flow.definition.id}")
		}
		return ""
	}
	if !slices.Contains(c.names, name) {
		c.names = append(c.names, name)
	}
	return name
}

func (c *compiler) text(p document.Path, m members, member string) string {
	var s string
	if m.isText(member) {
		_ = json.Unmarshal(m[member], &s) // cannot fail: it is a valid JSON string
	} else {
		c.faults.Add(p.Member(member), "takes a string")
	}
	return s
}

// literal is a string, a bool or a number.
func (c *compiler) literal(p document.Path, m members) any {
	var v any
	_ = json.Unmarshal(m["equals"], &v) // cannot fail: the document is valid
	switch v.(type) {
	case string, bool, float64:
		return v
	}
	c.faults.Add(p.Member("equals"), "takes a string, a number, true or false")
	return nil
}

func (c *compiler) seconds(p document.Path, m members) int64 {
	n, err := strconv.ParseInt(string(m["greater"]), 10, 64)
	if err != nil || n < 1 || n > maxSeconds {
		c.faults.Add(p.Member("greater"), fmt.Sprintf("takes a whole number of seconds from 1 to %d", maxSeconds))
	}
	return n
}

func (c *compiler) networks(p document.Path, m members) []netip.Prefix {
	p = p.Member("ipRange")
	var texts []json.RawMessage
	if json.Unmarshal(m["ipRange"], &texts) != nil || len(texts) == 0 {
		c.faults.Add(p, "takes a list of at least one network, such as 10.0.0.0/8")
		return nil
	}
	nets := make([]netip.Prefix, len(texts))
	for i, raw := range texts {
		var s string
		err := json.Unmarshal(raw, &s)
		if err == nil {
			nets[i], err = network(s)
		}
		if err != nil {
			c.faults.Add(p.Index(i), "takes a network, such as 10.0.0.0/8 or 2001:db8::/32")
		}
	}
	return nets
}

// network reads a CIDR. Host bits are allowed and masked off; an IPv4 network
// written in IPv6 is that IPv4 network.
func network(s string) (netip.Prefix, error) {
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return n, err
	}
	if n.Addr().Is4In6() {
		if n.Bits() < 96 {
			return n, fmt.Errorf("%s covers more than IPv4", s)
		}
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n.Masked(), nil
}

// members are the members of one object.
type members map[string]json.RawMessage

func (m members) has(name string) bool { return m[name] != nil }

func (m members) isText(name string) bool { return len(m[name]) > 0 && m[name][0] == '"' }

// members reads the object at p; nil and a fault when it is none.
func (c *compiler) members(p document.Path, raw json.RawMessage) members {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, _ := dec.Token(); t != json.Delim('{') {
		c.faults.Add(p, shapes)
		return nil
	}
	m := members{}
	for dec.More() {
		t, _ := dec.Token() // cannot fail here or below: the document is valid
		name, _ := t.(string)
		var v json.RawMessage
		_ = dec.Decode(&v)
		if m.has(name) {
			c.faults.Add(p.Member(name), "is there twice")
		}
		m[name] = v
	}
	return m
}

// only reports every member that the rule at p does not take.
func (c *compiler) only(p document.Path, m members, names ...string) {
	var strange []string
	for name := range m {
		if !slices.Contains(names, name) {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	for _, name := range strange {
		c.faults.Add(p.Member(name), "is no member of this rule, which takes "+strings.Join(names, " and "))
	}
}

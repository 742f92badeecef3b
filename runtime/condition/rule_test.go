package condition_test

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorward/runtime/condition"
	"doorward/runtime/flow"
)

var _ flow.Guard = (*condition.Rule)(nil)

func TestARuleHoldsOrNot(t *testing.T) {
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	const (
		age     = `{"secondsSince":"${session.lastSignOn.at}","greater":600}`
		inside  = `{"ipRange":["10.5.3.72/24","10.1.1.1/8","2001:db8::/32","::ffff:192.0.2.0/120"],"contains":"${flow.request.http.remoteIp}"}`
		typed   = `{"value":"${user.type}","equals":"Customer"}`
		mfa     = `{"value":"${user.mfaEnabled}","equals":true}`
		mail    = `{"value":"${user.email}","contains":"@example.com"}`
		ident   = `{"value":"${identifier}","contains":"@Example.com"}`
		notType = `{"not":` + typed + `}`
		count   = `{"value":"${steps.zählen-1.outputs.count}","equals":3}`
	)
	tests := map[string]struct {
		rule string
		fact any
		want bool
	}{
		"a time longer ago than the limit":         {age, now.Add(-601 * time.Second), true},
		"a time exactly at the limit":              {age, now.Add(-600 * time.Second), false},
		"a time within the limit":                  {age, now.Add(-time.Second), false},
		"a time that never was":                    {age, nil, true},
		"a zero time":                              {age, time.Time{}, true},
		"a time in the future":                     {age, now.Add(flow.Skew + 1), true},
		"a time ahead by the skew of clocks":       {age, now.Add(flow.Skew), false},
		"a time of another type":                   {age, "2026-10-20T12:00:00Z", true},
		"an address in a network with host bits":   {inside, netip.MustParseAddr("10.9.9.9"), true},
		"an IPv4 address written in IPv6":          {inside, netip.MustParseAddr("::ffff:10.9.9.9"), true},
		"a network written in IPv6":                {inside, netip.MustParseAddr("192.0.2.7"), true},
		"an IPv6 address with a zone":              {inside, netip.MustParseAddr("2001:db8::1").WithZone("eth0"), true},
		"an address outside":                       {inside, netip.MustParseAddr("192.0.3.7"), false},
		"no address":                               {inside, nil, false},
		"an address as text":                       {inside, "10.9.9.9", false},
		"the same text":                            {typed, "Customer", true},
		"the same text in another case":            {typed, "customer", false},
		"a boolean where text was meant":           {typed, true, false},
		"one of several values":                    {typed, []string{"Staff", "Customer"}, true},
		"none of several values":                   {typed, []string{"Staff"}, false},
		"one of several values of a step":          {typed, []any{3.0, "Customer"}, true},
		"none of several values of a step":         {typed, []any{nil, map[string]any{}, []any{"Customer"}}, false},
		"the same number":                          {count, 3.0, true},
		"another number":                           {count, 3.5, false},
		"a number as text":                         {count, "3", false},
		"one of several numbers":                   {count, []any{"3", 3.0}, true},
		"nothing known":                            {typed, nil, false},
		"nothing known, inverted":                  {notType, nil, true},
		"the same boolean":                         {mfa, true, true},
		"the other boolean":                        {mfa, false, false},
		"a boolean as text":                        {mfa, "true", false},
		"several values for a boolean":             {mfa, []string{"true"}, false},
		"text that contains it":                    {mail, "ada@example.com", true},
		"text that contains it in another case":    {mail, "ada@EXAMPLE.com", false},
		"one of several values contains it":        {mail, []string{"x", "ada@example.com"}, true},
		"one of several values of a step has it":   {mail, []any{1.0, "ada@example.com"}, true},
		"nothing to contain it":                    {mail, nil, false},
		"an identifier in whatever case":           {ident, "ADA@example.COM", true},
		"an identifier of another domain":          {ident, "ada@example.org", false},
		"and with one that is false":               {`{"and":[` + typed + `,` + notType + `]}`, "Customer", false},
		"and with all true":                        {`{"and":[` + typed + `,` + typed + `]}`, "Customer", true},
		"or with one that is true":                 {`{"or":[` + notType + `,` + typed + `]}`, "Customer", true},
		"or with none that is true":                {`{"or":[` + notType + `,` + notType + `]}`, "Customer", false},
		"and inside or inside and":                 {`{"and":[{"or":[{"and":[` + typed + `]}]}]}`, "Customer", true},
		"the example of clients outside a network": {`{"not":` + inside + `}`, netip.MustParseAddr("192.0.3.7"), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rule, err := condition.Compile(json.RawMessage(tt.rule))
			if err != nil {
				t.Fatal(err)
			}
			if got := rule.Holds(now, func(string) any { return tt.fact }); got != tt.want {
				t.Errorf("Holds = %v, want %v", got, tt.want)
			}
		})
	}
}

// interpret decides a rule straight from its JSON, as the table in
// reference/management.md 4.4 reads.
func interpret(rule map[string]any, now time.Time, facts map[string]any) bool {
	list := func(name string) (out []bool) {
		rules, _ := rule[name].([]any)
		for _, r := range rules {
			out = append(out, interpret(r.(map[string]any), now, facts))
		}
		return out
	}
	fact := func(member string) any {
		s, _ := rule[member].(string)
		return facts[strings.TrimSuffix(strings.TrimPrefix(s, "${"), "}")]
	}
	switch {
	case rule["and"] != nil:
		for _, v := range list("and") {
			if !v {
				return false
			}
		}
		return true
	case rule["or"] != nil:
		for _, v := range list("or") {
			if v {
				return true
			}
		}
		return false
	case rule["not"] != nil:
		return !interpret(rule["not"].(map[string]any), now, facts)
	case rule["secondsSince"] != nil:
		at, ok := fact("secondsSince").(time.Time)
		return !ok || at.After(now.Add(flow.Skew)) || now.Sub(at).Seconds() > rule["greater"].(float64)
	case rule["ipRange"] != nil:
		ip, ok := fact("contains").(netip.Addr)
		for _, n := range rule["ipRange"].([]any) {
			if ok && netip.MustParsePrefix(n.(string)).Contains(ip) {
				return true
			}
		}
		return false
	case rule["contains"] != nil:
		s, ok := fact("value").(string)
		return ok && strings.Contains(s, rule["contains"].(string))
	}
	v := fact("value")
	return v != nil && v == rule["equals"]
}

func drawRule(t *rapid.T, depth int) map[string]any {
	attribute := rapid.SampledFrom([]string{"${user.type}", "${user.email}", "${user.mfaEnabled}"})
	data := func() map[string]any {
		switch rapid.IntRange(0, 3).Draw(t, "data") {
		case 0:
			return map[string]any{"secondsSince": "${session.lastSignOn.at}", "greater": float64(rapid.IntRange(1, 5).Draw(t, "greater"))}
		case 1:
			return map[string]any{"ipRange": []any{rapid.SampledFrom([]string{"10.0.0.0/8", "10.0.0.8/30", "::/0"}).Draw(t, "net")}, "contains": "${flow.request.http.remoteIp}"}
		case 2:
			return map[string]any{"value": attribute.Draw(t, "name"), "contains": rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 2, -1).Draw(t, "part")}
		}
		want := rapid.OneOf(rapid.Just[any](true), rapid.Just[any](false), rapid.Just[any]("a"), rapid.Just[any]("b"))
		return map[string]any{"value": attribute.Draw(t, "name"), "equals": want.Draw(t, "equals")}
	}
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	switch {
	case kind == 0 || depth == 0:
		return data()
	case kind == 1:
		return map[string]any{"not": data()}
	}
	var rules []any
	for range rapid.IntRange(1, 3).Draw(t, "rules") {
		rules = append(rules, drawRule(t, depth-1))
	}
	return map[string]any{[]string{"and", "or"}[kind-2]: rules}
}

func TestACompiledRuleDecidesLikeItsJSON(t *testing.T) {
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		rule := drawRule(t, 4)
		facts := map[string]any{}
		if s := rapid.IntRange(-7, 7).Draw(t, "ago"); s < 7 {
			facts["session.lastSignOn.at"] = now.Add(-time.Duration(s) * time.Second)
		}
		if ip := rapid.SampledFrom([]string{"", "10.0.0.9", "10.9.0.1", "192.0.2.1", "::1"}).Draw(t, "ip"); ip != "" {
			facts["flow.request.http.remoteIp"] = netip.MustParseAddr(ip)
		}
		for _, name := range []string{"user.type", "user.email", "user.mfaEnabled"} {
			facts[name] = rapid.OneOf(rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any]("a"), rapid.Just[any]("ab")).Draw(t, name)
		}
		raw, err := json.Marshal(rule)
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := condition.Compile(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		want := interpret(rule, now, facts)
		if got := compiled.Holds(now, func(name string) any { return facts[name] }); got != want {
			t.Errorf("%s with %v: Holds = %v, want %v", raw, facts, got, want)
		}
	})
}

func FuzzCompile(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no published conditions", err)
	}
	for _, file := range files {
		f.Add([]byte(published(f, filepath.Base(file))))
	}
	for _, edge := range []string{"", "{}", "null", `{"and":null}`, `{"not":{}}`, `{"":""}`, `{"and":[{}],"and":[{}]}`, `{"value":"${user.}","equals":null}`, `{"value":"${user.a}","equals":true}`, `{"ipRange":["::/0"],"contains":"${flow.request.http.remoteIp}"}`, strings.Repeat(`{"and":[`, 40)} {
		f.Add([]byte(edge))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		rule, err := condition.Compile(raw)
		if err != nil {
			if rule != nil || err.Error() == "" || !strings.HasPrefix(err.Error(), "$") {
				t.Fatalf("%s: %v, %q", raw, rule, err)
			}
			return
		}
		if len(rule.Names()) == 0 {
			t.Fatalf("%s reads nothing", raw)
		}
		for _, fact := range []any{nil, "a", true, []string{"a"}, time.Time{}, netip.Addr{}, 7} {
			rule.Holds(time.Time{}, func(string) any { return fact })
		}
	})
}

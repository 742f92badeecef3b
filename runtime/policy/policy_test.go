package policy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/steps"
)

func list(docs ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(docs))
	for i, d := range docs {
		out[i] = json.RawMessage(d)
	}
	return out
}

func TestTheSourceKeepsWhatDecidesTheSignOn(t *testing.T) {
	const minimal = `{"actions":[{"priority":1,"type":"LOGIN"}],"format":1,"name":"P"}`
	tests := map[string]struct {
		policy  string
		actions []json.RawMessage
		want    string
	}{
		"ids, description and default are left out": {
			`{"id":"x","name":"P","default":true,"description":"d"}`,
			list(`{"id":"y","environment":{"id":"e"},"signOnPolicy":{"id":"x"},"type":"LOGIN","priority":1}`), minimal,
		},
		"white space and the order of members do not count": {
			`{ "name" : "P" }`, list(`{ "type":"LOGIN", "priority": 1.0 }`), minimal,
		},
		"what is switched off is left out": {
			`{"name":"P"}`, list(`{"type":"LOGIN","priority":1,"recovery":{"enabled":false},"registration":{"enabled":false},"socialProviders":[],"enforceLockoutForIdentityProviders":true,"condition":null}`), minimal,
		},
		"an identifier first, and nothing beside it": {
			`{"name":"P"}`, list(`{"type":"IDENTIFIER_FIRST","priority":1,"recovery":{"enabled":false},"discoveryRules":[],"socialProviders":[]}`),
			`{"actions":[{"priority":1,"type":"IDENTIFIER_FIRST"}],"format":1,"name":"P"}`,
		},
		"rules, and whom they let in": {
			`{"name":"P"}`, list(`{"type":"IDENTIFIER_FIRST","priority":1,"discoveryRules":[` + aRule + `],"enforceLockoutForIdentityProviders":true}`),
			`{"actions":[{"discoveryRules":[{"contains":"@a","provider":"x"}],"enforceLockout":true,"priority":1,"type":"IDENTIFIER_FIRST"}],"format":1,"name":"P"}`,
		},
		"what is switched on is kept": {
			`{"name":"P"}`, list(`{"type":"LOGIN","priority":1,"recovery":{"enabled":true},"registration":{"enabled":true,"population":{"id":"p"},"confirmIdentityProviderAttributes":false}}`),
			`{"actions":[{"priority":1,"recovery":{"enabled":true},"registration":{"enabled":true,"population":{"id":"p"}},"type":"LOGIN"}],"format":1,"name":"P"}`,
		},
		"a registration without a population": {
			`{"name":"P"}`, list(`{"type":"LOGIN","priority":1,"registration":{"enabled":true,"population":null,"external":null}}`),
			`{"actions":[{"priority":1,"registration":{"enabled":true},"type":"LOGIN"}],"format":1,"name":"P"}`,
		},
		"a population that nobody is registered in": {
			`{"name":"P"}`, list(`{"type":"LOGIN","priority":1,"registration":{"enabled":false,"population":{"id":"p"}}}`), minimal,
		},
		"actions stand by priority": {
			`{"name":"P"}`, list(`{"type":"LOGIN","priority":10}`, `{"type":"LOGIN","priority":2,"condition":{"greater":5,"secondsSince":"${session.lastSignOn.at}"}}`),
			`{"actions":[{"condition":{"greater":5,"secondsSince":"${session.lastSignOn.at}"},"priority":2,"type":"LOGIN"},{"priority":10,"type":"LOGIN"}],"format":1,"name":"P"}`,
		},
		"the name may be a URI": {
			`{"name":"urn:acr:strong"}`, list(`{"type":"LOGIN","priority":1}`),
			`{"actions":[{"priority":1,"type":"LOGIN"}],"format":1,"name":"urn:acr:strong"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			src, hash, err := policy.Source(json.RawMessage(tt.policy), tt.actions, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(src)); diff != "" {
				t.Error(diff)
			}
			if hash != flow.Sum(string(src)) {
				t.Error("the digest is not that of the source")
			}
		})
	}
}

func TestEveryMistakeIsNamedWithItsPath(t *testing.T) {
	const p, ok = `{"name":"P"}`, `{"type":"LOGIN","priority":1}`
	login := func(members string) []json.RawMessage { return list(`{"type":"LOGIN","priority":1,` + members + `}`) }
	tests := map[string]struct {
		policy  string
		actions []json.RawMessage
		want    []string
	}{
		"no name":                       {`{}`, list(ok), []string{"$.name: takes 1 to 256"}},
		"a name that is no string":      {`{"name":1}`, list(ok), []string{"$.name: takes a string"}},
		"a name with a slash":           {`{"name":"a/b"}`, list(ok), []string{"$.name: takes 1 to 256"}},
		"a URI with a space":            {`{"name":"urn:a b"}`, list(ok), []string{"$.name: takes 1 to 256"}},
		"a relative URI":                {`{"name":":a"}`, list(ok), []string{"$.name: takes 1 to 256"}},
		"a name of 257 letters":         {`{"name":"` + strings.Repeat("a", 257) + `"}`, list(ok), []string{"$.name: takes 1 to 256"}},
		"no actions":                    {p, nil, []string{"$.actions: takes 1 to 20 actions, not 0"}},
		"twenty-one actions":            {p, many(21), []string{"$.actions: takes 1 to 20 actions, not 21"}},
		"an action that is no object":   {p, list(`7`), []string{"$.actions[0]: takes an object"}},
		"a member twice":                {p, list(`{"type":"LOGIN","condition":{"greater":1,"greater":2}}`), []string{"$.actions[0].condition.greater: duplicate object member name"}},
		"no type":                       {p, list(`{"priority":1}`), []string{"$.actions[0].type: takes the type of the action; this server runs LOGIN, IDENTIFIER_FIRST, MULTI_FACTOR_AUTHENTICATION and FLOW_DEFINITION"}},
		"no priority":                   {p, list(`{"type":"LOGIN"}`), []string{"$.actions[0].priority: takes a whole number"}},
		"a fractional priority":         {p, list(`{"type":"LOGIN","priority":1.5}`), []string{"$.actions[0].priority: takes a whole number"}},
		"a priority below one":          {p, list(`{"type":"LOGIN","priority":0}`), []string{"$.actions[0].priority: takes a whole number"}},
		"a priority past the range":     {p, list(`{"type":"LOGIN","priority":2147483648}`), []string{"$.actions[0].priority: takes a whole number"}},
		"a priority twice":              {p, list(ok, `{"type":"LOGIN","priority":2}`, ok), []string{"$.actions[2].priority: is that of $.actions[0] too"}},
		"an unknown member":             {p, login(`"Recovery":{}`), []string{"$.actions[0].Recovery: is no member of the action LOGIN"}},
		"a recovery that is no object":  {p, login(`"recovery":true`), []string{"$.actions[0].recovery: takes an object"}},
		"a recovery neither on nor off": {p, login(`"recovery":{}`), []string{"$.actions[0].recovery.enabled: takes true or false"}},
		"a recovery that may be":        {p, login(`"recovery":{"enabled":"true"}`), []string{"$.actions[0].recovery.enabled: takes true or false"}},
		"a recovery with more to it":    {p, login(`"recovery":{"enabled":true,"mode":"sms"}`), []string{"$.actions[0].recovery.mode: is no member here; there are enabled"}},
		"registration elsewhere":        {p, login(`"registration":{"enabled":false,"external":{"href":"https://a"}}`), []string{"$.actions[0].registration.external: is not done by this server"}},
		"registration here and there":   {p, login(`"registration":{"enabled":true,"external":{"href":"https://a"}}`), []string{"$.actions[0].registration.external: is taken only where enabled is false"}},
		"registration to be confirmed":  {p, login(`"registration":{"enabled":true,"confirmIdentityProviderAttributes":true}`), []string{"$.actions[0].registration.confirmIdentityProviderAttributes: is not done by this server"}},
		"registration in nothing":       {p, login(`"registration":{"enabled":true,"population":{}}`), []string{"$.actions[0].registration.population.id: takes the id of a population"}},
		"registration in a name":        {p, login(`"registration":{"enabled":true,"population":"p"}`), []string{"$.actions[0].registration.population: takes an object"}},
		"registration as what":          {p, login(`"registration":{"enabled":true,"group":1}`), []string{"$.actions[0].registration.group: is no member here; there are enabled, population,"}},
		"an external provider":          {p, login(`"socialProviders":[{"id":"x"}]`), []string{"$.actions[0].socialProviders: offers external providers beside the password, which this server does not do"}},
		"rules that are no list":        {p, rules(`{}`), []string{"$.actions[0].discoveryRules: takes a list of rules"}},
		"more than 100 rules":           {p, rules("[" + strings.Repeat(aRule+",", 100) + aRule + "]"), []string{"$.actions[0].discoveryRules: takes at most 100 rules, not 101"}},
		"a rule to no provider":         {p, rules("[" + strings.Replace(aRule, `{"id":"x"}`, `{}`, 1) + "]"), []string{"$.actions[0].discoveryRules[0].identityProvider.id: takes the id of an identity provider"}},
		"a rule of a text that is none": {p, rules("[" + strings.Replace(aRule, `"@a"`, `1`, 1) + "]"), []string{"$.actions[0].discoveryRules[0].condition: takes {"}},
		"a rule that is none":           {p, rules(`[1]`), []string{"$.actions[0].discoveryRules[0]: takes an object"}},
		"a rule of nothing":             {p, rules(`[{}]`), []string{"$.actions[0].discoveryRules[0].condition: takes {\"contains\":text,\"value\":\"${identifier}\"}", "$.actions[0].discoveryRules[0].identityProvider.id: is required"}},
		"a rule of another member":      {p, rules("[" + strings.Replace(aRule, `{"condition"`, `{"x":1,"condition"`, 1) + "]"), []string{"$.actions[0].discoveryRules[0].x: is no member here"}},
		"a rule of another condition":   {p, rules("[" + strings.Replace(aRule, "contains", "equals", 1) + "]"), []string{"$.actions[0].discoveryRules[0].condition.equals: is no member here", "$.actions[0].discoveryRules[0].condition: takes {"}},
		"a rule of another value":       {p, rules("[" + strings.Replace(aRule, "identifier", "user.email", 1) + "]"), []string{"$.actions[0].discoveryRules[0].condition: takes {"}},
		"a rule that fits everybody":    {p, rules("[" + strings.Replace(aRule, "@a", "", 1) + "]"), []string{"$.actions[0].discoveryRules[0].condition: takes {"}},
		"a rule to nowhere":             {p, rules("[" + strings.Replace(aRule, `"x"`, `""`, 1) + "]"), []string{"$.actions[0].discoveryRules[0].identityProvider.id: takes the id of an identity provider"}},
		"a discovery rule of a LOGIN":   {p, login(`"discoveryRules":[]`), []string{"$.actions[0].discoveryRules: is no member of the action LOGIN"}},
		"a gateway by identifier":       {p, list(`{"type":"IDENTIFIER_FIRST","priority":1,"newUserProvisioning":{}}`), []string{"$.actions[0].newUserProvisioning: is no member of the action IDENTIFIER_FIRST"}},
		"a directory gateway":           {p, login(`"newUserProvisioning":{}`), []string{"$.actions[0].newUserProvisioning: is not done by this server"}},
		"lockout that is no boolean":    {p, login(`"enforceLockoutForIdentityProviders":1`), []string{"$.actions[0].enforceLockoutForIdentityProviders: takes true or false"}},
		"a mistake in the condition":    {p, login(`"condition":{"and":[{"value":"x","equals":[1]}]}`), []string{"$.actions[0].condition.and[0].value: takes one variable", "$.actions[0].condition.and[0].equals: takes"}},
		"a typed identifier":            {p, login(`"condition":{"value":"${identifier}","contains":"@"}`), []string{"$.actions[0].condition: asks for ${identifier}, which no sign-on action knows"}},
		"an output of a flow's step":    {p, login(`"condition":{"value":"${steps.a.b}","contains":"@"}`), []string{"$.actions[0].condition: asks for ${steps.a.b}, which"}},
		"a user before the first":       {p, list(`{"type":"LOGIN","priority":9}`, `{"type":"LOGIN","priority":2,"condition":{"value":"${user.type}","equals":"a"}}`), []string{"$.actions[1].condition: asks for ${user.type}, but nobody is known"}},
		"mistakes in several documents": {`{}`, list(`{}`, `{"type":"LOGIN"}`), []string{"$.name:", "$.actions[0].priority:", "$.actions[0].type:", "$.actions[1].priority:"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := policy.Source(json.RawMessage(tt.policy), tt.actions, nil, nil)
			wantFaults(t, err, tt.want)
		})
	}
}

// aRule sends whoever types @a to the provider x.
const aRule = `{"condition":{"contains":"@a","value":"${identifier}"},"identityProvider":{"id":"x"}}`

// rules is an IDENTIFIER_FIRST action with these discovery rules.
func rules(list string) []json.RawMessage {
	return []json.RawMessage{json.RawMessage(`{"type":"IDENTIFIER_FIRST","priority":1,"discoveryRules":` + list + `}`)}
}

func TestAHundredRulesAreTaken(t *testing.T) {
	if _, _, err := policy.Source(json.RawMessage(`{"name":"P"}`), rules("["+strings.Repeat(aRule+",", 99)+aRule+"]"), nil, nil); err != nil {
		t.Error(err)
	}
}

func TestWhomRulesLeadToIsKnown(t *testing.T) {
	got := policy.Providers(slices.Concat(list(`{"type":"LOGIN","priority":2}`), rules("["+aRule+`,{},`+aRule+"]")))
	at := policy.Path("$.actions[1].discoveryRules")
	want := []policy.Reference{
		{Path: at.Index(0).Member("identityProvider").Member("id"), ID: "x"},
		{Path: at.Index(2).Member("identityProvider").Member("id"), ID: "x"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func many(n int) []json.RawMessage {
	var out []json.RawMessage
	for i := range n {
		out = append(out, json.RawMessage(fmt.Sprintf(`{"type":"LOGIN","priority":%d}`, i+1)))
	}
	return out
}

func wantFaults(t *testing.T, err error, want []string) {
	t.Helper()
	var got []string
	if err != nil {
		got = strings.Split(err.Error(), "\n")
	}
	if len(got) != len(want) {
		t.Fatalf("faults:\n%v\nwant:\n%s", err, strings.Join(want, "\n"))
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("fault %q, want %q", got[i], w)
		}
	}
}

func TestPublishedActions(t *testing.T) {
	const unknown = "$.actions[0].type: action "
	tests := map[string][]string{
		"login-minimal":      nil,
		"login-8h":           nil,
		"login-registration": nil,
		"mfa-legacy":         nil,
		"mfa-risk-conditions": {
			"$.actions[0].condition.or[2]: ipRisk", "$.actions[0].condition.or[3]: ipRisk", "$.actions[0].condition.or[4]: ipRisk",
		},
		"identifier-first":       {"$.actions[0].socialProviders: offers external providers"},
		"identity-provider":      {unknown + `"IDENTITY_PROVIDER" (priority 10)`},
		"agreement.response-201": {unknown + `"AGREEMENT" (priority 50)`},
		"progressive-profiling":  {unknown + `"PROGRESSIVE_PROFILING" (priority 40)`, "$.actions[0].condition: asks for ${user.population.id}", "$.actions[0].condition: asks for ${user.type}"},
		"all-conditions":         {"$.actions[0].condition.or[4]: ipRisk", "$.actions[0].condition.or[5]: ipRisk", unknown + `"PROGRESSIVE_PROFILING" (priority 2)`},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			file := "doc-sop-action-" + name
			if name == "mfa-risk-conditions" {
				file = "comp-sop-action-" + name
			}
			_, _, err := policy.Source(fixture(t, "doc-sop"), []json.RawMessage{fixture(t, file)}, nil, nil)
			wantFaults(t, err, want)
		})
	}
}

func fixture(t *testing.T, name string) json.RawMessage {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestASourceThatCannotRunIsRefused(t *testing.T) {
	good := `{"actions":[{"priority":1,"type":"LOGIN"}],"format":1,"name":"P"}`
	tests := map[string]struct {
		source string
		kinds  []flow.Kind
		want   string
	}{
		"of a later format":      {strings.Replace(good, `"format":1`, `"format":2`, 1), steps.Builtin(steps.Parts{}), "format 2"},
		"without actions":        {`{"actions":[],"format":1,"name":"P"}`, steps.Builtin(steps.Parts{}), "0 actions"},
		"that is no JSON":        {`{`, steps.Builtin(steps.Parts{}), "plan source"},
		"with a bad condition":   {`{"actions":[{"condition":{},"priority":1,"type":"LOGIN"}],"format":1,"name":"P"}`, steps.Builtin(steps.Parts{}), "a rule is one of"},
		"of an unknown action":   {strings.Replace(good, "LOGIN", "AGREEMENT", 1), steps.Builtin(steps.Parts{}), `action "AGREEMENT" is not run here`},
		"for want of a kind":     {good, steps.Builtin(steps.Parts{})[:1], "there is no step kind PASSWORD"},
		"with a result too few":  {good, []flow.Kind{other{results: []string{"IDENTIFIED"}}}, "has no result UNIDENTIFIED"},
		"with a result too many": {good, []flow.Kind{other{results: []string{"IDENTIFIED", "UNIDENTIFIED", "LOST"}}}, "result LOST of step kind IDENTIFY leads nowhere"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := policy.Compile([]byte(tt.source), tt.kinds); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// other is IDENTIFY with other results.
type other struct {
	flow.Kind
	results []string
}

func (o other) Meta() flow.Meta { return flow.Meta{Name: "IDENTIFY", Results: o.results} }

func (other) Check(json.RawMessage) (any, error) { return nil, nil }

func TestCanonicalIsRFC8785(t *testing.T) {
	// Source: RFC 8785 section 3.2.2 and 3.2.3.
	tests := map[string]struct{ in, want string }{
		"the sample of section 3.2.2": {
			`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		},
		"names sorted by UTF-16": {
			`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := policy.Canonical([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

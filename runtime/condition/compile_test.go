package condition_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/condition"
)

func TestEveryMistakeIsNamedWithItsPath(t *testing.T) {
	const pwd = `"${session.lastSignOn.withAuthenticator.pwd.at}"`
	const ip = `"${flow.request.http.remoteIp}"`
	tests := map[string]struct {
		in   string
		want []string // "path: beginning of the message"
	}{
		"nothing":                   {``, []string{"$: is not one JSON value"}},
		"two values":                {`{} {}`, []string{"$: is not one JSON value"}},
		"not UTF-8":                 {"{\"\xff\":1}", []string{"$: is not UTF-8"}},
		"not an object":             {`[]`, []string{"$: a rule is one of"}},
		"no known shape":            {`{"value":"${user.type}"}`, []string{"$: a rule is one of"}},
		"a name in another case":    {`{"And":[]}`, []string{"$: a rule is one of"}},
		"a member twice":            {`{"value":"${user.type}","value":"${user.type}","equals":"a"}`, []string{"$.value: is there twice"}},
		"an empty and":              {`{"and":[]}`, []string{"$.and: takes a list of at least one rule"}},
		"an or that is no list":     {`{"or":{}}`, []string{"$.or: takes a list of at least one rule"}},
		"a null rule":               {`{"or":[null]}`, []string{"$.or[0]: a rule is one of"}},
		"a second operator":         {`{"and":[{"value":"${user.type}","equals":true}],"or":[]}`, []string{"$.or: is no member of this rule, which takes and"}},
		"not around a logical":      {`{"not":{"or":[]}}`, []string{"$.not: takes one data rule"}},
		"not around nothing":        {`{"not":null}`, []string{"$.not: a rule is one of"}},
		"equals to a list":          {`{"value":"${user.type}","equals":[1]}`, []string{"$.equals: takes a string, a number, true or false"}},
		"equals to null":            {`{"value":"${user.type}","equals":null}`, []string{"$.equals: takes a string, a number, true or false"}},
		"a step with a dot":         {`{"value":"${steps..outputs.a}","equals":1}`, []string{"$.value: takes one variable"}},
		"a step and nothing of it":  {`{"value":"${steps.a}","equals":1}`, []string{"$.value: takes one variable"}},
		"equals without a value":    {`{"equals":"a"}`, []string{"$.value: takes a string"}},
		"contains with a boolean":   {`{"value":"${user.type}","contains":true}`, []string{"$.contains: takes a string"}},
		"a text, not a variable":    {`{"value":"user.type","equals":"a"}`, []string{"$.value: takes one variable"}},
		"an unknown variable":       {`{"value":"${session.id}","equals":"a"}`, []string{"$.value: takes one variable"}},
		"no end of it":              {`{"value":"${user.type","equals":"a"}`, []string{"$.value: takes one variable"}},
		"an empty segment":          {`{"value":"${user.}","equals":"a"}`, []string{"$.value: takes one variable"}},
		"a root alone":              {`{"value":"${user}","equals":"a"}`, []string{"$.value: takes one variable"}},
		"a space in a name":         {`{"value":"${flow.inputs.a b}","equals":"a"}`, []string{"$.value: takes one variable"}},
		"an authenticator of none":  {`{"secondsSince":"${session.lastSignOn.withAuthenticator..at}","greater":1}`, []string{"$.secondsSince: takes one variable"}},
		"more of an authenticator":  {`{"secondsSince":"${session.lastSignOn.withAuthenticator.pwd.at.x}","greater":1}`, []string{"$.secondsSince: takes one variable"}},
		"an authenticator, no sign": {`{"secondsSince":"${session.lastSignOn.withAuthenticator.é.at}","greater":1}`, []string{"$.secondsSince: takes one variable"}},
		"text around a variable":    {`{"value":"x${user.type}","equals":"a"}`, []string{"$.value: takes one variable"}},
		"a fractional age":          {`{"secondsSince":` + pwd + `,"greater":1.5}`, []string{"$.greater: takes a whole number of seconds"}},
		"an age of nothing":         {`{"secondsSince":` + pwd + `,"greater":0}`, []string{"$.greater: takes a whole number of seconds"}},
		"an age past the range":     {`{"secondsSince":` + pwd + `,"greater":2147483648}`, []string{"$.greater: takes a whole number of seconds"}},
		"an age as text":            {`{"secondsSince":` + pwd + `,"greater":"600"}`, []string{"$.greater: takes a whole number of seconds"}},
		"an age without a limit":    {`{"secondsSince":` + pwd + `}`, []string{"$.greater: takes a whole number of seconds"}},
		"less instead of greater":   {`{"secondsSince":` + pwd + `,"less":5}`, []string{"$.less: is no member of this rule, which takes secondsSince and greater", "$.greater: takes"}},
		"an address, no network":    {`{"ipRange":["10.0.0.1"],"contains":` + ip + `}`, []string{"$.ipRange[0]: takes a network"}},
		"a number as network":       {`{"ipRange":["10.0.0.0/8",7],"contains":` + ip + `}`, []string{"$.ipRange[1]: takes a network"}},
		"more than all of IPv4":     {`{"ipRange":["::ffff:0:0/90"],"contains":` + ip + `}`, []string{"$.ipRange[0]: takes a network"}},
		"no networks":               {`{"ipRange":[],"contains":` + ip + `}`, []string{"$.ipRange: takes a list of at least one network"}},
		"ipRange by valid":          {`{"ipRange":["10.0.0.0/8"],"valid":` + ip + `}`, []string{"$.valid: is no member", "$.contains: takes a string"}},
		"a risk score":              {`{"ipRisk":{"minScore":80,"maxScore":100},"valid":` + ip + `}`, []string{"$: ipRisk, geoVelocity and anonymousNetwork need a risk service"}},
		"a risk score inside not":   {`{"not":{"anonymousNetwork":[],"valid":` + ip + `}}`, []string{"$.not: ipRisk, geoVelocity and anonymousNetwork need"}},
		"a name that needs quotes":  {`{"value":"${user.type}","equals":"a","a b":1}`, []string{`$["a b"]: is no member`}},
		"several at once": {
			`{"and":[{"value":"type","equals":[]},{"or":[{"ipRange":["x"],"contains":"ip"}]}]}`,
			[]string{"$.and[0].value: takes one variable", "$.and[0].equals: takes a string", "$.and[1].or[0].contains: takes one variable", "$.and[1].or[0].ipRange[0]: takes a network"},
		},
		"more rules inside each other than anybody reads": {
			strings.Repeat(`{"and":[`, 33) + `{"value":"${user.type}","equals":"a"}` + strings.Repeat(`]}`, 33),
			[]string{"$" + strings.Repeat(".and[0]", 32) + ": lies deeper than 32 rules"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { wantFaults(t, tt.in, tt.want) })
	}
}

func wantFaults(t *testing.T, in string, want []string) {
	t.Helper()
	rule, err := condition.Compile(json.RawMessage(in))
	if err == nil {
		t.Fatalf("compiled: %s to %v", in, rule.Names())
	}
	got := strings.Split(err.Error(), "\n")
	for i, w := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Fatalf("faults:\n%s\nwant:\n%s", err, strings.Join(want, "\n"))
		}
	}
	if len(got) != len(want) {
		t.Errorf("faults:\n%s\nwant:\n%s", err, strings.Join(want, "\n"))
	}
}

func TestPublishedConditions(t *testing.T) {
	tests := map[string]struct {
		names  []string
		faults []string
	}{
		"doc-sop-action-login-8h.json":         {names: []string{"session.lastSignOn.withAuthenticator.pwd.at"}},
		"doc-sop-action-identifier-first.json": {names: []string{"session.lastSignOn.withAuthenticator.pwd.at"}},
		"doc-sop-action-progressive-profiling.json": {
			names: []string{"user.population.id", "user.type"},
		},
		"doc-sop-action-all-conditions.json": {
			faults: []string{"$.or[4]: ipRisk,", "$.or[5]: ipRisk,"},
		},
		"comp-sop-action-mfa-risk-conditions.json": {
			faults: []string{"$.or[2]: ipRisk,", "$.or[3]: ipRisk,", "$.or[4]: ipRisk,"},
		},
	}
	for file, tt := range tests {
		t.Run(file, func(t *testing.T) {
			raw := published(t, file)
			if tt.faults != nil {
				wantFaults(t, string(raw), tt.faults)
				return
			}
			rule, err := condition.Compile(raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.names, rule.Names()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func published(t testing.TB, file string) json.RawMessage {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var action struct{ Condition json.RawMessage }
	if err := json.Unmarshal(b, &action); err != nil {
		t.Fatal(err)
	}
	return action.Condition
}

package definition_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/definition"
)

const (
	endStep   = `"end":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"}}`
	formOne   = `{"form":{"id":"aaaaaaaa-0000-4000-8000-000000000001"}}`
	checkStep = `"check":{"type":"USER_PASSWORD_CHECK","input":{"user":{"id":"u"}},"outlets":{"PASSWORD_VALID":{"next":"end"},"PASSWORD_EXPIRED":{"next":"end"},"MUST_CHANGE_PASSWORD":{"next":"end"}}}`
)

// one is a definition of one step beside its end.
func one(step string) string { return define("d", "EXPERIENCE", "a", `"a":`+step+`,`+endStep) }

// ending is a definition that only ends, with this COMPLETE_FLOW.
func ending(members string) string {
	return define("d", "EXPERIENCE", "end", `"end":{"type":"COMPLETE_FLOW",`+members+`}`)
}

// many are steps that lead to the end.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"s%d":{"type":"PASSKEY","outlets":{"VALID":{"next":"end"}}},`, i)
	}
	return b.String()
}

func branchOn(condition string) string {
	return one(`{"type":"BRANCH","configuration":{"conditions":[{"result":"X","condition":` + condition + `}]},"outlets":{"X":{"next":"end"},"NO_MATCH":{"next":"end"}}}`)
}

func TestEveryMistakeIsNamedWithItsPath(t *testing.T) {
	good := define("d", "EXPERIENCE", "end", endStep)
	but := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	const a = "$.stepDefinitions.a"
	tests := map[string]struct {
		body string
		want []string // path, colon and the beginning of the message
	}{
		"no JSON":                                          {`{`, []string{"$: "}},
		"a member twice":                                   {but(`"name"`, `"id":"d","name"`), []string{"$.id: "}},
		"no object":                                        {`[]`, []string{"$: takes an object"}},
		"a member that is not known":                       {but(`"name"`, `"steps":{},"name"`), []string{"$.steps: is no member here; there are id, name"}},
		"no id":                                            {but(`"id":"d",`, ``), []string{"$.id: takes the id"}},
		"no name":                                          {but(`"name":"Flow d",`, ``), []string{"$.name: takes a string of 1 to 256"}},
		"a long name":                                      {but(`Flow d`, strings.Repeat("é", 257)), []string{"$.name: takes a string of 1 to 256"}},
		"a description that is no text":                    {but(`"name"`, `"description":1,"name"`), []string{"$.description: takes a string"}},
		"enabled or not":                                   {but(`"enabled":true,`, ``), []string{"$.enabled: takes true or false"}},
		"enabled as text":                                  {but(`"enabled":true`, `"enabled":"true"`), []string{"$.enabled: takes true or false"}},
		"no trigger":                                       {but(`"trigger":{"type":"EXPERIENCE","next":"end"},`, ``), []string{"$.trigger: takes an object"}},
		"an unknown trigger":                               {but(`EXPERIENCE`, `TIMER`), []string{"$.trigger.type: takes EXPERIENCE or SIGN_ON_POLICY"}},
		"a trigger that leads nowhere":                     {but(`,"next":"end"`, ``), []string{"$.trigger.next: takes the key of a step"}},
		"a trigger that leads elsewhere":                   {but(`"next":"end"`, `"next":"start"`), []string{`$.trigger.next: names the step "start", which is not in stepDefinitions`}},
		"a trigger that is configured":                     {but(`"next":"end"`, `"next":"end","configuration":{"a":1}`), []string{"$.trigger.configuration: takes nothing"}},
		"a trigger with inputs":                            {but(`"next":"end"`, `"next":"end","inputs":[]`), []string{"$.trigger.inputs: takes nothing"}},
		"a trigger with more":                              {but(`"next":"end"`, `"next":"end","at":1`), []string{"$.trigger.at: is no member here"}},
		"no steps":                                         {`{"id":"d","name":"N","enabled":true,"trigger":{"type":"EXPERIENCE","next":"a"}}`, []string{"$.stepDefinitions: takes an object"}},
		"not one step":                                     {`{"id":"d","name":"N","enabled":true,"trigger":{"type":"EXPERIENCE","next":"a"},"stepDefinitions":{}}`, []string{"$.trigger.next: names the step", "$.stepDefinitions: takes 1 to 200 steps, not 0"}},
		"too many steps":                                   {define("d", "EXPERIENCE", "end", many(200)+endStep), []string{"$.stepDefinitions: takes 1 to 200 steps, not 201"}},
		"a key with a space":                               {define("d", "EXPERIENCE", "end", `"a b":{"type":"TERMINATE_FLOW"},`+endStep), []string{`$.stepDefinitions["a b"]: takes a key of`}},
		"an empty key":                                     {define("d", "EXPERIENCE", "end", `"":{"type":"TERMINATE_FLOW"},`+endStep), []string{`$.stepDefinitions[""]: takes a key of`}},
		"a step that is no object":                         {one(`[]`), []string{a + ": takes an object"}},
		"a step with more":                                 {one(`{"type":"PASSKEY","next":"end","outlets":{"VALID":{"next":"end"}}}`), []string{a + ".next: is no member here"}},
		"a step without a type":                            {one(`{"outlets":{"X":{"next":"b"}}}`), []string{a + `.type: "" is no type of step here; there are AGREEMENT_CONSENT_FORM`, a + `.outlets.X.next: names the step "b"`}},
		"a type that comes later":                          {one(`{"type":"RISK_EVALUATION_CREATE"}`), []string{a + `.type: "RISK_EVALUATION_CREATE" is no type`}},
		"a kind of sign-on policies":                       {one(`{"type":"IDENTIFY"}`), []string{a + `.type: "IDENTIFY" is no type`}},
		"names that are no text":                           {one(`{"type":"PASSKEY","displayName":1,"description":[],"iconUrl":{},"iconURL":true,"outlets":{"VALID":{"next":"end","displayName":1}}}`), []string{a + ".displayName: takes a string", a + ".description: takes", a + ".iconUrl: takes", a + ".iconURL: takes", a + ".outlets.VALID.displayName: takes"}},
		"a configuration as a list":                        {one(`{"type":"FORM","configuration":[]}`), []string{a + ".configuration: takes an object"}},
		"a configuration of none":                          {one(`{"type":"PASSKEY","configuration":{"a":1},"outlets":{"VALID":{"next":"end"}}}`), []string{a + ".configuration: a step of this type takes no configuration"}},
		"a configuration left out":                         {one(`{"type":"FORM","outlets":{"SUBMITTED":{"next":"end"}}}`), []string{a + ".configuration.form: is missing"}},
		"a form without an id":                             {one(`{"type":"FORM","configuration":{"form":{}},"outlets":{"SUBMITTED":{"next":"end"}}}`), []string{a + ".configuration.form.id: is missing"}},
		"a form with an id that is none":                   {one(`{"type":"FORM","configuration":{"form":{"id":7}},"outlets":{"SUBMITTED":{"next":"end"}}}`), []string{a + ".configuration.form.id: takes string, not number"}},
		"a form with more than an id":                      {one(`{"type":"FORM","configuration":{"form":{"id":"x","a":1}},"outlets":{"SUBMITTED":{"next":"end"}}}`), []string{a + ".configuration.form.a: is not taken"}},
		"a member a kind does not know":                    {one(`{"type":"FORM","configuration":{"form":{"id":"aaaaaaaa-0000-4000-8000-000000000001"},"a":1},"outlets":{"SUBMITTED":{"next":"end"}}}`), []string{a + ".configuration.a: is not taken"}},
		"a form that is not there":                         {one(`{"type":"FORM","configuration":{"form":{"id":"x"}},"outlets":{"SUBMITTED":{"next":"end"}}}`), []string{a + ".configuration.form.id: there is no such form"}},
		"an agreement that is not there":                   {one(`{"type":"AGREEMENT_CONSENT_FORM","configuration":{"agreement":{"id":"x"}},"input":{"user":{}},"outlets":{"SAVED":{"next":"end"}}}`), []string{a + ".configuration.agreement.id: there is no such agreement"}},
		"a value that is none of some":                     {one(`{"type":"USER_LOOKUP","configuration":{"matchAttributes":["username","colour"]},"input":{"identifier":"x"},"outlets":{"PING_ONE_USER_MATCHED":{"next":"end"}}}`), []string{a + ".configuration.matchAttributes[1]: takes username or email"}},
		"what the kind itself refuses":                     {one(`{"type":"USER_CREATE","outlets":{"SUCCEEDED":{"next":"end"}}}`), []string{a + ".configuration.population: is wanted"}},
		"an end of the other trigger":                      {ending(`"configuration":{"result":"COMPLETE"}`), []string{"$.stepDefinitions.end.configuration.result: takes REDIRECT"}},
		"an end that leads on":                             {ending(`"configuration":{"result":"REDIRECT"},"outlets":{"REDIRECT":{"next":"end"}}`), []string{"$.stepDefinitions.end.outlets: a step that ends the flow leads nowhere"}},
		"a termination that leads on":                      {one(`{"type":"TERMINATE_FLOW","input":{"error":{"code":"X","message":"Y"}},"outlets":{"ERROR":{"next":"end"}}}`), []string{a + ".outlets: a step that ends the flow leads nowhere"}},
		"a termination without a code":                     {one(`{"type":"TERMINATE_FLOW","input":{"error":{"message":""}}}`), []string{a + ".input.error.code: is missing", a + ".input.error.message: takes at least 1 characters"}},
		"no way out":                                       {one(`{"type":"FORM","configuration":` + formOne + `}`), []string{a + ".outlets.SUBMITTED: is missing"}},
		"a button that leads nowhere":                      {one(`{"type":"FORM","configuration":{"form":{"id":"aaaaaaaa-0000-4000-8000-000000000004"}},"outlets":{"SUBMITTED":{"next":"end"}}}`), []string{a + ".outlets.resendCode: is missing"}},
		"a way by no result":                               {one(`{"type":"FORM","configuration":` + formOne + `,"outlets":{"SUBMITTED":{"next":"end"},"CANCELLED":{"next":"end"}}}`), []string{a + ".outlets.CANCELLED: is no result of this step; there are SUBMITTED and ERROR"}},
		"a way to no step":                                 {one(`{"type":"FORM","configuration":` + formOne + `,"outlets":{"SUBMITTED":{"next":"b"},"ERROR":{}}}`), []string{a + ".outlets.ERROR.next: takes the key of a step", a + `.outlets.SUBMITTED.next: names the step "b"`}},
		"a way that is no object":                          {one(`{"type":"FORM","configuration":` + formOne + `,"outlets":{"SUBMITTED":"end"}}`), []string{a + ".outlets.SUBMITTED: takes an object"}},
		"ways that are no object":                          {one(`{"type":"FORM","configuration":` + formOne + `,"outlets":[]}`), []string{a + ".outlets: takes an object", a + ".outlets.SUBMITTED: is missing"}},
		"a way with more":                                  {one(`{"type":"FORM","configuration":` + formOne + `,"outlets":{"SUBMITTED":{"next":"end","if":1}}}`), []string{a + ".outlets.SUBMITTED.if: is no member here"}},
		"an input of none":                                 {one(`{"type":"PASSKEY","input":{"a":1},"outlets":{"VALID":{"next":"end"}}}`), []string{a + ".input: a step of this type takes no input"}},
		"an input that is no object":                       {ending(`"configuration":{"result":"REDIRECT"},"input":"${steps.end.outputs}"`), []string{"$.stepDefinitions.end.input: takes an object"}},
		"an input that is not known":                       {ending(`"configuration":{"result":"REDIRECT"},"input":{"params":{}}`), []string{"$.stepDefinitions.end.input.params: is not taken"}},
		"an input by a schema that says nothing of others": {one(`{"type":"USER_LOOKUP","configuration":{"matchAttributes":["email"]},"input":{"identifier":"x","b":1},"outlets":{"PING_ONE_USER_MATCHED":{"next":"end"}}}`), []string{a + ".input.b: is not taken"}},
		"an input of another type":                         {ending(`"configuration":{"result":"REDIRECT"},"input":{"context":{"amr":"pwd","user":{"id":1}}}`), []string{"$.stepDefinitions.end.input.context.amr: takes array, not string", "$.stepDefinitions.end.input.context.user.id: takes string, not number"}},
		"an input left out":                                {one(`{"type":"TERMINATE_FLOW"}`), []string{a + ".input.error: is missing"}},
		"a placeholder without an end":                     {ending(`"configuration":{"result":"REDIRECT"},"input":{"parameters":{"a":"é ${flow.id"}}`), []string{"$.stepDefinitions.end.input.parameters.a: the ${ at character 3 has no }"}},
		"a placeholder of no root":                         {ending(`"configuration":{"result":"REDIRECT"},"input":{"context":{"amr":["${session.id}"]}}`), []string{"$.stepDefinitions.end.input.context.amr[0]: the placeholder at character 1 is ${session.id}, which is not known; there are flow.id"}},
		"a placeholder of no step":                         {ending(`"configuration":{"result":"REDIRECT"},"input":{"parameters":{"a/b":"${steps.ask.outputs.x}"}}`), []string{`$.stepDefinitions.end.input.parameters["a/b"]: reads ${steps.ask.outputs.x}, but there is no step "ask"`}},
		"a condition on no step":                           {branchOn(`{"value":"${steps.ask.outputs.x}","equals":1}`), []string{a + `.configuration: reads ${steps.ask.outputs.x}, but there is no step "ask"`}},
		"a condition on nothing":                           {branchOn(`{"value":"x","equals":1}`), []string{a + `.configuration.conditions[0].condition.value: takes one variable`}},
		"a condition on what was typed":                    {branchOn(`{"value":"${identifier}","equals":"x"}`), []string{a + `.configuration.conditions[0].condition: asks for ${identifier}, which no step knows`}},
		"a call of nothing":                                {one(`{"type":"FLOW_INVOKE","configuration":{"flowDefinition":{"id":"x"}},"outlets":{"SUCCEEDED":{"next":"end"}}}`), []string{a + ".configuration.flowDefinition.id: there is no such flowDefinition"}},
		"ten at once": {
			`{"name":"","enabled":1,"colour":1,"trigger":{"type":"X","next":"x"},"stepDefinitions":{"a":{"type":"B"},"b c":{},"c":{"type":"PASSKEY","outlets":{"X":{"next":"?"}}},"d":{"type":"TERMINATE_FLOW","input":{"error":{"code":"${","message":1}}}}}`,
			[]string{
				"$.colour: is no", "$.id: takes", "$.name: takes", "$.enabled: takes", "$.trigger.type: takes", "$.trigger.next: names", "$.stepDefinitions.a.type:", `$.stepDefinitions["b c"]: takes`,
				"$.stepDefinitions.c.outlets.X.next: names", "$.stepDefinitions.c.outlets.X: is no", "$.stepDefinitions.c.outlets.VALID: is missing", "$.stepDefinitions.d.input.error.message: takes string", "$.stepDefinitions.d.input.error.code: the ${",
			},
		},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		tt := tests[name]
		t.Run(name, func(t *testing.T) { wantFaults(t, tt.body, stock(), tt.want) })
	}
}

func wantFaults(t *testing.T, body string, res definition.Resources, want []string) {
	t.Helper()
	src, _, err := definition.Source(json.RawMessage(body), res, kinds())
	if err == nil {
		t.Fatalf("is taken: %s", src)
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

func TestAPlaceholderFitsAnyType(t *testing.T) {
	body := ending(`"configuration":{"result":"REDIRECT"},"input":{"parameters":"${flow.inputs.parameters}","context":{"amr":"${steps.end.outputs.amr}","user":{"id":"${flow.context.user.id}"}}}`)
	compile(t, body, nil)
}

func TestAKindWithAWrongSchemaIsOurMistake(t *testing.T) {
	for _, schema := range []string{`{`, `{"type":"nothing"}`, `{"$ref":"https://example.com/schema.json"}`} {
		broken := kind{name: "BROKEN", step: stepOf(schema)}
		_, _, err := definition.Source(json.RawMessage(one(`{"type":"BROKEN"}`)), nil, append(kinds(), broken))
		if err == nil || strings.HasPrefix(err.Error(), "$") {
			t.Errorf("%s: %v", schema, err)
		}
	}
}

package verifier_test

import (
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/verifier"
)

// One step puts out what the schema says, the next one takes ${steps.a.outputs.x}
// as its input v.
func TestWhatASchemaSaysOfAValue(t *testing.T) {
	tests := map[string]struct{ out, in, want string }{
		"a text for a text":                  {`{"x":{"type":"string"}}`, `{"type":"string"}`, ""},
		"a text for a number":                {`{"x":{"type":"string"}}`, `{"type":"number"}`, "e TYPE_MISMATCH b"},
		"an integer for a number":            {`{"x":{"type":"integer"}}`, `{"type":"number"}`, ""},
		"a number for an integer":            {`{"x":{"type":"number"}}`, `{"type":"integer"}`, "e TYPE_MISMATCH b"},
		"one of two types":                   {`{"x":{"type":["string","null"]}}`, `{"type":"string"}`, ""},
		"neither of two types":               {`{"x":{"type":["boolean","null"]}}`, `{"type":["string","null"]}`, "e TYPE_MISMATCH b"},
		"nothing said of the value":          {`{"x":true}`, `{"type":"string"}`, ""},
		"nothing said of the input":          {`{"x":{"type":"string"}}`, `{}`, ""},
		"values that are listed":             {`{"x":{"enum":["A","B"]}}`, `{"type":"boolean"}`, "e TYPE_MISMATCH b"},
		"a constant":                         {`{"x":{"const":5}}`, `{"type":"string"}`, "e TYPE_MISMATCH b"},
		"a constant of each type":            {`{"x":{"enum":[1,true,null,[],{}]}}`, `{"type":"string"}`, "e TYPE_MISMATCH b"},
		"a value that cannot be":             {`{"x":false}`, `{}`, "e UNKNOWN_OUTPUT b"},
		"another value than the listed ones": {`{"y":{}}`, `{}`, "e UNKNOWN_OUTPUT b"},
		"a value by reference":               {`{"x":{"$ref":"#/$defs/flag"}}`, `{"type":"string"}`, "e TYPE_MISMATCH b"},
		"a reference to nothing":             {`{"x":{"$ref":"#/$defs/none"}}`, `{"type":"string"}`, ""},
		"a reference elsewhere":              {`{"x":{"$ref":"https://x.example/"}}`, `{"type":"string"}`, ""},
		"a reference through what is no object": {
			`{"x":{"$ref":"#/type/x"}}`, `{"type":"string"}`, "",
		},
		"a schema of itself": {`{"x":{"$ref":"#/$defs/tree"}}`, `{"type":"string"}`, "e TYPE_MISMATCH b"},
		"all of two":         {`{"x":{"allOf":[{"type":["string","boolean"]},{"type":["boolean","number"]}]}}`, `{"type":"string"}`, "e TYPE_MISMATCH b"},
		"any of two":         {`{"x":{"anyOf":[{"type":"string"},{"type":"boolean"}]}}`, `{"type":"string"}`, ""},
		"none of two":        {`{"x":{"oneOf":[{"type":"number"},{"type":"boolean"}]}}`, `{"type":"string"}`, "e TYPE_MISMATCH b"},
		"a member of any of two": {
			`{"x":{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":"string"}}}]}}`,
			`{"type":"object","properties":{"a":{"type":"number"}}}`, "e TYPE_MISMATCH b",
		},
		"a member of all of two": {
			`{"x":{"type":"object","properties":{"a":{"type":["string","number"]}},"allOf":[{"properties":{"a":{"type":["string"]},"c":{"type":"string"}}}]}}`,
			`{"type":"object","properties":{"a":{"type":"number"}}}`, "e TYPE_MISMATCH b",
		},
		"a member of another type": {
			`{"x":{"type":"object","properties":{"a":{"type":"boolean"}}}}`, `{"type":"object","properties":{"a":{"type":"string"}}}`, "e TYPE_MISMATCH b",
		},
		"a member that is required and never there": {
			`{"x":{"type":"object","properties":{"a":{"type":"string"}}}}`, `{"type":"object","required":["b"]}`, "e TYPE_MISMATCH b",
		},
		"a member that one of two requires": {
			`{"x":{"type":"object","properties":{"a":{"type":"string"}}}}`, `{"type":"object","anyOf":[{"required":["b"]},{"required":["a"]}]}`, "",
		},
		"a member that all of two require": {
			`{"x":{"type":"object","properties":{"a":{"type":"string"}}}}`, `{"type":"object","allOf":[{"required":["b"]},{"required":["a"]}]}`, "e TYPE_MISMATCH b",
		},
		"a member that may be there": {
			`{"x":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}}`, `{"type":"object","required":["b"]}`, "",
		},
		"a member that may be there, whatever it is": {
			`{"x":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":true}}`, `{"type":"object","required":["b"]}`, "",
		},
		"a list for a list":                {`{"x":{"type":"array","items":{"type":"string"}}}`, `{"type":"array"}`, ""},
		"a password":                       {`{"x":{"type":"string","format":"password"}}`, `{"type":"string"}`, "e SECRET_MISUSED b"},
		"a value that is only written":     {`{"x":{"type":"string","writeOnly":true}}`, `{"type":"string"}`, "e SECRET_MISUSED b"},
		"a password in one of two":         {`{"x":{"anyOf":[{"type":"string","format":"password"},{"type":"string"}]}}`, `{}`, "e SECRET_MISUSED b"},
		"a password in the other of two":   {`{"x":{"anyOf":[{"type":"string"},{"type":"string","format":"password"}]}}`, `{}`, "e SECRET_MISUSED b"},
		"a password by all of two":         {`{"x":{"allOf":[{"type":"string"},{"format":"password"}]}}`, `{}`, "e SECRET_MISUSED b"},
		"a list of passwords":              {`{"x":{"type":"array","items":{"type":"string","format":"password"}}}`, `{}`, "e SECRET_MISUSED b"},
		"an object with a password inside": {`{"x":{"type":"object","properties":{"p":{"format":"password"}}}}`, `{}`, "w SECRET_LEFT_OUT b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			list := []flow.Kind{
				plain("MAKES", flow.Step{Results: []flow.StepResult{{Name: "DONE", Output: schema(
					`{"type":"object","properties":` + tt.out + `,"$defs":{"flag":{"type":"boolean"},"tree":{"type":"object","properties":{"a":{"$ref":"#/$defs/tree"},"b":{"$ref":"#/$defs/tree"},"c":{"$ref":"#/$defs/tree"}}}}}`,
				)}}}),
				plain("TAKES", flow.Step{Input: schema(`{"type":"object","properties":{"v":` + tt.in + `}}`), Ends: flow.Terminates}),
			}
			p := sketch(t, `
a | MAKES | | | DONE>b
b | TAKES | | {"v":"${steps.a.outputs.x}"} |`)
			if got := codes(verifier.Check(p, list)); got != tt.want {
				t.Errorf("found %s", got)
			}
		})
	}
}

// An input in a list is that of its items, whatever its place.
func TestAnInputInAList(t *testing.T) {
	list := []flow.Kind{
		plain("MAKES", flow.Step{Results: []flow.StepResult{{Name: "DONE", Output: schema(`{"type":"object","properties":{"x":{"type":"boolean"}}}`)}}}),
		plain("TAKES", flow.Step{Input: schema(`{"type":"object","properties":{"v":{"type":"array","items":{"type":"string"}}}}`), Ends: flow.Terminates}),
	}
	p := sketch(t, `
a | MAKES | | | DONE>b
b | TAKES | | {"v":["x","${steps.a.outputs.x}"]} |`)
	if got := codes(verifier.Check(p, list)); got != "e TYPE_MISMATCH b" {
		t.Error(got)
	}
}

// Outputs are read under the name that the node keeps them by.
func TestOutputsUnderAnotherName(t *testing.T) {
	p := sketch(t, `
a | USER_LOOKUP | {"matchPingOneUsersOnly":true} | {"identifier":"x"} | PING_ONE_USER_MATCHED>b ERROR>c
b | USER_READ | | {"user":{"id":"${steps.found.outputs.user.id}"}} | SUCCEEDED>c
c | TERMINATE_FLOW | | |`)
	if got := codes(verifier.Check(p, kinds())); !strings.Contains(got, "e UNKNOWN_OUTPUT b") {
		t.Error(got)
	}
	p.Nodes["a"].As = "found"
	if got := codes(verifier.Check(p, kinds())); strings.Contains(got, "e ") {
		t.Error(got)
	}
}

// Above a number of parts a schema that refers to itself is not followed.
func TestASchemaThatRefersToItselfEverywhere(t *testing.T) {
	var members []string
	for _, name := range strings.Split("abcdefghijklmnop", "") {
		members = append(members, `"`+name+`":{"$ref":"#"}`)
	}
	list := []flow.Kind{plain("MAKES", flow.Step{Results: []flow.StepResult{{Name: "DONE", Output: schema(`{"type":"object","properties":{` + strings.Join(members, ",") + `}}`)}}}), plain("TAKES", flow.Step{Ends: flow.Terminates})}
	p := sketch(t, `
a | MAKES | | | DONE>b
b | TAKES | | {"v":"${steps.a.outputs.a.b.c.d}"} |`)
	if got := codes(verifier.Check(p, list)); got != "" {
		t.Error(got)
	}
}

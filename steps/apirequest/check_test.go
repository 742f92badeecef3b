package apirequest_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/definition"
	"doorward/runtime/flow"
	"doorward/steps"
	"doorward/steps/apirequest"
)

func TestAMethodIsOneOfFive(t *testing.T) {
	for config, takes := range map[string]bool{
		`{"method":"GET"}`: true, `{"method":"DELETE"}`: true, `{"method":"TRACE"}`: false, `{"method":"get"}`: false, `{}`: false, ``: false, `[]`: false, `{"method":"GET","url":"x"}`: false,
	} {
		if _, err := apirequest.New(nil).Check(json.RawMessage(config)); (err == nil) != takes {
			t.Errorf("%q: %v", config, err)
		}
	}
}

// published says what is wrong with a definition that has one such step.
func published(method, input string) string {
	body := `{"id":"d1","name":"D","enabled":true,"trigger":{"type":"EXPERIENCE","next":"call"},"stepDefinitions":{
		"call":{"type":"API_REQUEST","configuration":{"method":"` + method + `"},"input":` + input + `,"outlets":{"SUCCEEDED":{"next":"done"},"TIMEOUT":{"next":"done"}}},
		"done":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"}}}}`
	_, _, err := definition.Source(json.RawMessage(body), nil, steps.Builtin(steps.Parts{}))
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestWhatIsRefusedWhenADefinitionIsPublished(t *testing.T) {
	const u = `"url":"https://api.example/users/${user.id}?q=${flow.id}"`
	for name, tt := range map[string]struct{ method, input, want string }{
		"sound":                           {"POST", `{` + u + `,"query":{"a":"${flow.id}"},"headers":{"X-User":"${user.name.given}"},"body":"{\"n\":\"${flow.id}\"}"}`, ""},
		"a body that is a placeholder":    {"POST", `{` + u + `,"body":"${flow.inputs.parameters}"}`, ""},
		"text that says it is":            {"POST", `{` + u + `,"headers":{"content-type":"text/plain;charset=utf-8"},"body":"id: ${flow.id}"}`, ""},
		"text with nothing put in":        {"POST", `{` + u + `,"headers":{"Content-Type":"application/x-www-form-urlencoded"},"body":"a=b"}`, ""},
		"no URL":                          {"GET", `{"query":{}}`, "input.url: is missing"},
		"a host that is a placeholder":    {"GET", `{"url":"https://${user.id}/a"}`, "input.url: takes a URL"},
		"a URL that is a placeholder":     {"GET", `{"url":"${user.id}"}`, "input.url: takes a URL"},
		"a port that is a placeholder":    {"GET", `{"url":"https://a.example:${user.id}/"}`, "input.url: takes a URL"},
		"a URL that leads up":             {"GET", `{"url":"https://a.example/a/../b"}`, `input.url: has a segment "." or ".."`},
		"a URL with two slashes":          {"GET", `{"url":"https://a.example/a//b"}`, "input.url: has an empty segment"},
		"a port that is none":             {"GET", `{"url":"https://a.example:99999/"}`, "input.url: has a port"},
		"names of headers from elsewhere": {"GET", `{` + u + `,"headers":"${flow.inputs.parameters}"}`, "input.headers: is written out"},
		"names of parameters likewise":    {"GET", `{` + u + `,"query":"${flow.inputs.parameters}"}`, "input.query: is written out"},
		"the header Host":                 {"GET", `{` + u + `,"headers":{"Host":"a"}}`, "input.headers.Host: is a header that the server sets"},
		"the header Content-Length":       {"GET", `{` + u + `,"headers":{"content-length":"1"}}`, `input.headers["content-length"]: is a header`},
		"the header Transfer-Encoding":    {"GET", `{` + u + `,"headers":{"Transfer-Encoding":"${user.id}"}}`, `input.headers["Transfer-Encoding"]: is a header`},
		"the header Connection":           {"GET", `{` + u + `,"headers":{"Connection":"close"}}`, "input.headers.Connection: is a header"},
		"a header that is no name":        {"GET", `{` + u + `,"headers":{"a b":"c"}}`, `input.headers["a b"]: is no name`},
		"a placeholder for a name":        {"GET", `{` + u + `,"headers":{"${user.id}":"c"}}`, `is no name`},
		"a header twice":                  {"GET", `{` + u + `,"headers":{"X-A":"1","x-a":"2"}}`, `input.headers["x-a"]: is there twice`},
		"a header with a line break":      {"GET", `{` + u + `,"headers":{"X-A":"1\r\nX-B: 2"}}`, `input.headers["X-A"]: holds a line break`},
		"a body of GET":                   {"GET", `{` + u + `,"body":"{}"}`, "input.body: is not sent with GET"},
		"JSON with an open placeholder":   {"POST", `{` + u + `,"body":"{\"n\":${flow.id}}"}`, "input.body: begins as JSON and is none"},
		"a form with a placeholder":       {"POST", `{` + u + `,"headers":{"Content-Type":"application/x-www-form-urlencoded"},"body":"a=${flow.id}"}`, "input.body: is no JSON"},
		"text with a placeholder":         {"POST", `{` + u + `,"body":"a ${flow.id}"}`, "input.body: is no JSON"},
		"a type that is a placeholder":    {"POST", `{` + u + `,"headers":{"Content-Type":"${flow.id}"},"body":"a ${flow.id}"}`, "input.body: is no JSON"},
		"a step that is not there":        {"POST", `{` + u + `,"body":"{\"n\":\"${steps.nowhere.outputs.a}\"}"}`, `input.body: reads ${steps.nowhere.outputs.a}, but there is no step`},
		"a member that nobody knows":      {"POST", `{` + u + `,"cookies":{}}`, "input.cookies: is not taken"},
	} {
		t.Run(name, func(t *testing.T) {
			got := published(tt.method, tt.input)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("found\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestTheKindIsDescribed(t *testing.T) {
	s := apirequest.New(nil).Step(flow.TriggerExperience, nil)
	if !s.FailsBy("TIMEOUT") || !s.FailsBy("UNAVAILABLE") || !s.FailsBy("ERROR") || s.FailsBy("SUCCEEDED") || s.Waits || len(s.Secrets) != 0 {
		t.Errorf("%+v", s)
	}
	for _, file := range []string{"config", "input", "output"} {
		b, err := os.ReadFile(file + ".schema.json")
		if err != nil || !json.Valid(b) {
			t.Error(file, err)
		}
	}
	m, err := definition.Metadata(apirequest.New(nil), flow.TriggerExperience, json.RawMessage(`{"method":"POST"}`), nil)
	if err != nil || !slices.ContainsFunc([]string{`"typeName":"UNAVAILABLE"`}, func(want string) bool { return strings.Contains(string(m), want) }) {
		t.Errorf("%s: %v", m, err)
	}
}

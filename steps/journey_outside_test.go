package steps_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/definition"
	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/steps"
)

const scoring = `{"id":"s1","name":"Scoring","requests":[{"name":"score","request":{"method":"POST","url":"'https://api.example/score'",
	"headers":{"X-User":"inputs.name"},"body":{"type":"JSON","template":"{\"user\":\"${inputs.name}\"}"},"inputSchema":"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}"},
	"response":{"output":"{'level': response.body.score}","outputSchema":"{\"type\":\"object\",\"properties\":{\"level\":{\"type\":\"string\"}}}"}}]}`

// asking is a form with one field.
const asking = `{"id":"f1","name":"F","category":"CUSTOM","markRequired":false,"markOptional":false,"components":{"fields":[
	{"type":"TEXT","position":{"row":0,"col":0},"key":"name","label":"Name","required":true,"validation":{"type":"NONE"}},
	{"type":"SUBMIT_BUTTON","position":{"row":1,"col":0},"label":"Go"}]}}`

// resources are what the definitions of these tests refer to.
type resources struct{}

func (resources) Resource(kind, _ string) (json.RawMessage, bool) {
	body, ok := map[string]string{"externalService": scoring, "form": asking}[kind]
	return json.RawMessage(body), ok
}

// call is a step that asks the outside, with outlets beside the one for an answer.
func call(kind string, outlets ...string) string {
	step := `{"type":"API_REQUEST","configuration":{"method":"POST"},"input":{"url":"https://api.example/users/${steps.ask.outputs.formData.name}?q=${steps.ask.outputs.formData.name}",
		"headers":{"X-User":"${steps.ask.outputs.formData.name}"},"body":"{\"user\":\"${steps.ask.outputs.formData.name}\",\"fixed\":1}"},"outlets":{"SUCCEEDED":{"next":"done"}`
	if kind == "EXTERNAL_SERVICE_INVOKE" {
		step = `{"type":"EXTERNAL_SERVICE_INVOKE","configuration":{"externalService":{"id":"s1"},"request":{"id":"score"}},"input":{"name":"${steps.ask.outputs.formData.name}"},"outlets":{"INVOCATION_OUTPUT":{"next":"done"}`
	}
	for _, o := range outlets {
		step += `,"` + o + `":{"next":"by` + o + `"}`
	}
	return step + `}}`
}

// asks serves a definition that asks for a name, asks the outside about it and
// tells what came of that.
func asks(t *testing.T, o *outside, kind, result string, outlets ...string) *house {
	t.Helper()
	h := &house{t: t, town: newTown()}
	kinds := steps.Builtin(steps.Parts{APIRequests: o, ExternalServices: external.New(o, o, h.now)})
	body := `{"id":"d1","name":"D","enabled":true,"trigger":{"type":"EXPERIENCE","next":"ask"},"stepDefinitions":{
		"ask":{"type":"FORM","configuration":{"form":{"id":"f1"}},"outlets":{"SUBMITTED":{"next":"call"}}},"call":` + call(kind, outlets...) + `,
		"done":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"},"input":{"parameters":{"level":"${steps.call.outputs.` + result + `}"}}}`
	for _, name := range outlets {
		body += `,"by` + name + `":{"type":"TERMINATE_FLOW","input":{"error":{"code":"BY_` + name + `","message":"${steps.call.error.code}"}}}`
	}
	src, _, err := definition.Source(json.RawMessage(body+`}}`), resources{}, kinds)
	h.must(err)
	h.plan, err = definition.Compile(src, kinds)
	h.must(err)
	h.serve(kinds)
	return h
}

// begin opens the definition and waits for the name.
func (h *house) begin() *browser {
	h.t.Helper()
	b := &browser{h: h}
	v, _, err := h.Start(h.t.Context(), flow.Start{
		Env: env, Plans: []flow.Digest{h.plan.Hash}, Caller: b.caller(),
		Request: flow.Request{MaxAge: -1, Definition: "d1", ReturnTo: "https://app.example/back"},
	})
	h.must(err)
	b.keep(v)
	return b
}

func kindsOfCall() map[string]string {
	return map[string]string{"API_REQUEST": "body.score", "EXTERNAL_SERVICE_INVOKE": "level"}
}

func TestTheOutsideIsAskedAndAnswers(t *testing.T) {
	for kind, result := range kindsOfCall() {
		t.Run(kind, func(t *testing.T) {
			o := newOutside(t)
			b := asks(t, o, kind, result).begin()
			b.does("form.submit", flow.Values{"name": "Ada & \"Co\""}, flow.Completed)
			if !strings.Contains(b.Redirect, "level=low") {
				t.Errorf("went to %q", b.Redirect)
			}
			want := seen{"POST", "/users/Ada%20%26%20%22Co%22", "q=Ada%20%26%20%22Co%22", `Ada & "Co"`, `{"fixed":1,"user":"Ada & \"Co\""}`, ""}
			if kind == "EXTERNAL_SERVICE_INVOKE" {
				want.Path, want.Query, want.Body = "/score", "", `{"user":"Ada & \"Co\""}`
			}
			if len(o.seen) != 1 || len(o.seen[0].Key) != 32 {
				t.Fatalf("seen %+v", o.seen)
			}
			o.seen[0].Key = ""
			if diff := cmp.Diff([]seen{want}, o.seen); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAFailureGoesWhereItIsLed: by the outlet of its sort, else by ERROR, else the
// execution fails.
func TestAFailureGoesWhereItIsLed(t *testing.T) {
	for kind, result := range kindsOfCall() {
		for name, tt := range map[string]struct {
			code    string
			outlets []string
			want    string
		}{
			"a timeout":                     {"TIMEOUT", []string{"TIMEOUT", "UNAVAILABLE", "ERROR"}, "BY_TIMEOUT"},
			"a timeout by ERROR":            {"TIMEOUT", []string{"UNAVAILABLE", "ERROR"}, "BY_ERROR"},
			"a timeout that is not led":     {"TIMEOUT", []string{"UNAVAILABLE"}, "TIMEOUT"},
			"no room":                       {"TOO_MANY_INVOCATIONS", []string{"TIMEOUT", "UNAVAILABLE", "ERROR"}, "BY_UNAVAILABLE"},
			"no room that is not led":       {"TOO_MANY_INVOCATIONS", nil, "TOO_MANY_INVOCATIONS"},
			"a refused address":             {"MALICIOUS_URL", []string{"TIMEOUT", "UNAVAILABLE", "ERROR"}, "BY_ERROR"},
			"a refused address, not led on": {"MALICIOUS_URL", []string{"TIMEOUT", "UNAVAILABLE"}, "MALICIOUS_URL"},
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				o := newOutside(t)
				o.fails = tt.code
				h := asks(t, o, kind, result, tt.outlets...)
				b := h.begin()
				h.heard()
				b.does("form.submit", flow.Values{"name": "ada"}, flow.Failed)
				if b.Failure.Code != tt.want || strings.HasPrefix(tt.want, "BY_") && b.Failure.Message != tt.code {
					t.Errorf("fails with %+v", b.Failure)
				}
				if !slices.Contains(h.heard(), flow.ServiceFailed) {
					t.Error("nobody hears of it")
				}
			})
		}
	}
}

func TestAnAnswerThatCannotBeKeptIsAFailure(t *testing.T) {
	for kind, result := range kindsOfCall() {
		t.Run(kind, func(t *testing.T) {
			o := newOutside(t)
			o.serve = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"score":"`+strings.Repeat("x", 100<<10)+`"}`)
			}
			b := asks(t, o, kind, result, "ERROR").begin()
			b.does("form.submit", flow.Values{"name": "ada"}, flow.Failed)
			if b.Failure.Message != "OUTPUT_TOO_LARGE" {
				t.Errorf("fails with %+v", b.Failure)
			}
		})
	}
}

// TestATurnWithoutTimeIsContinued: a step that comes to its turn too late waits,
// and asks in the next one.
func TestATurnWithoutTimeIsContinued(t *testing.T) {
	for kind, result := range kindsOfCall() {
		t.Run(kind, func(t *testing.T) {
			o := newOutside(t)
			h := asks(t, o, kind, result)
			b := h.begin()
			late, cancel := context.WithTimeout(t.Context(), flow.CallTimeout-time.Second)
			defer cancel()
			v, err := h.Act(late, b.Ref, b.caller(), flow.Submit{Action: "form.submit", Values: flow.Values{"name": "ada"}, Token: b.Token})
			h.must(err)
			if b.keep(v); b.Status != flow.ContinueRequired || len(o.seen) != 0 {
				t.Fatalf("%s, seen %v", b.Status, o.seen)
			}
			if diff := cmp.Diff([]string{"continue", "session.reset"}, offered(b.View)); diff != "" {
				t.Error(diff)
			}
			b.fails("continue", flow.Values{"name": "eve"}, flow.InvalidData)
			b.does("continue", flow.Values{}, flow.Completed)
			if len(o.seen) != 1 || !strings.Contains(b.Redirect, "level=low") {
				t.Errorf("went to %q, seen %v", b.Redirect, o.seen)
			}
		})
	}
}

// TestARepeatAsksOnce: a submit that is sent again gets the answer of the first.
func TestARepeatAsksOnce(t *testing.T) {
	for kind, result := range kindsOfCall() {
		t.Run(kind, func(t *testing.T) {
			o := newOutside(t)
			h := asks(t, o, kind, result)
			b := h.begin()
			submit, caller := flow.Submit{Action: "form.submit", Values: flow.Values{"name": "ada"}, Token: b.Token}, b.caller()
			for range 3 {
				v, err := h.Act(t.Context(), b.Ref, caller, submit)
				h.must(err)
				if v.Status != flow.Completed {
					t.Error(v.Status)
				}
			}
			if len(o.seen) != 1 {
				t.Errorf("seen %v", o.seen)
			}
		})
	}
}

// TestWhatAPersonTypesStaysWhereItIsPut sends what would leave its place.
func TestWhatAPersonTypesStaysWhereItIsPut(t *testing.T) {
	for _, name := range []string{"x?y#z", "@evil.tld", "//evil.tld", "a&role=admin", `","role":"admin`, "${flow.id}", "é"} {
		o := newOutside(t)
		b := asks(t, o, "API_REQUEST", "body.score", "ERROR").begin()
		b.does("form.submit", flow.Values{"name": name}, flow.Completed)
		var body struct {
			User  string  `json:"user"`
			Fixed float64 `json:"fixed"`
		}
		s := o.seen[0]
		d := json.NewDecoder(strings.NewReader(s.Body))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil || d.More() || body.User != name || body.Fixed != 1 || strings.Count(s.Path, "/") != 2 || strings.ContainsAny(s.Query, "&#") {
			t.Errorf("%q arrives as %+v: %v", name, s, err)
		}
	}
	for _, name := range []string{"../../admin", "..", ".", "%2e%2e/", "a\u0001b"} {
		o := newOutside(t)
		b := asks(t, o, "API_REQUEST", "body.score", "ERROR").begin()
		b.does("form.submit", flow.Values{"name": name}, flow.Failed)
		if b.Failure.Message != "INVALID_DATA" || len(o.seen) != 0 {
			t.Errorf("%q fails with %+v, seen %v", name, b.Failure, o.seen)
		}
	}
}

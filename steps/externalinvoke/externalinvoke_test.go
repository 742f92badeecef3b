package externalinvoke_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/definition"
	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/runtime/verifier"
	"doorward/steps"
	"doorward/steps/externalinvoke"
)

var _ flow.Stepper = (*externalinvoke.Kind)(nil)

// service gives one answer and keeps what it was asked.
type service struct {
	outputs any
	err     error
	asked   []external.Invocation
}

func (s *service) Invoke(_ context.Context, in external.Invocation) (any, error) {
	s.asked = append(s.asked, in)
	return s.outputs, s.err
}

const id = "bbbbbbbb-0000-4000-8000-000000000001"

// document is the published external service, with its id.
func document(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../runtime/external/testdata/rec-external-service-create.json")
	if err != nil {
		t.Fatal(err)
	}
	return `{"id":"` + id + `",` + strings.TrimPrefix(strings.TrimSpace(string(b)), "{")
}

// small is a service with one request.
func small(request, response string) string {
	return `{"id":"s1","name":"S","requests":[{"name":"r","request":{"method":"GET","url":"https://api.example/a"` + request + `}` + response + `}]}`
}

func config(service, request string) json.RawMessage {
	return json.RawMessage(`{"externalService":` + service + `,"request":{"id":"` + request + `"}}`)
}

func checked(t *testing.T, service, request string) externalinvoke.Config {
	t.Helper()
	c, err := externalinvoke.New(nil).Check(config(service, request))
	if err != nil {
		t.Fatal(err)
	}
	return c.(externalinvoke.Config)
}

func turn(c any) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "invoke", c, time.Time{}, nil, 3, flow.Sum("submit"))
	t.Input = map[string]any{"userId": "u1"}
	return t
}

func TestAnInvocation(t *testing.T) {
	c := checked(t, document(t), "inputRequest")
	s, at := &service{outputs: map[string]any{"ok": true, "echo": "u1"}}, turn(c)
	out, err := externalinvoke.New(s).Enter(t.Context(), at)
	if diff := cmp.Diff(flow.Result("INVOCATION_OUTPUT").WithOutputs(map[string]any{"ok": true, "echo": "u1"}), out); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if len(s.asked) != 1 || s.asked[0].Request != c.Request {
		t.Fatalf("asked %v", s.asked)
	}
	s.asked[0].Request = nil
	if diff := cmp.Diff(external.Invocation{Env: "e1", ServiceID: id, Inputs: map[string]any{"userId": "u1"}, Key: at.CallKey()}, s.asked[0]); diff != "" {
		t.Error(diff)
	}
}

func TestWhatComesBack(t *testing.T) {
	invalid := &external.Error{Code: external.InvalidValue, Message: "m", Details: []flow.Detail{{Code: flow.RequiredValue, Target: "inputs.userId", Pointer: "/inputs/userId", Message: "d"}}}
	for name, tt := range map[string]struct {
		outputs any
		err     error
		want    flow.Outcome
	}{
		"an object":                {map[string]any{"a": json.Number("1")}, nil, flow.Result("INVOCATION_OUTPUT").WithOutputs(map[string]any{"a": json.Number("1")})},
		"a list":                   {[]any{"a"}, nil, flow.Result("INVOCATION_OUTPUT").WithOutputs(map[string]any{"value": []any{"a"}})},
		"a word":                   {"a", nil, flow.Result("INVOCATION_OUTPUT").WithOutputs(map[string]any{"value": "a"})},
		"nothing":                  {nil, nil, flow.Result("INVOCATION_OUTPUT").WithOutputs(map[string]any{})},
		"more than can be kept":    {strings.Repeat("a", 6<<10), nil, flow.CallFailed("OUTPUT_TOO_LARGE")},
		"an expression's failure":  {nil, &external.Error{Code: "EXPRESSION_ERROR", Message: "m"}, flow.CallFailed("EXPRESSION_ERROR")},
		"a timeout":                {nil, &external.Error{Code: "TIMEOUT"}, flow.CallFailed("TIMEOUT")},
		"an open breaker":          {nil, &external.Error{Code: "TOO_MANY_INVOCATIONS", Open: true}, flow.CallFailed("TOO_MANY_INVOCATIONS")},
		"a code that nobody knows": {nil, &external.Error{Code: "MOON"}, flow.CallFailed("INVOCATION_FAILED")},
		"an input that is missing": {nil, invalid, flow.FailWith(flow.Failure{Code: "INVALID_DATA", Message: flow.InvalidMessage, Details: []flow.Detail{{Code: flow.RequiredValue, Target: "userId", Message: "d"}}})},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := externalinvoke.New(&service{outputs: tt.outputs, err: tt.err}).Enter(t.Context(), turn(checked(t, document(t), "inputRequest")))
			if diff := cmp.Diff(tt.want, out); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestAFailureLeavesByTheOutletOfItsSort(t *testing.T) {
	for code, want := range map[string]string{
		"TIMEOUT": "TIMEOUT", "TOO_MANY_INVOCATIONS": "UNAVAILABLE",
		"SSL_HANDSHAKE_FAILED": "", "NO_HTTP_RESPONSE": "", "MALICIOUS_URL": "", "INVOCATION_FAILED": "", "INVOCATION_ERROR": "", "EXPRESSION_ERROR": "", "OUTPUT_TOO_LARGE": "",
	} {
		out := flow.CallFailed(code)
		if f := out.Failure; f.Code != code || out.Outlet != want || f.Message == "" || len(out.Events) != 1 || out.Events[0] != flow.ServiceFailed {
			t.Errorf("%s: %+v, %v", code, f, out.Events)
		}
	}
}

func TestATurnThatHasNoTimeLeftWaits(t *testing.T) {
	short, cancel := context.WithTimeout(t.Context(), flow.CallTimeout-time.Second)
	defer cancel()
	s := &service{outputs: map[string]any{}}
	k, at := externalinvoke.New(s), turn(checked(t, document(t), "inputRequest"))
	out, err := k.Enter(short, at)
	if diff := cmp.Diff(flow.Wait(flow.ContinueRequired), out); err != nil || diff != "" || len(s.asked) != 0 {
		t.Fatal(err, diff)
	}
	proceed := k.Meta().Actions[0]
	if out, err = proceed.Run(t.Context(), at, flow.Values{}); err != nil || out.Name != "INVOCATION_OUTPUT" || len(s.asked) != 1 || !proceed.Offered(out.Status+flow.ContinueRequired) {
		t.Error(out, err)
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	c := checked(t, document(t), "inputRequest")
	for name, tt := range map[string]struct {
		ctx    context.Context
		err    error
		config any
		want   flow.Code
	}{
		"a failure of ours":  {t.Context(), errors.New("no"), c, flow.Unavailable},
		"a client that left": {gone, &external.Error{Code: "INVOCATION_FAILED"}, c, flow.Unavailable},
		"no configuration":   {t.Context(), nil, nil, flow.Unexpected},
	} {
		out, err := externalinvoke.New(&service{err: tt.err}).Enter(tt.ctx, turn(tt.config))
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
}

func TestTheStepIsThatOfItsRequest(t *testing.T) {
	for name, tt := range map[string]struct{ service, request, input, output string }{
		"with schemas":       {document(t), "inputRequest", `{"type":"object","properties":{"userId":{"type":"string"}},"required":["userId"]}`, `{"type":"object","properties":{"ok":{"type":"boolean"},"echo":{"type":"string"}}}`},
		"without":            {document(t), "staticRequest", `{"type":"object","additionalProperties":false}`, `{"type":"object","properties":{"status":{"type":"integer"},"headers":{"type":"object"},"body":{}}}`},
		"that puts out text": {small("", `,"response":{"output":"'a'","outputSchema":"{\"type\":\"string\"}"}`), "r", `{"type":"object","additionalProperties":false}`, `{"type":"object","properties":{"value":{"type":"string"}},"required":["value"]}`},
		"or perhaps nothing": {small("", `,"response":{"output":"response.body","outputSchema":"{\"type\":[\"null\",\"object\"]}"}`), "r", `{"type":"object","additionalProperties":false}`, `{"type":["null","object"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := externalinvoke.New(nil).Step(flow.TriggerExperience, checked(t, tt.service, tt.request))
			for _, pair := range [][2]string{{string(s.Input), tt.input}, {string(s.Results[0].Output), tt.output}} {
				var got, want any
				if err := errors.Join(json.Unmarshal([]byte(pair[0]), &got), json.Unmarshal([]byte(pair[1]), &want)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	s := externalinvoke.New(nil).Step("", nil)
	if !s.FailsBy("TIMEOUT") || !s.FailsBy("UNAVAILABLE") || s.Waits || len(s.Secrets) != 0 || !s.References[0].Pinned {
		t.Errorf("%+v", s)
	}
}

func TestWhatAConfigurationTakes(t *testing.T) {
	for given, want := range map[string]string{
		`{}`: "takes", `[]`: "takes", `{"externalService":{},"request":{"id":"r"},"more":1}`: "takes",
		string(config(`{"id":"s1"}`, "r")):           "$.externalService.name",
		string(config(small("", ""), "other")):       "$.request.id: is the name of no request of this service; there are r",
		string(config(`{"id":"s","name":"S"}`, "r")): "there are none",
		string(config(small(`,"more":1`, ""), "r")):  "$.externalService.requests[0].request",
	} {
		if _, err := externalinvoke.New(nil).Check(json.RawMessage(given)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", given, err, want)
		}
	}
}

// library has one external service.
type library struct{ body string }

func (l library) Resource(kind, of string) (json.RawMessage, bool) {
	return json.RawMessage(l.body), kind == "externalService" && of == id
}

// TestThePublishedDefinitionIsSound: it is taken as it is, with the service as it
// was then, and nothing is wrong with it.
func TestThePublishedDefinitionIsSound(t *testing.T) {
	b, err := os.ReadFile("../../runtime/definition/testdata/rec-flow-external-service-invoke-experience.json")
	if err != nil {
		t.Fatal(err)
	}
	kinds := steps.Builtin(steps.Parts{})
	body := json.RawMessage(`{"id":"d1",` + strings.TrimPrefix(strings.TrimSpace(string(b)), "{"))
	src, _, err := definition.Source(body, library{document(t)}, kinds)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := definition.Compile(src, kinds)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := plan.Nodes["invoke"].Config.(externalinvoke.Config)
	if c.Service != id || c.Request == nil || c.Request.Name != "inputRequest" {
		t.Errorf("invokes %+v", c)
	}
	for _, f := range verifier.Check(plan, kinds) {
		if f.Severity == verifier.Error {
			t.Error(f)
		}
	}
	wrong := strings.Replace(string(body), `"userId"`, `"username"`, 1)
	_, _, err = definition.Source(json.RawMessage(wrong), library{document(t)}, kinds)
	if err == nil || !strings.Contains(err.Error(), "input.userId: is missing") {
		t.Errorf("an input that the request does not know: %v", err)
	}
	gone := strings.Replace(string(body), "inputRequest", "goneRequest", 1)
	_, _, err = definition.Source(json.RawMessage(gone), library{document(t)}, kinds)
	if err == nil || !strings.Contains(err.Error(), "configuration.request.id: is the name of no request") {
		t.Errorf("a request that is gone: %v", err)
	}
}

// Package externalinvoke is the step kind EXTERNAL_SERVICE_INVOKE: it invokes a
// request of an external service and puts out what that makes of the answer.
package externalinvoke

import (
	"bytes"
	"context"
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"doorward/runtime/document"
	"doorward/runtime/external"
	"doorward/runtime/flow"
)

//go:embed config.schema.json
var configSchema []byte

// Services invokes requests. An *external.Error says that there are no outputs;
// any other error is a failure of ours.
type Services interface {
	Invoke(ctx context.Context, in external.Invocation) (outputs any, err error)
}

const answered = "INVOCATION_OUTPUT"

// Kind is the step kind.
type Kind struct{ services Services }

// New makes the kind.
func New(services Services) *Kind { return &Kind{services} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "EXTERNAL_SERVICE_INVOKE",
		Doc:     "invokes a request of an external service",
		Source:  "reference/management.md 1.6, 1.8, 2.5, 2.6",
		Results: []string{answered},
		Actions: []flow.Action{flow.On("continue", k.proceed).In(flow.ContinueRequired).Labelled("page.continue", "Continue")},
	}
}

// Step describes the kind; with a configuration, with the inputs and outputs of
// that request.
func (*Kind) Step(_ string, config any) flow.Step {
	input, output := json.RawMessage(`{"type":"object"}`), json.RawMessage(`{"type":"object"}`)
	if c, ok := config.(Config); ok {
		input, output = inputs(c.Request), outputs(c.Request)
	}
	return flow.Step{
		Title: "Invoke External Service", Configuration: configSchema, Input: input, Failures: flow.CallFailures(),
		References: []flow.Reference{{Member: "externalService.id", Kind: "externalService", Pinned: true}},
		Results:    []flow.StepResult{{Name: answered, Title: "Invocation output", Doc: "The service has answered; response.output says what of it is put out.", Output: output}},
	}
}

// Config is what Check returns.
type Config struct {
	Service string // id
	Request *external.Request
}

// Check takes {"externalService":{...},"request":{"id":"NAME"}}, with the whole
// service. The error is a document.Faults.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Service json.RawMessage `json:"externalService"`
		Request struct {
			Name string `json:"id"`
		} `json:"request"`
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil || len(c.Service) == 0 {
		return nil, errors.New(`EXTERNAL_SERVICE_INVOKE takes {"externalService":{"id":"..."},"request":{"id":"..."}}`)
	}
	var faults document.Faults
	s, err := external.Compile(c.Service)
	if found := document.Faults(nil); errors.As(err, &found) {
		faults.Merge(document.Root.Member("externalService"), found)
		return nil, faults
	} else if err != nil {
		return nil, err
	}
	r, ok := s.Request(c.Request.Name)
	if !ok {
		faults.Add(document.Root.Member("request").Member("id"), "is the name of no request of this service; there are "+names(s))
		return nil, faults
	}
	return Config{s.ID, r}, nil
}

func names(s *external.Service) string {
	var out []string
	for _, r := range s.Requests() {
		out = append(out, r.Name)
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// Enter invokes the request, if the turn has the time for a call.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	c, ok := t.Config.(Config)
	switch {
	case !ok:
		return flow.Outcome{}, fmt.Errorf("EXTERNAL_SERVICE_INVOKE is configured with %T", t.Config)
	case !flow.CallTime(ctx):
		return flow.Wait(flow.ContinueRequired), nil
	}
	out, err := k.services.Invoke(ctx, external.Invocation{
		Env: t.Ref.Env, ServiceID: c.Service, Request: c.Request, Inputs: t.Input, Key: t.CallKey(),
	})
	failed := (*external.Error)(nil)
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // whoever sent this is gone, and may send it again
		return flow.Outcome{}, flow.Busy(ctx.Err())
	case errors.As(err, &failed):
		return refuse(failed), nil
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("invoke request: %w", err))
	}
	return flow.Answered(answered, object(out)), nil
}

// proceed invokes the request in a turn of its own.
func (k *Kind) proceed(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	return k.Enter(ctx, t)
}

// refuse is the failure of a call. What is wrong with an input is told by its name.
func refuse(e *external.Error) flow.Outcome {
	if e.Code != external.InvalidValue {
		return flow.CallFailed(e.Code)
	}
	f := flow.Failure{Code: string(flow.InvalidData), Message: flow.InvalidMessage}
	for _, d := range e.Details {
		f.Details = append(f.Details, flow.Detail{Code: d.Code, Target: strings.TrimPrefix(d.Target, "inputs."), Message: d.Message})
	}
	return flow.FailWith(f)
}

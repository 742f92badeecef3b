// Package apirequest is the step kind API_REQUEST: it sends one HTTP request that
// the definition writes out, and puts out the answer, whatever its status.
//
// What a person has typed is data in it: a segment of the path, the value of a
// parameter or a header, a value in the JSON of the body. It is never a host, a
// name or a piece of structure.
package apirequest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"doorward/runtime/external"
	"doorward/runtime/flow"
)

var (
	//go:embed config.schema.json
	configSchema []byte
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Requests sends requests. An *external.Error says that there is no answer that
// can be used; any other error is a failure of ours.
type Requests interface {
	Do(ctx context.Context, r Request) (Answer, error)
}

// Request is one request.
type Request struct {
	Env    string
	Origin string // of the URL, for who may be asked and how often: "https://api.example"
	Method string
	URL    string
	Header http.Header
	Body   []byte // nil: none
	Key    string // flow.Turn.CallKey: the same request has its effect once
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

const succeeded = "SUCCEEDED"

// Kind is the step kind.
type Kind struct{ requests Requests }

// New makes the kind.
func New(requests Requests) *Kind { return &Kind{requests} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "API_REQUEST",
		Doc:     "sends an HTTP request that is written out here",
		Source:  "reference/management.md 2.5, 2.6",
		Results: []string{succeeded},
		Actions: []flow.Action{flow.On("continue", k.proceed).In(flow.ContinueRequired).Labelled("page.continue", "Continue")},
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(_ string, config any) flow.Step {
	s := flow.Step{
		Title: "API Request", Configuration: configSchema, Input: inputSchema,
		Addresses: []string{"url"}, Documents: []string{"body"}, Failures: flow.CallFailures(),
		Results: []flow.StepResult{{Name: succeeded, Title: "Succeeded", Doc: "There is an answer, of any status.", Output: outputSchema}},
	}
	if m, ok := config.(method); ok {
		s.CheckInput = m.check
	}
	return s
}

// method is the configuration of a node.
type method string

// Check takes {"method":"GET"}.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Method string `json:"method"`
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("API_REQUEST takes a method: %w", err)
	}
	if methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}; !slices.Contains(methods, c.Method) {
		return nil, errors.New("method takes " + strings.Join(methods, ", "))
	}
	return method(c.Method), nil
}

// Enter sends the request, if the turn has the time for one.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	m, _ := t.Config.(method)
	r, failure := m.request(t.Input)
	switch {
	case m == "":
		return flow.Outcome{}, fmt.Errorf("API_REQUEST is configured with %T", t.Config)
	case failure != nil:
		return flow.FailWith(*failure), nil
	case !flow.CallTime(ctx):
		return flow.Wait(flow.ContinueRequired), nil
	}
	r.Env, r.Key = t.Ref.Env, t.CallKey()
	a, err := k.requests.Do(ctx, r)
	var outputs map[string]any
	if err == nil {
		outputs, err = a.outputs()
	}
	failed := (*external.Error)(nil)
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // whoever sent this is gone, and may send it again
		return flow.Outcome{}, flow.Busy(ctx.Err())
	case errors.As(err, &failed):
		return flow.CallFailed(failed.Code), nil
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("send request: %w", err))
	}
	return flow.Answered(succeeded, outputs), nil
}

// proceed sends the request in a turn of its own.
func (k *Kind) proceed(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	return k.Enter(ctx, t)
}

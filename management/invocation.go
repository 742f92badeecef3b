package management

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"doorward/runtime/external"
	"doorward/runtime/flow"
)

// Invoker calls requests of external services. The error is an *external.Error
// where the request has no outputs.
type Invoker interface {
	Invoke(ctx context.Context, in external.Invocation) (outputs any, err error)
}

// invoke calls a request as a step of a flow does, of the service as it is
// configured now. Source: reference/management.md 1.6.
func invoke(c *call) (*answer, error) {
	service, known := c.bundle.ExternalService(c.PathValue("id"))
	if !known {
		return nil, notFound()
	}
	name, err := url.PathUnescape(c.PathValue("request")) // names have spaces in them, and no %
	request, known := service.Request(name)
	if err != nil || !known {
		return nil, notFound()
	}
	inputs, err := c.inputs()
	if err != nil {
		return nil, err
	}
	key, err := c.idempotencyKey()
	if err != nil {
		return nil, err
	}
	c.api.record(c, flow.Event{Type: flow.ManagementInvoked, Reason: "externalService " + c.PathValue("id") + " " + request.Name})
	outputs, err := c.api.Invoker.Invoke(c.Context(), external.Invocation{Env: c.env, ServiceID: c.PathValue("id"), Request: request, Inputs: inputs, Key: key})
	if err != nil {
		return nil, uninvoked(err)
	}
	return ok(object{{"outputs", outputs}})
}

// inputs is the one member of an invocation, with its numbers as they are written.
func (c *call) inputs() (map[string]any, error) {
	if len(c.body) == 0 {
		return map[string]any{}, nil
	}
	v, err := c.document() // is strict
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if name != "inputs" {
			return nil, flow.Invalid(unknownMember(name, "inputs"))
		}
	}
	if _, is := v["inputs"].(map[string]any); v["inputs"] != nil && !is {
		return nil, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "inputs", Pointer: "/inputs", Message: "inputs takes an object."})
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.UseNumber()
	var in struct {
		Inputs map[string]any `json:"inputs"`
	}
	return in.Inputs, d.Decode(&in)
}

// idempotencyKey says that the call may be made again where its first try was not
// answered. The service is told it; empty: it was not sent.
func (c *call) idempotencyKey() (string, error) {
	key := c.Header.Get("Idempotency-Key")
	strange := func(r rune) bool { return r < '!' || r > '~' }
	if len(key) > 255 || strings.ContainsFunc(key, strange) {
		return "", invalidRequest(flow.Detail{Code: flow.InvalidParameter, Target: "Idempotency-Key", Message: "Idempotency-Key takes at most 255 printable characters without spaces."})
	}
	return key, nil
}

// uninvoked is the answer to a call without outputs: the code of the failure is
// that of its detail. Source: reference/management.md 1.8.
func uninvoked(err error) error {
	var e *external.Error
	switch {
	case !errors.As(err, &e):
		return unserved(err)
	case e.Code == external.InvalidValue:
		return flow.Invalid(e.Details...)
	}
	f := failed(append([]flow.Detail{{Code: e.Code, Message: e.Message}}, e.Details...)...)
	f.RetryAfter, f.Err = e.RetryAfter, e.Reason
	return f
}

package external

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorward/runtime/document"
	"doorward/runtime/expression"
	"doorward/runtime/flow"
)

// Outbound is one HTTP request. It is sent to Origin and nowhere else.
type Outbound struct {
	Env    string
	Target string // whose budgets it is under: the service's id, or a token endpoint's origin
	Origin string // "https://api.example"; URL begins with it
	Method string
	URL    string
	Header http.Header
	Body   []byte
	Key    string // an idempotency key, to be sent as such; empty: none
}

// Inbound is its answer, of any status but a redirect's.
type Inbound struct {
	Status int
	Header http.Header
	Body   []byte
}

// Sender makes one call. An Error among what it reports is passed on.
type Sender interface {
	Send(ctx context.Context, c Outbound) (Inbound, error)
}

// Secrets are the values that are kept beside a service's document, by the names
// that Seal gives them, for calls to these origins. flow.ErrUnknown: there is none.
// ErrMoved: the service, as it is now, calls one of them no more, so that what it
// holds by now is not for them.
type Secrets interface {
	Secret(ctx context.Context, env, service, name string, origins []string) (string, error)
}

// ErrMoved says that a service has been given other addresses.
var ErrMoved = errors.New("the external service has moved")

// Services invokes requests.
type Services struct {
	sender  Sender
	secrets Secrets
	now     func() time.Time
	tokens  *tokens
}

// New makes Services.
func New(sender Sender, secrets Secrets, now func() time.Time) *Services {
	return &Services{sender, secrets, now, newTokens()}
}

// Invocation is one call of a request.
type Invocation struct {
	Env, ServiceID string
	Request        *Request
	Inputs         map[string]any // decoded JSON
	Key            string         // what a repeat of this very call is known by; empty: none
}

// maxInputs is what the inputs of one call may come to, in bytes of JSON.
const maxInputs = 64 << 10

// Invoke makes the call and returns its outputs, decoded JSON with json.Number.
// All of it, the token that it may need included, ends after flow.CallTimeout. The
// error is an *Error.
func (s *Services) Invoke(ctx context.Context, in Invocation) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, flow.CallTimeout)
	defer cancel()
	at := s.now()
	now := func() time.Time { return at } // the same wherever a text is evaluated
	inputs, err := in.Request.accept(in.Inputs)
	if err != nil {
		return nil, err
	}
	secrets, err := s.open(ctx, in)
	if err != nil {
		return nil, err
	}
	root := map[string]any{rootInputs: inputs, rootVariables: in.Request.service.variables, rootSecrets: secrets}
	out, err := in.Request.outbound(expression.Context{Root: root, Now: now}.Together())
	if err != nil {
		return nil, err
	}
	out.Env, out.Target, out.Key = in.Env, in.ServiceID, in.Key
	answer, err := s.send(ctx, in, out)
	if err != nil {
		return nil, err
	}
	delete(root, rootSecrets)
	return in.Request.outputs(root, answer, now)
}

// accept is the inputs as the schema takes them: every one that the request reads
// is there. Source: reference/management.md 1.6.
func (r *Request) accept(inputs map[string]any) (map[string]any, error) {
	raw, err := json.Marshal(inputs)
	if err != nil || len(raw) > maxInputs {
		return nil, refusedInputs(document.Faults{{Path: document.Root, Message: fmt.Sprintf("take at most %d bytes of JSON", maxInputs)}})
	}
	v, err := decode(raw)
	switch {
	case errors.Is(err, document.ErrNumber):
		return nil, refusedInputs(document.Faults{{Path: document.Root, Message: fmt.Sprintf("take numbers below 1e308, of at most %d digits", document.LongestNumber)}})
	case err != nil:
		return nil, refusedInputs(document.Faults{{Path: document.Root, Message: "are nested too deeply"}})
	}
	given, _ := v.(map[string]any)
	if given == nil {
		given = map[string]any{}
	}
	faults := r.input.judge(given)
	for _, name := range r.inputs {
		at := document.Root.Member(name)
		said := slices.ContainsFunc(faults, func(f document.Fault) bool { return f.Path == at })
		if _, is := given[name]; !is && !said {
			faults.AddCode(at, flow.RequiredValue, "is required")
		}
	}
	if len(faults) > 0 {
		return nil, refusedInputs(faults)
	}
	return given, nil
}

func refusedInputs(faults document.Faults) *Error {
	e := &Error{Code: InvalidValue, Message: "The inputs are not as the request takes them."}
	slices.SortStableFunc(faults, func(a, b document.Fault) int { return strings.Compare(string(a.Path), string(b.Path)) })
	for _, f := range faults {
		at := f.Path.Under("inputs")
		if f.Code == "" {
			f.Code = flow.InvalidValue
		}
		e.Details = append(e.Details, flow.Detail{
			Code: f.Code, Target: string(at), Pointer: "/inputs" + f.Path.Pointer(), Message: string(at) + " " + f.Message + ".",
		})
	}
	return e
}

// open reads the secrets that the request names.
func (s *Services) open(ctx context.Context, in Invocation) (map[string]any, error) {
	out := make(map[string]any, len(in.Request.secrets))
	for _, name := range in.Request.secrets {
		value, err := s.secret(ctx, in, "secrets/"+name, "The secret "+strconv.Quote(name)+" has no value.")
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

// outbound is the request, without who is calling.
func (r *Request) outbound(ctx expression.Context) (Outbound, error) {
	to, err := r.located(ctx)
	if err != nil {
		return Outbound{}, err
	}
	out := Outbound{Origin: to.Origin, Method: r.Method, URL: to.String(), Header: http.Header{"Accept": {"application/json"}}}
	if r.body != nil {
		out.Header.Set("Content-Type", "application/json")
		if out.Body, err = r.written(ctx); err != nil {
			return Outbound{}, err
		}
	}
	for _, h := range r.headers {
		value, err := h.written(ctx)
		if err != nil {
			return Outbound{}, err
		}
		out.Header.Set(h.name, value)
	}
	return out, weigh(out.Header)
}

// written is the body, by an encoder.
func (r *Request) written(ctx expression.Context) ([]byte, error) {
	v, err := r.body.eval(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, &Error{Code: ExpressionError, Message: "What request.body.template comes to cannot be written as JSON.", Reason: err}
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// written is the value of a header.
func (h *header) written(ctx expression.Context) (string, error) {
	v, err := h.value.eval(ctx)
	if err != nil {
		return "", err
	}
	switch v.(type) {
	case nil, []any, map[string]any:
		return "", misconfigured("The header " + h.name + " comes to nothing, or to a list or an object. A header is a string, a number, true or false.")
	}
	value := fmt.Sprint(v)
	if complaint := ValueFault(value); complaint != "" {
		return "", misconfigured("The header " + h.name + " is not sent: its value " + complaint + ".")
	}
	return value, nil
}

// weigh holds all headers together to a size.
func weigh(headers http.Header) error {
	size := 0
	for name, values := range headers {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > maxHeader {
		return misconfigured(fmt.Sprintf("The headers of the request have more than %d bytes together.", maxHeader))
	}
	return nil
}

// outputs is what the answer comes to. Source: reference/management.md 1.6.
func (r *Request) outputs(root map[string]any, in Inbound, now func() time.Time) (any, error) {
	var body any
	if r.readsBody {
		var err error
		if body, err = ParseAnswer(in.Status, in.Header, in.Body); err != nil {
			return nil, &Error{Code: NoResponse, Message: "The external service answered with something else than one JSON value.", Reason: err}
		}
	}
	var out any = AnswerValue(in.Status, in.Header, body)
	if r.output != nil {
		root[rootResponse] = out
		var err error
		if out, err = r.output.eval(expression.Context{Root: root, Now: now}); err != nil {
			return nil, err
		}
	}
	raw, err := json.Marshal(out)
	if err == nil {
		out, err = decode(raw)
	}
	if err != nil {
		return nil, &Error{Code: ExpressionError, Message: "What response.output comes to cannot be written as JSON.", Reason: err}
	}
	if faults := r.out.judge(out); len(faults) > 0 {
		e := misconfigured("The outputs do not fit the output schema: ")
		if in.Status >= http.StatusBadRequest { // the service has said why, and not the configuration is to blame
			e = &Error{Code: NoResponse, Message: fmt.Sprintf("The external service answered with status %d, and the outputs do not fit the output schema: ", in.Status)}
		}
		e.Message += string(faults[0].Path.Under("outputs")) + " " + faults[0].Message + "."
		return nil, e
	}
	return out, nil
}

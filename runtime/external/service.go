package external

import (
	"encoding/json"
	"slices"
)

// Service is a compiled document. It never changes.
type Service struct {
	ID, Name  string
	variables map[string]any
	schemes   []scheme
	requests  []*Request
}

// Request is one request of a service, by the name that it is invoked by.
type Request struct {
	Name, DisplayName, Description string
	Method                         string

	service   *Service
	url       *text
	address   Address // that url comes to with inputs of ours
	headers   []header
	body      *text
	scheme    *scheme
	output    *text // nil: the whole answer
	input     *schema
	out       *schema
	inputs    []string
	secrets   []string
	readsBody bool // the outputs take more of an answer than its head
}

// header is a header of a request. The name is as it was written.
type header struct {
	name  string
	value *text
}

// Request is the request of a name.
func (s *Service) Request(name string) (*Request, bool) {
	i := slices.IndexFunc(s.requests, func(r *Request) bool { return r.Name == name })
	if i < 0 {
		return nil, false
	}
	return s.requests[i], true
}

// Requests are all of them, as the document orders them.
func (s *Service) Requests() []*Request { return slices.Clone(s.requests) }

// Inputs are the names of inputs.* that the configuration reads, sorted. Source:
// reference/management.md 1.4 inputs.
func (r *Request) Inputs() []string { return slices.Clone(r.inputs) }

// Secrets are the names of the service's secrets that a call needs, sorted.
func (r *Request) Secrets() []string { return slices.Clone(r.secrets) }

// InputSchema is the JSON Schema of the inputs; nil: none.
func (r *Request) InputSchema() json.RawMessage { return r.input.source() }

// OutputSchema is the JSON Schema of the outputs; nil: none.
func (r *Request) OutputSchema() json.RawMessage { return r.out.source() }

// Origin is scheme, host and port that every call goes to.
func (r *Request) Origin() string { return r.address.Origin }

// origins are where what a call is signed with goes to.
func (r *Request) origins() []string {
	out := []string{r.address.Origin}
	if r.scheme != nil && r.scheme.kind == oauth {
		out = append(out, r.scheme.endpoint.Origin)
	}
	return out
}

// Calls reports whether requests of the service go to all of these origins.
func (s *Service) Calls(origins []string) bool {
	for _, origin := range origins {
		if !slices.ContainsFunc(s.requests, func(r *Request) bool { return slices.Contains(r.origins(), origin) }) {
			return false
		}
	}
	return true
}

// The roots of expressions. Source: reference/management.md 1.7.
const (
	rootInputs    = "inputs"
	rootVariables = "variables"
	rootSecrets   = "secrets"
	rootResponse  = "response"
)

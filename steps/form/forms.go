package form

import (
	"encoding/json"
	"sync"

	"doorward/runtime/form"
)

// mostForms is how many compiled forms are remembered. Past it all are forgotten,
// and compiled again where they are needed.
const mostForms = 256

// forms are compiled once each: a form is checked when its plan is made, again
// when the plan is compiled, and in every definition and policy that takes it in.
type forms struct {
	mu       sync.Mutex
	compiled map[string]*form.Form
}

func (s *forms) compile(body json.RawMessage) (*form.Form, error) {
	s.mu.Lock()
	f := s.compiled[string(body)]
	s.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := form.Compile(body) // by two at once, if need be, rather than that one waits
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.compiled == nil || len(s.compiled) >= mostForms {
		s.compiled = map[string]*form.Form{}
	}
	s.compiled[string(body)] = f
	return f, nil
}

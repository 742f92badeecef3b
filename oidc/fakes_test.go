package oidc_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/oidc"
	"doorward/runtime/flow"
	"doorward/wire"
)

// engine completes at once when the session answers, and waits otherwise.
type engine struct {
	mu      sync.Mutex
	user    flow.Subject
	ends    error // of SignOff
	now     func() time.Time
	sso     bool
	err     error
	status  string // of what Resume finds; empty: completed
	started []flow.Start
	ended   int
}

func (e *engine) Start(_ context.Context, s flow.Start) (flow.View, *flow.Completion, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.started = append(e.started, s)
	v := flow.View{Ref: flow.Ref{Env: s.Env, ID: uuid.NewString()}, Status: "USERNAME_PASSWORD_REQUIRED", PiFlow: s.Request.PiFlow, Application: s.Request.Application}
	switch {
	case e.err != nil:
		return flow.View{}, nil, e.err
	case e.sso && !s.Request.Fresh:
		v.Status = flow.Completed
		return v, e.completion(v.Ref, s.Request), nil
	case s.Silent:
		return flow.View{}, nil, flow.ErrInteractionRequired
	}
	v.Cookie = "new-st"
	if s.FlowToken && s.Request.PiFlow {
		v.FlowToken = "new-token"
	}
	return v, nil, nil
}

func (e *engine) completion(ref flow.Ref, r flow.Request) *flow.Completion {
	return &flow.Completion{Ref: ref, User: e.user, SessionID: "5e551017-0000-4000-8000-000000000001", AMR: []string{"pwd"}, ACR: "Single_Factor", AuthTime: e.now(), Request: r, Code: "code-of-" + ref.ID}
}

func (e *engine) Resume(_ context.Context, ref flow.Ref, c flow.Caller) (flow.View, *flow.Completion, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.started) == 0 || c.Cookie == "foreign" {
		return flow.View{}, nil, flow.Gone()
	}
	r := e.started[len(e.started)-1].Request
	v := flow.View{Ref: ref, Status: e.status, PiFlow: r.PiFlow, Application: r.Application, ReturnTo: r.ReturnTo, Payload: r.Payload}
	switch e.status {
	case "":
		v.Status = flow.Completed
		return v, e.completion(ref, r), nil
	case flow.Failed:
		v.Failure = &flow.Failure{Code: "ACCOUNT_DISABLED", Message: "The account is disabled."}
	}
	return v, nil, nil
}

func (e *engine) Present(_ context.Context, _ string, c flow.Caller) (*flow.Session, error) {
	if c.Cookie == "" {
		return nil, nil
	}
	return &flow.Session{ID: "5e551017-0000-4000-8000-000000000001", User: e.user}, nil
}

func (e *engine) SignOff(_ context.Context, _ string, c flow.Caller, _ string) (string, error) {
	if c.Cookie == "" || e.ends != nil {
		return "", e.ends
	}
	e.ended++
	return "5e551017-0000-4000-8000-000000000001", nil
}

func (e *engine) last() flow.Start {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.started[len(e.started)-1]
}

type events struct {
	mu   sync.Mutex
	list []flow.Event
}

func (e *events) Record(_ context.Context, ev flow.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

func (e *events) count(t flow.EventType) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if ev.Type == t {
			n++
		}
	}
	return n
}

// pages is the plainest renderer there can be.
type pages struct{}

func (pages) Flow(w http.ResponseWriter, _ *http.Request, _ *configs.Bundle, v flow.View, a *oidc.Answer) {
	w.Header().Set("Content-Type", "application/hal+json")
	var more []flow.Member
	if a != nil {
		more = append(more, wire.AuthorizeResponse(a.Code, a.State, a.Issuer))
	}
	_, _ = w.Write(wire.Encode(v, wire.Place{}, more...))
}

func (pages) Problem(w http.ResponseWriter, r *http.Request, _ *configs.Bundle, f *flow.Fault) {
	status, body, header := wire.Problem(f, uuid.NewString(), wire.Place{})
	for k, v := range header {
		w.Header().Set(k, v)
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body = []byte("<p>" + html.EscapeString(f.Message) + "</p>")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (pages) SignOff(w http.ResponseWriter, _ *configs.Bundle, p oidc.SignOffPage) {
	_ = json.NewEncoder(w).Encode(p)
}

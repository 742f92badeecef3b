package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
	"doorward/steps"
)

const (
	envID    = "d0000000-0000-4000-8000-000000000001"
	otherEnv = "e0000000-0000-4000-8000-000000000001" // same host
	farEnv   = "f0000000-0000-4000-8000-000000000001" // https, another host
	farHost  = "login.example.com"
	webApp   = "d0000000-0000-4000-8000-0000000000a1"
	flowID   = "03e52d0a-c55a-4807-889b-cd14f74ec4c5"
	nobodys  = "11111111-c55a-4807-889b-cd14f74ec4c5"
	owner    = "cookie-of-the-owner"
	custom   = "https://login.app.example" // origin that the web application allows
	check    = "application/vnd.pingidentity.usernamePassword.check+json"
	reset    = "application/vnd.pingidentity.session.reset+json"
)

// engine is scripted: one execution that belongs to one cookie and ends when ada
// signs on.
type engine struct {
	mu      sync.Mutex
	view    flow.View
	token   string // Flow-Token that is taken; empty: none
	err     error  // what Act returns instead of acting
	before  func() // runs at the start of Act
	down    error  // what View returns instead of looking
	submits []flow.Submit
	callers []flow.Caller

	starts   []flow.Start
	returned []string // executions that were brought back
	answers  []flow.Values
	stranger bool       // it belongs to any browser
	next     *flow.View // what the next action leads to
}

func (e *engine) View(_ context.Context, ref flow.Ref, c flow.Caller) (flow.View, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.callers = append(e.callers, c)
	if e.down != nil {
		return flow.View{}, e.down
	}
	if ref != e.view.Ref || !e.stranger && c.Cookie != owner && (e.token == "" || c.Cookie != "" || c.FlowToken != e.token) {
		return flow.View{}, flow.Gone()
	}
	return e.view, nil
}

func (e *engine) Act(ctx context.Context, ref flow.Ref, c flow.Caller, s flow.Submit) (flow.View, error) {
	if e.before != nil {
		e.before()
	}
	v, err := e.View(ctx, ref, c)
	if err != nil {
		return v, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	o, offered := v.Find(s.Action)
	if s.Form != nil && offered {
		if s.Values, err = s.Form.Read(o.Fields); err != nil {
			return v, err
		}
	}
	e.submits = append(e.submits, s)
	if e.err != nil {
		return flow.View{}, e.err
	}
	switch {
	case !offered:
		return flow.View{}, &flow.Fault{Code: flow.InvalidRequest, Message: "Not offered now.", Details: []flow.Detail{{Code: flow.ActionNotOffered, Message: s.Action}}, View: &v}
	case e.next != nil:
		e.view, e.next = *e.next, nil
		return e.view, nil
	case s.Action == "user.sendVerificationCode":
		return e.view, nil
	case s.Action == "session.reset":
		e.view.User = flow.Subject{}
		return e.view, nil
	}
	var in struct {
		Username string `json:"username" required:"true" max:"128"`
		Password string `json:"password" required:"true"`
	}
	if f := flow.Bind(s.Values, flow.FieldsOf[struct {
		Username string `json:"username" required:"true" max:"128"`
		Password string `json:"password" required:"true"`
	}](), &in); f != nil {
		f.View = &v
		return flow.View{}, f
	}
	if in.Username != "ada" || in.Password != "right" {
		f := flow.Invalid(flow.Detail{Code: flow.InvalidCredentials, Target: "password", Message: "Incorrect username or password. Please try again."})
		f.View = &v
		return flow.View{}, f
	}
	e.view.Status, e.view.Offers, e.view.Token = flow.Completed, nil, "t2"
	e.view.User = flow.Subject{ID: "831441df-b71f-473c-8871-c0af518ad851", Username: "ada"}
	v = e.view
	v.Cookie = "rotated"
	return v, nil
}

func (e *engine) Start(_ context.Context, s flow.Start) (flow.View, *flow.Completion, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.starts = append(e.starts, s)
	v := e.view
	v.Definition, v.Cookie = s.Request.Definition, "begun"
	return v, nil, nil
}

func (e *engine) Return(ctx context.Context, ref flow.Ref, from string, c flow.Caller) (flow.View, error) {
	e.mu.Lock()
	e.returned = append(e.returned, from)
	e.mu.Unlock()
	return e.View(ctx, ref, c)
}

// Callback leads on whoever comes back with the code "good".
func (e *engine) Callback(ctx context.Context, ref flow.Ref, c flow.Caller, values flow.Values) (flow.View, error) {
	v, err := e.View(ctx, ref, c)
	if err != nil {
		return v, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers = append(e.answers, values)
	if e.err != nil {
		return flow.View{}, e.err
	}
	e.view.External.Challenge[0]++
	if v = e.view; values["code"] != "good" {
		return flow.View{}, &flow.Fault{Code: flow.RequestFailed, Details: []flow.Detail{{Code: flow.ExternalFailed}}, View: &v}
	}
	e.view.Status, e.view.External, e.view.Offers = flow.Completed, nil, nil
	v = e.view
	v.Cookie = "rotated"
	return v, nil
}

func (e *engine) seen() []flow.Submit {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.submits)
}

// house is a Server behind a real listener.
type house struct {
	*httpapi.Server
	t      testing.TB
	engine *engine
	base   string // http://127.0.0.1:port
	addr   string
	log    *lockedBuffer
	events *events
	routes *routes
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
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

func (e *events) types() (out []flow.EventType) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		out = append(out, ev.Type)
	}
	return out
}

type routes struct {
	mu   sync.Mutex
	seen map[string]int // "route status"
}

func (r *routes) Observe(route string, status int, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[route+" "+http.StatusText(status)]++
}

func (r *routes) count(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[key]
}

// open starts a house; change may alter its parts before it is built, and more
// its routes.
func open(t testing.TB, change func(*httpapi.Parts), more func(*httpapi.Server)) *house {
	t.Helper()
	return openBeside(t, "https://op.partner.example", change, more)
}

// openBeside is open, with the identity providers of the demo at a host.
func openBeside(t testing.TB, host string, change func(*httpapi.Parts), more func(*httpapi.Server)) *house {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, addr: ln.Addr().String(), base: "http://" + ln.Addr().String(), log: &lockedBuffer{}, events: &events{}, routes: &routes{seen: map[string]int{}}}
	kinds := steps.Builtin(steps.Parts{})
	parts := httpapi.Parts{
		Tenants: tenants(t, h.base, host, kinds), Metrics: h.routes, Events: h.events, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(h.log, nil)),
	}
	for _, k := range kinds {
		parts.Actions = append(parts.Actions, k.Meta().Actions...)
	}
	credentials := slices.IndexFunc(parts.Actions, func(a flow.Action) bool { return a.Name == "usernamePassword.check" })
	h.engine = &engine{view: flow.View{
		Ref: flow.Ref{Env: envID, ID: flowID}, Status: "USERNAME_PASSWORD_REQUIRED", Token: "t1", Application: webApp, ReturnTo: "https://shop.example.com/callback?x=1",
		Offers:    []flow.Offer{{Name: "usernamePassword.check", Prompt: flow.Text{Default: "Sign on"}, Fields: parts.Actions[credentials].Fields}, {Name: "session.reset"}},
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(flow.Idle),
	}}
	parts.Engine = h.engine
	if change != nil {
		change(&parts)
	}
	if h.Server, err = httpapi.New(parts); err != nil {
		t.Fatal(err)
	}
	if more != nil {
		more(h.Server)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = h.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return h
}

// reply is an answer that was read whole.
type reply struct {
	*http.Response
	body string
}

func (r reply) problem(t *testing.T) (p struct {
	ID, Code, Message string
	Details           []struct{ Code, Target, Message string }
	Links             map[string]struct{ Href string } `json:"_links"`
	Embedded          map[string]any                   `json:"_embedded"`
},
) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("%d %q: %v", r.StatusCode, r.body, err)
	}
	return p
}

// ask sends a request as the owner's browser would; header lines are "Name: value",
// and a line "Cookie:" takes the cookie away.
func (h *house) ask(method, path, body string, header ...string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.base+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Cookie", "ST="+owner)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case name == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		case name == "Cookie":
			r.Header.Set(name, value)
		default:
			r.Header[name] = append(r.Header[name], value)
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{res, string(b)}
}

// raw writes bytes to a socket and reads everything until the server closes it or
// wait is over.
func (h *house) raw(wait time.Duration, request string) string {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(wait))
	if _, err := io.WriteString(c, strings.ReplaceAll(request, "HOST", h.addr)); err != nil {
		h.t.Log("write:", err)
	}
	b, _ := io.ReadAll(bufio.NewReader(c))
	return string(b)
}

func flowPath(env, id string) string { return "/" + env + "/flows/" + id }

const (
	thisFlow = "/" + envID + "/flows/" + flowID
	thisPage = "/" + envID + "/signon/?flowId=" + flowID
)

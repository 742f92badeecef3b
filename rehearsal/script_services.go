package rehearsal

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scriptService says what becomes of calls.
type scriptService struct {
	line   int
	method string // empty: any
	url    string // a * stands for anything
	times  int    // calls that it answers; 0: all
	reply  Reply
}

// wantedCall is a call that is looked for: the first that no step has taken yet. What
// is not said of it is not looked at.
type wantedCall struct {
	none    bool // there is to be none
	method  string
	url     string            // a * stands for anything
	headers map[string]string // likewise, with ${...}
	body    any               // with ${...}
	bodied  bool              // there is one
}

// callFailed is the code of a failure of which nothing better can be said.
const callFailed = "INVOCATION_FAILED"

// callFailures are the codes that a call may fail with. Source:
// reference/management.md 1.8.
func callFailures() []string {
	return []string{"TIMEOUT", "TOO_MANY_INVOCATIONS", "NO_HTTP_RESPONSE", "SSL_HANDSHAKE_FAILED", "MALICIOUS_URL", "INVOCATION_ERROR", callFailed}
}

func (r *scriptReader) service(n *yaml.Node) scriptService {
	m := r.members(n, "a service", "method", "url", "times", "answer", "fails")
	s := scriptService{line: n.Line, method: strings.ToUpper(r.text(m["method"], "method")), url: r.text(m["url"], "url")}
	if v := m["times"]; v != nil {
		times, err := strconv.Atoi(v.Value)
		if err != nil || times < 1 {
			r.fault(v, "times takes how many calls are answered: 1 or more")
		}
		s.times = times
	}
	switch {
	case n.Kind != yaml.MappingNode:
	case s.url == "":
		r.fault(n, "url is missing: where the service is called; * is anything in it")
	case (m["answer"] == nil) == (m["fails"] == nil):
		r.fault(n, "give either answer, or fails: %s", strings.Join(callFailures(), ", "))
	case m["answer"] != nil:
		s.reply = r.answer(m["answer"])
	default:
		s.reply.Fails = r.text(m["fails"], "fails")
		if !slices.Contains(callFailures(), s.reply.Fails) {
			r.fault(m["fails"], "fails takes %s", strings.Join(callFailures(), ", "))
		}
	}
	return s
}

// answer has a body of JSON, unless its headers say that it is something else.
func (r *scriptReader) answer(n *yaml.Node) Reply {
	m := r.members(n, "answer", "status", "headers", "body")
	a := Reply{Status: http.StatusOK, Header: http.Header{}}
	if v := m["status"]; v != nil {
		status, err := strconv.Atoi(v.Value)
		if err != nil || status < 200 || status > 599 || status/100 == 3 {
			r.fault(v, "status takes 200 to 299 and 400 to 599: redirects have been followed by then")
		}
		a.Status = status
	}
	for name, value := range r.texts(m["headers"], "headers") {
		a.Header.Set(name, value)
	}
	body := m["body"]
	if body == nil {
		return a
	}
	if kind := a.Header.Get("Content-Type"); kind != "" && !strings.Contains(strings.ToLower(kind), "json") {
		a.Body = []byte(r.text(body, "a body of "+kind))
		return a
	}
	if a.Header.Get("Content-Type") == "" {
		a.Header.Set("Content-Type", "application/json")
	}
	a.Body, _ = json.Marshal(r.value(body, "body"))
	return a
}

func (r *scriptReader) call(n *yaml.Node) *wantedCall {
	if n.Kind == yaml.ScalarNode && n.Value == "none" {
		return &wantedCall{none: true}
	}
	m := r.members(n, "call", "method", "url", "headers", "body")
	w := &wantedCall{method: strings.ToUpper(r.text(m["method"], "method")), url: r.text(m["url"], "url"), headers: r.texts(m["headers"], "headers")}
	if m["body"] != nil {
		w.body, w.bodied = r.value(m["body"], "body"), true
	}
	return w
}

package journey

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// inside matches what only somebody inside should see: stacks, SQL, the words of
// stores and of the network, and folders of the machine.
var inside = regexp.MustCompile(`(?i)goroutine \d|\.go:\d|panic:|runtime error|sqlite|\bselect\b.+\bfrom\b|syntax error|redis|noscript|evalsha|wrongtype|dial tcp|connection refused|i/o timeout|context deadline|argon2|/tmp/|` + regexp.QuoteMeta(volume()))

// volume is the topmost folder of where this project lies, "/home/" perhaps.
func volume() string {
	here, err := os.Getwd()
	if err != nil {
		return "/home/"
	}
	top, _, _ := strings.Cut(strings.TrimPrefix(filepath.ToSlash(here), "/"), "/")
	return "/" + top + "/"
}

// statuses are those that a code of an error body may come with.
func statuses(code string) []int {
	switch code {
	case "INVALID_DATA", "INVALID_REQUEST", "REQUEST_FAILED":
		return []int{http.StatusBadRequest}
	case "INVALID_TOKEN":
		return []int{http.StatusUnauthorized}
	case "ACCESS_FAILED":
		return []int{http.StatusForbidden}
	case "NOT_FOUND":
		return []int{http.StatusNotFound}
	case "METHOD_NOT_ALLOWED":
		return []int{http.StatusMethodNotAllowed}
	case "CONFLICT":
		return []int{http.StatusConflict}
	case "REQUEST_TOO_LARGE":
		return []int{http.StatusRequestEntityTooLarge}
	case "UNSUPPORTED_MEDIA_TYPE":
		return []int{http.StatusUnsupportedMediaType}
	case "MISDIRECTED_REQUEST":
		return []int{http.StatusMisdirectedRequest}
	case "REQUEST_LIMITED":
		return []int{http.StatusTooManyRequests}
	case "UNEXPECTED_ERROR":
		return []int{http.StatusInternalServerError}
	case "SERVICE_UNAVAILABLE":
		return []int{http.StatusServiceUnavailable}
	}
	return nil
}

// judge holds an answer to what every answer must be.
func (c *Client) judge(a *Answer) {
	c.tb.Helper()
	fault := func(what string) {
		c.tb.Helper()
		c.tb.Errorf("%s: %d %s\n%v\n%s", a.request, a.Status, what, a.Header, a.text())
	}
	if a.Status == http.StatusInternalServerError {
		fault("is an error of ours")
	}
	if got := a.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		fault("may be sniffed")
	}
	if cached := a.Header.Get("Cache-Control"); cached != "no-store" && (a.Status >= http.StatusBadRequest || !public(a.path)) {
		fault("may be kept")
	}
	if a.Status < http.StatusBadRequest {
		return
	}
	for _, s := range c.site.inner {
		if strings.Contains(string(a.Body), s) {
			fault("shows " + s)
		}
	}
	if s := inside.Find(a.Body); s != nil {
		fault("shows " + string(s))
	}
	switch kind := a.Header.Get("Content-Type"); {
	case strings.HasPrefix(kind, "text/html"):
	case !strings.HasPrefix(kind, "application/json"):
		fault("is no JSON")
	case a.Refusal() != "":
		c.oauth(a, fault)
	default:
		c.problem(a, fault)
	}
	if (a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable) && a.Header.Get("Retry-After") == "" {
		fault("does not say when to try again")
	}
}

// oauth holds an error of the token endpoint to its form. Source: RFC 6749 5.2.
func (*Client) oauth(a *Answer, fault func(string)) {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if strict(a.Body, &e) != nil || e.Description == "" {
		fault("is no OAuth error")
	}
}

// problem holds an error body to its schema and keeps its id.
func (c *Client) problem(a *Answer, fault func(string)) {
	var p Problem
	if err := strict(a.Body, &p); err != nil {
		fault("is no error body: " + err.Error())
		return
	}
	switch {
	case uuid.FindString(p.ID) != p.ID || p.ID == "":
		fault("has no id")
	case !slices.Contains(statuses(p.Code), a.Status) && (!managed(a.path) || !documented(p.Code, a.Status)):
		fault("does not go with the code")
	case p.Message == "":
		fault("says nothing")
	case p.Links == nil || len(p.Links) == 0 && onFlows(a.path) && onAFlow(p.Code):
		fault("does not say what to do next")
	case p.Code == "INVALID_DATA" && len(p.Details) == 0:
		fault("does not say which value")
	case (p.Code == "CONFLICT" && !managed(a.path)) != (p.Embedded.Flow != nil):
		fault("should embed the flow if and only if it is a conflict")
	}
	failure := Failure{ID: p.ID, Correlation: a.Header.Get("Correlation-Id"), Reasons: []string{p.Code}}
	for _, d := range p.Details {
		failure.Reasons = append(failure.Reasons, d.Code)
		if d.Code == "" || d.Message == "" {
			fault("has an empty detail")
		}
	}
	c.trail.mu.Lock()
	defer c.trail.mu.Unlock()
	c.trail.failures = append(c.trail.failures, failure)
}

// onAFlow reports whether an error of this code comes from a flow, and not from
// the door before it.
func onAFlow(code string) bool {
	switch code {
	case "REQUEST_TOO_LARGE", "MISDIRECTED_REQUEST", "METHOD_NOT_ALLOWED":
		return false
	}
	return true
}

func onFlows(path string) bool {
	return strings.Contains(path, "/flows/") || strings.Contains(path, "/flowExecutions/")
}

// managed reports whether an address is the management API's.
func managed(path string) bool { return strings.HasPrefix(path, "/v1/") }

// documented reports whether the management API has a status under a code that is
// another one's elsewhere. Source: reference/management.md 7.4.
func documented(code string, status int) bool {
	switch status {
	case http.StatusUnauthorized:
		return code == "ACCESS_FAILED"
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return code == "INVALID_REQUEST"
	}
	return false
}

// public reports whether caches may keep what lies at path.
func public(path string) bool {
	return strings.HasPrefix(path, "/static/") || strings.HasSuffix(path, "/as/jwks") || strings.HasSuffix(path, "/.well-known/openid-configuration")
}

// Offered are the names of the actions that a resource offers, in order.
func (r Resource) Offered() []string {
	var out []string
	for name := range r.Templates {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// body is what is sent for values: text as it is, anything else as JSON.
func (c *Client) body(values any) []byte {
	c.tb.Helper()
	switch v := values.(type) {
	case nil:
		return nil
	case string:
		return []byte(v)
	case []byte:
		return v
	}
	b, err := json.Marshal(values)
	if err != nil {
		c.tb.Fatal(err)
	}
	return b
}

package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"doorward/runtime/flow"
)

// TestCORS. Case BIND-CORS.
func TestCORS(t *testing.T) {
	h := open(t, nil, nil)
	for _, tc := range []struct {
		name    string
		origins []string
		allowed bool
	}{
		{"no origin", nil, false},
		{"the allowed origin", []string{custom}, true},
		{"another", []string{"https://evil.tld"}, false},
		{"null", []string{"null"}, false},
		{"a longer name", []string{custom + ".evil.tld"}, false},
		{"plain http", []string{"http://login.app.example"}, false},
		{"upper case and port", []string{"https://LOGIN.app.example:443"}, false},
		{"an escape", []string{"https://login.app.example%60.evil.tld"}, false},
		{"two lines", []string{custom, "https://evil.tld"}, false},
		{"two lines, both allowed", []string{custom, custom}, false},
		{"a list", []string{custom + ", https://evil.tld"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var lines []string
			for _, o := range tc.origins {
				lines = append(lines, "Origin: "+o)
			}
			get := h.ask("GET", thisFlow, "", lines...)
			pre := h.ask("OPTIONS", thisFlow, "", append(lines, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")...)
			if get.StatusCode != 200 || pre.StatusCode != 204 || pre.body != "" {
				t.Fatalf("%d, %d", get.StatusCode, pre.StatusCode)
			}
			for _, r := range []reply{get, pre} {
				got := r.Header.Get("Access-Control-Allow-Origin")
				if tc.allowed != (got == custom) || !tc.allowed && (got != "" || r.Header.Get("Access-Control-Allow-Credentials") != "") {
					t.Errorf("allowed %q, credentials %q", got, r.Header.Get("Access-Control-Allow-Credentials"))
				}
				if !strings.Contains(r.Header.Get("Vary"), "Origin") {
					t.Errorf("Vary %q", r.Header.Get("Vary"))
				}
			}
			if tc.allowed && (get.Header.Get("Access-Control-Allow-Credentials") != "true" || !strings.Contains(get.Header.Get("Access-Control-Expose-Headers"), "Flow-Token") || !strings.Contains(pre.Header.Get("Access-Control-Allow-Headers"), "Content-Type")) {
				t.Errorf("%v\n%v", get.Header, pre.Header)
			}
			if !tc.allowed && pre.Header.Get("Access-Control-Allow-Methods") != "" {
				t.Error("a preflight names methods to a stranger")
			}
		})
	}
	if r := h.ask("GET", flowPath(envID, nobodys), "", "Origin: "+custom); r.Header.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Vary") == "" {
		t.Error("an error without Vary")
	}
	back := thisFlow + "/flowExecutionCallback?flowExecutionId=" + nobodys // the end of what such a page was led to
	for _, method := range []string{"GET", "OPTIONS"} {
		for origin, allowed := range map[string]string{custom: custom, "https://evil.tld": ""} {
			r := h.ask(method, back, "", "Origin: "+origin, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: flow-token")
			if r.StatusCode >= 400 || r.Header.Get("Access-Control-Allow-Origin") != allowed || !strings.Contains(r.Header.Get("Vary"), "Origin") {
				t.Errorf("%s by a page of %s: %d, allowed %q", method, origin, r.StatusCode, r.Header.Get("Access-Control-Allow-Origin"))
			}
		}
	}
}

// TestCrossSitePosts. Case BIND-LOGIN-CSRF.
func TestCrossSitePosts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		header []string
		body   string
		status int
	}{
		{"a text/plain form", []string{"Content-Type: text/plain", "Origin: https://evil.tld"}, `{"username":"M","password":"p","x":"="}`, 415},
		{"a urlencoded form", []string{"Content-Type: application/x-www-form-urlencoded", "Origin: https://evil.tld"}, "username=M&password=p", 415},
		{"a multipart form", []string{"Content-Type: multipart/form-data; boundary=b", "Origin: https://evil.tld"}, "--b--", 415},
		{"a fetch with the right type", []string{"Content-Type: " + check, "Origin: https://evil.tld"}, right, 403},
		{"an opaque origin", []string{"Content-Type: " + check, "Origin: null"}, right, 403},
		{"two origins", []string{"Content-Type: " + check, "Origin: " + custom, "Origin: https://evil.tld"}, right, 403},
		{"cross-site without Origin", []string{"Content-Type: " + check, "Sec-Fetch-Site: cross-site"}, right, 403},
		{"same-site without Origin", []string{"Content-Type: " + check, "Sec-Fetch-Site: same-site"}, right, 403},
		{"an allowed origin", []string{"Content-Type: " + check, "Origin: " + custom, "Sec-Fetch-Site: cross-site"}, right, 200},
		{"our own origin", []string{"Content-Type: " + check, "Origin: BASE", "Sec-Fetch-Site: same-origin"}, right, 200},
		{"no browser", []string{"Content-Type: " + check}, right, 200},
		{"typed by the person", []string{"Content-Type: " + check, "Sec-Fetch-Site: none"}, right, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := open(t, nil, nil)
			for i := range tc.header {
				tc.header[i] = strings.ReplaceAll(tc.header[i], "BASE", h.base)
			}
			r := h.ask("POST", thisFlow, tc.body, tc.header...)
			if r.StatusCode != tc.status {
				t.Fatalf("%d, want %d: %s", r.StatusCode, tc.status, r.body)
			}
			if tc.status == 200 {
				return
			}
			if len(h.engine.seen()) != 0 || r.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("the submit came through")
			}
			if tc.status == 403 && (r.problem(t).Code != "ACCESS_FAILED" || !slices.Contains(h.events.types(), flow.RequestCrossSite)) {
				t.Errorf("%s, events %v", r.body, h.events.types())
			}
		})
	}
}

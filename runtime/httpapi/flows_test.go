package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/flow"
)

const right = `{"username":"ada","password":"right"}`

func TestReadingAFlow(t *testing.T) {
	h := open(t, nil, nil)
	r := h.ask("GET", thisFlow, "", "Authorization: Bearer whatever", "Content-Type: application/json")
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/hal+json;charset=UTF-8" || r.Header.Get("ETag") != `"t1"` {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Vary": "Origin", "Set-Cookie": "", "Server": ""} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{
		`"self":{"href":"` + h.base + thisFlow + `"}`, `"resumeUrl":"` + h.base + `/` + envID + `/as/resume?flowId=` + flowID + `"`,
		`"application":{"name":"Demo web application"}`, `"contentType":"` + check + `"`,
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("no %s in %s", want, r.body)
		}
	}
}

func TestSubmittingAnAction(t *testing.T) {
	h := open(t, nil, nil)
	r := h.ask("POST", thisFlow, right, "Content-Type: "+strings.ToUpper(check)+"; charset=UTF-8", `If-Match: "t1"`, "Idempotency-Key: k1", "Authorization: Bearer x", "User-Agent: test")
	if r.StatusCode != 200 || !strings.Contains(r.body, `"status":"COMPLETED"`) || r.Header.Get("ETag") != `"t2"` {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if got, want := r.Header.Get("Set-Cookie"), "ST=rotated; Path=/"+envID+"; Max-Age=2592000; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("Set-Cookie %q, want %q", got, want)
	}
	s := h.engine.seen()[0]
	if s.Action != "usernamePassword.check" || s.Token != "t1" || s.Key != "k1" || s.Values["password"] != "right" {
		t.Errorf("the engine saw %+v", s)
	}
	c := h.engine.callers[0]
	if c.Cookie != owner || c.Client.RemoteIP.String() != "127.0.0.1" || c.Client.UserAgent != "test" {
		t.Errorf("the engine saw caller %+v", c)
	}
}

func TestAClientWithoutCookieJar(t *testing.T) {
	h := open(t, nil, nil)
	h.engine.token, h.engine.view.FlowToken, h.engine.view.PiFlow = "ft1", "ft2", true
	r := h.ask("GET", thisFlow, "", "Cookie:", "Flow-Token: ft1")
	if r.StatusCode != 200 || r.Header.Get("Flow-Token") != "ft2" {
		t.Errorf("%d, Flow-Token %q", r.StatusCode, r.Header.Get("Flow-Token"))
	}
	if !strings.Contains(r.body, `"signOnPage"`) || !strings.Contains(r.body, `"environment":{"id":"`+envID+`"}`) {
		t.Errorf("not a pi.flow: %s", r.body)
	}
	if r := h.ask("GET", thisFlow, "", "Cookie:", "Flow-Token: other"); r.StatusCode != 404 {
		t.Errorf("a foreign token: %d", r.StatusCode)
	}
}

// TestGenericClient completes the journey with no action name in its source: it
// follows _templates only.
func TestGenericClient(t *testing.T) {
	h := open(t, nil, nil)
	knows := map[string]string{"username": "ada", "current-password": "right"}
	type template struct {
		Method, ContentType string
		Properties          []struct {
			Name, Autocomplete string
			Required           bool
		}
	}
	var doc struct {
		Status    string
		Links     map[string]struct{ Href string } `json:"_links"`
		Templates map[string]template              `json:"_templates"`
	}
	r := h.ask("GET", thisFlow, "")
	for range 3 {
		doc.Templates = nil
		if err := json.Unmarshal([]byte(r.body), &doc); err != nil {
			t.Fatal(err)
		}
		for name, tpl := range doc.Templates {
			values := map[string]string{}
			for _, p := range tpl.Properties {
				values[p.Name] = knows[p.Autocomplete]
			}
			if len(values) == 0 || slices.Contains(slices.Collect(mapValues(values)), "") {
				continue
			}
			body, _ := json.Marshal(values)
			r = h.ask(tpl.Method, strings.TrimPrefix(doc.Links[name].Href, h.base), string(body), "Content-Type: "+tpl.ContentType, "If-Match: "+r.Header.Get("ETag"))
			break
		}
	}
	if doc.Status != "COMPLETED" {
		t.Errorf("ended at %s: %s", doc.Status, r.body)
	}
}

func mapValues(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// TestErrorTable: every code has its status, the one body, and says what to do
// next; the log has the id once, and the cause stays inside.
func TestErrorTable(t *testing.T) {
	view := flow.View{Ref: flow.Ref{Env: envID, ID: flowID}, Status: "S", Token: "t9", Offers: []flow.Offer{{Name: "a.b"}}, Cookie: "kept"}
	for _, tc := range []struct {
		name   string
		err    error
		status int
		next   string
		retry  string
	}{
		{"invalid data", &flow.Fault{Code: flow.InvalidData, Message: "m", View: &view}, 400, "a.b", ""},
		{"invalid request", &flow.Fault{Code: flow.InvalidRequest, Message: "m", View: &view}, 400, "a.b", ""},
		{"invalid token", &flow.Fault{Code: flow.InvalidToken, Message: "m"}, 401, "self", ""},
		{"access failed", &flow.Fault{Code: flow.AccessFailed, Message: "m"}, 403, "self", ""},
		{"gone", flow.Gone(), 404, "restart", ""},
		{"conflict", &flow.Fault{Code: flow.Conflict, Message: "m", View: &view}, 409, "a.b", ""},
		{"limited", &flow.Fault{Code: flow.Limited, Message: "m", RetryAfter: 3e9}, 429, "self", "3"},
		{"unexpected", errors.New("pq: secret at 10.0.0.5"), 500, "self", ""},
		{"unavailable", flow.Busy(errors.New("redis: 10.0.0.5")), 503, "self", "1"},
		{"overdue", contextDeadline(), 503, "self", "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := open(t, nil, nil)
			h.engine.err = tc.err
			r := h.ask("POST", thisFlow, right, "Content-Type: "+check)
			p := r.problem(t)
			if r.StatusCode != tc.status || r.Header.Get("Content-Type") != "application/json;charset=UTF-8" || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Retry-After") != tc.retry {
				t.Errorf("%d %v", r.StatusCode, r.Header)
			}
			if _, ok := p.Links[tc.next]; !ok || p.Message == "" || p.Code == "" {
				t.Errorf("does not say what to do next: %s", r.body)
			}
			if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(p.ID) {
				t.Errorf("id %q", p.ID)
			}
			if n := strings.Count(h.log.String(), p.ID); n != 1 || strings.Count(h.log.String(), "\n") != 1 {
				t.Errorf("the log has the id %d times:\n%s", n, h.log)
			}
			if strings.Contains(r.body, "10.0.0.5") {
				t.Errorf("the cause is outside: %s", r.body)
			}
			if tc.next == "a.b" && (r.Header.Get("ETag") != `"t9"` || !strings.HasPrefix(r.Header.Get("Set-Cookie"), "ST=kept;")) {
				t.Errorf("the state of the view is lost: %v", r.Header)
			}
			if _, embedded := p.Embedded["flow"]; embedded != (tc.status == 409) {
				t.Errorf("_embedded: %s", r.body)
			}
		})
	}
}

func contextDeadline() error { return errors.Join(errors.New("load"), deadline{}) }

type deadline struct{}

func (deadline) Error() string        { return "deadline" }
func (deadline) Is(target error) bool { return target.Error() == "context deadline exceeded" }

// TestUnknownIsOneAnswer: what is not the caller's cannot be told from what does
// not exist. Cases BIND-COOKIELESS, BIND-CROSS-ENV.
func TestUnknownIsOneAnswer(t *testing.T) {
	h := open(t, nil, nil)
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	print := func(r reply) string {
		r.Header.Del("Date")
		r.Header.Del("Correlation-Id")
		var b strings.Builder
		_ = r.Header.Write(&b)
		return r.Status + b.String() + ids.ReplaceAllString(r.body, "ID")
	}
	for _, post := range []bool{false, true} {
		ask := func(path string, header ...string) string {
			if post {
				return print(h.ask("POST", path, right, append(header, "Content-Type: "+check)...))
			}
			return print(h.ask("GET", path, "", header...))
		}
		want := ask(flowPath(envID, nobodys))
		if !strings.HasPrefix(want, "404") {
			t.Fatal(want)
		}
		for name, got := range map[string]string{
			"no cookie":                 ask(thisFlow, "Cookie:"),
			"another's cookie":          ask(thisFlow, "Cookie: ST=other"),
			"an empty cookie":           ask(thisFlow, "Cookie: ST="),
			"another environment":       ask(flowPath(otherEnv, flowID)),
			"an unknown environment":    ask(flowPath(nobodys, flowID)),
			"an environment of no UUID": ask(flowPath("x", flowID)),
			"a flow of no UUID":         ask(flowPath(envID, "x")),
			"upper case":                ask(flowPath(envID, strings.ToUpper(flowID))),
			"an escaped path":           ask("/" + envID + "/flows/%30" + flowID[1:]),
			"an escaped slash":          ask("/" + envID + "%2fx/flows/" + flowID),
			"hostile text":              ask("/" + envID + "/flows/%22%3E%3Cscript%3E"),
		} {
			if got != want {
				t.Errorf("%s (post %v):\n%s\nwant\n%s", name, post, got, want)
			}
		}
		// The right media type or not: a stranger learns nothing.
		if got := print(h.ask("POST", thisFlow, "", "Cookie:", "Content-Type: text/plain")); post && got != want {
			t.Errorf("a wrong type from a stranger:\n%s\nwant\n%s", got, want)
		}
	}
	if n := len(h.engine.seen()); n != 0 {
		t.Errorf("%d submits were evaluated", n)
	}
}

func TestAHostWeDoNotServeIsMisdirected(t *testing.T) {
	h := open(t, nil, nil)
	if r := h.ask("GET", thisFlow, "", "Host: evil.example"); r.StatusCode != 421 || r.problem(t).Code != "MISDIRECTED_REQUEST" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := h.ask("GET", thisFlow, "", "Host: "+farHost); r.StatusCode != 404 {
		t.Errorf("another environment's host: %d", r.StatusCode)
	}
	if r := h.ask("GET", flowPath(farEnv, flowID), "", "Host: "+farHost); r.StatusCode != 404 || r.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("its own host: %d %v", r.StatusCode, r.Header)
	}
}

func TestAnActionNotOfferedNamesThoseThatAre(t *testing.T) {
	h := open(t, nil, nil)
	r := h.ask("POST", thisFlow, `{}`, "Content-Type: application/vnd.pingidentity.otp.check+json")
	if p := r.problem(t); r.StatusCode != 400 || p.Code != "INVALID_REQUEST" || p.Details[0].Code != "ACTION_NOT_OFFERED" || p.Links["usernamePassword.check"].Href == "" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestOtherMethodsAndPaths(t *testing.T) {
	h := open(t, nil, nil)
	for _, method := range []string{"PUT", "DELETE", "PATCH", "HEAD"} {
		r := h.ask(method, thisFlow, "")
		if r.StatusCode != 405 || !strings.Contains(r.Header.Get("Allow"), "POST") {
			t.Errorf("%s: %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	for _, method := range []string{"TRACE", "FOO", "CONNECT"} {
		out := h.raw(2e9, method+" "+thisFlow+" HTTP/1.1\r\nHost: HOST\r\n\r\n")
		if !strings.HasPrefix(out, "HTTP/1.1 4") || !strings.Contains(out, "application/json") || strings.HasPrefix(out, "HTTP/1.1 405") != strings.Contains(out, "Allow: GET, ") {
			t.Errorf("%s: %s", method, out)
		}
	}
	for _, path := range []string{"/", "/nowhere", thisFlow + "/", "/" + envID + "/FLOWS/" + flowID, "/static/", "/static/page.css"} {
		r := h.ask("GET", path, "")
		if r.StatusCode != 404 || r.problem(t).Code != "NOT_FOUND" {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
	if r := h.ask("GET", "/nowhere", "", "Accept: text/html"); r.StatusCode != 404 || !strings.Contains(r.body, "<h1>There is no page here</h1>") {
		t.Errorf("a person: %d %s", r.StatusCode, r.body)
	}
	if h.routes.count("other "+http.StatusText(404)) == 0 || h.routes.count("/:env/flows/:id "+http.StatusText(404)) != 0 {
		t.Errorf("measured %v", h.routes.seen)
	}
}

func TestCorrelation(t *testing.T) {
	h := open(t, nil, nil)
	if r := h.ask("GET", thisFlow, "", "Correlation-Id: "+nobodys); r.Header.Get("Correlation-Id") != nobodys {
		t.Error("a UUID is not kept")
	}
	if r := h.ask("GET", thisFlow, "", "Correlation-Id: x y"); len(r.Header.Get("Correlation-Id")) != 36 {
		t.Error("no UUID of ours")
	}
}

package httpapi_test

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"doorward/runtime/flow"
)

const urlencoded = "Content-Type: application/x-www-form-urlencoded"

func form(values ...string) string {
	v := url.Values{}
	for i := 0; i < len(values); i += 2 {
		v.Set(values[i], values[i+1])
	}
	return v.Encode()
}

func signOnForm(username, password string) string {
	return form("_action", "usernamePassword.check", "_token", "t1", "username", username, "password", password)
}

func TestThePageAsksAndCarriesItsToken(t *testing.T) {
	h := open(t, nil, nil)
	r := h.ask("GET", thisPage, "")
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/html; charset=utf-8" || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "same-origin" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	want := "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self' https://shop.example.com; base-uri 'none'; frame-ancestors 'none'"
	if got := r.Header.Get("Content-Security-Policy"); got != want {
		t.Errorf("CSP %s", got)
	}
	for _, s := range []string{`action="` + h.base + thisPage + `"`, `name="_token" value="t1"`, `name="_action" value="usernamePassword.check"`, "to continue to <strong>Demo web application</strong>"} {
		if !strings.Contains(r.body, s) {
			t.Errorf("no %s in\n%s", s, r.body)
		}
	}
	if r := h.ask("GET", "/"+envID+"/signon?flowId="+flowID, ""); r.StatusCode != 200 {
		t.Errorf("without the slash: %d", r.StatusCode)
	}
	if r := h.ask("HEAD", thisPage, ""); r.StatusCode != 200 || r.body != "" {
		t.Errorf("HEAD: %d", r.StatusCode)
	}
}

func TestSigningOnWithoutJavaScript(t *testing.T) {
	h := open(t, nil, nil)
	r := h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded, "Sec-Fetch-Site: same-origin")
	if r.StatusCode != 303 || r.Header.Get("Location") != h.base+"/"+envID+"/as/resume?flowId="+flowID || r.body != "" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	if !strings.HasPrefix(r.Header.Get("Set-Cookie"), "ST=rotated; Path=/"+envID) {
		t.Errorf("cookie %q", r.Header.Get("Set-Cookie"))
	}
	s := h.engine.seen()[0]
	if s.Action != "usernamePassword.check" || s.Token != "t1" || len(s.Values) != 2 || s.Values["username"] != "ada" {
		t.Errorf("the engine saw %+v", s)
	}
	if r := h.ask("GET", thisPage, ""); r.StatusCode != 303 || !strings.Contains(r.Header.Get("Location"), "/as/resume") {
		t.Errorf("coming back: %d", r.StatusCode)
	}
}

func TestARefusedPasswordIsAskedAgain(t *testing.T) {
	h := open(t, nil, nil)
	r := h.ask("POST", thisPage, signOnForm(`ada"><b>`, "wrong-secret"), urlencoded)
	if r.StatusCode != 400 || !strings.Contains(r.body, `value="ada&#34;&gt;&lt;b&gt;"`) || !strings.Contains(r.body, "That username and password do not match.") || !strings.Contains(r.body, `role="alert"`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if strings.Contains(r.body, "wrong-secret") || strings.Contains(h.log.String(), "wrong-secret") || strings.Contains(h.log.String(), "ada") {
		t.Error("what was typed went too far")
	}
	if strings.Count(h.log.String(), "request failed") != 1 {
		t.Errorf("log %s", h.log)
	}
	if r := h.ask("POST", thisPage, signOnForm("", ""), urlencoded); r.StatusCode != 400 || !strings.Contains(r.body, "There are 2 problems") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestNotYou(t *testing.T) {
	h := open(t, nil, nil)
	h.engine.view.Status, h.engine.view.User = "PASSWORD_REQUIRED", flow.Subject{ID: "u", Username: "ada"}
	if r := h.ask("GET", thisPage, ""); !strings.Contains(r.body, "Not you?") || !strings.Contains(r.body, "<span>ada</span>") {
		t.Errorf("%s", r.body)
	}
	r := h.ask("POST", thisPage, form("_action", "session.reset", "_token", "t1"), urlencoded)
	if r.StatusCode != 303 || r.Header.Get("Location") != h.base+thisPage {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}

// TestOnlyOurOwnFormCounts. Case BIND-LOGIN-CSRF 6.
func TestOnlyOurOwnFormCounts(t *testing.T) {
	good := signOnForm("ada", "right")
	for _, tc := range []struct {
		name   string
		body   string
		header []string
		status int
	}{
		{"same origin", good, []string{"Sec-Fetch-Site: same-origin"}, 303},
		{"typed by the person", good, []string{"Sec-Fetch-Site: none"}, 303},
		{"an old browser, our Origin", good, []string{"Origin: BASE"}, 303},
		{"no browser", good, nil, 303},
		{"cross-site", good, []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.tld"}, 403},
		{"same-site", good, []string{"Sec-Fetch-Site: same-site"}, 403},
		{"cross-site that borrows our Origin", good, []string{"Sec-Fetch-Site: cross-site", "Origin: BASE"}, 403},
		{"an old browser, another Origin", good, []string{"Origin: https://evil.tld"}, 403},
		{"an old browser, an origin allowed for the API", good, []string{"Origin: " + custom}, 403},
		{"an opaque Origin", good, []string{"Origin: null"}, 403},
		{"no token", form("_action", "usernamePassword.check", "username", "ada", "password", "right"), []string{"Sec-Fetch-Site: same-origin"}, 403},
		{"an empty token", form("_action", "usernamePassword.check", "_token", "", "username", "ada", "password", "right"), nil, 403},
		{"a text/plain form", good, []string{"Content-Type:", "Content-Type: text/plain"}, 415},
		{"a multipart form", good, []string{"Content-Type:", "Content-Type: multipart/form-data; boundary=b"}, 415},
		{"JSON", right, []string{"Content-Type:", "Content-Type: " + check}, 415},
		{"a name twice", good + "&username=eve", nil, 400},
		{"a name we do not know", good + "&enabled=true", nil, 400},
		{"an action nobody offers", form("_action", "otp.check", "_token", "t1"), nil, 400},
		{"no action", form("_token", "t1"), nil, 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := open(t, nil, nil)
			header := []string{urlencoded}
			for _, l := range tc.header {
				header = append(header, strings.ReplaceAll(l, "BASE", h.base))
			}
			r := h.ask("POST", thisPage, tc.body, header...)
			if r.StatusCode != tc.status {
				t.Fatalf("%d, want %d: %s", r.StatusCode, tc.status, r.body)
			}
			if tc.status == 303 {
				return
			}
			if h.engine.view.Status == flow.Completed || !strings.Contains(r.body, "<h1>") {
				t.Errorf("signed on, or no page: %s", r.body)
			}
			if tc.status == 403 && (len(h.engine.callers) != 0 || !slices.Contains(h.events.types(), flow.RequestCrossSite)) {
				t.Errorf("the execution was touched, or no event: %v", h.events.types())
			}
		})
	}
}

// TestPagesForWhatIsNotThere. Case BIND-FLOW-FIX.
func TestPagesForWhatIsNotThere(t *testing.T) {
	h := open(t, nil, nil)
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	var first string
	for name, path := range map[string]string{
		"unknown":      "/" + envID + "/signon/?flowId=" + nobodys,
		"no id":        "/" + envID + "/signon/",
		"two ids":      thisPage + "&flowId=" + flowID,
		"hostile id":   "/" + envID + "/signon/?flowId=%22%3E%3Cscript%3E",
		"somebody's":   thisPage,
		"the password": thisPage + "#post",
	} {
		method, body := "GET", ""
		if strings.HasSuffix(path, "#post") {
			method, body, path = "POST", signOnForm("ada", "right"), thisPage
		}
		r := h.ask(method, path, body, "Cookie:", urlencoded)
		got := ids.ReplaceAllString(r.body, "ID")
		if first == "" {
			first = got
		}
		if r.StatusCode != 404 || got != first || !strings.Contains(got, "<h1>This page has expired</h1>") || !strings.Contains(got, "start again") {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
	if len(h.engine.seen()) != 0 {
		t.Error("the password was looked at")
	}
	if r := h.ask("GET", "/"+nobodys+"/signon/?flowId="+flowID, ""); r.StatusCode != 404 || !strings.Contains(r.body, "This page has expired") {
		t.Errorf("unknown environment: %d", r.StatusCode)
	}
	if r := h.ask("GET", thisPage, "", "Host: evil.example"); r.StatusCode != 421 || !strings.Contains(r.body, "<h1>") {
		t.Errorf("unknown host: %d", r.StatusCode)
	}
	if r := h.ask("PUT", thisPage, ""); r.StatusCode != 405 {
		t.Errorf("PUT: %d", r.StatusCode)
	}
}

func TestPagesForFaults(t *testing.T) {
	view := func(h *house) *flow.View { v := h.engine.view; return &v }
	for _, tc := range []struct {
		name   string
		err    func(h *house) error
		status int
		has    string
		retry  string
	}{
		{"the store is down", func(*house) error { return flow.Busy(errors.New("redis")) }, 503, "We cannot sign you on right now", "1"},
		{"too many tries", func(*house) error { return &flow.Fault{Code: flow.Limited, RetryAfter: 5e9} }, 429, "Too many tries", "5"},
		{"too many tries, with the step", func(h *house) error { return &flow.Fault{Code: flow.Limited, RetryAfter: 5e9, View: view(h)} }, 429, "Wait a moment, then try again.", "5"},
		{"too much to do, with the step", func(h *house) error {
			f := flow.Busy(errors.New("hashing"))
			f.View = view(h)
			return f
		}, 503, "Nothing was changed; wait a moment, then try again.", "1"},
		{"our failure", func(*house) error { return errors.New("boom") }, 500, "Something went wrong on our side", ""},
		{"a late page", func(h *house) error { return &flow.Fault{Code: flow.Conflict, View: view(h)} }, 409, "That page was out of date.", ""},
		{"a late page without the step", func(*house) error { return &flow.Fault{Code: flow.Conflict} }, 409, "That page was out of date.", ""},
		{"locked", func(h *house) error {
			f := flow.Invalid(flow.Detail{Code: flow.PasswordLockedOut, Target: "password", Inner: map[string]any{"secondsUntilUnlock": 61}})
			f.View = view(h)
			return f
		}, 400, "There were too many tries. Try again in 2 minutes.", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := open(t, nil, nil)
			h.engine.err = tc.err(h)
			r := h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded)
			if r.StatusCode != tc.status || !strings.Contains(r.body, tc.has) || r.Header.Get("Retry-After") != tc.retry || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
			}
			if strings.Count(h.log.String(), "request failed") != 1 {
				t.Errorf("log %s", h.log)
			}
		})
	}
}

func TestAFailedSignOnLeadsBack(t *testing.T) {
	h := open(t, nil, nil)
	h.engine.view.Status, h.engine.view.Offers = flow.Failed, nil
	h.engine.view.Failure = &flow.Failure{Code: "X", Message: "Your account is switched off. Ask your administrator."}
	r := h.ask("GET", thisPage, "")
	if r.StatusCode != 200 || !strings.Contains(r.body, "Your account is switched off.") || !strings.Contains(r.body, `href="`+h.base+`/`+envID+`/as/resume?flowId=`+flowID+`"`) || !strings.Contains(r.body, "Go back to Demo web application") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestWhereFormsMayLead(t *testing.T) {
	for address, want := range map[string]string{
		"":                                 "form-action 'self';",
		"https://app.example.com:8443/cb":  "form-action 'self' https://app.example.com:8443;",
		"http://127.0.0.1:3000/cb":         "form-action 'self' http://127.0.0.1:3000;",
		"http://[::1]:3000/cb":             "form-action 'self' http:;",
		"com.example.app:/cb":              "form-action 'self' com.example.app:;",
		"https://a.example; script-src */": "form-action 'self';",
	} {
		h := open(t, nil, nil)
		h.engine.view.ReturnTo = address
		if got := h.ask("GET", thisPage, "").Header.Get("Content-Security-Policy"); !strings.Contains(got, want) {
			t.Errorf("%q: %s", address, got)
		}
	}
}

// TestNothingInARequestBecomesMarkup. Case OP-XSS as far as pages reach.
func TestNothingInARequestBecomesMarkup(t *testing.T) {
	h := open(t, nil, nil)
	elements := func(page string) (out []string) {
		n, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for d := range n.Descendants() {
			if d.Type == html.ElementNode {
				for _, a := range d.Attr {
					out = append(out, d.Data+" "+a.Key)
				}
				out = append(out, d.Data)
			}
		}
		return out
	}
	plain := elements(h.ask("POST", thisPage, signOnForm("x", "y"), urlencoded).body)
	for _, evil := range []string{`"><script>alert(1)</script>`, `javascript:alert(1)`, `</textarea><img src=x onerror=1>`, `';alert(1)//`, `{{7*7}}`, "\x00<svg/onload=1>"} {
		h.engine.view.LoginHint = evil
		got := elements(h.ask("POST", thisPage, signOnForm(evil, evil), urlencoded, "User-Agent: "+strings.Trim(evil, "\x00")).body)
		if !slices.Equal(got, plain) {
			t.Errorf("%q made\n%v\nof\n%v", evil, got, plain)
		}
		h.engine.view.LoginHint = ""
	}
}

func TestAssets(t *testing.T) {
	h := open(t, nil, nil)
	page := h.ask("GET", thisPage, "").body
	found := regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(found) != 3 {
		t.Fatalf("%v", found)
	}
	for _, m := range found {
		r := h.ask("GET", m[1], "")
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.body == "" {
			t.Errorf("%s: %d %v", m[1], r.StatusCode, r.Header)
		}
	}
}

package httpapi_test

import (
	"regexp"
	"strings"
	"testing"

	"doorward/runtime/flow"
)

// rooms gives the execution ways to other rooms, as the engine shows them.
func (h *house) rooms() {
	offers := h.engine.view.Offers
	reset := offers[len(offers)-1]
	username := flow.Field{Name: "username", Type: flow.TypeText, Required: true, Autocomplete: "username", Label: flow.Text{Key: "recover.username.label"}}
	h.engine.view.Offers = []flow.Offer{
		offers[0],
		{Name: "password.forgot", Prompt: flow.Text{Key: "password.forgot.submit"}, Fields: []flow.Field{username}},
		reset,
	}
}

// waits puts the execution where a code is asked for.
func (h *house) waits() {
	h.engine.view.Status = "VERIFICATION_CODE_REQUIRED"
	h.engine.view.User = flow.Subject{Username: "ada"}
	h.engine.view.Offers = []flow.Offer{
		{Name: "user.verify", Prompt: flow.Text{Key: "user.verify.submit"}, Fields: []flow.Field{{Name: "verificationCode", Type: flow.TypeCode, Required: true, Label: flow.Text{Key: "verify.code.label"}}}},
		{Name: "user.sendVerificationCode", Prompt: flow.Text{Key: "user.sendVerificationCode.submit"}},
		{Name: "session.reset"},
	}
}

func TestShowOnlyChoosesWhatIsDrawn(t *testing.T) {
	h := open(t, nil, nil)
	h.rooms()
	if r := h.ask("GET", thisPage, ""); !strings.Contains(r.body, `href="`+h.base+strings.ReplaceAll(thisPage, "&", "&amp;")+`&amp;show=password.forgot"`) {
		t.Errorf("no way to the other room: %s", r.body)
	}
	r := h.ask("GET", thisPage+"&show=password.forgot", "")
	if r.StatusCode != 200 || !strings.Contains(r.body, `name="_action" value="password.forgot"`) || !strings.Contains(r.body, `action="`+h.base+thisPage+`"`) || len(h.engine.seen()) != 0 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	usual := h.ask("GET", thisPage, "").body
	for _, show := range []string{"user.register", "%22%3E%3Cscript%3E", "", "usernamePassword.check", "password.forgot&show=password.forgot"} {
		if r := h.ask("GET", thisPage+"&show="+show, ""); r.StatusCode != 200 || r.body != usual {
			t.Errorf("show=%s: %d %s", show, r.StatusCode, r.body)
		}
	}
	r = h.ask("POST", thisPage, form("_action", "password.forgot", "_token", "t1", "username", ""), urlencoded)
	if r.StatusCode != 400 || !strings.Contains(r.body, `name="_action" value="password.forgot"`) || !strings.Contains(r.body, ">Back<") {
		t.Errorf("refused: %d %s", r.StatusCode, r.body)
	}
}

// TestWhatWasDoneIsSaid: a button that can be pressed again says that it worked.
func TestWhatWasDoneIsSaid(t *testing.T) {
	h := open(t, nil, nil)
	h.waits()
	r := h.ask("POST", thisPage, form("_action", "user.sendVerificationCode", "_token", "t1"), urlencoded)
	if r.StatusCode != 303 || r.Header.Get("Location") != h.base+thisPage+"&done=user.sendVerificationCode" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	if r := h.ask("GET", thisPage+"&done=user.sendVerificationCode", ""); !strings.Contains(r.body, "A new code is on its way.") {
		t.Error(r.body)
	}
	if r := h.ask("GET", thisPage+"&done=user.verify", ""); strings.Contains(r.body, "on its way") {
		t.Error("a link claims that something was done")
	}
}

// TestACodeInTheAddress. Case REC-PREFETCH.
func TestACodeInTheAddress(t *testing.T) {
	h := open(t, nil, nil)
	h.waits()
	for range 3 {
		r := h.ask("GET", thisPage+"&code=aB34eF78", "")
		if r.StatusCode != 200 || !strings.Contains(r.body, `value="aB34eF78" autocomplete="one-time-code"`) || r.Header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(r.body, `action="`+h.base+thisPage+`"`) {
			t.Fatalf("%d %v %s", r.StatusCode, r.Header, r.body)
		}
	}
	for _, code := range []string{"", "short", "AB34EF789", "AB34EF7!", "AB34EF7%C3%A4", "%22%3E%3Cb%3E%3Cb%3E", "AB34EF78&code=AB34EF78"} {
		if r := h.ask("GET", thisPage+"&code="+code, ""); r.StatusCode != 200 || strings.Contains(r.body, `value="AB`) || strings.Contains(r.body, "<b>") || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("code=%s: %d %v %s", code, r.StatusCode, r.Header, r.body)
		}
	}
	h.engine.view.Offers = h.engine.view.Offers[1:]
	if r := h.ask("GET", thisPage+"&code=AB34EF78", ""); r.StatusCode != 200 || strings.Contains(r.body, "AB34EF78") {
		t.Errorf("nothing asks for a code: %d %s", r.StatusCode, r.body)
	}
	if len(h.engine.seen()) != 0 || strings.Contains(strings.ToUpper(h.log.String()), "AB34EF78") {
		t.Errorf("something was submitted, or the code was logged: %s", h.log)
	}
}

// TestACodeElsewhere: whoever opens a link where the execution is not their own
// is shown the code and nothing else, whether or not there is such an execution.
func TestACodeElsewhere(t *testing.T) {
	h := open(t, nil, nil)
	h.waits()
	first := ""
	for name, path := range map[string]string{
		"somebody's": thisPage, "unknown": "/" + envID + "/signon/?flowId=" + nobodys, "no id": "/" + envID + "/signon/?x=y", "two ids": thisPage + "&flowId=" + flowID,
	} {
		for _, method := range []string{"GET", "HEAD"} {
			r := h.ask(method, path+"&code=AB34EF78", "", "Cookie:")
			if r.StatusCode != 200 || r.Header.Get("Set-Cookie") != "" || r.Header.Get("Referrer-Policy") != "no-referrer" || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d %v", method, name, r.StatusCode, r.Header)
			}
			if method == "HEAD" {
				continue
			}
			if first == "" {
				first = r.body
			}
			if r.body != first || !strings.Contains(r.body, `<p class="token">AB34EF78</p>`) || strings.Contains(r.body, "<form") || strings.Contains(r.body, flowID) {
				t.Errorf("%s: %s", name, r.body)
			}
		}
		if r := h.ask("GET", path+"&code=AB34EF7", "", "Cookie:"); r.StatusCode != 404 || !strings.Contains(r.body, "This page has expired") {
			t.Errorf("%s without a code: %d %s", name, r.StatusCode, r.body)
		}
	}
	if r := h.ask("POST", thisPage+"&code=AB34EF78", form("_action", "user.verify", "_token", "t1"), urlencoded, "Cookie:"); r.StatusCode != 404 {
		t.Errorf("POST: %d", r.StatusCode)
	}
	if r := h.ask("GET", "/"+nobodys+"/signon/?flowId="+flowID+"&code=AB34EF78", ""); r.StatusCode != 404 || strings.Contains(r.body, "AB34EF78") {
		t.Errorf("unknown environment: %d %s", r.StatusCode, r.body)
	}
	h.engine.down = flow.Busy(nil)
	if r := h.ask("GET", thisPage+"&code=AB34EF78", ""); r.StatusCode != 503 {
		t.Errorf("the store is down: %d", r.StatusCode)
	}
}

// TestFormsOfAPageWithACode: no-referrer makes a browser send an opaque origin.
// One that says where a form came from is believed; one that does not is led back
// to the page without the code in its address.
func TestFormsOfAPageWithACode(t *testing.T) {
	for _, tc := range []struct {
		header []string
		status int
	}{
		{[]string{"Origin: null", "Sec-Fetch-Site: same-origin"}, 303},
		{[]string{"Origin: null", "Sec-Fetch-Site: cross-site"}, 403},
		{[]string{"Origin: null"}, 403},
	} {
		h := open(t, nil, nil)
		r := h.ask("POST", thisPage, signOnForm("ada", "right"), append(tc.header, urlencoded)...)
		if r.StatusCode != tc.status {
			t.Errorf("%q: %d", tc.header, r.StatusCode)
		}
		if tc.status == 403 && !strings.Contains(r.body, `class="button" href="`+h.base+thisPage+`"`) {
			t.Errorf("%q: no way on in %s", tc.header, r.body)
		}
	}
}

func TestPagesSpeakTheLanguageOfThePerson(t *testing.T) {
	h := open(t, nil, nil)
	for _, tc := range []struct {
		name, path, asked, browser, want string
	}{
		{"the browser's", thisPage, "", "de-CH,de;q=0.9,en;q=0.5", "de"},
		{"the application's before the browser's", thisPage, "es", "de", "es"},
		{"neither", thisPage, "fi", "sv", "en"},
		{"of a page that is not there", "/" + envID + "/signon/?flowId=" + nobodys, "", "es", "es"},
		{"of a code", "/" + envID + "/signon/?flowId=" + nobodys + "&code=AB34EF78", "", "de", "de"},
		{"where there is no environment", "/nowhere", "", "de", "de"},
		{"of an environment with one language", "/" + otherEnv + "/signon/?flowId=" + nobodys, "", "en", "es"},
		{"of an environment with two", "/" + otherEnv + "/signon/?flowId=" + nobodys, "", "de", "de"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h.engine.view.Locales = tc.asked
			r := h.ask("GET", tc.path, "", "Accept-Language: "+tc.browser, "Accept: text/html")
			if !strings.Contains(r.body, `<html lang="`+tc.want+`">`) || r.Header.Get("Content-Language") != tc.want || r.Header.Get("Vary") != "Accept-Language" {
				t.Errorf("%v %s", r.Header, r.body)
			}
		})
	}
	h.engine.view.Locales = ""
	if r := h.ask("POST", thisPage, signOnForm("", ""), urlencoded, "Accept-Language: de"); !strings.Contains(r.body, "Geben Sie Ihren Benutzernamen ein.") {
		t.Errorf("an error in another language: %s", r.body)
	}
}

func TestAnEnvironmentsOwnLook(t *testing.T) {
	h := open(t, nil, nil)
	plain := h.ask("GET", thisPage, "")
	if strings.Contains(plain.body, "theme.") {
		t.Error("the demo has a look of its own")
	}
	r := h.ask("GET", "/"+otherEnv+"/signon/?flowId="+nobodys, "")
	found := regexp.MustCompile(`<link rel="stylesheet" href="(/` + otherEnv + `/theme\.[0-9a-f]{12}\.css)">`).FindStringSubmatch(r.body)
	if found == nil || !strings.Contains(r.body, `<img src="https://cdn.example.com/logo.svg" alt="Other"`) {
		t.Fatal(r.body)
	}
	if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "; img-src 'self' https://cdn.example.com; ") || strings.Contains(plain.Header.Get("Content-Security-Policy"), "cdn") {
		t.Errorf("CSP %s", csp)
	}
	style := h.ask("GET", found[1], "")
	if style.StatusCode != 200 || style.Header.Get("Content-Type") != "text/css; charset=utf-8" || style.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.Contains(style.body, "--accent:#0a6640") {
		t.Errorf("%d %v %s", style.StatusCode, style.Header, style.body)
	}
	if old := h.ask("GET", "/"+otherEnv+"/theme.000000000000.css", ""); old.StatusCode != 200 || old.body != style.body || old.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("of another state: %d %v", old.StatusCode, old.Header)
	}
	for _, path := range []string{"/" + envID + "/theme.000000000000.css", "/" + nobodys + "/theme.000000000000.css", "/" + otherEnv + "/theme.css"} {
		if r := h.ask("GET", path, ""); r.StatusCode != 404 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// TestAPageThatWaitsMayReadItself: and no other page connects to anything.
func TestAPageThatWaitsMayReadItself(t *testing.T) {
	h := open(t, nil, nil)
	for status, want := range map[string]bool{"PUSH_CONFIRMATION_REQUIRED": true, "PAIRING_REQUIRED": true, "OTP_REQUIRED": false} {
		h.engine.view.Status = status
		r := h.ask("GET", thisPage, "")
		if got := strings.HasSuffix(r.Header.Get("Content-Security-Policy"), "; connect-src 'self'"); got != want || strings.Contains(r.body, `data-read="t1"`) != want {
			t.Errorf("%s: %t %s", status, got, r.body)
		}
	}
}

// TestWhatIsShownOnceIsNotRedirectedAway: recovery codes are on the page that
// answers the submit, since the next one has none.
func TestWhatIsShownOnceIsNotRedirectedAway(t *testing.T) {
	h := open(t, nil, nil)
	h.waits()
	h.engine.view.Members = []flow.Member{{Name: "recoveryCodes", JSON: []byte(`["k3m9x2qa"]`)}}
	r := h.ask("POST", thisPage, form("_action", "user.sendVerificationCode", "_token", "t1"), urlencoded)
	if r.StatusCode != 200 || !strings.Contains(r.body, "<li>k3m9 x2qa</li>") || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
}

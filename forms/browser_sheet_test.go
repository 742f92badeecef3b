package forms_test

import (
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"doorward/forms"
	"doorward/internal/browsertest"
	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/static"
)

// counter serves one page, and keeps what is posted to it.
type counter struct {
	*httptest.Server
	mu     sync.Mutex
	posted []string
}

func serve(t *testing.T, s forms.SignOn) *counter {
	t.Helper()
	return serveEach(t, func() forms.SignOn { return s })
}

// serveEach serves what an execution is at the moment.
func serveEach(t *testing.T, now func() forms.SignOn) *counter {
	t.Helper()
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, c := pages(t), &counter{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := assets.Find(r.URL.Path); ok {
			w.Header().Set("Content-Type", a.Type)
			_, _ = w.Write(a.Body)
			return
		}
		s := now()
		s.Address = "/signon"
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", contentPolicy(&s.View))
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			c.mu.Lock()
			c.posted = append(c.posted, string(body))
			c.mu.Unlock()
			_, _ = w.Write(p.SignedOff(acme("en")))
			return
		}
		_, _ = w.Write(p.SignOn(acme("en"), s))
	}))
	t.Cleanup(c.Close)
	return c
}

// contentPolicy is the one that such a page is served with.
func contentPolicy(v *flow.View) string {
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if forms.Waits(v) {
		policy += "; connect-src 'self'"
	}
	return policy
}

// last is what was posted last, as values of these fields.
func (c *counter) last(t *testing.T, fields []flow.Field) (string, flow.Values) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.posted) == 0 {
		t.Fatal("nothing was posted")
	}
	s, err := forms.Parse([]byte(c.posted[len(c.posted)-1]))
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Values(fields)
	if err != nil {
		t.Fatal(err)
	}
	return s.Action, v
}

// TestBrowserSendsForms: what a person fills in arrives, with scripts and
// without; a way out sends its key and nothing that was typed.
func TestBrowserSendsForms(t *testing.T) {
	t.Parallel()
	f := compiled(t, around(
		`{"type":"FLOW_BUTTON","position":{"row":0,"col":0},"key":"later","label":"Later"}`,
		`{"type":"TEXT","position":{"row":1,"col":0},"key":"user.username","label":"Username","required":true,"validation":{"type":"NONE"}}`,
		`{"type":"PASSWORD_VERIFY","position":{"row":2,"col":0},"key":"user.password","label":"Password"}`,
		`{"type":"CHECKBOX","position":{"row":3,"col":0},"key":"c","label":"C","layout":"VERTICAL","options":[{"label":"X","value":"x"},{"label":"Y","value":"y"}]}`,
		`{"type":"SINGLE_CHECKBOX","position":{"row":4,"col":0},"key":"b","label":"B","appearance":"SWITCH","inputType":"BOOLEAN"}`,
		`{"type":"RECAPTCHA_V2","position":{"row":5,"col":0},"size":"NORMAL","theme":"DARK","alignment":"LEFT"}`,
		`{"type":"SUBMIT_BUTTON","position":{"row":6,"col":0},"label":"Go"}`,
	))
	s := waiting(f)
	s.View.Values = flow.Values{"captcha": form.Challenge{Provider: form.ProofOfWork, Data: "data", Bits: 12, Question: "How much is one and one?"}}
	c, b := serve(t, s), browsertest.Start(t)
	for _, noScript := range []bool{false, true} {
		tab := b.Visitor(t, browsertest.Look{NoScript: noScript})
		tab.Open(c.URL)
		tab.Fill(`[name="user.username"]`, "ada")
		tab.Fill(`[name="user.password"]`, "p")
		tab.Fill(`[name="user.passwordVerify"]`, "p")
		tab.Click(`label[for="f3-1"]`)
		tab.Click(`[name="b"]`)
		if noScript {
			tab.Fill(`[name="captcha"]`, "2")
		}
		tab.Leads(func() { tab.Click("button.button:not(.quiet)") })
		action, v := c.last(t, f.Inputs())
		if action != "form.submit" || v["user.username"] != "ada" || v["user.password"] != "p" || v["user.passwordVerify"] != "p" || v["b"] != true || v["c"].([]any)[0] != "y" {
			t.Errorf("no script %t: %s %v", noScript, action, v)
		}
		answer, _ := v["captcha"].(string)
		if sum := sha256.Sum256([]byte("data." + answer)); noScript != (answer == "2") || !noScript && (sum[0] != 0 || sum[1] > 15) {
			t.Errorf("no script %t: the answer is %q", noScript, answer)
		}

		tab.Open(c.URL)
		tab.Fill(`[name="user.username"]`, "ada")
		tab.Leads(func() { tab.Click(`[value="later"]`) })
		if action, v = c.last(t, []flow.Field{{Name: "key", Type: flow.TypeChoice}}); action != "form.action" || v["key"] != "later" || len(v) != 1 {
			t.Errorf("no script %t: %s %v", noScript, action, v)
		}
		if problems := tab.Problems(); len(problems) > 0 {
			t.Error(strings.Join(problems, "\n"))
		}
	}
}

// TestBrowserAsksAgain: a form that waits submits itself.
func TestBrowserAsksAgain(t *testing.T) {
	t.Parallel()
	f := compiled(t, around(`{"type":"POLLING","position":{"row":0,"col":0},"key":"p","size":"SMALL","pollingAppearance":"SPINNER"}`))
	c := serve(t, waiting(f))
	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	tab.Open(c.URL)
	for _, v := range tab.Violations() {
		t.Error(v)
	}
	tab.Leads(func() {})
	if action, _ := c.last(t, f.Inputs()); action != "form.submit" {
		t.Error(action)
	}
}

package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/browsertest"
	"doorward/runtime/federation"
	"doorward/runtime/flow"
)

const (
	partner      = "d0000000-0000-4000-8000-0000000000f1"
	another      = "d0000000-0000-4000-8000-0000000000f2"
	authenticate = "/" + envID + "/rp/authenticate"
	callback     = "/" + envID + "/rp/callback/openid_connect"
)

// elsewhere opens a house whose execution waits for the answer of a provider at a host.
func elsewhere(t *testing.T, host string) (*house, federation.Leg) {
	t.Helper()
	h := openBeside(t, host, nil, nil)
	h.goes()
	return h, federation.NewLeg(flowID, partner, h.engine.view.External.Challenge)
}

// goes has the execution wait for a provider.
func (h *house) goes() {
	v := &h.engine.view
	v.Status, v.User, v.Offers = "EXTERNAL_AUTHENTICATION_REQUIRED", flow.Subject{Username: "ada@partner.com"}, v.Offers[len(v.Offers)-1:]
	v.External = &flow.External{Provider: partner, Name: "Partner", Type: federation.OpenIDConnect, LoginHint: "ada@partner.com", MaxAge: -1, Challenge: [32]byte{7}}
}

func TestThePageLeadsElsewhere(t *testing.T) {
	h, leg := elsewhere(t, "https://op.partner.example")
	to := h.base + authenticate + "?providerId=" + partner + "&flowId=" + flowID
	r := h.ask("GET", thisPage, "")
	if r.StatusCode != 200 || r.Header.Get("Refresh") != "" || !strings.Contains(r.body, `<a class="button" href="`+strings.ReplaceAll(to, "&", "&amp;")+`">Continue with Partner</a>`) || strings.Contains(r.Header.Get("Content-Security-Policy"), "partner") {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
	if r := h.ask("GET", thisPage+"&leave=1", ""); r.StatusCode != 200 || r.Header.Get("Refresh") != "0; url="+to {
		t.Errorf("leaving: %d %v", r.StatusCode, r.Header)
	}
	if r := h.ask("GET", thisFlow, ""); !strings.Contains(r.body, `"identityProvider":{"id":"`+partner+`","name":"Partner","type":"OPENID_CONNECT","_links":{"authenticate":{"href":"`+to+`"}}}`) {
		t.Error(r.body)
	}
	for range 2 { // it changes nothing
		r = h.ask("GET", strings.TrimPrefix(to, h.base)+"&loginHint=eve&acrValues=x", "")
		at, err := r.Location()
		if err != nil || r.StatusCode != 302 || at.Host != "op.partner.example" || r.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v: %v", r.StatusCode, r.Header, err)
		}
		q := at.Query()
		if q.Get("state") != leg.State || q.Get("nonce") != leg.Nonce || q.Get("redirect_uri") != h.base+callback || q.Get("login_hint") != "ada@partner.com" || q.Get("code_challenge_method") != "S256" || q.Has("acr_values") {
			t.Errorf("asked for %v", q)
		}
	}
	h.engine.view.Status, h.engine.view.External = "USERNAME_PASSWORD_REQUIRED", nil
	if r := h.ask("GET", thisPage+"&leave=1", ""); r.StatusCode != 200 || r.Header.Get("Refresh") != "" {
		t.Errorf("nowhere to go: %d %v", r.StatusCode, r.Header)
	}
}

func TestNobodyIsSentElsewhereUnasked(t *testing.T) {
	for name, row := range map[string]struct {
		query  string
		header string
		change func(*house)
	}{
		"another provider":         {"providerId=" + another + "&flowId=" + flowID, "Accept: */*", nil},
		"no provider":              {"flowId=" + flowID, "Accept: */*", nil},
		"a provider twice":         {"providerId=" + partner + "&providerId=" + partner + "&flowId=" + flowID, "Accept: */*", nil},
		"an unknown execution":     {"providerId=" + partner + "&flowId=" + nobodys, "Accept: */*", nil},
		"another browser":          {"providerId=" + partner + "&flowId=" + flowID, "Cookie: ST=eve", nil},
		"a provider that is gone":  {"providerId=" + another + "x&flowId=" + flowID, "Accept: */*", func(h *house) { h.engine.view.External.Provider = another + "x" }},
		"an execution without one": {"providerId=" + partner + "&flowId=" + flowID, "Accept: */*", func(h *house) { h.engine.view.External = nil }},
		"an account to be linked":  {"providerId=" + partner + "&flowId=" + flowID, "Accept: */*", func(h *house) { h.engine.view.Status = "ACCOUNT_LINKING_REQUIRED" }},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := elsewhere(t, "https://op.partner.example")
			if row.change != nil {
				row.change(h)
			}
			if r := h.ask("GET", authenticate+"?"+row.query, "", row.header); r.StatusCode != 404 || r.Header.Get("Location") != "" {
				t.Errorf("%d %v", r.StatusCode, r.Header)
			}
		})
	}
}

// TestOnlyTheAnswerThatIsAwaitedCounts. Case LINK-FORGED-CALLBACK.
func TestOnlyTheAnswerThatIsAwaitedCounts(t *testing.T) {
	for name, row := range map[string]struct {
		query  func(h *house, state string) string
		header string
		status int
	}{
		"no state":              {func(_ *house, _ string) string { return "code=good" }, "Accept: */*", 400},
		"nothing":               {func(_ *house, _ string) string { return "" }, "Accept: */*", 400},
		"a random state":        {func(_ *house, _ string) string { return "code=good&state=x" }, "Accept: */*", 400},
		"a state without proof": {func(_ *house, _ string) string { return "code=good&state=" + flowID + "." }, "Accept: */*", 400},
		"a made up state": {func(_ *house, _ string) string {
			return "code=good&state=" + flowID + "." + strings.Repeat("A", 43)
		}, "Accept: */*", 400},
		"the state of an unknown execution": {func(_ *house, s string) string { return "code=good&state=" + nobodys + s[36:] }, "Accept: */*", 404},
		"in another browser":                {func(_ *house, s string) string { return "code=good&state=" + s }, "Cookie: ST=eve", 404},
		"without cookies":                   {func(_ *house, s string) string { return "code=good&state=" + s }, "Cookie:", 404},
		"of another provider": {func(h *house, _ string) string {
			return "code=good&state=" + federation.NewLeg(flowID, another, h.engine.view.External.Challenge).State
		}, "Accept: */*", 400},
		"of another turn": {func(h *house, s string) string {
			h.engine.view.External.Challenge[0]++
			return "code=good&state=" + s
		}, "Accept: */*", 400},
		"a state twice":                      {func(_ *house, s string) string { return "code=good&state=" + s + "&state=" + s }, "Accept: */*", 400},
		"a code twice":                       {func(_ *house, s string) string { return "code=good&code=good&state=" + s }, "Accept: */*", 400},
		"an issuer twice":                    {func(_ *house, s string) string { return "code=good&iss=a&iss=a&state=" + s }, "Accept: */*", 400},
		"a code and an error":                {func(_ *house, s string) string { return "code=good&error=access_denied&state=" + s }, "Accept: */*", 400},
		"neither":                            {func(_ *house, s string) string { return "state=" + s }, "Accept: */*", 400},
		"a huge code":                        {func(_ *house, s string) string { return "code=" + strings.Repeat("a", 2049) + "&state=" + s }, "Accept: */*", 400},
		"a huge error":                       {func(_ *house, s string) string { return "error=" + strings.Repeat("a", 256) + "&state=" + s }, "Accept: */*", 400},
		"a huge issuer":                      {func(_ *house, s string) string { return "code=good&iss=" + strings.Repeat("a", 2049) + "&state=" + s }, "Accept: */*", 400},
		"a state behind which there is more": {func(_ *house, s string) string { return "code=good&state=" + s + "A" }, "Accept: */*", 400},
	} {
		t.Run(name, func(t *testing.T) {
			h, leg := elsewhere(t, "https://op.partner.example")
			r := h.ask("GET", callback+"?"+row.query(h, leg.State), "", row.header)
			if r.StatusCode != row.status || r.Header.Get("Set-Cookie") != "" || len(h.engine.answers) != 0 || !strings.Contains(r.body, "<h1>") {
				t.Errorf("%d %v, the engine saw %v", r.StatusCode, r.Header, h.engine.answers)
			}
			if strings.Contains(h.log.String(), leg.State) || strings.Contains(r.body, leg.State) {
				t.Error("the state went too far")
			}
		})
	}
}

func TestAnAnswerLeadsOn(t *testing.T) {
	h, leg := elsewhere(t, "https://op.partner.example")
	r := h.ask("GET", callback+"?code=good&iss=https%3A%2F%2Fop.partner.example&session_state=x&state="+leg.State, "", "Sec-Fetch-Site: cross-site")
	if r.StatusCode != 303 || r.Header.Get("Location") != h.base+"/"+envID+"/as/resume?flowId="+flowID || !strings.HasPrefix(r.Header.Get("Set-Cookie"), "ST=rotated; ") {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	if diff := cmp.Diff([]flow.Values{{"code": "good", "iss": "https://op.partner.example"}}, h.engine.answers); diff != "" {
		t.Error(diff)
	}
	if r := h.ask("GET", callback+"?code=good&state="+leg.State, ""); r.StatusCode != 303 || !strings.Contains(r.Header.Get("Location"), "/as/resume?") || len(h.engine.answers) != 1 {
		t.Errorf("once more: %d %v", r.StatusCode, r.Header)
	}
}

// TestAnAnswerToAPageThatWasLeft: who has gone on in another way is led back to where
// they are, and nothing is made of the answer.
func TestAnAnswerToAPageThatWasLeft(t *testing.T) {
	for name, leave := range map[string]func(*flow.View){
		"they started again":      func(v *flow.View) { v.Status, v.External = "SIGN_ON_REQUIRED", nil },
		"they are to be linked":   func(v *flow.View) { v.Status = "ACCOUNT_LINKING_REQUIRED" },
		"the provider is no more": func(v *flow.View) { v.External.Provider = envID },
	} {
		h, leg := elsewhere(t, "https://op.partner.example")
		leave(&h.engine.view)
		if r := h.ask("GET", callback+"?code=good&state="+leg.State, ""); r.StatusCode != 303 || r.Header.Get("Location") != h.base+thisPage || len(h.engine.answers) != 0 {
			t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
		}
	}
}

func TestARefusedAnswerLeavesThePersonThere(t *testing.T) {
	h, leg := elsewhere(t, "https://op.partner.example")
	r := h.ask("GET", callback+"?error=access_denied&error_description=no&state="+leg.State, "")
	if r.StatusCode != 400 || !strings.Contains(r.body, "The sign-on there was not completed.") || !strings.Contains(r.body, "Continue with Partner") || r.Header.Get("Refresh") != "" {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
	if diff := cmp.Diff([]flow.Values{{"error": "access_denied"}}, h.engine.answers); diff != "" {
		t.Error(diff)
	}
	if r := h.ask("GET", callback+"?error=access_denied&state="+leg.State, ""); r.StatusCode != 400 || len(h.engine.answers) != 1 {
		t.Errorf("twice: %d", r.StatusCode)
	}
}

// TestAPostedAnswerComesBackAsAnAddress: nothing is done with it before the browser has
// brought its cookies.
func TestAPostedAnswerComesBackAsAnAddress(t *testing.T) {
	h, leg := elsewhere(t, "https://op.partner.example")
	cross := []string{urlencoded, "Cookie:", "Sec-Fetch-Site: cross-site", "Origin: https://op.partner.example"}
	r := h.ask("POST", callback, form("code", "good", "state", leg.State, "id_token", "x"), cross...)
	at, err := r.Location()
	if err != nil || r.StatusCode != 303 || len(h.engine.answers) != 0 || len(h.engine.callers) != 0 {
		t.Fatalf("%d %v: %v", r.StatusCode, r.Header, err)
	}
	if diff := cmp.Diff(url.Values{"code": {"good"}, "state": {leg.State}}, at.Query()); diff != "" || !strings.HasPrefix(at.String(), h.base+callback+"?") {
		t.Errorf("%s %s", at, diff)
	}
	if r := h.ask("GET", at.RequestURI(), ""); r.StatusCode != 303 || len(h.engine.answers) != 1 {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	for body, status := range map[string]int{
		"": 400, "code=good": 400, "code=a&code=b&state=" + leg.State: 400, "code=" + strings.Repeat("a", 2049) + "&state=" + leg.State: 400,
	} {
		if r := h.ask("POST", callback, body, cross...); r.StatusCode != status || r.Header.Get("Location") != "" {
			t.Errorf("%q: %d", body, r.StatusCode)
		}
	}
	if r := h.ask("POST", callback, `{"code":"good"}`, "Content-Type: application/json"); r.StatusCode != 415 {
		t.Errorf("JSON: %d", r.StatusCode)
	}
}

func TestHowFreshASignOnThereHasToBe(t *testing.T) {
	for name, row := range map[string]struct {
		fresh  bool
		maxAge int64
		before int64 // seconds before the execution began; -1: any time
	}{"any": {false, -1, -1}, "fresh": {true, -1, 0}, "fresh and of an age": {true, 60, 0}, "of an age": {false, 60, 60}, "now": {false, 0, 0}} {
		h, leg := elsewhere(t, "https://op.partner.example")
		v := &h.engine.view
		v.External.Fresh, v.External.MaxAge = row.fresh, row.maxAge
		h.ask("GET", callback+"?code=good&state="+leg.State, "")
		want := flow.Values{"code": "good"}
		if row.before >= 0 {
			want["since"] = fmt.Sprint(v.CreatedAt.Unix() - row.before)
		}
		if diff := cmp.Diff([]flow.Values{want}, h.engine.answers); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestABrowserLeavesFromAForm: with and without scripts, although the page's policy names
// no provider. The page that was only passed through is none that the back button leads to.
func TestABrowserLeavesFromAForm(t *testing.T) {
	b := browsertest.Start(t)
	op := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>op</title><h1>Partner</h1>"))
	}))
	t.Cleanup(op.Close)
	for _, look := range []browsertest.Look{{}, {NoScript: true}} {
		h, _ := elsewhere(t, strings.Replace(op.URL, "127.0.0.1", "localhost", 1))
		goes := h.engine.view
		h.engine.view.Status, h.engine.view.External, h.engine.view.User = "VERIFICATION_CODE_REQUIRED", nil, flow.Subject{}
		h.engine.view.Offers = []flow.Offer{{Name: "user.sendVerificationCode", Prompt: flow.Text{Key: "user.sendVerificationCode.submit"}}, {Name: "session.reset"}}
		h.engine.token = ""
		h.engine.stranger = true
		tab := b.Visitor(t, look)
		tab.Open(h.base + thisPage)
		h.engine.before = func() {
			h.engine.mu.Lock()
			defer h.engine.mu.Unlock()
			h.engine.next = &goes
		}
		tab.Click(`form button`)
		tab.Await(`document.title === "op"`)
		if !strings.HasPrefix(tab.URL(), strings.Replace(op.URL, "127.0.0.1", "localhost", 1)+"/authorize?") {
			t.Errorf("it is at %s", tab.URL())
		}
		tab.Back()
		tab.Await(`document.title !== "op"`)
		if tab.URL() != h.base+thisPage {
			t.Errorf("back is at %s", tab.URL())
		}
		tab.Open(h.base + thisPage)
		tab.Follow(`a.button`)
		if browsertest.Eval[string](tab, `document.title`) != "op" {
			t.Errorf("the link leads to %s", tab.URL())
		}
		if p := tab.Problems(); len(p) > 0 {
			t.Errorf("the browser says: %v", p)
		}
	}
}

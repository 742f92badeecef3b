package demo_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/demo"
)

// routes is a Router on the standard library's mux.
type routes struct{ *http.ServeMux }

func (m routes) Handle(method, path string, h http.Handler) {
	if strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	m.ServeMux.Handle(method+" "+path, h)
}

type world struct {
	op    *op
	at    string // the demo's home page
	ahead atomic.Int64
}

// start runs the demo on a listener of its own; it reaches the provider over
// HTTP only.
func start(t *testing.T) *world {
	t.Helper()
	w := &world{op: newOP(t)}
	mux := routes{http.NewServeMux()}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	w.at = s.URL + demo.HomePath
	d, err := demo.New(demo.Config{
		Issuer: w.op.URL, ClientID: "demo", ClientSecret: "s3cret/+ %",
		RedirectURI: s.URL + demo.CallbackPath, AfterSignOut: w.at,
		Client: &http.Client{Timeout: 5 * time.Second}, Log: slog.New(slog.DiscardHandler),
		Now:      func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
		Journeys: &demo.Journeys{ClientID: "journeys", RedirectURI: s.URL + demo.JourneyCallbackPath},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Register(mux)
	return w
}

type browser struct {
	*http.Client
	t *testing.T
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{Client: &http.Client{Jar: jar}, t: t}
}

// page is what a person ends up with.
type page struct {
	status int
	url    string
	body   string
	header http.Header
}

func (b *browser) do(method, url string, header http.Header) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = header
	res, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{res.StatusCode, res.Request.URL.String(), string(body), res.Header}
}

func (b *browser) get(url string) page { b.t.Helper(); return b.do(http.MethodGet, url, http.Header{}) }

// stopped follows no redirect, and returns where the last answer points.
func (b *browser) stopped(url string) string {
	b.t.Helper()
	one := &browser{t: b.t, Client: &http.Client{Jar: b.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	p := one.get(url)
	if p.status != http.StatusSeeOther && p.status != http.StatusFound {
		b.t.Fatalf("%s answered %d", url, p.status)
	}
	return p.header.Get("Location")
}

func (p page) holds(t *testing.T, wanted ...string) {
	t.Helper()
	for _, s := range wanted {
		if !strings.Contains(p.body, s) {
			t.Errorf("no %q at %s (%d):\n%s", s, p.url, p.status, p.body)
		}
	}
}

func TestSignOnShowsClaimsAndSignOutEndsBoth(t *testing.T) {
	w, b := start(t), newBrowser(t)
	b.get(w.at).holds(t, "You are signed out", `href="/demo/sign-on"`)
	if len(w.op.seen) != 0 {
		t.Errorf("the provider was asked %v before anybody signed on", w.op.seen)
	}
	in := b.get(w.at + "sign-on")
	if in.url != w.at {
		t.Errorf("ended at %s: the code stays in the address", in.url)
	}
	in.holds(t, "You are signed on", ">ada<", "2023-11-14 22:13:20 UTC (1700000000)", `[&#34;pwd&#34;]`, "Ada &lt;b&gt;Lovelace&lt;/b&gt;")
	b.get(w.at).holds(t, "You are signed on")
	newBrowser(t).get(w.at).holds(t, "You are signed out")

	out := b.do(http.MethodPost, w.at+"sign-out", http.Header{"Sec-Fetch-Site": {"same-origin"}})
	out.holds(t, "You are signed out")
	if !slices.Contains(w.op.seen, "/signoff") {
		t.Error("the provider's session was not ended")
	}
	if n := len(slices.DeleteFunc(slices.Clone(w.op.seen), func(s string) bool { return !strings.HasPrefix(s, "/.well-known") })); n != 1 {
		t.Errorf("discovered %d times", n)
	}
}

func TestTabsDoNotDisturbEachOther(t *testing.T) {
	w, b := start(t), newBrowser(t)
	var callbacks []string
	for range 20 {
		callbacks = append(callbacks, b.stopped(b.stopped(w.at+"sign-on")))
	}
	slices.Reverse(callbacks)
	for i, back := range callbacks {
		if p := b.get(back); p.url != w.at || !strings.Contains(p.body, "You are signed on") {
			t.Errorf("tab %d ended at %s", i, p.url)
		}
	}
	u, err := url.Parse(w.at)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(b.Jar.Cookies(u)); n != 2 {
		t.Errorf("%d cookies", n)
	}
}

// A double click leads back twice, and a code is good once.
func TestAnAnswerThatComesTwiceIsTakenOnce(t *testing.T) {
	w, b := start(t), newBrowser(t)
	back := b.stopped(b.stopped(w.at + "sign-on"))
	var both sync.WaitGroup
	for range 8 {
		both.Go(func() { b.get(back).holds(t, "You are signed on") })
	}
	both.Wait()
	if n := len(slices.DeleteFunc(slices.Clone(w.op.seen), func(s string) bool { return s != "/token" })); n != 1 {
		t.Errorf("the code was exchanged %d times", n)
	}
	newBrowser(t).get(back).holds(t, "was not started in this browser")
}

func TestAnswerThatWasNotAskedForIsRefused(t *testing.T) {
	w := start(t)
	victim, other := newBrowser(t), newBrowser(t)
	victim.stopped(w.at + "sign-on") // has a cookie of its own
	theirs := other.stopped(other.stopped(w.at + "sign-on"))
	u, err := url.Parse(theirs)
	if err != nil {
		t.Fatal(err)
	}
	bent := func(change func(url.Values)) string {
		q := u.Query()
		change(q)
		return w.at + "callback?" + q.Encode()
	}
	for name, row := range map[string]struct {
		by *browser
		at string
	}{
		"of another browser":       {victim, theirs},
		"in a browser without any": {newBrowser(t), theirs},
		"without a state":          {other, bent(func(q url.Values) { q.Del("state") })},
		"with a longer life":       {other, bent(func(q url.Values) { q.Set("state", strings.Replace(q.Get("state"), ".1", ".9", 1)) })},
		"with a state of dots":     {other, bent(func(q url.Values) { q.Set("state", "..") })},
		"with text to be shown": {victim, bent(func(q url.Values) {
			q.Set("error", "evil")
			q.Set("error_description", "call this number")
		})},
	} {
		t.Run(name, func(t *testing.T) {
			p := row.by.get(row.at)
			if p.status != http.StatusBadRequest || strings.Contains(p.body, "evil") || strings.Contains(p.body, "this number") {
				t.Errorf("%d %s", p.status, p.body)
			}
			p.holds(t, `<code id="error">invalid_state</code>`)
		})
	}
	w.ahead.Store(int64(11 * time.Minute))
	other.get(theirs).holds(t, "invalid_state")
	w.ahead.Store(0)
	other.get(theirs).holds(t, "You are signed on")
}

func TestEndOfASignOnThatFailedIsExplained(t *testing.T) {
	for name, row := range map[string]struct {
		bend   bend
		status int
		want   []string
	}{
		"refused by the provider":       {bend{refuse: "access_denied", describe: "Not <you>."}, 400, []string{`id="error">access_denied<`, "Not &lt;you&gt;."}},
		"refused without a reason":      {bend{refuse: "login_required"}, 400, []string{`id="error">login_required<`, "no more detail"}},
		"refused at the token endpoint": {bend{token: "invalid_grant"}, 400, []string{`id="error">invalid_grant<`, "told by the token endpoint"}},
		"another nonce":                 {bend{claims: map[string]any{"nonce": "x"}}, 502, []string{`id="error">invalid_token<`}},
		"another audience":              {bend{claims: map[string]any{"aud": "x"}}, 502, []string{`id="error">invalid_token<`}},
		"an old id token":               {bend{claims: map[string]any{"exp": 1}}, 502, []string{`id="error">invalid_token<`}},
		"another issuer's id token":     {bend{claims: map[string]any{"iss": "https://evil.example"}}, 502, []string{`id="error">invalid_token<`}},
		"another issuer's answer":       {bend{issuer: "https://evil.example"}, 502, []string{`id="error">invalid_token<`}},
		"another access token":          {bend{claims: map[string]any{"at_hash": "x"}}, 502, []string{`id="error">invalid_token<`}},
		"userinfo of somebody else":     {bend{userinfo: map[string]string{"sub": "mallory"}}, 502, []string{`id="error">invalid_token<`}},
		"a provider that is down":       {bend{down: true}, 502, []string{`id="error">temporarily_unavailable<`}},
	} {
		t.Run(name, func(t *testing.T) {
			w, b := start(t), newBrowser(t)
			w.op.set(row.bend)
			p := b.get(w.at + "sign-on")
			if p.status != row.status {
				t.Errorf("status %d, want %d", p.status, row.status)
			}
			p.holds(t, append(row.want, "Sign on again")...)
			b.get(w.at).holds(t, "You are signed out")
			w.op.set(bend{})
			b.get(w.at+"sign-on").holds(t, "You are signed on")
		})
	}
}

func TestPromptIsPassedOnWhenKnown(t *testing.T) {
	w := start(t)
	for asked, want := range map[string]string{"login": "login", "none": "none", "": "", "consent": ""} {
		u, err := url.Parse(newBrowser(t).stopped(w.at + "sign-on?prompt=" + asked))
		if err != nil {
			t.Fatal(err)
		}
		if got := u.Query().Get("prompt"); got != want {
			t.Errorf("prompt %q became %q", asked, got)
		}
	}
}

func TestSignOutFromAnotherSiteIsRefused(t *testing.T) {
	w, b := start(t), newBrowser(t)
	b.get(w.at + "sign-on")
	for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}} {
		if p := b.do(http.MethodPost, w.at+"sign-out", h); p.status != http.StatusBadRequest {
			t.Errorf("%v: %d", h, p.status)
		}
	}
	b.get(w.at).holds(t, "You are signed on")
	if p := newBrowser(t).do(http.MethodPost, w.at+"sign-out", http.Header{}); p.url != w.at {
		t.Errorf("signing out twice ended at %s", p.url)
	}
}

func TestSessionEndsAfterAnHour(t *testing.T) {
	w, b := start(t), newBrowser(t)
	b.get(w.at+"sign-on").holds(t, "You are signed on")
	w.ahead.Store(int64(59 * time.Minute))
	b.get(w.at).holds(t, "You are signed on")
	w.ahead.Store(int64(61 * time.Minute))
	b.get(w.at).holds(t, "You are signed out")
}

func TestPagesAreStrict(t *testing.T) {
	w, b := start(t), newBrowser(t)
	for name, p := range map[string]page{"signed out": b.get(w.at), "failed": b.get(w.at + "callback"), "signed in": b.get(w.at + "sign-on")} {
		t.Run(name, func(t *testing.T) {
			policy := p.header.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "form-action 'self' " + w.op.URL, "frame-ancestors 'none'", "base-uri 'none'"} {
				if !strings.Contains(policy, want) {
					t.Errorf("policy %q lacks %q", policy, want)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(p.body, "<script") || strings.Contains(p.body, "style=") || strings.Contains(p.body, " on") && strings.Contains(p.body, "onclick") {
				t.Error("inline code")
			}
			if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Referrer-Policy") != "no-referrer" || p.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", p.header)
			}
			p.holds(t, `<html lang="en">`, `href="/demo/demo.css"`)
		})
	}
	if css := b.get(w.at + "demo.css"); css.status != http.StatusOK || !strings.HasPrefix(css.header.Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: %d %v", css.status, css.header)
	}
}

func TestCookiesAreOutOfReach(t *testing.T) {
	for base, secure := range map[string]bool{"https://app.example": true, "http://localhost:8080": false} {
		op := newOP(t)
		mux := routes{http.NewServeMux()}
		d, err := demo.New(demo.Config{
			Issuer: op.URL, ClientID: "demo", RedirectURI: base + demo.CallbackPath, AfterSignOut: base + demo.HomePath,
			Client: op.Client(), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		d.Register(mux)
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, demo.SignOnPath, nil))
		for _, c := range rec.Result().Cookies() {
			if !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != demo.HomePath || c.MaxAge != 600 {
				t.Errorf("%s: %v", base, c)
			}
		}
		if len(rec.Result().Cookies()) != 1 {
			t.Errorf("%s: cookies %v", base, rec.Result().Cookies())
		}
	}
}

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	good := demo.Config{
		Issuer: "https://op.example", ClientID: "demo", RedirectURI: "https://app.example/demo/callback",
		Client: http.DefaultClient, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	if _, err := demo.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*demo.Config){
		"no issuer":         func(c *demo.Config) { c.Issuer = "" },
		"a relative issuer": func(c *demo.Config) { c.Issuer = "/as" },
		"no redirect URI":   func(c *demo.Config) { c.RedirectURI = demo.CallbackPath },
		"no client id":      func(c *demo.Config) { c.ClientID = "" },
		"no HTTP client":    func(c *demo.Config) { c.Client = nil },
		"no log":            func(c *demo.Config) { c.Log = nil },
		"no clock":          func(c *demo.Config) { c.Now = nil },
	} {
		bad := good
		change(&bad)
		if _, err := demo.New(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

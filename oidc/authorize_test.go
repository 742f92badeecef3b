package oidc_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"doorward/runtime/flow"
)

func TestSec_OP_REDIRECT(t *testing.T) {
	h := newHouse(t)
	h.engine.sso = true
	bad := map[string]string{
		"other host": "https://evil.tld/cb", "suffixed host": "https://ok.example.evil.tld/cb", "userinfo with port": "https://ok.example:80@evil.tld/cb",
		"userinfo": "https://ok.example@evil.tld/cb", "backslash": `https://evil.tld\@ok.example/cb`, "dots": back + "/../", "encoded dots": back + "/%2e%2e/",
		"twice encoded dots": back + "/%252e%252e", "scheme-relative": "//evil.tld", "extra query": back + "?x=1", "fragment": back + "#frag", "empty fragment": back + "#",
		"trailing slash": back + "/", "upper case host": "https://OK.example/cb", "upper case path": "https://ok.example/CB", "http": "http://ok.example/cb",
		"port": "https://ok.example:8443/cb", "default port": "https://ok.example:443/cb", "homograph": "https://оk.example/cb", "star": "*", "glob": "https://ok.example/*",
		"localhost lookalike": "http://localhost.evil.tld/callback", "loopback lookalike": "http://127.0.0.1.evil.tld/callback", "tab": "https://ok.example/\tcb",
		"CR LF": back + "\r\nSet-Cookie: evil=1", "leading space": " " + back, "trailing space": back + " ", "script": "javascript:alert(1)", "data": "data:text/html,x",
		"empty": "", "absent": "-", "4 KB": back + strings.Repeat("a", 4096), "prefix": "https://ok.example/c", "NUL": back + "\x00",
	}
	for name, uri := range bad {
		for app, kind := range map[string]string{web: "web", native: "native"} {
			v := request(app, "redirect_uri", uri)
			for method, r := range map[string]reply{"GET": h.authorize(v), "POST": h.post("authorize", v)} {
				t.Run(strings.Join([]string{kind, name, method}, "/"), func(t *testing.T) {
					if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" || r.Header.Get("Set-Cookie") != "" {
						t.Errorf("%d Location %q", r.StatusCode, r.Header.Get("Location"))
					}
				})
			}
		}
	}
	t.Run("two of them", func(t *testing.T) {
		if r := h.authorize(url.Values{"client_id": {web}, "redirect_uri": {back, back}, "response_type": {"code"}}); r.StatusCode != http.StatusBadRequest {
			t.Error(r.StatusCode)
		}
	})
	for uri, want := range map[string]bool{
		"http://127.0.0.1/callback": true, "http://127.0.0.1:1/callback": true, "http://127.0.0.1:65535/callback": true, "http://[::1]:5000/callback?x=1": true,
		"http://localhost/callback": true, "app.example:/cb": true,
		"http://127.0.0.1:0/callback": false, "http://127.0.0.1:65536/callback": false, "http://127.0.0.1:/callback": false, "http://127.0.0.1:080/callback": false,
		"http://127.0.0.1:80@evil.tld/callback": false, "http://127.0.0.1:80/callback/": false, "https://127.0.0.1:80/callback": false, "http://127.0.0.2:80/callback": false,
		"http://[::1]:5000/callback": false, "http://[::2]:5000/callback?x=1": false, "http://localhost:80/callback": false, "http://127.1:80/callback": false,
		"http://127.0.0.1:+80/callback": false, "http://127.0.0.1:80\\@evil.tld/callback": false, "http://u@127.0.0.1:80/callback": false, "app.example:/cb2": false,
	} {
		t.Run("loopback "+uri, func(t *testing.T) {
			r := h.authorize(request(native, "redirect_uri", uri))
			if got := r.StatusCode == http.StatusFound && strings.HasPrefix(r.Header.Get("Location"), uri); got != want {
				t.Errorf("%d %q", r.StatusCode, r.Header.Get("Location"))
			}
		})
	}
}

// refusal is a change to a good request and the error it gets.
type refusal struct {
	name   string
	app    string
	change []string
	want   string // error; empty: taken
}

func TestSec_OP_PKCE_at_authorize(t *testing.T) {
	h := newHouse(t)
	h.engine.sso = true
	for _, c := range []refusal{
		{"a public client needs a challenge", native, []string{"code_challenge", "-", "code_challenge_method", "-"}, "invalid_request"},
		{"so does one with S256_REQUIRED", strict, []string{"code_challenge", "-", "code_challenge_method", "-"}, "invalid_request"},
		{"plain is refused", web, []string{"code_challenge_method", "plain", "code_challenge", verifier}, "invalid_request"},
		{"an absent method means plain and is refused", web, []string{"code_challenge_method", "-"}, "invalid_request"},
		{"a method without a challenge is refused", web, []string{"code_challenge", "-"}, "invalid_request"},
		{"42 characters are refused", native, []string{"code_challenge", strings.Repeat("a", 42)}, "invalid_request"},
		{"129 characters are refused", native, []string{"code_challenge", strings.Repeat("a", 129)}, "invalid_request"},
		{"what is not base64url is refused", native, []string{"code_challenge", strings.Repeat("+", 43)}, "invalid_request"},
		{"what no SHA-256 encodes to is refused", native, []string{"code_challenge", strings.Repeat("b", 43)}, "invalid_request"},
		{"a confidential client may do without", web, []string{"code_challenge", "-", "code_challenge_method", "-"}, ""},
		{"S256 is taken", native, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, h.authorize(request(c.app, c.change...)), c.want) })
	}
}

func refused(t *testing.T, r reply, want string) {
	t.Helper()
	_, q := r.location(t)
	if q.Get("error") != want || q.Get("state") != "s1" || q.Get("iss") == "" || (want == "") != q.Has("code") {
		t.Errorf("%v", q)
	}
	if r.Header.Get("Referrer-Policy") != "no-referrer" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", r.Header)
	}
}

func TestSec_OP_RESPONSE_MODE(t *testing.T) {
	h := newHouse(t)
	h.engine.sso = true
	cases := []refusal{
		{"empty mode is an omitted one", web, []string{"response_mode", ""}, ""},
		{"query", web, []string{"response_mode", "query"}, ""},
		{"pi.flow for a client that may not", web, []string{"response_mode", "pi.flow"}, "unauthorized_client"},
		{"no type", web, []string{"response_type", "-"}, "invalid_request"},
		{"empty type", web, []string{"response_type", ""}, "invalid_request"},
	}
	for _, mode := range []string{"fragment", "form_post", "web_message", "jwt", "query.jwt", "PI.FLOW", "unknown", " query"} {
		cases = append(cases, refusal{"mode " + mode, web, []string{"response_mode", mode}, "invalid_request"})
	}
	for _, kind := range []string{"token", "id_token", "code token", "code id_token", "none", "CODE", "code code"} {
		cases = append(cases, refusal{"type " + kind, web, []string{"response_type", kind}, "unsupported_response_type"})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { refused(t, h.authorize(request(c.app, c.change...)), c.want) })
	}
	for _, name := range []string{"response_mode", "response_type"} {
		t.Run(name+" twice", func(t *testing.T) {
			v := request(web)
			v[name] = []string{"code", "code"}
			refused(t, h.authorize(v), "invalid_request")
		})
	}
	t.Run("a worker has no response type", func(t *testing.T) {
		if r := h.authorize(request(worker)); r.StatusCode != http.StatusBadRequest {
			t.Error(r.StatusCode)
		}
	})
}

func TestAuthorizeJudgesItsParameters(t *testing.T) {
	h := newHouse(t)
	h.engine.sso = true
	for _, c := range []refusal{
		{"request objects", web, []string{"request", "e30.e30."}, "request_not_supported"},
		{"request_uri", web, []string{"request_uri", "https://evil.tld/"}, "request_uri_not_supported"},
		{"registration", web, []string{"registration", "{}"}, "registration_not_supported"},
		{"none beside login", web, []string{"prompt", "none login"}, "invalid_request"},
		{"none beside something unknown", web, []string{"prompt", "none x"}, "invalid_request"},
		{"none with a session", web, []string{"prompt", "none"}, ""},
		{"consent is ignored", web, []string{"prompt", "consent"}, ""},
		{"negative max_age", web, []string{"max_age", "-1"}, "invalid_request"},
		{"max_age in words", web, []string{"max_age", "1h"}, "invalid_request"},
		{"huge max_age", web, []string{"max_age", "9223372036854775807"}, ""},
		{"a hint that is no token", web, []string{"id_token_hint", "x.y.z"}, "invalid_request"},
		{"a long nonce", web, []string{"nonce", strings.Repeat("n", 513)}, "invalid_request"},
		{"control characters", web, []string{"login_hint", "a\r\nb"}, "invalid_request"},
		{"bytes that are no UTF-8", web, []string{"login_hint", "\xff"}, "invalid_request"},
		{"unknown parameters are ignored", web, []string{"x_custom", "1"}, ""},
		{"a policy that is not assigned (SEQ-ACR-DOWNGRADE)", web, []string{"acr_values", "Unknown"}, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, h.authorize(request(c.app, c.change...)), c.want) })
	}
	t.Run("no parameter twice", func(t *testing.T) {
		for _, name := range []string{"scope", "nonce", "prompt", "code_challenge", "acr_values", "x_custom"} {
			v := request(web)
			v[name] = []string{"openid", "openid"}
			refused(t, h.authorize(v), "invalid_request")
		}
		v := request(web)
		v["state"] = []string{"a", "b"}
		if _, q := h.authorize(v).location(t); q.Get("error") != "invalid_request" || q.Has("state") {
			t.Error(q)
		}
	})
	for name, v := range map[string]url.Values{
		"unknown application": request("d0000000-0000-4000-8000-0000000000ff"), "switched off": request(off), "no application": request(web, "client_id", "-"),
		"two applications": {"client_id": {web, native}, "redirect_uri": {back}},
	} {
		t.Run(name, func(t *testing.T) {
			if r := h.authorize(v); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
				t.Errorf("%d %q", r.StatusCode, r.Header.Get("Location"))
			}
		})
	}
	for name, query := range map[string]string{"bad encoding": "client_id=%zz", "semicolons": "client_id=a;redirect_uri=b"} {
		t.Run(name, func(t *testing.T) {
			if r := h.get("authorize?" + query); r.StatusCode != http.StatusBadRequest {
				t.Error(r.StatusCode)
			}
		})
	}
	t.Run("16 KiB are enough", func(t *testing.T) {
		if r := h.post("authorize", request(web, "x", strings.Repeat("x", 17<<10))); r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Error(r.StatusCode)
		}
	})
	t.Run("a POST takes a form only", func(t *testing.T) {
		if r := h.post("authorize?client_id="+web, request(web)); r.StatusCode != http.StatusBadRequest {
			t.Error(r.StatusCode)
		}
		r := httptest.NewRequest(http.MethodPost, h.url("authorize"), strings.NewReader("{}"))
		if r := h.do(with(r, "Content-Type", "application/json")); r.StatusCode != http.StatusUnsupportedMediaType {
			t.Error(r.StatusCode)
		}
	})
}

func TestAuthorizeTellsTheEngineWhatWasAsked(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name   string
		change []string
		check  func(flow.Start) bool
	}{
		{"login is fresh", []string{"prompt", "login"}, func(s flow.Start) bool { return s.Request.Fresh && !s.Silent }},
		{"select_account is fresh", []string{"prompt", "select_account consent"}, func(s flow.Start) bool { return s.Request.Fresh }},
		{"none is silent", []string{"prompt", "none"}, func(s flow.Start) bool { return s.Silent && !s.Request.Fresh }},
		{"max_age", []string{"max_age", "0"}, func(s flow.Start) bool { return s.Request.MaxAge == 0 }},
		{"no max_age", nil, func(s flow.Start) bool { return s.Request.MaxAge == -1 }},
		{"a billion seconds are no demand", []string{"max_age", "1000000000"}, func(s flow.Start) bool { return s.Request.MaxAge == -1 }},
		{"login_hint", []string{"login_hint", "ada"}, func(s flow.Start) bool { return s.Request.LoginHint == "ada" }},
		{"ui_locales", []string{"ui_locales", "de-AT  en"}, func(s flow.Start) bool { return s.Request.Locales == "de-AT,en" }},
		{"ui_locales that are no languages", []string{"ui_locales", "de;q=1 <b>"}, func(s flow.Start) bool { return s.Request.Locales == "" }},
		{"the address", nil, func(s flow.Start) bool {
			return s.Request.ReturnTo == back && s.Request.Application == web && s.Env == envID
		}},
		{"no Flow-Token for those who may not", nil, func(s flow.Start) bool { return !s.FlowToken && !s.Request.PiFlow }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.authorize(request(web, c.change...))
			if s := h.engine.last(); !c.check(s) {
				t.Errorf("%+v", s)
			}
		})
	}
	t.Run("the caller", func(t *testing.T) {
		h.authorize(request(web), "Cookie", "ST=mine", "User-Agent", "test", "Accept-Language", "de,"+strings.Repeat("x", 600))
		if c := h.engine.last().Caller; c.Cookie != "mine" || c.Client.UserAgent != "test" || !strings.HasPrefix(c.Client.Locales, "de,x") || len(c.Client.Locales) != 512 || !c.Client.RemoteIP.IsLoopback() {
			t.Errorf("%+v", c)
		}
	})
}

func TestAuthorizeLeadsToTheSignOnPage(t *testing.T) {
	h := newHouse(t)
	r := h.authorize(request(web))
	u, q := r.location(t)
	if u.Path != "/"+envID+"/signon/" || q.Get("flowId") == "" || !strings.HasPrefix(r.Header.Get("Set-Cookie"), "ST=new-st; Path=/"+envID) {
		t.Errorf("%v %v", u, r.Header)
	}
	u, q = h.authorize(request(custom)).location(t)
	if u.Host != "login.example" || q.Get("x") != "1" || q.Get("environmentId") != envID || q.Get("flowId") == "" {
		t.Error(u)
	}
	if r = h.post("authorize", request(web)); r.StatusCode != http.StatusFound {
		t.Error(r.StatusCode)
	}
}

func TestASilentRequestGetsAnAnswerInAnyCase(t *testing.T) {
	h := newHouse(t)
	refused(t, h.authorize(request(web, "prompt", "none")), "login_required")
	h.engine.err = flow.Busy(errors.New("secret cause"))
	refused(t, h.authorize(request(web, "prompt", "none")), "temporarily_unavailable")
	if r := h.authorize(request(web)); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || strings.Contains(r.body, "secret cause") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestSec_OP_REFLECT(t *testing.T) {
	h := newHouse(t)
	h.engine.sso = true
	for _, input := range []string{`"><script>alert(1)</script>`, `javascript:alert(1)`, `</textarea><img src=x onerror=1>`, `';alert(1)//`, `{{7*7}}`, "\x00<svg/onload=1>"} {
		for _, name := range []string{"state", "nonce", "login_hint", "ui_locales", "acr_values", "scope", "client_id", "redirect_uri", "error", input} {
			r := h.authorize(request(web, name, input), "Accept", "text/html")
			if strings.Contains(r.body, input) || r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s=%q: %s", name, input, r.body)
			}
			doc, err := html.Parse(strings.NewReader(r.body))
			if err != nil || strings.Contains(r.body, "<script") {
				t.Errorf("%v %v", doc, err)
			}
		}
		for _, r := range []reply{h.get("resume?flowId=" + url.QueryEscape(input)), h.post("token", url.Values{"grant_type": {input}}), h.get("signoff?client_id=" + url.QueryEscape(input))} {
			if strings.Contains(r.body, "<script>") || strings.Contains(r.body, "<img") {
				t.Errorf("%q: %s", input, r.body)
			}
		}
	}
}

func TestSec_INJ_CRLF(t *testing.T) {
	h := newHouse(t)
	h.engine.sso = true
	for _, input := range []string{"%0d%0aSet-Cookie:%20evil=1", "%0a", "%0d", "%E5%98%8A%E5%98%8D", "%5cu560d"} {
		for _, name := range []string{"state", "login_hint", "ui_locales", "nonce"} {
			r := h.get("authorize?" + request(web, name, "-").Encode() + "&" + name + "=" + input)
			if r.Header.Get("Set-Cookie") != "" || strings.ContainsAny(r.Header.Get("Location"), "\r\n\u560a") {
				t.Errorf("%s=%s: %v", name, input, r.Header)
			}
		}
	}
}

package oidc_test

import (
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	rp "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"doorward/runtime/flow"
)

// TestARelyingPartyLibraryNeedsNoSpecialCase runs golang.org/x/oauth2 and
// coreos/go-oidc against the provider, as an application would.
func TestARelyingPartyLibraryNeedsNoSpecialCase(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	provider, err := rp.NewProvider(ctx, h.URL+"/"+envID+"/as")
	if err != nil {
		t.Fatal(err)
	}
	for app, alg := range map[string]string{web: "RS256", custom: "ES256", modern: "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			conf := oauth2.Config{ClientID: app, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: back, Scopes: []string{"openid", "profile", "email", "unknown"}}
			v, err := url.Parse(conf.AuthCodeURL("s", rp.Nonce("n"), oauth2.S256ChallengeOption(verifier)))
			if err != nil {
				t.Fatal(err)
			}
			before := time.Now().Truncate(time.Second)
			tokens, err := conf.Exchange(ctx, h.code(v.Query()), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			if tokens.Extra("scope") != "openid profile email" || tokens.ExpiresIn != 3600 {
				t.Errorf("%v %v", tokens.Extra("scope"), tokens.ExpiresIn)
			}
			raw, _ := tokens.Extra("id_token").(string)
			id, err := provider.Verifier(&rp.Config{ClientID: app, SupportedSigningAlgs: []string{alg}}).Verify(ctx, raw)
			if err != nil {
				t.Fatal(err)
			}
			if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
				t.Error(err)
			}
			var c map[string]any
			if err := id.Claims(&c); err != nil {
				t.Fatal(err)
			}
			if c["sub"] != h.ada.ID || c["nonce"] != "n" || c["acr"] != "Single_Factor" || c["env"] != envID || c["sid"] == nil || c["gid"] != nil || c["auth_time"].(float64) < float64(before.Unix()) {
				t.Errorf("%v", c)
			}
			if amr, _ := c["amr"].([]any); len(amr) != 1 || amr[0] != "pwd" {
				t.Errorf("amr %v", c["amr"])
			}
			info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
			if err != nil || info.Subject != h.ada.ID || info.Email != "ada@example.com" || !info.EmailVerified {
				t.Errorf("%+v %v", info, err)
			}
			isError(t, h.userinfo(raw), http.StatusUnauthorized, "invalid_token")
		})
	}
	if n := h.events.count(flow.SigningKeyCreated); n != 1 {
		t.Errorf("%d keys were made for the algorithm that had none", n)
	}
}

func TestUserinfoShowsWhatTheScopeAllows(t *testing.T) {
	h := newHouse(t)
	token := func(scope string) string {
		return h.redeem(exchange(h.code(request(web, "scope", scope)))).json(t)["access_token"].(string)
	}
	all := token("openid profile email")
	if m := h.userinfo(all).json(t); m["sub"] != h.ada.ID || m["name"] != "Ada Lovelace" || m["preferred_username"] != "ada" || m["email"] != "ada@example.com" || m["locale"] != "en" {
		t.Error(m)
	}
	if m := h.userinfo(token("openid")).json(t); m["sub"] != h.ada.ID || len(m) != 1 {
		t.Error(m)
	}
	t.Run("no openid, no ID token and no userinfo", func(t *testing.T) {
		r := h.redeem(exchange(h.code(request(web, "scope", "profile"))))
		if m := r.json(t); m["id_token"] != nil {
			t.Error(m)
		}
		isError(t, h.userinfo(r.json(t)["access_token"].(string)), http.StatusForbidden, "insufficient_scope")
	})
	t.Run("the token may come in a form", func(t *testing.T) {
		if r := h.post("userinfo", url.Values{"access_token": {all}}); r.StatusCode != http.StatusOK {
			t.Error(r.body)
		}
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url("userinfo"), nil)
		if r := h.do(with(r, "Authorization", "Bearer "+all)); r.StatusCode != http.StatusOK {
			t.Error(r.body)
		}
	})
	t.Run("but not in the address, and not twice", func(t *testing.T) {
		isError(t, h.get("userinfo?access_token="+all), 400, "invalid_request")
		isError(t, h.post("userinfo", url.Values{"access_token": {all}}, "Authorization", "Bearer "+all), 400, "invalid_request")
	})
	for name, bad := range map[string]string{
		"nothing": "", "noise": "x", "an unsigned one": "eyJhbGciOiJub25lIn0.eyJhdWQiOlsxXX0.", "a changed one": all[:len(all)-6] + "AAAAAA",
		"a list of numbers for an audience": base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"x"}`)) + ".eyJhdWQiOlsxXX0.c2ln",
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			if r := h.userinfo(bad); r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
		})
	}
	t.Run("an hour later it is over", func(t *testing.T) {
		h.ahead.Store(int64(time.Hour))
		defer h.ahead.Store(0)
		isError(t, h.userinfo(all), http.StatusUnauthorized, "invalid_token")
	})
	t.Run("in another environment it is worth nothing", func(t *testing.T) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/"+otherEnv+"/as/userinfo", nil)
		isError(t, h.do(with(r, "Authorization", "Bearer "+all)), http.StatusUnauthorized, "invalid_token")
	})
	t.Run("a disabled user is not shown", func(t *testing.T) {
		if err := h.users.SetEnabled(t.Context(), envID, h.ada.ID, false); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.users.SetEnabled(t.Context(), envID, h.ada.ID, true); err != nil {
				t.Error(err)
			}
		}()
		isError(t, h.userinfo(all), http.StatusUnauthorized, "invalid_token")
	})
}

func TestAHintNamesWhoIsExpected(t *testing.T) {
	h := newHouse(t)
	id := h.redeem(exchange(h.code(request(web)))).json(t)["id_token"].(string)
	refused(t, h.authorize(request(web, "prompt", "none", "id_token_hint", id)), "")
	h.engine.user.ID = "somebody-else"
	refused(t, h.authorize(request(web, "prompt", "none", "id_token_hint", id)), "login_required")
	if u, _ := h.authorize(request(web, "id_token_hint", id)).location(t); !strings.HasSuffix(u.Path, "/signon/") || !h.engine.last().Request.Fresh {
		t.Error(u)
	}
}

func TestTheProviderDescribesItself(t *testing.T) {
	h := newHouse(t)
	r := h.get(".well-known/openid-configuration")
	m := r.json(t)
	for name, path := range map[string]string{"issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token", "userinfo_endpoint": "/userinfo", "end_session_endpoint": "/signoff", "jwks_uri": "/jwks"} {
		if m[name] != h.URL+"/"+envID+"/as"+path {
			t.Errorf("%s: %v", name, m[name])
		}
	}
	if m["authorization_response_iss_parameter_supported"] != true || m["request_uri_parameter_supported"] != false || !strings.Contains(r.Header.Get("Cache-Control"), "max-age=") {
		t.Errorf("%v %v", m, r.Header)
	}
	r = h.get("jwks")
	list, _ := r.json(t)["keys"].([]any)
	if len(list) != 2 || !strings.Contains(r.Header.Get("Cache-Control"), "max-age=") || strings.Contains(r.body, `"d":`) {
		t.Fatalf("%d keys %v", len(list), r.Header)
	}
	for _, k := range list {
		k := k.(map[string]any)
		chain, _ := k["x5c"].([]any)
		if k["kid"] == "" || k["use"] != "sig" || k["alg"] == nil || len(chain) != 1 {
			t.Fatalf("%v", k)
		}
		der, err := base64.StdEncoding.DecodeString(chain[0].(string))
		if _, err2 := x509.ParseCertificate(der); err != nil || err2 != nil {
			t.Error(err, err2)
		}
	}
}

func TestSec_BIND_CORS(t *testing.T) {
	h := newHouse(t)
	app, _ := h.bundle.Application(native)
	good := app.CORSSettings.Origins[0]
	pi := "authorize?" + request(native, "response_mode", "pi.flow").Encode()
	for _, origin := range []string{"https://evil.tld", "null", good + ".evil.tld", "http://login.app.example", "https://LOGIN.app.example", good + ":443", good + "%60.evil.tld", good + "/", ""} {
		for _, path := range []string{"userinfo", pi} {
			r := h.get(path, "Origin", origin)
			if r.Header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(r.Header.Get("Vary"), "Origin") {
				t.Errorf("%s %q: %v", path, origin, r.Header)
			}
		}
	}
	if r := h.get("userinfo", "Origin", good, "Origin", good); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("two origins")
	}
	for _, path := range []string{"userinfo", pi} {
		if r := h.get(path, "Origin", good); r.Header.Get("Access-Control-Allow-Origin") != good || r.Header.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("%s: %v", path, r.Header)
		}
	}
	if r := h.authorize(request(web), "Origin", good); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the origin of another application reads an authorization")
	}
	for _, path := range []string{"jwks", ".well-known/openid-configuration"} {
		if r := h.get(path, "Origin", "https://any.tld"); r.Header.Get("Access-Control-Allow-Origin") != "*" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, r.Header)
		}
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, h.url(path), nil)
		if res := h.do(r); res.StatusCode != http.StatusOK || res.body != "" {
			t.Errorf("HEAD %s: %d", path, res.StatusCode)
		}
	}
	for origin, want := range map[string]string{good: good, "https://evil.tld": ""} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.url("token"), nil)
		res := h.do(with(r, "Origin", origin, "Access-Control-Request-Method", "POST"))
		if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != want || (want != "") != (res.Header.Get("Access-Control-Allow-Methods") == "POST") {
			t.Errorf("%s: %v", origin, res.Header)
		}
	}
}

func TestWhenTheStoreIsGoneTheAnswerIsNo(t *testing.T) {
	h := newHouse(t)
	code := h.code(request(web))
	access := h.redeem(exchange(h.code(request(web)))).json(t)["access_token"].(string)
	h.authorize(request(web))
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]reply{
		"token": h.redeem(exchange(code)), "userinfo": h.userinfo(access), "resume": h.get("resume?flowId=" + h.ada.ID),
	} {
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || strings.Contains(r.body, "sql") || r.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
}

func TestAnUnknownTenantIsNotFound(t *testing.T) {
	h := newHouse(t)
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/d0000000-0000-4000-8000-0000000000ff/as/jwks", nil)
	if res := h.do(r); res.StatusCode != http.StatusNotFound {
		t.Error(res.StatusCode)
	}
}

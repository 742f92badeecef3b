package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/runtime/flow"
)

// redeem sends a token request of web.
func (h *house) redeem(form url.Values) reply {
	h.t.Helper()
	return h.post("token", form, "Authorization", basic(web, secret))
}

func isError(t *testing.T, r reply, status int, code string) {
	t.Helper()
	if m := r.json(t); r.StatusCode != status || m["error"] != code || m["access_token"] != nil || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s, want %d %s", r.StatusCode, r.body, status, code)
	}
}

func (h *house) userinfo(token string) reply {
	h.t.Helper()
	return h.get("userinfo", "Authorization", "Bearer "+token)
}

func TestSec_OP_CODE(t *testing.T) {
	h := newHouse(t)
	t.Run("sixteen at once have one success, and the rest end its tokens", func(t *testing.T) {
		code := h.code(request(web))
		var wg sync.WaitGroup
		replies := make(chan reply, 16)
		for range 16 {
			wg.Go(func() { replies <- h.redeem(exchange(code)) })
		}
		wg.Wait()
		close(replies)
		var won []string
		for r := range replies {
			if r.StatusCode == http.StatusOK {
				won = append(won, r.json(t)["access_token"].(string))
			} else {
				isError(t, r, http.StatusBadRequest, "invalid_grant")
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d successes", len(won))
		}
		if r := h.userinfo(won[0]); r.StatusCode != http.StatusUnauthorized || !strings.Contains(r.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if n := h.events.count(flow.CodeReplayed); n != 15 {
			t.Errorf("%d events", n)
		}
	})
	t.Run("again after 30 s ends the tokens issued first", func(t *testing.T) {
		code := h.code(request(web))
		token := h.redeem(exchange(code)).json(t)["access_token"].(string)
		if r := h.userinfo(token); r.StatusCode != http.StatusOK {
			t.Fatal(r.body)
		}
		h.ahead.Store(int64(30 * time.Second))
		defer h.ahead.Store(0)
		isError(t, h.redeem(exchange(code)), http.StatusBadRequest, "invalid_grant")
		isError(t, h.userinfo(token), http.StatusUnauthorized, "invalid_token")
	})
	t.Run("never given, which leaves a line in the log", func(t *testing.T) {
		const made = "made-up-code-canary"
		isError(t, h.redeem(exchange(made)), http.StatusBadRequest, "invalid_grant")
		isError(t, h.userinfo("made-up-token-canary"), http.StatusUnauthorized, "invalid_token")
		wants := []string{"path=/" + envID + "/as/token status=400", "error=invalid_grant", "path=/" + envID + "/as/userinfo status=401", "error=invalid_token"}
		missing := func() string {
			for _, want := range wants {
				if !strings.Contains(h.log.String(), want) {
					return want
				}
			}
			return ""
		}
		for deadline := time.Now().Add(10 * time.Second); missing() != "" && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			continue // it is written behind the answer
		}
		if want := missing(); want != "" || strings.Contains(h.log.String(), "canary") {
			t.Errorf("lacks %q: %s", want, h.log.String())
		}
	})
	for _, late := range []time.Duration{61 * time.Second, 599 * time.Second} {
		t.Run("after "+late.String(), func(t *testing.T) {
			code := h.code(request(web))
			h.ahead.Store(int64(late))
			defer h.ahead.Store(0)
			isError(t, h.redeem(exchange(code)), http.StatusBadRequest, "invalid_grant")
		})
	}
	for name, send := range map[string]func(code string) reply{
		"by another client": func(code string) reply {
			return h.post("token", exchange(code), "Authorization", basic(custom, secret))
		},
		"by a public client":      func(code string) reply { return h.post("token", exchange(code, "client_id", native)) },
		"to another redirect_uri": func(code string) reply { return h.redeem(exchange(code, "redirect_uri", back+"2")) },
		"without a redirect_uri":  func(code string) reply { return h.redeem(exchange(code, "redirect_uri", "-")) },
		"without a verifier":      func(code string) reply { return h.redeem(exchange(code, "code_verifier", "-")) },
		"with a wrong verifier": func(code string) reply {
			return h.redeem(exchange(code, "code_verifier", strings.ToUpper(verifier)))
		},
		"with the challenge as verifier": func(code string) reply { return h.redeem(exchange(code, "code_verifier", challenge(verifier))) },
		"with a short verifier":          func(code string) reply { return h.redeem(exchange(code, "code_verifier", "short")) },
	} {
		t.Run(name+" uses the code up", func(t *testing.T) {
			code := h.code(request(web))
			before := h.events.count(flow.CodeMismatch)
			isError(t, send(code), http.StatusBadRequest, "invalid_grant")
			isError(t, h.redeem(exchange(code)), http.StatusBadRequest, "invalid_grant")
			if n := h.events.count(flow.CodeMismatch) - before; n != 1 {
				t.Errorf("%d events", n)
			}
		})
	}
	t.Run("of another environment it is unknown and stays good (BIND-CROSS-ENV)", func(t *testing.T) {
		code := h.code(request(web))
		r := httptest.NewRequest(http.MethodPost, h.URL+"/"+otherEnv+"/as/token", strings.NewReader(exchange(code).Encode()))
		isError(t, h.do(with(r, "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic(web, secret))), http.StatusBadRequest, "invalid_grant")
		if r := h.redeem(exchange(code)); r.StatusCode != http.StatusOK {
			t.Error(r.body)
		}
	})
	t.Run("a disabled user gets no tokens", func(t *testing.T) {
		code := h.code(request(web))
		if err := h.users.SetEnabled(t.Context(), envID, h.ada.ID, false); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.users.SetEnabled(t.Context(), envID, h.ada.ID, true); err != nil {
				t.Error(err)
			}
		}()
		isError(t, h.redeem(exchange(code)), http.StatusBadRequest, "invalid_grant")
	})
}

// The scheme of a credential is compared without case. Source: RFC 9110 11.1.
func TestABearerTokenInAnyCase(t *testing.T) {
	h := newHouse(t)
	access := h.redeem(exchange(h.code(request(web)))).json(t)["access_token"].(string)
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} {
		if r := h.get("userinfo", "Authorization", scheme+" "+access); r.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", scheme, r.StatusCode, r.body)
		}
	}
}

func TestSec_OP_PKCE_at_token(t *testing.T) {
	h := newHouse(t)
	none := []string{"code_challenge", "-", "code_challenge_method", "-"}
	t.Run("a verifier without a challenge is a mismatch", func(t *testing.T) {
		isError(t, h.redeem(exchange(h.code(request(web, none...)))), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("a client without PKCE needs no verifier", func(t *testing.T) {
		if r := h.redeem(exchange(h.code(request(web, none...)), "code_verifier", "-")); r.StatusCode != http.StatusOK {
			t.Error(r.body)
		}
	})
	t.Run("the verifier of another request does not do", func(t *testing.T) {
		other := strings.Repeat("x", 43)
		first, second := h.code(request(web)), h.code(request(web, "code_challenge", challenge(other)))
		isError(t, h.redeem(exchange(first, "code_verifier", other)), http.StatusBadRequest, "invalid_grant")
		isError(t, h.redeem(exchange(second)), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("a challenge may be used again, each code with its verifier", func(t *testing.T) {
		for range 2 {
			if r := h.redeem(exchange(h.code(request(web)))); r.StatusCode != http.StatusOK {
				t.Error(r.body)
			}
		}
	})
}

func TestAClientIsKnownByItsOneRegisteredMethod(t *testing.T) {
	h := newHouse(t)
	good := func(change ...string) url.Values { return exchange("unknown", change...) }
	for _, c := range []struct {
		name   string
		form   url.Values
		header string
		status int
		want   string
	}{
		{"right secret", good(), basic(web, secret), 400, "invalid_grant"},
		{"right secret by POST", good("client_id", strict, "client_secret", secret), "", 400, "invalid_grant"},
		{"public client", good("client_id", native), "", 400, "invalid_grant"},
		{"wrong secret", good(), basic(web, "wrong"), 401, "invalid_client"},
		{"empty secret", good(), basic(web, ""), 401, "invalid_client"},
		{"no secret", good("client_id", web), "", 401, "invalid_client"},
		{"POST instead of Basic", good("client_id", web, "client_secret", secret), "", 401, "invalid_client"},
		{"Basic instead of POST", good(), basic(strict, secret), 401, "invalid_client"},
		{"a public client with a secret", good("client_id", native, "client_secret", "x"), "", 401, "invalid_client"},
		{"a public client by Basic", good(), basic(native, ""), 401, "invalid_client"},
		{"unknown client", good(), basic("nobody", secret), 401, "invalid_client"},
		{"unknown client without a secret", good("client_id", "nobody"), "", 401, "invalid_client"},
		{"switched off", good(), basic(off, secret), 401, "invalid_client"},
		{"an assertion", good("client_id", web, "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), "", 401, "invalid_client"},
		{"two methods at once", good("client_id", web, "client_secret", secret), basic(web, secret), 400, "invalid_request"},
		{"two names", good("client_id", strict), basic(web, secret), 400, "invalid_request"},
		{"nobody", good(), "", 400, "invalid_request"},
		{"Basic without a value", good(), "Basic", 401, "invalid_client"},
		{"Basic that is no base64", good(), "Basic %%%", 401, "invalid_client"},
		{"Basic without a colon", good(), "Basic bm9jb2xvbg==", 401, "invalid_client"},
		{"Basic with a bad escape", good(), "Basic JXp6OiV6eg==", 401, "invalid_client"},
		{"Basic with a bad escape in the secret", good(), "Basic YTolenk=", 401, "invalid_client"},
		{"Bearer", good(), "Bearer x", 401, "invalid_client"},
		{"a grant type it does not have", good("grant_type", "client_credentials"), basic(web, secret), 400, "unauthorized_client"},
		{"refresh tokens", good("grant_type", "refresh_token", "refresh_token", "x"), basic(web, secret), 400, "unauthorized_client"},
		{"an unknown grant type", good("grant_type", "password"), basic(web, secret), 400, "unsupported_grant_type"},
		{"no grant type", good("grant_type", "-"), basic(web, secret), 400, "invalid_request"},
		{"no code", good("code", "-"), basic(web, secret), 400, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var header []string
			if c.header != "" {
				header = []string{"Authorization", c.header}
			}
			r := h.post("token", c.form, header...)
			isError(t, r, c.status, c.want)
			if c.status == 401 && !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Error("no challenge")
			}
			if strings.Contains(r.body, secret) {
				t.Error("the secret is shown")
			}
		})
	}
}

func TestATokenRequestIsOneFormByPOST(t *testing.T) {
	h := newHouse(t)
	code := h.code(request(web))
	auth := basic(web, secret)
	t.Run("not GET", func(t *testing.T) {
		if r := h.get("token?"+exchange(code).Encode(), "Authorization", auth); r.StatusCode != http.StatusMethodNotAllowed {
			t.Error(r.StatusCode)
		}
	})
	t.Run("nothing in the query", func(t *testing.T) {
		isError(t, h.post("token?code="+code, exchange(code, "code", "-"), "Authorization", auth), 400, "invalid_request")
		isError(t, h.post("token?x=1", exchange(code), "Authorization", auth), 400, "invalid_request")
	})
	t.Run("nothing twice", func(t *testing.T) {
		form := exchange(code)
		form.Add("code", code)
		isError(t, h.redeem(form), 400, "invalid_request")
	})
	t.Run("a form", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, h.url("token"), strings.NewReader(`{"grant_type":"authorization_code"}`))
		isError(t, h.do(with(r, "Content-Type", "application/json", "Authorization", auth)), 400, "invalid_request")
	})
	t.Run("two Authorization headers", func(t *testing.T) {
		isError(t, h.post("token", exchange(code), "Authorization", auth, "Authorization", auth), 401, "invalid_client")
	})
	t.Run("none of them used the code up", func(t *testing.T) {
		if r := h.redeem(exchange(code)); r.StatusCode != http.StatusOK {
			t.Error(r.body)
		}
	})
}

func TestAWorkerGetsATokenForItself(t *testing.T) {
	h := newHouse(t)
	r := h.post("token", url.Values{"grant_type": {"client_credentials"}, "scope": {"openid admin"}}, "Authorization", basic(worker, secret))
	m := r.json(t)
	if r.StatusCode != http.StatusOK || m["token_type"] != "Bearer" || m["expires_in"] != 3600.0 || m["id_token"] != nil || m["scope"] != nil {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	isError(t, h.userinfo(m["access_token"].(string)), http.StatusUnauthorized, "invalid_token")
}

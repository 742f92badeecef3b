package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// TestBrowserSimpleWebAuthn has an application on an origin of its own register a
// passkey and sign on with it by @simplewebauthn/browser, unmodified, over the JSON
// form of the flow API: as a second factor, and instead of everything.
func TestBrowserSimpleWebAuthn(t *testing.T) {
	t.Parallel()
	script := browsertest.SimpleWebAuthn(t)
	html, err := os.ReadFile("testdata/pages/passkeys.html")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simplewebauthn.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(script)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(html)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // an address is no relying party

	node := nodetest.Start(t, nodetest.Options{Host: "localhost"})
	o := newOffice(t, node)
	client, _ := o.ask("POST", "/applications", "application/json", fmt.Sprintf(`{"name":"Single page","enabled":true,"type":"SINGLE_PAGE_APP","protocol":"OPENID_CONNECT",
		"grantTypes":["AUTHORIZATION_CODE"],"responseTypes":["CODE"],"responseModes":["pi.flow"],"redirectUris":["%[1]s/cb"],"tokenEndpointAuthMethod":"NONE","pkceEnforcement":"S256_REQUIRED",
		"corsSettings":{"behavior":"ALLOW_SPECIFIC_ORIGINS","origins":["%[1]s"]},"passkeys":{"origins":["%[1]s"]}}`, page), http.StatusCreated)["id"].(string)
	for i, policy := range []string{"d0000000-0000-4000-8000-000000000210", "d0000000-0000-4000-8000-000000000211"} { // Multi_Factor, Passwordless
		o.ask("POST", "/applications/"+client+"/signOnPolicyAssignments", "application/json", fmt.Sprintf(`{"priority":%d,"signOnPolicy":{"id":%q}}`, i+1, policy), http.StatusCreated)
	}

	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	tab.Authenticator()
	tab.Open(page + "/")
	issuer := node.Base + "/" + nodetest.Env + "/as"
	is := func(want, call string) {
		t.Helper()
		got := browsertest.Eval[string](tab, "("+call+").then(f => f.status, e => String(e))")
		if got != want {
			t.Fatalf("%s: %s, want %s", call, got, want)
		}
	}
	begin := func(acr string) string {
		return fmt.Sprintf(`begin(%q, %q, {acr_values: %q, prompt: "login"})`, issuer, client, acr)
	}
	claims := func() map[string]any {
		t.Helper()
		return browsertest.Eval[map[string]any](tab, fmt.Sprintf("redeem(%q, %q)", issuer, client))
	}
	password := fmt.Sprintf(`act("usernamePassword.check", {username: %q, password: %q})`, nodetest.User, nodetest.Password)

	is(anybody, begin("Multi_Factor"))
	is(enrolling, password)
	is(completed, "register()")
	if got := fmt.Sprint(claims()["amr"]); !strings.Contains(got, "mfa") {
		t.Errorf("after the registration amr is %s", got)
	}
	is(bound, begin("Multi_Factor"))
	is(anybody, `act("session.reset")`)
	is(asserting, password)
	is(completed, "authenticate()")
	is(bound, begin("Passwordless"))
	is("SIGN_ON_REQUIRED", `act("session.reset")`)
	is(completed, "authenticate()") // of nobody: the browser knows whose it is
	got := claims()
	if amr := fmt.Sprint(got["amr"]); got["acr"] != "Passwordless" || strings.Contains(amr, "pwd") || got["sub"] != "d0000000-0000-4000-8000-0000000000f1" {
		t.Errorf("signed on with a passkey as %v, acr %v, amr %s", got["sub"], got["acr"], amr)
	}
	if problems := tab.Problems(); len(problems) > 0 {
		t.Errorf("the browser complains: %q", problems)
	}
}

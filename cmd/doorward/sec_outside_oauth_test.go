package main_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// token grants tokens for credentials in the header, form-encoded, and for nothing
// else. Source: RFC 6749 2.3.1 and 4.4.
func (p *partner) token(w http.ResponseWriter, r *http.Request, body []byte) {
	id, secret, basic := r.BasicAuth()
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	form, err := url.ParseQuery(string(body))
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case errID != nil || errSecret != nil || err != nil || !basic || r.TLS == nil || p.grants[id] == "" || p.grants[id] != secret:
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": words})
	case form.Get("grant_type") != "client_credentials" || form.Get("scope") != "vouchers.read vouchers.write" || form.Has("client_secret"):
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
	default:
		answer(w, http.StatusOK, map[string]any{"access_token": "token-of-" + secret, "token_type": "Bearer", "expires_in": 3600})
	}
}

// bearers are the tokens that calls of a mood came with, each once.
func bearers(of []inquiry, mood string) (out []string) {
	for _, i := range of {
		if strings.Contains(i.URI, "/"+mood+"?") {
			out = append(out, i.Header.Get("Authorization"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A service is called with a token of its token endpoint, which is asked once, over
// https that a private authority vouches for. A new client secret is used by the
// next call; a wrong one is told to nobody.
func TestServicesAreCalledWithTokens(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	c := r.company(x.partner)
	client := "client:" + suffix() + "/%"
	grant := func(secret string) string {
		c.at.mu.Lock()
		defer c.at.mu.Unlock()
		c.at.grants[client] = secret
		x.trail.Secret("client secret of a service", secret)
		x.trail.Secret("access token of a service", "token-of-"+secret)
		return secret
	}
	document := c.body(c.at.Safe + "/" + c.place)
	document["name"] = r.unique("Company")
	authorized := func(secret string) {
		document["authSchemes"] = []any{map[string]any{
			"name": "own", "type": "OAUTH_2", "tokenEndpointAuthType": "client_secret_basic", "tokenEndpoint": c.at.Safe + "/" + c.place + "/token",
			"clientId": client, "clientSecret": secret, "scope": []string{"vouchers.read", "vouchers.write"},
		}}
		r.put("/externalServices/"+c.id, document)
	}
	first := grant("First:+%" + rand.Text())
	authorized(first)
	id := c.journey()
	answers := atOnce(24, func(i int) *visit.Answer { return c.begin(x.browser().Via(i%2), id, "what", "first") })
	for _, a := range answers {
		if got := became(a.Resource()); got != "200" {
			t.Fatalf("with a token: %s", got)
		}
	}
	if got := bearers(c.asked(), "first"); !slices.Equal(got, []string{"Bearer token-of-" + first}) {
		t.Errorf("called with %q", got)
	}
	tokens := slices.DeleteFunc(c.asked(), func(i inquiry) bool { return !strings.HasSuffix(i.URI, "/token") })
	if len(tokens) != 2 {
		t.Errorf("two nodes asked for %d tokens", len(tokens))
	}
	second := grant("Second:" + rand.Text())
	authorized(second)
	r.served(func(node int) bool {
		return c.asksFor(node, id, "what", "second") == "200" && slices.Contains(bearers(c.asked(), "second"), "Bearer token-of-"+second)
	})
	authorized("Wrong-client-secret-" + rand.Text())
	r.served(func(node int) bool { return c.asksFor(node, id, "what", "third") == "INVOCATION_ERROR" })
	if got := bearers(c.asked(), "third"); slices.ContainsFunc(got, func(s string) bool { return !strings.HasSuffix(s, second) }) {
		t.Errorf("called with %q", got)
	}
	a := r.do(http.MethodPost, "/externalServices/"+c.id+"/requests/ask", map[string]any{"inputs": map[string]any{"what": "fourth", "to": "-", "name": "-"}})
	c.silent(a)
	a.Refused(400, "REQUEST_FAILED", "INVOCATION_ERROR")
}

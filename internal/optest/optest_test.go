package optest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"doorward/internal/optest"
)

const (
	back     = "http://127.0.0.1:1/cb"
	verifier = "the-verifier-of-the-tests-0123456789-0123456789"
	// challenge is the SHA-256 of verifier, as base64url.
	challenge = "r5Tu2juq3ZEP5J6XEYotJsVPit2nvkbgFKkbh94AARU"
)

func request(change func(url.Values)) url.Values {
	q := url.Values{
		"client_id": {"doorward"}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	change(q)
	return q
}

// authorized is what the browser is sent back with, and the status.
func authorized(t *testing.T, p *optest.Provider, q url.Values) (url.Values, int) {
	t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Get(p.AuthorizationEndpoint + "?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusFound {
		return nil, res.StatusCode
	}
	to, err := res.Location()
	if err != nil || !strings.HasPrefix(to.String(), back) {
		t.Fatalf("%v, %v", to, err)
	}
	return to.Query(), res.StatusCode
}

// exchanged is what the token endpoint answers.
func exchanged(t *testing.T, p *optest.Provider, code string, change func(url.Values)) (map[string]any, int) {
	t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier},
		"client_id": {p.ClientID}, "client_secret": {p.ClientSecret},
	}
	change(form)
	res, err := p.Client().PostForm(p.TokenEndpoint, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out, res.StatusCode
}

func same(url.Values) {}

func TestTheProviderChecksWhatARealOneDoes(t *testing.T) {
	for name, row := range map[string]struct {
		authorization, exchange func(url.Values)
		status                  int
	}{
		"all as it should be": {same, same, http.StatusOK},
		"another secret":      {same, func(q url.Values) { q.Set("client_secret", "x") }, http.StatusUnauthorized},
		"no secret":           {same, func(q url.Values) { q.Del("client_secret") }, http.StatusUnauthorized},
		"another client":      {same, func(q url.Values) { q.Set("client_id", "x") }, http.StatusUnauthorized},
		"another verifier":    {same, func(q url.Values) { q.Set("code_verifier", "x") }, http.StatusBadRequest},
		"no verifier":         {same, func(q url.Values) { q.Del("code_verifier") }, http.StatusBadRequest},
		"a verifier of none":  {func(q url.Values) { q.Del("code_challenge") }, same, http.StatusBadRequest},
		"another redirect":    {same, func(q url.Values) { q.Set("redirect_uri", back+"x") }, http.StatusBadRequest},
		"another code":        {same, func(q url.Values) { q.Set("code", "x") }, http.StatusBadRequest},
		"another grant":       {same, func(q url.Values) { q.Set("grant_type", "password") }, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			p := optest.Start(t)
			came, _ := authorized(t, p, request(row.authorization))
			if came.Get("state") != "s" || came.Get("iss") != p.Issuer || came.Get("code") == "" {
				t.Fatalf("came back with %v", came)
			}
			if got, status := exchanged(t, p, came.Get("code"), row.exchange); status != row.status {
				t.Fatalf("%d: %v", status, got)
			}
			if _, status := exchanged(t, p, came.Get("code"), same); row.status == http.StatusOK && status != http.StatusBadRequest {
				t.Error("a code was good twice")
			}
			if n := len(p.Asked(optest.Authorize)); n != 1 {
				t.Errorf("remembers %d authorizations", n)
			}
			if p.Forget(); len(p.Asked()) != 0 {
				t.Error("remembers what it was to forget")
			}
		})
	}
}

func TestTheProviderSendsNobodyBack(t *testing.T) {
	p := optest.Start(t)
	for name, change := range map[string]func(url.Values){
		"of another client":      func(q url.Values) { q.Set("client_id", "x") },
		"without a redirect URI": func(q url.Values) { q.Del("redirect_uri") },
	} {
		if _, status := authorized(t, p, request(change)); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
}

func TestTheProviderRefuses(t *testing.T) {
	p := optest.Start(t)
	if came, _ := authorized(t, p, request(func(q url.Values) { q.Set("scope", "email") })); came.Get("error") != "invalid_request" {
		t.Errorf("without openid: %v", came)
	}
	p.Refuse("access_denied")
	if came, _ := authorized(t, p, request(same)); came.Get("error") != "access_denied" || came.Get("state") != "s" || came.Has("code") {
		t.Errorf("%v", came)
	}
	p.SignIn(map[string]any{"sub": "eve"})
	if came, _ := authorized(t, p, request(same)); !came.Has("code") {
		t.Errorf("%v", came)
	}
}

func TestTheProviderPostsAForm(t *testing.T) {
	p := optest.Start(t)
	res, err := p.Client().Get(p.AuthorizationEndpoint + "?" + request(func(q url.Values) { q.Set("response_mode", "form_post") }).Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page := make([]byte, 4096)
	n, _ := res.Body.Read(page)
	for _, want := range []string{`action="` + back + `"`, `name="code"`, `name="state" value="s"`} {
		if !strings.Contains(string(page[:n]), want) {
			t.Errorf("%s lacks %s", page[:n], want)
		}
	}
}

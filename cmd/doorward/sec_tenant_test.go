package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// What belongs to one environment is unknown in another. ZITADEL CVE-2026-29067.
func TestSec_BIND_CROSS_ENV(t *testing.T) {
	x := newTrial(t)
	c, f := x.signedOn("ada")
	g := c.Start(vault.Ask())
	// One browser with cookies of both, as if their paths did not keep them apart.
	smuggler := x.browser()
	smuggler.Start(shop2.Ask())
	for _, st := range []string{c.ST(firstEnv), smuggler.ST(secondEnv)} {
		cookie := []string{"Cookie", "ST=" + st}
		ask := func(method, id string, body []byte) string {
			h := visit.Header(cookie...)
			if body != nil {
				h.Set("Content-Type", visit.ContentType(check))
			}
			return x.browser().Send(method, "/"+secondEnv+"/flows/"+id, h, body).Is(404).Shape()
		}
		right := []byte(`{"password":"` + passwords["ada"] + `"}`)
		x.unchanged(g, func() {
			if got, want := ask(http.MethodGet, g.ID, nil), ask(http.MethodGet, noFlow, nil); got != want {
				t.Errorf("GET is told\n%s\nand of an unknown flow\n%s", got, want)
			}
			if got, want := ask(http.MethodPost, g.ID, right), ask(http.MethodPost, noFlow, right); got != want {
				t.Errorf("POST is told\n%s\nand of an unknown flow\n%s", got, want)
			}
			x.browser().Send(http.MethodGet, "/"+secondEnv+"/as/resume?flowId="+f.ID, visit.Header(cookie...), nil).Refused(404, "NOT_FOUND")
		})
	}
	// A session of one is none in the other.
	thief := x.browser()
	thief.Plant(secondEnv, c.ST(firstEnv))
	if a := thief.Authorize(shop2.Ask("prompt", "none")).Is(302); a.Refusal() != "login_required" {
		t.Errorf("a session of the other environment led to %s", a.Header.Get("Location"))
	}
	// A code of one is none in the other, and stays good in its own.
	code := f.Resume().Is(302).Code()
	elsewhere := f.Ask
	elsewhere.App = shop2
	if a := f.Redeem(elsewhere, code).Is(400); a.Refusal() != "invalid_grant" {
		t.Errorf("the code was answered %s", a.Body)
	}
	elsewhere.App = visit.App{Env: secondEnv, ID: shop.ID, Secret: shop.Secret}
	if a := f.Redeem(elsewhere, code).Is(401); a.Refusal() != "invalid_client" {
		t.Errorf("the client was answered %s", a.Body)
	}
	tokens := f.Redeem(f.Ask, code).Tokens()
	f.UserInfo(secondEnv, tokens.AccessToken).Is(401)
	f.UserInfo(firstEnv, tokens.AccessToken).Is(200)
	x.foreignHints(tokens)
	x.foreignHost(g)
	// The other environment's user of the same name has another password.
	h := x.browser().Start(shop2.Ask())
	h.Password("ada", passwords["ada"]).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
	h.Password("ada", "Second-Ada-Horse-1").Is(200)
	if n := x.failures("ada"); n != 0 {
		t.Errorf("%d failures are counted for the namesake", n)
	}
}

// foreignHints sends an ID token of the first environment to the second.
func (x *trial) foreignHints(tokens visit.Tokens) {
	x.Helper()
	c := x.browser()
	own := c.Start(shop2.Ask())
	own.Password("bea", "Second-Bea-Horse-2").Is(200)
	if a := c.Authorize(shop2.Ask("id_token_hint", tokens.IDToken, "prompt", "none")).Is(302); a.Refusal() != "invalid_request" {
		x.Errorf("a hint of another environment led to %s", a.Header.Get("Location"))
	}
	before := c.ST(secondEnv)
	page := c.Send(http.MethodGet, "/"+secondEnv+"/as/signoff?"+url.Values{"id_token_hint": {tokens.IDToken}}.Encode(), nil, nil).Is(200)
	if !strings.Contains(string(page.Body), "<form") || c.ST(secondEnv) != before {
		x.Error("a hint of another environment signed off without a question")
	}
}

// foreignHost asks for the first environment under the host of the third, and
// the other way round.
func (x *trial) foreignHost(f *visit.Flow) {
	x.Helper()
	at := func(host, path string) *visit.Answer {
		return f.Send(http.MethodGet, path, visit.Header("Host", host), nil)
	}
	path := func(env, id string) string { return "/" + env + "/flows/" + id }
	if got, want := at(hostedURL, f.Path()).Is(404).Shape(), at(hostedURL, path(noFlow, f.ID)).Is(404).Shape(); got != want {
		x.Errorf("under another environment's host it is told\n%s\nand of an unknown environment\n%s", got, want)
	}
	own := strings.TrimPrefix(x.site.Base, "http://")
	if got, want := at(own, path(hostedEnv, f.ID)).Is(404).Shape(), at(own, path(noFlow, f.ID)).Is(404).Shape(); got != want {
		x.Errorf("the hosted environment under our host is told\n%s\nand an unknown one\n%s", got, want)
	}
	for _, host := range []string{"evil.tld", hostedURL + ".evil.tld", hostedURL + ":8443", "127.0.0.1", "127.0.0.1.evil.tld"} {
		at(host, f.Path()).Refused(421, "MISDIRECTED_REQUEST")
	}
	for _, name := range []string{"X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Host"} {
		value := hostedURL
		if name == "Forwarded" {
			value = "host=" + hostedURL
		}
		a := f.Send(http.MethodGet, "/"+hostedEnv+"/as/.well-known/openid-configuration", visit.Header(name, value), nil)
		b := f.Send(http.MethodGet, f.Path(), visit.Header(name, "evil.tld", "X-Forwarded-Proto", "https"), nil)
		if a.Status != 404 || b.Flow().Links["self"].Href != x.site.Base+f.Path() {
			x.Errorf("%s was believed: %d, %s", name, a.Status, b.Body)
		}
	}
	start := at(hostedURL, "/"+hostedEnv+"/as/authorize?response_type=code&client_id=e3000000-0000-4000-8000-0000000000a1&redirect_uri=https%3A%2F%2Fshop.example%2Fcb").Is(302)
	if !strings.HasPrefix(start.Header.Get("Location"), "https://"+hostedURL+"/"+hostedEnv+"/signon/") {
		x.Errorf("the hosted environment leads to %s", start.Header.Get("Location"))
	}
	if k := start.Header.Get("Set-Cookie"); !strings.Contains(k, "; Path=/"+hostedEnv+";") || !strings.HasSuffix(k, "; HttpOnly; Secure; SameSite=None") {
		_, attributes, _ := strings.Cut(k, ";")
		x.Errorf("over TLS the cookie is set with %s", attributes)
	}
}

// Signing off ends the session with its open flows and tokens, and the next user
// starts clean. Keycloak CVE-2025-12390.
func TestSec_BIND_LOGOUT(t *testing.T) {
	x := newTrial(t)
	c, f := x.signedOn("ada")
	tokens := x.tokens(f)
	ask := wiki.Ask()
	other := c.Redeem(ask, c.Authorize(ask).Is(302).Code()).Tokens()
	open := c.Start(vault.Ask())
	fresh := c.Start(shop.Ask("prompt", "login"))
	fresh.Password("", passwords["ada"]).Is(200)
	old := c.ST(firstEnv)
	claims := tokens.Claims(t)
	if claims["sid"] != other.Claims(t)["sid"] {
		t.Error("two applications, one session, two ids of it")
	}

	out := c.Send(http.MethodGet, "/"+firstEnv+"/as/signoff?"+url.Values{
		"id_token_hint": {tokens.IDToken}, "post_logout_redirect_uri": {"https://shop.example/bye"}, "state": {"s2"},
	}.Encode(), nil, nil).Is(302)
	if got := out.Header.Get("Location"); got != "https://shop.example/bye?state=s2" {
		t.Errorf("signing off led to %s", got)
	}
	if st, set := out.ST(); !set || st != "" || c.ST(firstEnv) != "" {
		t.Errorf("the cookie became %q", st)
	}
	for name, jar := range map[string]string{"the present jar": "", "a copy of the cookie": old} {
		d := x.browser()
		d.Plant(firstEnv, jar)
		for _, flow := range []*visit.Flow{open, fresh, f} {
			flow.As(d).Get().Refused(404, "NOT_FOUND")
			flow.As(d).Resume().Refused(404, "NOT_FOUND")
			flow.As(d).Password("", passwords["ada"]).Refused(404, "NOT_FOUND")
		}
		if a := d.Authorize(shop.Ask("prompt", "none")).Is(302); a.Refusal() != "login_required" {
			t.Errorf("%s led to %s", name, a.Header.Get("Location"))
		}
	}
	for _, tok := range []visit.Tokens{tokens, other} {
		c.UserInfo(firstEnv, tok.AccessToken).Is(401)
	}

	next := c.Start(shop.Ask())
	if r := next.Get().Flow(); r.Status != anybody || r.Embedded.User.ID != "" || r.Session.ID != "" {
		t.Errorf("the next user finds %+v", r)
	}
	next.Password("bea", passwords["bea"]).Is(200)
	now := x.claims(next)
	if now["sub"] == claims["sub"] || now["sid"] == claims["sid"] {
		t.Errorf("after %v came %v", claims, now)
	}
}

// Without the cookie too a sign-off ends the session that the ID token names,
// wherever a copy of the cookie lies.
func TestSec_BIND_LOGOUT_without_the_cookie(t *testing.T) {
	x := newTrial(t)
	c, f := x.signedOn("ada")
	tokens := x.tokens(f)
	open := c.Start(vault.Ask())
	old := c.ST(firstEnv)
	c.Plant(firstEnv, "")
	c.Send(http.MethodGet, "/"+firstEnv+"/as/signoff?"+url.Values{"id_token_hint": {tokens.IDToken}}.Encode(), nil, nil).Is(200)
	c.UserInfo(firstEnv, tokens.AccessToken).Is(401)
	for _, st := range []string{"", old} {
		d := x.browser()
		d.Plant(firstEnv, st)
		open.As(d).Get().Refused(404, "NOT_FOUND")
		if a := d.Authorize(shop.Ask("prompt", "none")).Is(302); a.Refusal() != "login_required" {
			t.Errorf("a silent request led to %s", a.Header.Get("Location"))
		}
	}
}

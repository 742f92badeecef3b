package main_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	visit "doorward/internal/journey"
)

// A client that knows no action by name gets through a sign-on by the forms that
// the flow describes.
func TestJourneyByFormsAlone(t *testing.T) {
	x := newTrial(t)
	source, err := os.ReadFile("../../internal/journey/forms.go")
	if err != nil {
		t.Fatal(err)
	}
	for action := range known {
		if action != "continue" && strings.Contains(string(source), action) {
			t.Errorf("the client knows %s by name", action)
		}
	}
	know := func(p visit.Property) (any, bool) {
		switch {
		case p.Autocomplete == "username":
			return "ada", true
		case p.Type == "password" && p.Autocomplete == "current-password":
			return passwords["ada"], true
		}
		return nil, false
	}
	for _, app := range []visit.App{shop, phone} {
		f := x.browser().Start(app.Ask())
		r := f.Fill(know).Flow()
		if r.Status != completed || len(r.Templates) != 0 {
			t.Fatalf("the client got to %s, where %v is offered", r.Status, r.Offered())
		}
		a := f.Send(http.MethodGet, r.ResumeURL, nil, nil)
		if tokens := f.Redeem(f.Ask, a.Code()).Tokens(); tokens.Claims(t)["nonce"] != f.Ask.Query.Get("nonce") {
			t.Errorf("claims %v", tokens.Claims(t))
		}
		again := f.Start(app.Ask("prompt", "login"))
		if r := again.Fill(know).Flow(); r.Status != completed {
			t.Errorf("asked again, the client got to %s", r.Status)
		}
	}
	f := x.browser().Start(shop.Ask())
	if a := f.Fill(func(p visit.Property) (any, bool) { return "Nobody-Right-Horse", p.Required }); a.Status != 400 {
		t.Errorf("wrong values led to %d %s", a.Status, a.Body)
	}
}

// A client without a cookie jar signs on with a Flow-Token.
func TestJourneyWithoutACookieJar(t *testing.T) {
	x := newTrial(t)
	f := x.device().Start(phone.Ask())
	if f.Token() == "" {
		t.Fatal("no Flow-Token")
	}
	start := f.Token()
	r := f.Get().Flow()
	if r.Status != anybody || r.Environment.ID != firstEnv || !strings.HasSuffix(r.Links["signOnPage"].Href, f.Page()) {
		t.Errorf("the flow is %+v", r)
	}
	x.unchanged(f, func() {
		for name, h := range map[string]http.Header{
			"none":                   {"Flow-Token": {""}},
			"a forged one":           {"Flow-Token": {"Forged-value-of-forty-three-characters-4b1x"}},
			"beside a forged cookie": {"Flow-Token": {start}, "Cookie": {"ST=Forged-value-of-forty-three-characters-4b1x"}},
		} {
			if a := f.Send(http.MethodGet, f.Path(), h, nil); a.Status != 404 {
				t.Errorf("with %s: %d", name, a.Status)
			}
		}
		f.Send(http.MethodGet, f.Path()+"?Flow-Token="+start, http.Header{"Flow-Token": {""}}, nil).Refused(404, "NOT_FOUND")
	})
	f.Password("ada", "Not-Ada-Horse-1").Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
	done := f.Password("ada", passwords["ada"]).Flow()
	if done.Status != completed || done.AMR[0] != "pwd" || done.Embedded.User.Name.Given != "Ada" {
		t.Errorf("the flow is %+v", done)
	}
	for range 2 {
		a := f.Resume().Flow()
		if a.AuthorizeResponse.State != f.Ask.Query.Get("state") || a.AuthorizeResponse.Iss != x.site.Base+"/"+firstEnv+"/as" || a.AuthorizeResponse.Code == "" {
			t.Fatalf("the answer is %+v", a.AuthorizeResponse)
		}
	}
	tokens := f.Redeem(f.Ask, f.Resume().Code()).Tokens()
	f.UserInfo(firstEnv, tokens.AccessToken).Is(200)
	f.As(x.device()).Resume().Refused(404, "NOT_FOUND")

	// Only for an application that may: another one gets a cookie alone.
	other := x.device()
	g := other.Start(spa.Ask())
	if other.Token() != "" {
		t.Error("a Flow-Token for an application that may not have one")
	}
	g.Get().Refused(404, "NOT_FOUND")
}

// A Flow-Token that session.reset has replaced is worth nothing.
func TestJourneyResetWithoutACookieJar(t *testing.T) {
	x := newTrial(t)
	f := x.device().Start(phone.Ask())
	old := f.Token()
	f.Act("session.reset", nil).Is(200)
	if f.Token() == old {
		t.Error("the token stayed")
	}
	f.Send(http.MethodGet, f.Path(), visit.Header("Flow-Token", old), nil).Refused(404, "NOT_FOUND")
	f.Password("ada", passwords["ada"]).Is(200)
	f.Redeem(f.Ask, f.Resume().Code()).Is(200)
}

// A relying-party library that many use completes code with PKCE without a
// special case: discovery, keys, exchange, verification, userinfo.
func TestJourneyWithARelyingPartyLibrary(t *testing.T) {
	x := newTrial(t)
	ctx := oidc.ClientContext(t.Context(), &http.Client{Transport: x.site})
	issuer := x.site.Base + "/" + firstEnv + "/as"
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range []visit.App{shop, phone} {
		config := oauth2.Config{
			ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: app.RedirectURI,
			Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
		}
		verifier := oauth2.GenerateVerifier()
		x.trail.Secret("verifier", verifier)
		target := config.AuthCodeURL("s-1", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-1"))
		c := x.browser()
		page := c.Send(http.MethodGet, target, nil, nil).Is(302).Location()
		f := &visit.Flow{ID: page.Query().Get("flowId"), Ask: app.Ask(), Client: c}
		r := f.Password("ada", passwords["ada"]).Flow()
		back := c.Send(http.MethodGet, r.ResumeURL, nil, nil).Is(302).Location()
		if got := back.Scheme + "://" + back.Host + back.Path; got != app.RedirectURI || back.Query().Get("state") != "s-1" || back.Query().Get("iss") != issuer {
			t.Errorf("the browser is sent to %s", back)
		}
		token, err := config.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := token.Extra("id_token").(string)
		x.trail.Secret("access token", token.AccessToken)
		x.trail.Secret("id token", raw)
		id, err := provider.Verifier(&oidc.Config{ClientID: app.ID}).Verify(ctx, raw)
		if err != nil {
			t.Fatal(err)
		}
		if id.Nonce != "n-1" || id.Subject == "" {
			t.Errorf("ID token %+v", id)
		}
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			t.Error(err)
		}
		info, err := provider.UserInfo(ctx, config.TokenSource(ctx, token))
		if err != nil {
			t.Fatal(err)
		}
		if info.Subject != id.Subject || info.Email != "ada@example.com" || info.EmailVerified {
			t.Errorf("user info %+v", info)
		}
		if _, err := config.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier)); err == nil {
			t.Error("the code worked twice")
		}
	}
	if u, err := url.Parse(provider.Endpoint().TokenURL); err != nil || !strings.HasPrefix(u.String(), issuer) {
		t.Errorf("token endpoint %s", u)
	}
}

package main_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// Knowing the id of a flow is not enough: whoever is not its owner is answered
// as if there were no such flow. Keycloak GHSA-9g98-5mj6-f9mv.
func TestSec_BIND_COOKIELESS(t *testing.T) {
	x := newTrial(t)
	for _, status := range []string{anybody, bound, completed, failed} {
		f := x.in(status)
		other, _ := x.signedOn("bea")
		guest, forged, device := x.browser(), x.browser(), x.device()
		guest.Start(shop.Ask())
		forged.Plant(firstEnv, "Forged-value-of-forty-three-characters-4b1x")
		device.Start(phone.Ask())
		unknown := &visit.Flow{ID: noFlow, Ask: f.Ask, Client: other}
		questions := map[string]func(*visit.Flow) *visit.Answer{
			"GET":    (*visit.Flow).Get,
			"resume": (*visit.Flow).Resume,
			"POST":   func(f *visit.Flow) *visit.Answer { return f.Password("ada", passwords["ada"]) },
			"reset":  func(f *visit.Flow) *visit.Answer { return f.Act("session.reset", nil) },
			"empty":  func(f *visit.Flow) *visit.Answer { return f.Send(http.MethodPost, f.Path(), nil, nil) },
			"page":   func(f *visit.Flow) *visit.Answer { return f.Send(http.MethodGet, f.Page(), nil, nil) },
		}
		x.unchanged(f, func() {
			for question, ask := range questions {
				want := ask(unknown).Is(404).Shape()
				for who, c := range map[string]*visit.Client{"no cookie": x.browser(), "another user": other, "a guest": guest, "a forged cookie": forged, "a device": device} {
					if got := ask(f.As(c)).Shape(); got != want {
						t.Errorf("%s in %s by %s is told\n%s\nand of an unknown flow\n%s", question, status, who, got, want)
					}
				}
			}
		})
		if status == anybody { // and the rightful owner goes on
			f.Password("ada", passwords["ada"]).Is(200)
		}
		x.happened(f, "PASSWORD.CHECK_FAILED", 0)
	}
}

// A cookie that somebody planted never becomes a session, and the value changes
// whenever a credential is accepted. gofiber CVE-2024-38513.
func TestSec_BIND_FIXATION(t *testing.T) {
	x := newTrial(t)
	mallory := x.browser()
	own := mallory.Start(vault.Ask())
	for name, planted := range map[string]string{
		"a value that nobody issued":       "aaaaaaaa",
		"a value of the right length":      strings.Repeat("a", 43),
		"an anonymous value of the other":  mallory.ST(firstEnv),
		"an anonymous value, changed last": mallory.ST(firstEnv)[:60] + "AAAA",
	} {
		victim := x.browser()
		victim.Plant(firstEnv, planted)
		f := victim.Start(vault.Ask())
		seen := []string{planted, victim.ST(firstEnv)}
		if name != "an anonymous value of the other" && seen[1] == planted {
			t.Errorf("%s was taken", name)
		}
		f.Password("ada", passwords["ada"]).Is(200)
		seen = append(seen, victim.ST(firstEnv))
		f.Password("", passwords["ada"]).Is(200)
		final := victim.ST(firstEnv)
		if final == seen[2] || seen[2] == seen[1] || !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(final) {
			t.Errorf("%s: the cookie went through %v to %s", name, seen, final)
		}
		for _, old := range seen {
			thief := x.browser()
			thief.Plant(firstEnv, old)
			f.As(thief).Get().Refused(404, "NOT_FOUND")
			f.As(thief).Resume().Refused(404, "NOT_FOUND")
			if a := thief.Authorize(shop.Ask("prompt", "none")).Is(302); a.Refusal() != "login_required" {
				t.Errorf("%s: an old value led to %s", name, a.Header.Get("Location"))
			}
		}
		if a := victim.Authorize(shop.Ask("prompt", "none")).Is(302); a.Code() == "" {
			t.Errorf("%s: the victim is not signed on: %s", name, a.Header.Get("Location"))
		}
	}
	if r := own.Get().Flow(); r.Status != anybody || r.Embedded.User.ID != "" {
		t.Errorf("the other's own flow is in %s for %q", r.Status, r.Embedded.User.Username)
	}
}

// A victim who is lured into somebody else's flow does not sign on in it.
// Keycloak CVE-2026-7507.
func TestSec_BIND_FLOW_FIX(t *testing.T) {
	x := newTrial(t)
	f := x.browser().Start(shop.Ask())
	signedOn, _ := x.signedOn("una")
	guest := x.browser()
	guest.Start(shop.Ask())
	token := strings.Trim(f.Get().Header.Get("ETag"), `"`)
	x.unchanged(f, func() {
		for _, victim := range []*visit.Client{x.browser(), guest, signedOn} {
			lured := f.As(victim)
			page := lured.Send(http.MethodGet, f.Page(), visit.Header("Accept", "text/html"), nil).Is(404)
			if !strings.Contains(string(page.Body), "start again") {
				t.Errorf("the page offers no way on:\n%s", page.Body)
			}
			lured.Password("una", "Not-Una-Horse-"+noFlow).Refused(404, "NOT_FOUND")
			lured.Password("una", passwords["una"]).Refused(404, "NOT_FOUND")
			form := url.Values{"_action": {check}, "_token": {token}, "username": {"una"}, "password": {passwords["una"]}}
			lured.Send(http.MethodPost, f.Page(), visit.Header("Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"), []byte(form.Encode())).Is(404)
		}
	})
	if a := f.Resume(); a.Code() != "" {
		t.Error("the attacker's flow gave a code")
	}
	x.happened(f, "FLOW.FOREIGN_CALLER", 12)
	x.happened(f, "PASSWORD.CHECK_SUCCEEDED", 0)
}

// A page of another site cannot drive a step. Casdoor CVE-2023-34927.
func TestSec_BIND_LOGIN_CSRF(t *testing.T) {
	x := newTrial(t)
	f := x.in(anybody)
	const evil = "https://evil.tld"
	credentials := `{"username":"bea","password":"` + passwords["bea"] + `"}`
	post := func(contentType, body string, header ...string) *visit.Answer {
		h := visit.Header(header...)
		h.Set("Content-Type", contentType)
		return f.Send(http.MethodPost, f.Path(), h, []byte(body))
	}
	form := url.Values{"_action": {check}, "username": {"bea"}, "password": {passwords["bea"]}}
	withToken := url.Values{"_action": {check}, "_token": {formToken(t, f.Send(http.MethodGet, f.Page(), nil, nil).Body)}, "username": {"bea"}, "password": {passwords["bea"]}}
	page := func(v url.Values, header ...string) *visit.Answer {
		h := visit.Header(header...)
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		return f.Send(http.MethodPost, f.Page(), h, []byte(v.Encode()))
	}
	x.unchanged(f, func() {
		post("text/plain", credentials[:len(credentials)-1]+`,"x":"="}`, "Origin", evil).Refused(415, "UNSUPPORTED_MEDIA_TYPE")
		post("application/x-www-form-urlencoded", form.Encode(), "Origin", evil).Refused(415, "UNSUPPORTED_MEDIA_TYPE")
		post("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nbea\r\n--b--\r\n", "Origin", evil).Refused(415, "UNSUPPORTED_MEDIA_TYPE")
		preflight := f.Send(http.MethodOptions, f.Path(), visit.Header("Origin", evil, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"), nil)
		if preflight.Header.Get("Access-Control-Allow-Origin") != "" || preflight.Header.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("the preflight allows %v", preflight.Header)
		}
		post(visit.ContentType(check), credentials, "Origin", evil).Refused(403, "ACCESS_FAILED")
		post(visit.ContentType(check), credentials, "Origin", "null").Refused(403, "ACCESS_FAILED")
		for _, site := range []string{"cross-site", "same-site"} {
			post(visit.ContentType(check), credentials, "Sec-Fetch-Site", site).Refused(403, "ACCESS_FAILED")
			page(withToken, "Sec-Fetch-Site", site).Is(403)
		}
		page(form).Is(403)
		page(form, "Origin", evil).Is(403)
		page(form, "Sec-Fetch-Site", "same-origin").Is(403)
		page(withToken, "Origin", evil).Is(403)
		page(withToken, "Origin", "null").Is(403)
		withToken.Set("_token", "Forged-token-of-forty-three-characters-7c2y")
		page(withToken, "Sec-Fetch-Site", "same-origin").Is(409)
	})
	x.happened(f, "REQUEST.CROSS_SITE", 11)
	post(visit.ContentType(check), credentials, "Origin", x.site.Base, "Sec-Fetch-Site", "same-origin").Is(200)
}

// Only the exact origin that an application lists may read an answer.
func TestSec_BIND_CORS(t *testing.T) {
	x := newTrial(t)
	const allowed = "https://login.app.example"
	f := x.in(anybody)
	targets := map[string]string{
		"flow": f.Path(), "unknown flow": "/" + firstEnv + "/flows/" + noFlow, "resume": "/" + firstEnv + "/as/resume?flowId=" + noFlow,
		"userinfo": "/" + firstEnv + "/as/userinfo", "discovery": "/" + firstEnv + "/as/.well-known/openid-configuration", "keys": "/" + firstEnv + "/as/jwks",
	}
	get := func(target string, origins ...string) *visit.Answer {
		return f.Send(http.MethodGet, target, http.Header{"Origin": origins}, nil)
	}
	for name, target := range targets {
		credentials := name != "discovery" && name != "keys"
		for _, origins := range [][]string{
			{"https://evil.tld"},
			{"null"},
			{allowed + ".evil.tld"},
			{"http://login.app.example"},
			{"https://LOGIN.app.example:443"},
			{allowed + ":443"},
			{allowed + "%60.evil.tld"},
			{allowed + "/"},
			{"https://evil.tld", allowed},
			{allowed, allowed},
			{allowed + ", https://evil.tld"},
			{x.site.Base},
			nil,
		} {
			h := get(target, origins...).Header
			if got := h.Get("Access-Control-Allow-Origin"); got != "" && (credentials || got != "*") {
				t.Errorf("%s to %v: allows %s", name, origins, got)
			}
			if h.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
				t.Errorf("%s to %v: %v", name, origins, h)
			}
		}
		h := get(target, allowed).Header
		want, also := allowed, "true"
		if !credentials {
			want, also = "*", ""
		}
		if h.Get("Access-Control-Allow-Origin") != want || h.Get("Access-Control-Allow-Credentials") != also || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
			t.Errorf("%s to the allowed origin: %v", name, h)
		}
	}
	// Allowed in one environment is not allowed in another.
	if h := get("/"+secondEnv+"/flows/"+noFlow, allowed).Header; h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the other environment allows it: %v", h)
	}
	f.Act(check, known[check], "Origin", allowed).Is(200)
}

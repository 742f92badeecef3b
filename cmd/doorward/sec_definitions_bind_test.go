package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// An execution of a flow definition is its browser's. To everybody else it is as
// unknown as one that never was. Case BIND-COOKIELESS.
func TestSec_BIND_EXECUTION(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	f := x.browser().Begin(shop4, r.definition(r.asking(r.make("/forms", fields(text("color"))))), nil)
	stranger := x.browser()
	stranger.Start(shop4.Ask())
	forged := x.browser()
	forged.Plant(fourthEnv, "Forged-value-of-forty-three-characters-4b1x")
	x.unchanged(f, func() {
		for what, c := range map[string]*visit.Client{"no cookie": x.browser(), "a cookie of their own": stranger, "a forged one": forged} {
			mine, none := f.As(c), c.Execution(shop4, noFlow)
			for name, do := range map[string]func(*visit.Flow) *visit.Answer{
				"reading":    (*visit.Flow).Get,
				"submitting": func(g *visit.Flow) *visit.Answer { return g.Act("form.submit", map[string]string{"color": "red"}) },
				"resetting":  func(g *visit.Flow) *visit.Answer { return g.Act("session.reset", nil) },
				"the page":   func(g *visit.Flow) *visit.Answer { return g.Send(http.MethodGet, g.Page(), nil, nil) },
				"resuming":   (*visit.Flow).Resume,
				"as a flow": func(g *visit.Flow) *visit.Answer {
					return g.Send(http.MethodGet, "/"+fourthEnv+"/flows/"+g.ID, nil, nil)
				},
				"its callback": func(g *visit.Flow) *visit.Answer {
					return g.Send(http.MethodGet, "/"+fourthEnv+"/flows/"+noFlow+"/flowExecutionCallback?flowExecutionId="+g.ID, nil, nil)
				},
			} {
				got, want := do(mine), do(none)
				if got.Status != 404 || got.Shape() != want.Shape() {
					t.Errorf("with %s, %s is told\n%s\nand of an unknown one\n%s", what, name, got.Shape(), want.Shape())
				}
			}
		}
		f.Send(http.MethodGet, "/"+vendorEnv+"/flowExecutions/"+f.ID, visit.Header("Cookie", "ST="+f.ST(fourthEnv)), nil).Refused(404, "NOT_FOUND")
	})
	x.happened(f, "FLOW.FOREIGN_CALLER", 21)
	f.Act("form.submit", map[string]string{"color": "red"}).Is(200)
}

// An experience leads to an address that an application of its environment has
// registered, letter for letter, or back to a sign-on of its environment.
func TestSec_EXPERIENCE_REDIRECT(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	id := r.definition(r.asking(r.make("/forms", fields(text("color")))))
	behind := r.definition(definition("SIGN_ON_POLICY", "end", map[string]stepBody{"end": {kind: "COMPLETE_FLOW", config: map[string]any{"result": "COMPLETE"}, input: map[string]any{}}}))
	f := x.browser().Start(shop4.Ask())
	callback := x.site.Base + f.Path() + "/flowExecutionCallback"
	other := x.browser().Start(shop2.Ask())
	x.happened(f, "FLOW.STARTED", 1)
	x.happened(other, "FLOW.STARTED", 1)
	begun := x.recorded("FLOW.STARTED")
	for _, address := range []string{
		"https://fourth.example/", "https://fourth.example/cb/", "https://fourth.example/cb?a=b", "https://fourth.example/cb#a",
		"https://fourth.example/cb/../cb", "https://fourth.example/cb%2f..%2fevil", "https://fourth.example/CB", "https://fourth.example:443/cb",
		"http://fourth.example/cb", "https://fourth.example.evil.tld/cb", "https://fourth.example@evil.tld/cb", "https://evil.tld/https://fourth.example/cb",
		"//fourth.example/cb", "/cb", "javascript:alert(1)//https://fourth.example/cb", " https://fourth.example/cb", "https://fourth.example/cb\n",
		shop.RedirectURI, vendorShop.RedirectURI,
		x.site.Base + other.Path() + "/flowExecutionCallback", callback + "?a=b", callback + "/", callback + "#a", callback + "/../../../" + noFlow,
		strings.Replace(callback, f.ID, strings.ToUpper(f.ID), 1), strings.Replace(callback, f.ID, "..", 1), strings.Replace(callback, f.ID, f.ID+"/a", 1),
		strings.Replace(callback, "http://", "https://", 1), strings.Replace(callback, "127.0.0.1", "127.0.0.1.evil.tld", 1), strings.Replace(callback, "//", "//evil@", 1),
	} {
		c := x.browser()
		if a := c.Experience(fourthEnv, id, map[string]string{"redirectUri": address}); a.Status != 400 || a.Problem().Details[0].Target != "redirectUri" {
			t.Errorf("%q: %d %s", address, a.Status, a.Body)
		}
		link := "/" + fourthEnv + "/experiences/" + id + "?redirectUri=" + url.QueryEscape(address)
		if a := c.Send(http.MethodGet, link, nil, nil); a.Status != 400 || a.Header.Get("Location") != "" || c.ST(fourthEnv) != "" {
			t.Errorf("the link to %q: %d %s", address, a.Status, a.Header.Get("Location"))
		}
	}
	x.browser().Experience(fourthEnv, behind, map[string]string{"redirectUri": shop4.RedirectURI}).Refused(404, "NOT_FOUND") // is for sign-ons alone
	x.browser().Experience(vendorEnv, id, map[string]string{"redirectUri": vendorShop.RedirectURI}).Refused(404, "NOT_FOUND")
	x.browser().Experience(fourthEnv, id, map[string]string{"redirectUri": shop4.RedirectURI}, "Origin", "https://evil.tld").Refused(403, "ACCESS_FAILED")
	x.browser().Experience(fourthEnv, id, "redirectUri="+url.QueryEscape(shop4.RedirectURI), "Content-Type", "application/x-www-form-urlencoded").Refused(415, "UNSUPPORTED_MEDIA_TYPE")
	for body, details := range map[string][]string{
		`{}`:                   {"REQUIRED_VALUE@redirectUri"},
		`{"redirectUri":null}`: {"INVALID_VALUE@redirectUri"},
		`{"redirectUri":["` + shop4.RedirectURI + `"]}`:                                                        {"INVALID_VALUE@redirectUri"},
		`{"redirectUri":"` + shop4.RedirectURI + `","parameters":[]}`:                                          {"INVALID_VALUE@parameters"},
		`{"redirectUri":"` + shop4.RedirectURI + `","parameters":{"a":{"b":1}}}`:                               {"INVALID_VALUE@parameters"},
		`{"redirectUri":"` + shop4.RedirectURI + `","parameters":{"a":"` + strings.Repeat("long", 251) + `"}}`: {"SIZE_LIMIT_EXCEEDED@parameters"},
		`{"redirectUri":"` + shop4.RedirectURI + `","parameters":{` + numbered(21, `"a%d":1`) + `}}`:           {"SIZE_LIMIT_EXCEEDED@parameters"},
		`{"redirectUri":"` + shop4.RedirectURI + `","user":"u"}`:                                               {"INVALID_VALUE@user"},
	} {
		x.browser().Experience(fourthEnv, id, body).Refused(400, "INVALID_DATA", details...)
	}
	x.browser().Experience(fourthEnv, id, `{"redirectUri":"`+shop4.RedirectURI+`","parameters":{`+numbered(20, `"a%d":"`+strings.Repeat("long", 249)+`"`)+`}}`).Refused(413, "REQUEST_TOO_LARGE")
	x.browser().Experience(fourthEnv, id, `{"redirectUri":"`+shop4.RedirectURI+`","redirectUri":"https://evil.tld"}`).Refused(400, "INVALID_REQUEST")
	twice := "/" + fourthEnv + "/experiences/" + id + "?redirectUri=" + url.QueryEscape(shop4.RedirectURI) + "&redirectUri=https://evil.tld"
	x.browser().Send(http.MethodGet, twice, nil, nil).Is(400)
	if n := x.recorded("FLOW.STARTED"); n != begun {
		t.Errorf("%d executions were begun", n-begun)
	}
	x.browser().Experience(fourthEnv, id, map[string]string{"redirectUri": shop4.RedirectURI}).Is(201)
	x.browser().Experience(fourthEnv, behind, map[string]string{"redirectUri": callback}).Is(201)
}

// numbered is a list of n members of a JSON object.
func numbered(n int, format string) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return strings.Join(out, ",")
}

// The way back from a flow definition to the sign-on that led to it takes what
// this browser has finished for this sign-on, and nothing else. Case
// SEQ-EXEC-CALLBACK; Keycloak CVE-2026-7507.
func TestSec_SEQ_EXEC_CALLBACK(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	id := r.definition(r.fitted("rec-flow-sign-on-experience"))
	app := r.behind(map[string]any{"type": "LOGIN", "registration": map[string]any{"enabled": true, "flowDefinition": map[string]any{"id": id}}})
	mallory, victim := "mallory-"+suffix(), "victim-"+suffix()
	r.user(mallory, walkersFirst)
	sub := r.user(victim, walkersFirst)
	f := x.browser().Start(app.Ask())
	link, err := url.Parse(f.Get().Flow().Links["registration.experience"].Href)
	if err != nil || !strings.HasSuffix(link.Path, "/experiences/"+id) {
		t.Fatalf("the link leads to %v, %v", link, err)
	}
	callback := link.Query().Get("redirectUri")
	back := func(c *visit.Client, execution string) *visit.Answer {
		return c.Send(http.MethodGet, callback+"?flowExecutionId="+execution, nil, nil)
	}
	begin := func(c *visit.Client, to string) *visit.Flow {
		return c.Execution(app, c.Experience(app.Env, id, map[string]string{"redirectUri": to}).Is(201).Resource().ID)
	}
	finished := func(c *visit.Client, to, name string) *visit.Flow {
		e := begin(c, to)
		if got := e.Fill(x.guest(name, walkersFirst).know).Flow(); got.Status != completed {
			t.Fatalf("the execution is in %s", got.Status)
		}
		return e
	}
	own := begin(f.Client, callback)
	evil := x.browser()
	foreign := finished(evil, callback, mallory)
	elsewhere := x.browser().Start(shop2.Ask())
	x.unchanged(f, func() {
		unknown := back(f.Client, noFlow).Refused(404, "NOT_FOUND")
		for what, a := range map[string]*visit.Answer{
			"an unfinished one":                    back(f.Client, own.ID),
			"another browser's":                    back(f.Client, foreign.ID),
			"another browser's, from that browser": back(evil, foreign.ID),
			"a sign-on":                            back(f.Client, f.ID),
			"one of another environment":           back(f.Client, elsewhere.ID),
			"none":                                 f.Send(http.MethodGet, callback, nil, nil),
			"several":                              back(f.Client, own.ID+"&flowExecutionId="+foreign.ID),
			"no id":                                back(f.Client, "..%2f"+own.ID),
		} {
			if p := a.Refused(404, "NOT_FOUND"); p.Message != unknown.Message {
				t.Errorf("%s is told %q, and an unknown one %q", what, p.Message, unknown.Message)
			}
		}
		f.Act("flowExecutionCallback", map[string]string{"flowExecutionId": own.ID}).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	})
	if r := foreign.Get().Flow(); r.Status != completed {
		t.Errorf("the foreign execution is in %s", r.Status)
	}
	// One that was finished for the application, not for this sign-on.
	c := x.browser()
	g := c.Start(app.Ask("prompt", "login"))
	apart := finished(c, shop4.RedirectURI, victim)
	before := g.Get().Flow()
	back2 := strings.Replace(callback, f.ID, g.ID, 1)
	c.Send(http.MethodGet, back2+"?flowExecutionId="+apart.ID, nil, nil).Refused(404, "NOT_FOUND")
	if now := g.Get().Flow(); now.Status != before.Status || len(now.AMR) != 0 {
		t.Errorf("the sign-on went from %s to %s", before.Status, now.Status)
	}
	// The right one, once.
	if got := own.Fill(x.guest(victim, walkersFirst).know).Flow(); got.ResumeURL != callback+"?flowExecutionId="+own.ID {
		t.Fatalf("the execution leads to %s", got.ResumeURL)
	}
	if a := back(f.Client, own.ID).Is(302); a.Header.Get("Location") != x.site.Base+"/"+app.Env+"/as/resume?flowId="+f.ID {
		t.Errorf("the way back leads to %s", a.Header.Get("Location"))
	}
	if claims := x.claims(f); claims["sub"] != sub {
		t.Errorf("signed on as %v, want %s", claims["sub"], sub)
	}
	if a := back(f.Client, own.ID); a.Code() != "" || a.Status != 404 && a.Status != 400 && a.Status != 302 {
		t.Errorf("the second time: %d %s", a.Status, a.Header.Get("Location"))
	}
}

package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	visit "doorward/internal/journey"
)

func forgot(f *visit.Flow, name string) *visit.Answer {
	return f.Act("password.forgot", map[string]string{"username": name})
}

func recoverWith(f *visit.Flow, code, password string) *visit.Answer {
	return f.Act("password.recover", map[string]string{"recoveryCode": code, "newPassword": password})
}

// Links in mail name the configured address, whatever the request says of hosts.
// ZITADEL GHSA-2wmj-46rj-qm2w.
func TestSec_REC_HOST(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	for _, header := range [][]string{
		{"X-Forwarded-Host", "evil.example"},
		{"Forwarded", "host=evil.example"},
		{"X-Forwarded-Proto", "https"},
		{"X-Original-Host", "evil.example"},
	} {
		f := x.browser().Start(club.Ask())
		f.Act("password.forgot", map[string]string{"username": "mia"}, header...).Is(200)
		m := x.mailed("mia@club.example")
		if !strings.HasPrefix(m.Link(), x.site.Base+f.Page()+"&code=") || strings.Contains(m.Text+m.HTML, "evil") {
			t.Errorf("with %v the link is %s", header, strings.Split(m.Link(), "&code=")[0])
		}
	}
	before := len(x.mail.All())
	f := x.browser().Start(club.Ask())
	f.Act("password.forgot", map[string]string{"username": "mia"}, "Host", "evil.example").Is(421)
	if f.Get().Flow().Status != anybody || len(x.mail.All()) != before {
		t.Error("a request for a foreign host was taken")
	}
}

// Whoever fetches the link of a mail changes nothing by it.
func TestSec_REC_PREFETCH(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	f := x.browser().Start(club.Ask())
	forgot(f, "lea").Is(200)
	m := x.mailed("lea@club.example")
	link, err := url.Parse(m.Link())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			scanner := x.browser()
			a := scanner.Send(method, link.RequestURI(), nil, nil)
			if a.Status != 200 || a.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Fatalf("%s of the link: %d, %s", method, a.Status, a.Header.Get("Referrer-Policy"))
			}
			if _, set := a.ST(); set {
				t.Error("a session for a scanner")
			}
		}
	}
	own := f.Send(http.MethodGet, link.RequestURI(), nil, nil).Is(200)
	if !strings.Contains(string(own.Body), `value="`+m.Code()+`"`) || own.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the page of the link is not filled in")
	}
	if r := recoverWith(f, m.Code(), "Lea-Newer-Horse-2").Flow(); r.Status != completed {
		t.Errorf("recovered, the flow is in %s", r.Status)
	}
	recoverWith(f, m.Code(), "Lea-Newer-Horse-3").Is(400)
}

// A code is its user's, its purpose's and its environment's. authentik
// CVE-2023-26481.
func TestSec_REC_OTHER_USER(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	mine, theirs := x.browser().Start(club.Ask()), x.browser().Start(club.Ask())
	forgot(mine, "mia").Is(200)
	forgot(theirs, "tom").Is(200)
	code := x.mailed("mia@club.example").Code()
	x.mailed("tom@club.example")
	for range 2 {
		recoverWith(theirs, code, "Mia-Takes-Over-1").Refused(400, "INVALID_DATA", "INVALID_VALUE@recoveryCode")
	}
	g := x.browser().Start(club.Ask())
	g.Act("user.register", map[string]string{"username": "mallory", "email": "mallory@club.example", "password": "Mallory-Horse-11"}).Is(200)
	x.mailed("mallory@club.example")
	g.Act("user.verify", map[string]string{"verificationCode": code}).Refused(400, "INVALID_DATA", "INVALID_VALUE@verificationCode")
	if r := recoverWith(mine, code, "Mia-Newer-Horse-8").Flow(); r.Status != completed {
		t.Errorf("the owner's flow is in %s", r.Status)
	}
	x.browser().Start(club.Ask()).Password("tom", "Tom-Right-Horse-22").Is(200)
}

// Nothing but the mailed code sets a password. Keycloak CVE-2026-18963.
func TestSec_SEQ_SWITCH_METHOD(t *testing.T) {
	x := newTrial(t)
	for what, body := range map[string]string{
		"missing": `{"newPassword":"Taken-Over-Horse-1"}`, "null": `{"recoveryCode":null,"newPassword":"Taken-Over-Horse-1"}`,
		"empty": `{"recoveryCode":"","newPassword":"Taken-Over-Horse-1"}`, "an array": `{"recoveryCode":[],"newPassword":"Taken-Over-Horse-1"}`,
		"an object": `{"recoveryCode":{},"newPassword":"Taken-Over-Horse-1"}`, "zeros": `{"recoveryCode":"00000000","newPassword":"Taken-Over-Horse-1"}`,
		"true": `{"recoveryCode":true,"newPassword":"Taken-Over-Horse-1"}`,
	} {
		f := x.browser().Start(club.Ask())
		forgot(f, "sam").Is(200)
		p := f.Act("password.recover", body).Is(400).Problem()
		if p.Code != "INVALID_DATA" || p.Details[0].Target != "recoveryCode" {
			t.Errorf("%s: %+v", what, p)
		}
		for _, action := range []string{"device.select", "user.lookup", "usernamePassword.check", "password.forgot"} {
			f.Act(action, map[string]string{"username": "sam", "password": "Taken-Over-Horse-1"}).Is(400)
		}
		if a := f.Resume(); a.Code() != "" {
			t.Fatal("a code without proof")
		}
	}
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
	x.browser().Start(club.Ask()).Password("sam", "Taken-Over-Horse-1").Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
	x.browser().Start(club.Ask()).Password("sam", "Sam-Right-Horse-11").Is(200)
}

// What registration did not ask for is dropped and recorded; what it does not know
// is refused. OpenAM GHSA-jv8f-m88g-h6mm.
func TestSec_SEQ_MASS_ASSIGN(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	more := `"population":{"id":"e1000000-0000-4000-8000-0000000000b1"},"enabled":false,"mfaEnabled":true,"lifecycle":{"status":"ACCOUNT_OK"},"id":"e1000000-0000-4000-8000-0000000000f1","emailVerified":true,"identityProvider":{"id":"e1000000-0000-4000-8000-0000000000f1"}`
	body := func(name, more string) string {
		return fmt.Sprintf(`{"username":%q,"email":"%s@club.example","password":"Mass-Right-Horse-1",%s}`, name, name, more)
	}
	f := x.browser().Start(club.Ask())
	f.Act("user.register", body("mass", `"admin":true`)).Refused(400, "INVALID_DATA", "INVALID_VALUE@admin")
	r := f.Act("user.register", body("mass", more)).Flow()
	if r.Status != verify {
		t.Fatalf("the flow is %+v", r)
	}
	x.happened(f, "INPUT.IGNORED", 1)
	if got := x.column(`SELECT population || ' ' || enabled || ' ' || email_verified || ' ' || (id = 'e1000000-0000-4000-8000-0000000000f1') FROM users WHERE name_key = 'mass'`); got != "e1000000-0000-4000-8000-0000000000b3 1 0 0\n" {
		t.Errorf("the user is %s", got)
	}
	if a := f.Resume(); a.Code() != "" {
		t.Error("a code before the address was verified")
	}
	x.mailed("mass@club.example")
}

// At most five guesses are compared with a code, however they come.
func TestSec_OTP_PARALLEL_COUNT(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	f := x.browser().Start(club.Ask())
	forgot(f, "rita").Is(200)
	code := x.mailed("rita@club.example").Code()
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			a := f.Act("password.recover", map[string]string{"recoveryCode": fmt.Sprintf("AAAAAA%02d", i), "newPassword": "Guessed-Horse-1"})
			if a.Status != 400 && a.Status != 409 {
				t.Errorf("guess %d: %d", i, a.Status)
			}
		})
	}
	all.Wait()
	for i := range 5 {
		f.Act("password.recover", map[string]string{"recoveryCode": fmt.Sprintf("BBBBBB%02d", i), "newPassword": "Guessed-Horse-1"}).Is(400)
	}
	recoverWith(f, code, "Rita-Newer-Horse-2").Refused(400, "INVALID_DATA", "INVALID_VALUE@recoveryCode")
	f.Act("password.sendRecoveryCode", nil).Is(200)
	if r := recoverWith(f, x.mailed("rita@club.example").Code(), "Rita-Newer-Horse-2").Flow(); r.Status != completed {
		t.Errorf("with a new code the flow is in %s", r.Status)
	}
}

// A changed password ends what rests on the old one: sessions, grants and flows
// that are under way; who changed it stays signed on.
func TestSec_BIND_PW_SESSIONS(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	thief := x.browser()
	f := thief.Start(club.Ask())
	f.Password("max", "Max-Right-Horse-99").Is(200)
	tokens := f.Redeem(f.Ask, f.Resume().Code()).Tokens()
	f.UserInfo(firstEnv, tokens.AccessToken).Is(200)
	if a := thief.Authorize(shop.Ask("prompt", "none")); a.Code() == "" {
		t.Fatalf("the session does not sign on: %s", a.Refusal())
	}
	under := x.browser().Start(club.Ask())
	under.Password("max", "Max-Right-Horse-99").Is(200) // completed, not resumed

	owner := x.browser()
	g := owner.Start(club.Ask())
	forgot(g, "max").Is(200)
	if r := recoverWith(g, x.mailed("max@club.example").Code(), "Max-Newer-Horse-2").Flow(); r.Status != completed {
		t.Fatalf("recovered, the flow is in %s", r.Status)
	}
	kept := g.Redeem(g.Ask, g.Resume().Code()).Tokens()

	f.UserInfo(firstEnv, tokens.AccessToken).Is(401)
	if a := under.Resume(); a.Code() != "" {
		t.Error("a code for a sign-on with the old password")
	}
	if a := thief.Authorize(shop.Ask("prompt", "none")); a.Code() != "" {
		t.Error("the thief's session lives")
	}
	if r := thief.Start(shop.Ask()).Get().Flow(); r.Status == completed {
		t.Error("the thief's session signs on")
	}
	g.UserInfo(firstEnv, kept.AccessToken).Is(200)
	if a := owner.Authorize(shop.Ask("prompt", "none")); a.Code() == "" {
		t.Errorf("the owner's session is gone: %s", a.Refusal())
	}
	if m := x.mailed("max@club.example"); m.Code() != "" || !strings.Contains(strings.ToLower(m.Subject), "password") {
		t.Errorf("the notice says %q", m.Subject)
	}
}

package main_test

import "testing"

// session.reset forgets the first user: what comes out is of the second alone.
// Keycloak GHSA-c9h6-v78w-52wj, CVE-2026-94218.
func TestSec_SEQ_RESET_MIX(t *testing.T) {
	x := newTrial(t)
	f := x.browser().Start(vault.Ask())
	half := f.Password("ada", passwords["ada"]).Flow()
	before := f.ST(firstEnv)
	r := f.Act("session.reset", nil).Flow()
	if r.Status != anybody || r.Embedded.User.ID != "" || len(r.AMR) != 0 || r.Session.ID != "" {
		t.Errorf("after the reset: %+v", r)
	}
	old := x.browser()
	old.Plant(firstEnv, before)
	f.As(old).Get().Refused(404, "NOT_FOUND")
	f.Password("bea", passwords["bea"]).Is(200)
	f.Password("", passwords["bea"]).Is(200)
	tokens := x.tokens(f)
	claims := tokens.Claims(t)
	info := x.mustJSON(f.UserInfo(firstEnv, tokens.AccessToken).Is(200).Body)
	if claims["sub"] != info["sub"] || info["preferred_username"] != "bea" || claims["sub"] == half.Embedded.User.ID {
		t.Errorf("signed on as %v, %v", claims["sub"], info)
	}
	if claims["sid"] == half.Session.ID || claims["sid"] == "" {
		t.Errorf("sid %v, before the reset %v", claims["sid"], half.Session.ID)
	}

	g := x.browser().Start(vault.Ask())
	g.Password("bea", passwords["bea"]).Is(200)
	g.Act("session.reset", "{}").Is(200)
	g.Password("ada", passwords["ada"]).Is(200)
	g.Password("", passwords["bea"]).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
	if a := g.Resume(); a.Code() != "" {
		t.Error("a code for somebody who proved half of two users")
	}
	g.Act("session.reset", map[string]string{"username": "ada"}).Refused(400, "INVALID_DATA", "INVALID_VALUE@username")
}

// Nor do two tabs mix two users: who signs on last is signed on, under another
// session id, with nothing of the first.
func TestSec_SEQ_RESET_MIX_in_two_tabs(t *testing.T) {
	x := newTrial(t)
	c := x.browser()
	one, two := c.Start(shop.Ask()), c.Start(shop.Ask())
	one.Password("ada", passwords["ada"]).Is(200)
	ada := x.claims(one)
	two.Password("bea", passwords["bea"]).Is(200)
	bea := x.claims(two)
	if ada["sub"] == bea["sub"] || ada["sid"] == bea["sid"] {
		t.Errorf("after %v came %v", ada, bea)
	}
	ask := wiki.Ask("prompt", "none")
	now := c.Redeem(ask, c.Authorize(ask).Is(302).Code()).Tokens().Claims(t)
	if now["sub"] != bea["sub"] || now["sid"] != bea["sid"] || now["auth_time"] != bea["auth_time"] {
		t.Errorf("the browser is signed on as %v, last was %v", now, bea)
	}
}

// A flow that is bound to a user takes that user's password only. Clerk
// CVE-2025-63700.
func TestSec_SEQ_USER_SWAP(t *testing.T) {
	x := newTrial(t)
	c, _ := x.signedOn("una")
	f := c.Start(shop.Ask("prompt", "login"))
	f.Password("bea", passwords["bea"]).Refused(400, "INVALID_DATA", "INVALID_VALUE@username")
	if n := x.failures("una"); n != 0 {
		t.Errorf("another username counted %d failures", n)
	}
	f.Password("", passwords["bea"]).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
	f.Password("  una ", passwords["bea"]).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
	if n := x.failures("una"); n != 2 {
		t.Errorf("%d failures are counted, want one for each wrong password", n)
	}
	if n := x.failures("bea"); n != 0 {
		t.Errorf("%d failures are counted for the other user", n)
	}
	if r := f.Get().Flow(); r.Status != bound || r.Embedded.User.Username != "una" {
		t.Errorf("the flow is in %s for %q", r.Status, r.Embedded.User.Username)
	}
	f.Password("UNA", passwords["una"]).Is(200)
	if n := x.failures("una"); n != 0 {
		t.Errorf("%d failures are counted after the right password", n)
	}
	x.happened(f, "USER.MISMATCH", 1)
	x.happened(f, "PASSWORD.CHECK_FAILED", 2)
}

// A policy that was asked for is met or refused, and an ID token says which was
// met. Keycloak CVE-2026-97176.
func TestSec_SEQ_ACR_DOWNGRADE(t *testing.T) {
	x := newTrial(t)
	c, _ := x.signedOn("ada")
	if a := c.Authorize(wiki.Ask("prompt", "none")); a.Code() == "" {
		t.Fatalf("the session does not sign on: %s", a.Header.Get("Location"))
	}
	if r := c.Start(wiki.Ask("acr_values", "Double")).Get().Flow(); r.Status != bound {
		t.Errorf("the stronger policy is in %s", r.Status)
	}
	for acr, want := range map[string]string{"Double": "login_required", "Double Single_Factor": "login_required", "Unknown": "invalid_request"} {
		if a := c.Authorize(wiki.Ask("acr_values", acr, "prompt", "none")).Is(302); a.Code() != "" || a.Refusal() != want {
			t.Errorf("acr_values=%s leads to %s", acr, a.Header.Get("Location"))
		}
	}
	if a := c.Authorize(vault.Ask("acr_values", "Single_Factor")).Is(302); a.Code() != "" || a.Refusal() != "invalid_request" {
		t.Errorf("a policy that the application is not assigned leads to %s", a.Header.Get("Location"))
	}

	d := x.browser()
	strong := d.Start(wiki.Ask("acr_values", "Double"))
	strong.Password("ada", passwords["ada"]).Is(200)
	weak := d.Start(wiki.Ask("acr_values", "Single_Factor"))
	weak.Password("ada", passwords["ada"]).Is(200)
	if claims := x.claims(weak); claims["acr"] != "Single_Factor" {
		t.Errorf("acr of the weak flow is %v", claims["acr"])
	}
	if a := strong.Resume(); a.Code() != "" {
		t.Error("the other tab finished the strong flow")
	}
	strong = d.Start(wiki.Ask("acr_values", "Double"))
	strong.Password("", passwords["ada"]).Is(200)
	if a := strong.Resume(); a.Code() != "" {
		t.Error("one password of two gave a code")
	}
	strong.Password("", passwords["ada"], "Idempotency-Key", "the second").Is(200)
	if claims := x.claims(strong); claims["acr"] != "Double" {
		t.Errorf("acr of the strong flow is %v", claims["acr"])
	}
}

// What a client claims of its address decides nothing: the policy asks twice
// outside the office, and everybody here is inside. Hanko #2739.
func TestSec_OTP_IP_SPOOF_condition(t *testing.T) {
	x := newTrial(t)
	for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP"} {
		f := x.browser().Start(desk.Ask())
		claim := "203.0.113.9"
		if name == "Forwarded" {
			claim = "for=203.0.113.9"
		}
		f.Password("ada", "Not-Ada-Horse-"+name, name, claim).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
		if r := f.Password("ada", passwords["ada"], name, claim).Flow(); r.Status != completed {
			t.Errorf("%s was believed: %s", name, r.Status)
		}
		for _, line := range x.lines() {
			if line["flow"] == f.ID && line["msg"] == "audit" && line["remoteIp"] != "127.0.0.1" {
				t.Errorf("%s was believed: %v", name, line)
			}
		}
	}
}

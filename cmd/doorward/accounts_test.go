package main_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	visit "doorward/internal/journey"
	"doorward/internal/mailtest"
)

// The applications of testdata/config whose people look after their own accounts.
var (
	club = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a7", Secret: "club-secret-3c8d15", RedirectURI: "https://club.example/cb"} // LOGIN
	hall = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a8", Secret: "hall-secret-90be7a", RedirectURI: "https://hall.example/cb"} // IDENTIFIER_FIRST
)

// What a flow waits for.
const (
	unnamed    = "SIGN_ON_REQUIRED"
	recovering = "RECOVERY_CODE_REQUIRED"
	verify     = "VERIFICATION_CODE_REQUIRED"
)

// mailed is the mail that came to a member, whose code is a secret from now on.
func (x *trial) mailed(to string) mailtest.Mail {
	x.Helper()
	m := x.mail.Wait(x.T, to)
	if m.Code() != "" {
		x.trail.Secret("mailed code", m.Code())
	}
	return m
}

// emptyPostbox forgets the mail of earlier tests, also what is still on its way.
func (x *trial) emptyPostbox() {
	x.Helper()
	if !x.await(func() bool { return x.column(`SELECT count(*) FROM outbox WHERE done_at = 0`) == "0\n" }) {
		x.Fatal("mail of earlier tests is not sent")
	}
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
	x.exec(`DELETE FROM mail_counts WHERE env = $1`, firstEnv)
	x.mail.Forget()
}

// person knows what is asked of them by the kind of input alone.
type person map[string]string

func (p person) know(in visit.Property) (any, bool) {
	v, ok := p[in.Autocomplete]
	return v, ok
}

// A client that knows no action by name makes an account, verifies it, forgets its
// password, sets another one and signs on with that, by what the forms say.
func TestAccountsByFormsAlone(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	source, err := os.ReadFile("../../internal/journey/forms.go")
	if err != nil {
		t.Fatal(err)
	}
	for action := range known {
		if action != "continue" && strings.Contains(string(source), action) {
			t.Errorf("the client knows %s by name", action)
		}
	}
	for _, app := range []visit.App{club, hall} {
		name := "zoe-" + strings.ToLower(app.ID[34:])
		zoe := person{"username": name, "email": name + "@club.example", "new-password": "Zoe-First-Horse-1", "given-name": "Zoe", "family-name": "Zander"}

		f := x.browser().Start(app.Ask())
		r := f.Choose("Create account", zoe.know).Flow()
		if r.Status != verify || r.Embedded.User.ID != "" {
			t.Fatalf("registered, the flow is %+v", r)
		}
		zoe["one-time-code"] = x.mailed(zoe["email"]).Code()
		if r := f.Fill(zoe.know).Flow(); r.Status != completed || r.Embedded.User.Name.Given != "Zoe" {
			t.Fatalf("verified, the flow is %+v", r)
		}
		if claims := x.claims(f); claims["sub"] == "" {
			t.Errorf("claims %v", claims)
		}

		delete(zoe, "one-time-code")
		zoe["new-password"] = "Zoe-Second-Horse-2"
		g := x.browser().Start(app.Ask())
		if r := g.Choose("Forgot your password?", zoe.know).Flow(); r.Status != recovering {
			t.Fatalf("forgotten, the flow is in %s", r.Status)
		}
		zoe["one-time-code"] = x.mailed(zoe["email"]).Code()
		if r := g.Fill(zoe.know).Flow(); r.Status != completed || len(r.AMR) != 1 || r.AMR[0] != "pwd" {
			t.Fatalf("recovered, the flow is %+v", r)
		}
		x.claims(g)
		if m := x.mailed(zoe["email"]); m.Code() != "" {
			t.Errorf("the notice of a new password is %q", m.Text)
		}

		h := x.browser().Start(app.Ask())
		delete(zoe, "one-time-code")
		zoe["current-password"] = "Zoe-First-Horse-1"
		h.Fill(zoe.know).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
		zoe["current-password"] = "Zoe-Second-Horse-2"
		if r := h.Fill(zoe.know).Flow(); r.Status != completed {
			t.Errorf("the new password leads to %s", r.Status)
		}
	}
}

// A temporary and an expired password are changed before anything is handed back.
func TestAccountsForcedChange(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	for name, tt := range map[string]struct{ status, old, next string }{
		"fay": {"MUST_CHANGE_PASSWORD", "Temporary-Horse-2", "Fay-Chosen-Horse-2"},
		"gus": {"PASSWORD_EXPIRED", "Expired-Horse-33", "Gus-Chosen-Horse-3"},
	} {
		f := x.browser().Start(club.Ask())
		r := f.Password(name, tt.old).Flow()
		if r.Status != tt.status || len(r.Embedded.PasswordPolicy) == 0 {
			t.Fatalf("%s: the flow is %+v", name, r)
		}
		if a := f.Resume(); a.Code() != "" {
			t.Fatalf("%s: a code for a password that must be changed", name)
		}
		reset := func(current, next string) *visit.Answer {
			return f.Act("password.reset", map[string]string{"currentPassword": current, "newPassword": next})
		}
		reset("Not-The-Horse-1", tt.next).Refused(400, "INVALID_DATA", "INVALID_VALUE@currentPassword")
		p := reset(tt.old, tt.old).Refused(400, "INVALID_DATA", "INVALID_VALUE@newPassword")
		if unmet, _ := p.Details[0].InnerError["unsatisfiedRequirements"].([]any); len(unmet) == 0 {
			t.Errorf("%s: the same password again is refused with %v", name, p.Details)
		}
		p = reset(tt.old, "short").Refused(400, "INVALID_DATA", "INVALID_VALUE@newPassword")
		if unmet, _ := p.Details[0].InnerError["unsatisfiedRequirements"].([]any); len(unmet) < 2 || unmet[0] != "length" || unmet[1] != "minCharacters" {
			t.Errorf("%s: a short password is refused with %v", name, p.Details)
		}
		if r := reset(tt.old, tt.next).Flow(); r.Status != completed {
			t.Errorf("%s: changed, the flow is in %s", name, r.Status)
		}
		x.claims(f)
		x.mailed(name + "@club.example")
		again := x.browser().Start(club.Ask())
		again.Password(name, tt.old).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
		if r := again.Password(name, tt.next).Flow(); r.Status != completed {
			t.Errorf("%s: signed on again, the flow is in %s", name, r.Status)
		}
	}
}

// Somebody whose address is not verified is asked for it, and the code of a sign-on
// is sent once.
func TestAccountsVerifyAtSignOn(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	f := x.browser().Start(club.Ask())
	r := f.Password("vera", "Vera-Right-Horse-4").Flow()
	if r.Status != verify || r.Embedded.User.Username != "vera" {
		t.Fatalf("the flow is %+v", r)
	}
	first := x.mailed("vera@club.example").Code()
	if a := f.Resume(); a.Code() != "" {
		t.Fatal("a code for an address that is not verified")
	}
	f.Act("user.sendVerificationCode", nil).Is(200)
	second := x.mailed("vera@club.example").Code()
	if first == second || len(second) != 8 {
		t.Fatalf("codes of %d and %d characters, equal: %v", len(first), len(second), first == second)
	}
	f.Act("user.verify", map[string]string{"verificationCode": first}).Refused(400, "INVALID_DATA", "INVALID_VALUE@verificationCode")
	typed := strings.ToLower(second[:4] + " " + second[4:])
	if r := f.Act("user.verify", map[string]string{"verificationCode": typed}).Flow(); r.Status != completed {
		t.Errorf("verified, the flow is in %s", r.Status)
	}
	again := x.browser().Start(club.Ask())
	if r := again.Password("vera", "Vera-Right-Horse-4").Flow(); r.Status != completed {
		t.Errorf("signed on again, the flow is in %s", r.Status)
	}
}

// A sign-on page can be asked in another language than the browser's, and mail
// follows.
func TestAccountsSpeakTheLanguage(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	f := x.browser().Start(club.Ask("ui_locales", "de-AT"))
	page := f.Send(http.MethodGet, f.Page(), visit.Header("Accept-Language", "es"), nil).Is(200)
	if page.Header.Get("Content-Language") != "de" || !strings.Contains(string(page.Body), `lang="de"`) {
		t.Errorf("the page is in %q", page.Header.Get("Content-Language"))
	}
	f.Act("password.forgot", map[string]string{"username": "lea"}).Is(200)
	if m := x.mailed("lea@club.example"); m.Header.Get("Content-Language") != "de" {
		t.Errorf("the mail is in %q: %s", m.Header.Get("Content-Language"), m.Subject)
	}
	h := x.browser()
	h.Start(shop.Ask()).Password("ines", "Ines-Right-Horse-33").Is(200)
	known := h.Start(shop.Ask("prompt", "login"))
	if page := known.Send(http.MethodGet, known.Page(), visit.Header("Accept-Language", "de"), nil).Is(200); page.Header.Get("Content-Language") != "es" {
		t.Errorf("the page for somebody who prefers Spanish is in %q", page.Header.Get("Content-Language"))
	}
	g := x.browser().Start(club.Ask())
	if page := g.Send(http.MethodGet, g.Page(), visit.Header("Accept-Language", "fr, es;q=0.5"), nil).Is(200); page.Header.Get("Content-Language") != "es" {
		t.Errorf("the page is in %q", page.Header.Get("Content-Language"))
	}
}

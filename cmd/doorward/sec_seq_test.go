package main_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

// An empty submit passes nothing: not without a type, not as an empty object,
// not as null. authentik CVE-2026-49448.
func TestSec_SEQ_EMPTY_POST(t *testing.T) {
	x := newTrial(t)
	for status, required := range map[string][]string{
		anybody: {"REQUIRED_VALUE@username", "REQUIRED_VALUE@password"},
		bound:   {"REQUIRED_VALUE@password"},
	} {
		f := x.in(status)
		x.unchanged(f, func() {
			f.Send(http.MethodPost, f.Path(), nil, nil).Refused(415, "UNSUPPORTED_MEDIA_TYPE")
			f.Act(check, nil).Refused(400, "INVALID_DATA", required...)
			f.Act(check, "{}").Refused(400, "INVALID_DATA", required...)
			f.Act(check, "null").Refused(400, "INVALID_REQUEST")
		})
		if a := f.Resume(); a.Code() != "" || !strings.HasSuffix(a.Is(302).Header.Get("Location"), f.Page()) {
			t.Errorf("%s: resume led to %s", status, a.Header.Get("Location"))
		}
		x.happened(f, "PASSWORD.CHECK_FAILED", 0)
		x.happened(f, "REQUEST.MALFORMED", 2)
	}
	for _, status := range []string{completed, failed} {
		f := x.in(status)
		x.unchanged(f, func() {
			f.Send(http.MethodPost, f.Path(), nil, nil).Refused(415, "UNSUPPORTED_MEDIA_TYPE")
			f.Act(check, nil).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
			f.Act(check, "{}").Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
			f.Act(check, "null").Refused(400, "INVALID_REQUEST")
		})
	}
}

// known are the media types of the flow API with a well-formed body each.
// Source: reference/flows.md 5.2, 7.4.
var known = map[string]any{
	"session.reset":                   nil,
	"usernamePassword.check":          map[string]string{"username": "bea", "password": passwords["bea"]},
	"user.lookup":                     map[string]string{"username": "ada"},
	"kerberos.lookup":                 nil,
	"user.register":                   map[string]string{"username": "new", "email": "new@example.com", "password": "New-Right-Horse-1"},
	"user.verify":                     map[string]string{"verificationCode": "A1B2C3D4"},
	"user.sendVerificationCode":       nil,
	"user.skipVerification":           nil,
	"password.forgot":                 map[string]string{"username": "ada"},
	"password.sendRecoveryCode":       nil,
	"password.recover":                map[string]string{"recoveryCode": "A1B2C3D4", "newPassword": "New-Right-Horse-1"},
	"password.reset":                  map[string]string{"currentPassword": passwords["ada"], "newPassword": "New-Right-Horse-1"},
	"device.select":                   map[string]any{"device": map[string]string{"id": noFlow}},
	"device.create":                   map[string]string{"type": "EMAIL", "email": "m@example.com"},
	"device.activate":                 map[string]string{"otp": "123456"},
	"device.skipEnrollment":           nil,
	"device.delete":                   nil,
	"otp.check":                       map[string]string{"otp": "123456"},
	"otp.resend":                      nil,
	"assertion.check":                 map[string]string{"origin": "https://shop.example", "assertion": "{}"},
	"cancel.push.authentication":      map[string]string{"reason": "CHANGE_DEVICE"},
	"user.update":                     map[string]any{"email": "m@example.com", "enabled": true},
	"user.confirm":                    map[string]string{"username": "ada"},
	"user.consent":                    map[string]bool{"accept": true},
	"deviceAuthGrant.userCode.verify": map[string]string{"userCode": "GKHF-JQBC"},
	"deviceAuthGrant.consent":         map[string]bool{"accept": true},
	"user.acceptInvite":               map[string]any{"inviteCode": "A1B2C3D4", "password": "New-Right-Horse-1", "accept": "true"},
	"form.submit":                     map[string]any{"user": map[string]string{"email": "m@example.com"}},
	"form.action":                     map[string]string{"key": "button"},
	"externalAuthentication.check":    map[string]string{"id": noFlow},
	"device.profile":                  map[string]any{"browserFingerprint": map[string]string{}},
	"authentication.poll":             nil,
	"authentication.resume":           nil,
	"continue":                        nil,
}

// What is not offered is refused, whatever it is and however well-formed, in
// every status. PingFederate: POST not valid for the state gives 400.
func TestSec_SEQ_UNOFFERED(t *testing.T) {
	x := newTrial(t)
	for _, status := range []string{anybody, bound, completed, failed} {
		f := x.in(status)
		links, refused := f.Get().Flow().Links, 0
		x.unchanged(f, func() {
			for action, body := range known {
				if _, offered := links[action]; offered {
					continue
				}
				p := f.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
				if len(p.Links) != len(links) {
					t.Errorf("%s in %s: the refusal links %v, the flow %v", action, status, p.Links, links)
				}
				refused++
			}
			f.Send(http.MethodPost, f.Path(), visit.Header("Content-Type", "application/vnd.pingidentity.password.sendRecoveryCode"), nil).
				Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
		})
		x.happened(f, "FLOW.ACTION_NOT_OFFERED", refused+1)
		if offered := len(known) - refused; offered != map[string]int{anybody: 3, bound: 3}[status] {
			t.Errorf("%s offers %d of the known actions", status, offered)
		}
	}
}

// Resume before the last step gives nothing, and half a sign-on signs on
// nowhere. ZITADEL CVE-2025-64103.
func TestSec_SEQ_RESUME_EARLY(t *testing.T) {
	x := newTrial(t)
	early := func(f *visit.Flow) {
		t.Helper()
		for _, more := range []string{"", "&response_mode=pi.flow"} {
			a := f.Send(http.MethodGet, "/"+firstEnv+"/as/resume?flowId="+f.ID+more, nil, nil)
			if a.Code() != "" || !strings.HasSuffix(a.Is(302).Header.Get("Location"), f.Page()) {
				t.Errorf("resume led to %s", a.Header.Get("Location"))
			}
		}
		for _, app := range []visit.App{vault, shop, wiki} {
			if a := f.Authorize(app.Ask("prompt", "none")); a.Code() != "" || a.Is(302).Refusal() != "login_required" {
				t.Errorf("a silent request led to %s", a.Header.Get("Location"))
			}
		}
	}
	f := x.browser().Start(vault.Ask())
	early(f)
	if r := f.Password("ada", passwords["ada"]).Flow(); r.Status != bound {
		t.Fatalf("%s after the first of two passwords", r.Status)
	}
	early(f)
	f.Password("", passwords["ada"]).Is(200)
	if c := x.claims(f); c["acr"] != "Double" {
		t.Errorf("acr is %v", c["acr"])
	}
}

// Registration that is switched off is closed, and not only hidden. ZITADEL
// CVE-2024-49757.
func TestSec_SEQ_REG_DISABLED(t *testing.T) {
	x := newTrial(t)
	f := x.in(anybody)
	for _, action := range []string{"user.register", "password.forgot"} {
		if _, offered := f.Get().Flow().Links[action]; offered {
			t.Errorf("%s is offered", action)
		}
	}
	users, mails := x.column(`SELECT count(*) FROM users`), len(x.mail.All())
	page := f.Send(http.MethodGet, f.Page(), nil, nil).Is(200)
	token := formToken(t, page.Body)
	x.unchanged(f, func() {
		f.Act("user.register", known["user.register"]).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
		f.Act("password.forgot", known["password.forgot"]).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
		shown := f.Send(http.MethodGet, f.Page()+"&show=user.register", nil, nil).Is(200)
		if strings.Contains(string(shown.Body), "register") {
			t.Error("the page can be made to show the form")
		}
		f.Send(http.MethodGet, "/"+firstEnv+"/signon/register?flowId="+f.ID, visit.Header("Accept", "text/html"), nil).Is(404)
		form := "_action=user.register&_token=" + token + "&username=new&email=new%40example.com&password=New-Right-Horse-1"
		a := f.Send(http.MethodPost, f.Page(), visit.Header("Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"), []byte(form)).Is(400)
		if strings.Contains(string(a.Body), "New-Right-Horse") {
			t.Error("the page repeats the password")
		}
	})
	if strings.Contains(string(page.Body), "register") {
		t.Error("the page speaks of registration")
	}
	if x.column(`SELECT count(*) FROM users`) != users || len(x.mail.All()) != mails {
		t.Error("somebody was registered")
	}
}

// formToken is the token that a page's form carries.
func formToken(t *testing.T, page []byte) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(page), `name="_token" value="`)
	value, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("the page's form has no token\n%s", page)
	}
	return value
}

// Finished flows do nothing more, and give one code.
func TestSec_SEQ_TERMINAL(t *testing.T) {
	x := newTrial(t)
	done, lost := x.in(completed), x.in(failed)
	location := done.Via(0).Resume().Is(302).Header.Get("Location")
	if again := done.Via(1).Resume().Is(302).Header.Get("Location"); again != location {
		t.Errorf("a second resume led to %s, the first to %s", again, location)
	}
	done.As(x.browser()).Resume().Refused(404, "NOT_FOUND")
	other, _ := x.signedOn("bea")
	done.As(other).Resume().Refused(404, "NOT_FOUND")
	for action, body := range known {
		done.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
		lost.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	}
	if a := lost.Resume().Is(302); a.Code() != "" || a.Refusal() != "access_denied" {
		t.Errorf("a failed flow led to %s", a.Header.Get("Location"))
	}
	tokens := done.Redeem(done.Ask, done.Via(0).Resume().Code()).Tokens()
	if a := done.Resume(); a.Code() != "" {
		t.Errorf("a redeemed code is handed out again: %s", a.Header.Get("Location"))
	}
	done.UserInfo(firstEnv, tokens.AccessToken).Is(200)
	x.exec(`UPDATE grants SET issued_at = issued_at - 11000 WHERE env = $1`, firstEnv)
	done.Resume().Refused(404, "NOT_FOUND")
	x.redis.Age(5 * time.Minute)
	done.Resume().Refused(404, "NOT_FOUND")
	done.Get().Refused(404, "NOT_FOUND")
	done.Act("session.reset", nil).Refused(404, "NOT_FOUND")

	for range 20 {
		f := x.in(completed)
		codes := make([]string, 2)
		var both sync.WaitGroup
		for i := range codes {
			both.Go(func() { codes[i] = f.Via(i).Resume().Is(302).Code() })
		}
		both.Wait()
		if codes[0] == "" || codes[0] != codes[1] {
			t.Errorf("two resumes at once gave the codes %q", codes)
		}
	}
}

package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// app sets up an authenticator app on the page that asks which device it is to be, and
// returns its seed.
func (w *walker) app() string {
	w.x.Helper()
	w.account("/add").asked("device.create")
	w.press("device.create", "=type", "TOTP").asked("device.activate")
	seed := strings.ReplaceAll(strings.ReplaceAll(w.shown("key"), " ", ""), "\u00a0", "")
	w.x.trail.Secret("seed of an app", seed)
	w.press("device.activate", "otp", w.code(seed, 0)).is("/devices")
	return seed
}

// code is that of an app, some seconds from now: none is good twice.
func (w *walker) code(seed string, later time.Duration) string {
	w.x.Helper()
	code, err := totp.GenerateCode(seed, time.Now().Add(later))
	if err != nil {
		w.x.Fatal(err)
	}
	return code
}

// TestAccountDevices is one person's way through their devices, without a script.
func TestAccountDevices(t *testing.T) {
	t.Parallel()
	x := apart(t)
	una := x.walker().in("una")
	if ids := una.account("/devices").is("/devices").links(); len(ids) != 0 {
		t.Fatalf("somebody new has the devices %q", ids)
	}
	if una.account("/codes").is("/codes").find("codes", nil) != nil {
		t.Error("recovery codes stand in for nothing")
	}
	seed := una.app()
	ids := una.links()
	if len(ids) != 1 {
		t.Fatalf("the devices are %q", ids)
	}
	here := "/devices/" + ids[0]
	una.account(here).press("nickname", "nickname", " My phone ").is(here)
	if !strings.Contains(una.text(), "My phone") {
		t.Errorf("the name is not shown: %s", una.text())
	}
	if una.press("nickname", "nickname", strings.Repeat("x", 101)); una.page.Status != http.StatusBadRequest {
		t.Errorf("a name that is too long: %d", una.page.Status)
	}

	// Elsewhere, the password alone shows what there is, and changes nothing of it.
	other := x.walker().in("una")
	other.account(here + "/remove").asked("otp.check")
	other.account("/add").asked("otp.check")
	other.account("/password").asked("otp.check")
	other.account("/email").asked("otp.check")
	other.account("/codes").asked("otp.check")
	other.press("otp.check", "otp", other.code(seed, 30*time.Second)).is("/codes")
	other.press("codes")
	if other.page.Status != http.StatusOK || len(strings.Fields(other.shown("codes"))) < 10 {
		t.Fatalf("no codes: %d %s", other.page.Status, other.text())
	}
	for _, code := range strings.Fields(other.shown("codes")) {
		x.trail.Secret("recovery code", code)
	}

	// The codes go with the device that they stand in for.
	other.account(here + "/remove").is(here + "/remove")
	if !strings.Contains(other.text(), "only one") {
		t.Errorf("nobody is warned: %s", other.text())
	}
	other.press("remove").is("/devices")
	if ids := other.links(); len(ids) != 0 {
		t.Errorf("the devices are %q", ids)
	}
	x.mailed("una@example.com") // added
	for event, n := range map[string]int{"DEVICE.DELETED": 2, "DEVICE.CHANGED": 1, "MFA.STEP_UP_REQUIRED": 5} {
		if !x.await(func() bool { return x.recorded(event) >= n }) {
			t.Errorf("%s is recorded %d times", event, x.recorded(event))
		}
	}
}

// TestAccountSessions: somebody sees where they are signed on, ends it there, and
// changes the password, which ends everything else.
func TestAccountSessions(t *testing.T) {
	t.Parallel()
	x := apart(t)
	here, there := x.walker().in("una"), x.walker().in("una")
	stranger := x.walker().in("bea")
	ends := func(w *walker) (n int) {
		for form := range w.doc.Descendants() {
			if form.Data == "form" && hidden(form).Get("_action") == "end" {
				n++
			}
		}
		return n
	}
	if n := ends(here.account("/sessions").is("/sessions")); n != 1 {
		t.Fatalf("%d other sessions are shown", n)
	}
	target, v := here.filled("end")
	v.Set("id", x.sessionOf("bea"))
	here.arrive(here.at, here.sent(target, v, "Origin", here.Base()))
	stranger.account("/sessions").is("/sessions") // nobody ends somebody else's
	here.account("/sessions").press("end").is("/sessions")
	if n := ends(here); n != 0 {
		t.Errorf("%d other sessions are left", n)
	}
	there.account("/sessions").asked("usernamePassword.check")
	there.press("usernamePassword.check", "username", "una", "password", passwords["una"]).is("/sessions")

	here.account("/password").asked("password.reset")
	here.press("password.reset", "currentPassword", "Wrong-Horse-5", "newPassword", "Una-Other-Horse-4").asked("password.reset")
	here.press("password.reset", "currentPassword", passwords["una"], "newPassword", "Una-Other-Horse-4").is("")
	if !strings.Contains(here.text(), "password is changed") {
		t.Errorf("nothing is said: %s", here.text())
	}
	there.account("").asked("usernamePassword.check")
	if n := ends(here.account("/sessions").is("/sessions")); n != 0 {
		t.Errorf("%d sessions of the old password are shown", n)
	}
	x.mailed("una@example.com")
}

// sessionOf is the id of the one session that a person has had.
func (x *trial) sessionOf(username string) string {
	x.Helper()
	query := `SELECT session_id FROM events WHERE type = 'SESSION.CREATED' AND user_id = (SELECT id FROM users WHERE username = '` + username + `' AND env = '` + firstEnv + `')`
	if !x.await(func() bool { return x.column(query) != "" }) {
		x.Fatalf("%s has no session", username)
	}
	return strings.TrimSpace(x.column(query))
}

// TestAccountIsOnesOwn: nothing but the session of the browser, in this environment,
// of somebody who may sign on, opens the pages; no page of another site changes
// anything; and nobody is issued anything for having been there.
func TestAccountIsOnesOwn(t *testing.T) {
	t.Parallel()
	x := apart(t)
	una := x.walker().in("una")
	page := una.account("").page
	for name, want := range map[string]string{"Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff"} {
		if got := page.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	x.part("a form of another site", func() {
		una.account("/profile").is("/profile")
		target, v := una.filled("profile", "given", "Mallory")
		other := x.walker().in("bea").account("/profile")
		_, theirs := other.filled("profile")
		for name, header := range map[string][]string{
			"by the site":   {"Sec-Fetch-Site", "cross-site", "Origin", una.Base()},
			"by the origin": {"Origin", "https://evil.example"},
			"of a frame":    {"Origin", "null"},
		} {
			if a := una.sent(target, v, header...); a.Status != http.StatusForbidden {
				t.Errorf("%s: %d", name, a.Status)
			}
		}
		for name, token := range map[string]string{"none": "", "another person's": theirs.Get("_token"), "no token": "x.y"} {
			v.Set("_token", token)
			if a := una.sent(target, v, "Origin", una.Base()); a.Status != http.StatusForbidden {
				t.Errorf("token, %s: %d", name, a.Status)
			}
		}
		if strings.Contains(string(una.account("/profile").page.Body), "Mallory") {
			t.Error("the name was changed")
		}
		una.press("profile", "given", "Una", "family", "Lark").is("/profile")
		if got := x.column(`SELECT given || ' ' || family FROM users WHERE username = 'una' AND env = '` + firstEnv + `'`); !strings.Contains(got, "Una") || !strings.Contains(got, "Lark") {
			t.Errorf("kept: %s", got)
		}
	})
	x.part("somebody else's device", func() {
		seed := una.app()
		_ = seed
		id := una.links()[0]
		bea := x.walker().in("bea")
		for _, rest := range []string{"", "/remove"} {
			if bea.account("/devices/" + id + rest); bea.page.Status != http.StatusNotFound {
				t.Errorf("%s: %d", rest, bea.page.Status)
			}
		}
		_, v := bea.account("/profile").filled("profile")
		v.Set("_action", "remove")
		if a := bea.sent("/"+firstEnv+"/account/devices/"+id+"/remove", v, "Origin", bea.Base()); a.Status != http.StatusNotFound {
			t.Errorf("removed: %d", a.Status)
		}
		if got := una.account("/devices").links(); len(got) != 1 {
			t.Errorf("the devices are %q", got)
		}
	})
	x.part("another environment's session", func() {
		w := x.walker()
		w.Plant(secondEnv, una.ST(firstEnv))
		if w.open("/" + secondEnv + "/account"); !strings.Contains(w.at, "/signon/") {
			t.Errorf("let in at %s", w.at)
		}
	})
	x.part("an execution without an application", func() {
		w := x.walker()
		w.account("")
		_, id, _ := strings.Cut(w.at, "flowId=")
		target, v := w.filled("usernamePassword.check", "username", "ada", "password", passwords["ada"])
		done := w.sent(target, v, "Origin", w.Base())
		if to := done.Location().Path; to != "/"+firstEnv+"/account/return" {
			t.Fatalf("it ends at %s", to)
		}
		if a := w.Send(http.MethodGet, "/"+firstEnv+"/as/resume?flowId="+id, nil, nil); a.Status != http.StatusNotFound || a.Code() != "" {
			t.Errorf("resumed for an application: %d, code %q", a.Status, a.Code())
		}
		w.arrive(target, done).is("")
		thief := x.walker()
		if thief.open("/" + firstEnv + "/account/return?flowId=" + id); !strings.Contains(thief.at, "/signon/") {
			t.Errorf("a stranger comes back to %s", thief.at)
		}
	})
	x.part("somebody who may not sign on any more", func() {
		x.exec(`UPDATE users SET enabled = 0 WHERE username = 'una' AND env = $1`, firstEnv)
		una.account("/devices").asked("usernamePassword.check")
	})
}

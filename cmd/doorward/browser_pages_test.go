package main_test

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// pageStep leads to a page, from the page of the step before.
type pageStep struct {
	name  string
	keep  bool // its screenshots are part of the documentation
	reach func(*stage, *browsertest.Tab)
}

// everyPage is one walk past every page that people see.
func everyPage() []pageStep {
	open := func(address func(*stage) string) func(*stage, *browsertest.Tab) {
		return func(s *stage, tab *browsertest.Tab) { tab.Open(address(s)) }
	}
	send := func(name string) func(*stage, *browsertest.Tab) {
		return func(s *stage, tab *browsertest.Tab) {
			s.fill(tab, name, nodetest.Password)
			tab.Follow(primary)
		}
	}
	wrong := func(name string) func(*stage, *browsertest.Tab) {
		return func(s *stage, tab *browsertest.Tab) {
			s.fill(tab, name, "wrong")
			tab.Follow(primary)
		}
	}
	follow := func(_ *stage, tab *browsertest.Tab) { tab.Follow(primary) }
	return append([]pageStep{
		{"application-out", false, open((*stage).home)},
		{"sign-on", true, open(func(s *stage) string { return s.start("") })},
		{"two-errors", false, follow},
		{"wrong-password", true, wrong(nodetest.User)},
		{"out-of-date", false, func(s *stage, tab *browsertest.Tab) {
			browsertest.Eval[any](tab, `document.querySelector("[name=_token]").value = "old"`)
			send(nodetest.User)(s, tab)
		}},
		{"refused", false, func(s *stage, tab *browsertest.Tab) {
			browsertest.Eval[any](tab, `document.querySelector("[name=_token]").value = ""`)
			send(nodetest.User)(s, tab)
		}},
		{"application-in", false, func(s *stage, tab *browsertest.Tab) {
			follow(s, tab)
			send(nodetest.User)(s, tab)
		}},
		{"passkey-offer", true, func(s *stage, tab *browsertest.Tab) {
			tab.Open(s.start("login"))
			browsertest.Eval[any](tab, `document.cookie = "PK=1;path=/" + location.pathname.split("/")[1]`) // as if the browser could
			send("")(s, tab)
		}},
		{"known-user", true, open(func(s *stage) string { return s.start("login") })},
		{"known-user-wrong-password", false, wrong("")},
		{"known-user-long-name", false, func(s *stage, tab *browsertest.Tab) {
			tab.Follow(".chip button")
			send(ann)(s, tab)
			tab.Open(s.start("login"))
		}},
		{"forgot", false, func(s *stage, tab *browsertest.Tab) {
			tab.Follow(".chip button")
			tab.Follow(way("password.forgot"))
		}},
		{"recovery", true, func(s *stage, tab *browsertest.Tab) {
			s.mail.Forget()
			tab.Fill("#username", "ruth")
			tab.Follow(primary)
		}},
		{"recovery-sent-again", false, func(_ *stage, tab *browsertest.Tab) { tab.Follow(".button.quiet") }},
		{"recovery-weak-password", false, func(s *stage, tab *browsertest.Tab) {
			tab.Fill("#recoveryCode", s.newest("ruth@example.com"))
			tab.Fill("#newPassword", "quiethorse")
			tab.Follow(primary)
		}},
		{"register", true, func(s *stage, tab *browsertest.Tab) {
			tab.Open(s.start(""))
			tab.Follow(way("user.register"))
		}},
		{"verification", true, func(_ *stage, tab *browsertest.Tab) {
			tab.Fill("#username", "nora")
			tab.Fill("#email", "nora@example.org")
			tab.Fill("#password", "Quiet-First-Horse-1")
			tab.Follow(primary)
		}},
		{"temporary-password", false, func(s *stage, tab *browsertest.Tab) {
			tab.Follow(".chip button")
			s.fill(tab, "grace", "Temporary-Horse-9")
			tab.Follow(primary)
		}},
		{"expired-password", true, func(s *stage, tab *browsertest.Tab) {
			tab.Follow(".chip button")
			s.fill(tab, "alan", "Expired-Horse-9")
			tab.Follow(primary)
		}},
		{"elsewhere", true, func(s *stage, tab *browsertest.Tab) {
			s.away.Refuse("access_denied")
			tab.Open(s.landing(suppliersApp))
			tab.Fill("#username", "mara@partner.example")
			tab.Click(primary)
			tab.Await(gaveUp)
		}},
		{"unlinked", true, func(s *stage, tab *browsertest.Tab) {
			s.away.Refuse("")
			s.away.SignIn(map[string]any{"sub": "s9", "preferred_username": "ruth", "email": "ruth@example.com"})
			tab.Click("a.button")
			tab.Await(`document.querySelector("#password")`)
		}},
		{"code-elsewhere", false, open(func(s *stage) string {
			return s.address("/signon/", url.Values{"flowId": {nodetest.Web}, "code": {"AB34EF78"}})
		})},
		{"gallery", false, open(func(s *stage) string { return s.address("/signon/gallery", nil) })},
		{"expired", false, open(func(s *stage) string { return s.address("/signon/", url.Values{"flowId": {nodetest.Web}}) })},
		{"sign-off", false, open(func(s *stage) string { return s.address("/as/signoff", nil) })},
		{"signed-off", false, follow},
		{"malformed", false, open(func(s *stage) string { return s.address("/as/authorize", nil) })},
		{"missing", false, open(func(s *stage) string { return s.node.Base + "/nothing-here" })},
		{"failed", false, func(s *stage, tab *browsertest.Tab) {
			tab.Open(s.start(""))
			send(eve)(s, tab)
		}},
		{"application-failed", false, follow},
	}, append(formPages(), ownPages()...)...)
}

// ownPages are some of the account's.
func ownPages() []pageStep {
	account := func(s *stage, tab *browsertest.Tab, page string) {
		tab.Open(s.node.Base + "/" + nodetest.Env + "/account" + page)
		if tab.Has("#username") {
			s.fill(tab, "ruth", nodetest.Password)
			tab.Follow(primary)
		}
	}
	return []pageStep{
		{"account", true, func(s *stage, tab *browsertest.Tab) { account(s, tab, "") }},
		{"account-email", true, func(s *stage, tab *browsertest.Tab) {
			account(s, tab, "/email")
			tab.Fill("#newEmail", "ruth@home.example")
			tab.Follow(primary)
		}},
	}
}

// formPages are those of flow definitions.
func formPages() []pageStep {
	begin := func(definition string) func(*stage, *browsertest.Tab) {
		return func(s *stage, tab *browsertest.Tab) { tab.Open(s.experience(definition)) }
	}
	send := func(values ...string) func(*stage, *browsertest.Tab) {
		return func(_ *stage, tab *browsertest.Tab) {
			fillIn(tab, values...)
			tab.Follow(primary)
		}
	}
	return []pageStep{
		{"form-gallery", true, func(s *stage, tab *browsertest.Tab) { tab.Open(s.address("/signon/gallery/form", nil)) }},
		{"form-sign-on", true, begin(formSignOn)},
		{"form-two-errors", false, send()},
		{"form-wrong-password", false, send("user.username", "ada", "user.password", "wrong")},
		{"form-reset", false, send("user.username", "alan", "user.password", "Expired-Horse-9")},
		{"form-registration", false, begin(registration)},
		{"form-registration-twice", false, send("user.username", "nora", "user.email", "nora@example", "user.password", "quiethorse", "user.passwordVerify", "quiethors")},
		{"form-registration-errors", true, send("user.email", "nora@example.org", "user.password", "nora", "user.passwordVerify", "nora")},
		{"form-recovery-who", false, begin(recovery)},
		{"form-recovery", false, send("user.username", "ruth")},
		{"form-captcha", false, begin(captchaed)},
		{"consent", true, func(s *stage, tab *browsertest.Tab) {
			begin(consent)(s, tab)
			send("user.username", "ada", "user.password", nodetest.Password)(s, tab)
		}},
		{"declined", false, func(_ *stage, tab *browsertest.Tab) { tab.Follow(".button.quiet") }},
		{"closed", false, begin(closed)},
		{"members", false, func(s *stage, tab *browsertest.Tab) { tab.Open(s.members()) }},
	}
}

// layoutShifts are the moves of what was painted since the page came up, those
// that the person caused left out. Source: Layout Instability API.
const layoutShifts = `new Promise(done => {
	const moved = [];
	new PerformanceObserver(list => moved.push(...list.getEntries().filter(e => !e.hadRecentInput).map(e => e.value))).observe({type: "layout-shift", buffered: true});
	setTimeout(() => done(moved), 150);
})`

// TestBrowserPages looks at every page as people with different eyes and windows
// do. UPDATE_SCREENSHOTS=1 takes the screenshots of the documentation anew, any
// other value is a directory for those of every page.
func TestBrowserPages(t *testing.T) {
	t.Parallel()
	s := newStage(t, nodetest.Options{})
	tab := s.Visitor(t, browsertest.Look{})
	for _, p := range everyPage() {
		t.Run(p.name, func(t *testing.T) {
			tab.Resize(browsertest.Look{})
			p.reach(s, tab)
			noProblems(t, tab)
			if shifts := browsertest.Eval[[]float64](tab, layoutShifts); len(shifts) > 0 {
				t.Errorf("the page moved while it came up: %v", shifts)
			}
			const inline = `[...document.querySelectorAll("*")].filter(e => e.matches("script:not([src][defer]), style, [style]") || e.getAttributeNames().some(a => a.startsWith("on"))).map(e => e.outerHTML).join()`
			if found := browsertest.Eval[string](tab, inline); found != "" {
				t.Errorf("inline: %s", found)
			}
			for _, dark := range []bool{false, true} {
				tab.Resize(browsertest.Look{Dark: dark})
				for _, v := range tab.Violations() {
					t.Errorf("dark %t: %s", dark, v)
				}
			}
			for name, l := range map[string]browsertest.Look{"320 pixels": {Width: 320, Height: 640}, "200 %": {Zoom: 2, Width: 1280, Height: 800}, "400 %": {Zoom: 4, Width: 1280, Height: 1024}} {
				tab.Resize(l)
				if n := tab.Overflow(); n > 0 {
					t.Errorf("at %s the page is %d pixels too wide", name, n)
				}
			}
			tab.Resize(browsertest.Look{Width: 640, Height: 800})
			browsertest.Eval[any](tab, `document.documentElement.style.fontSize = "200%"`)
			if n := tab.Overflow(); n > 0 {
				t.Errorf("with large letters the page is %d pixels too wide", n)
			}
			browsertest.Eval[any](tab, `document.documentElement.style.fontSize = ""`)
			screenshots(t, tab, p)
		})
	}
	t.Run("style and script are light", func(t *testing.T) { light(t, s) })
}

// screenshots keeps what a page looks like on a phone and on a desk, by day and
// by night.
func screenshots(t *testing.T, tab *browsertest.Tab, p pageStep) {
	t.Helper()
	to := os.Getenv("UPDATE_SCREENSHOTS")
	if to == "1" && p.keep {
		to = "../../docs/screenshots"
	}
	if to == "" || to == "1" {
		return
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]browsertest.Look{
		"390": {Width: 390, Height: 844}, "1280": {}, "390-dark": {Width: 390, Height: 844, Dark: true}, "1280-dark": {Dark: true},
	} {
		tab.Resize(l)
		png := tab.Screenshot()
		if p.keep && len(png) > 60<<10 {
			t.Errorf("%s at %s: %d bytes", p.name, name, len(png))
		}
		if err := os.WriteFile(filepath.Join(to, p.name+"-"+name+".png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// light weighs what a page needs beside itself.
func light(t *testing.T, s *stage) {
	t.Helper()
	tab := s.visitor(t, browsertest.Look{})
	tab.Open(s.start(""))
	total := 0
	for _, address := range browsertest.Eval[[]string](tab, `[...document.querySelectorAll("link[rel=stylesheet], script")].map(e => e.href || e.src)`) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.node.Client(nil).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if err := cmp.Or(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(address, resp.StatusCode, err)
		}
		total += int(n)
	}
	if total == 0 || total > 30<<10 {
		t.Errorf("style and script are %d bytes", total)
	}
}

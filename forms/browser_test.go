package forms_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorward/forms"
	"doorward/internal/browsertest"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
	"doorward/static"
)

// wall is every page that people meet, drawn without an engine behind it.
func wall() map[string]forms.SignOn {
	long := func(s forms.SignOn) forms.SignOn {
		s.Application = "Donaudampfschifffahrtsgesellschaftskapitänsverwaltung"
		s.View.User = flow.Subject{ID: "u", Username: "anneliese.von-hohenfels-zu-langenburg@customers.subsidiary.example.com"}
		return s
	}
	typed := func(s forms.SignOn, values flow.Values) forms.SignOn {
		s.Typed = values
		return s
	}
	missing := func(s forms.SignOn, action, target string, names ...string) forms.SignOn {
		return refuse(s, action, inner(flow.InvalidValue, target, "unsatisfiedRequirements", names))
	}
	said := func(s forms.SignOn, change func(*forms.SignOn)) forms.SignOn {
		change(&s)
		return s
	}
	all := aboutDevices()
	linked := said(recovery(), func(s *forms.SignOn) { s.Code = "AB34EF78" })
	maps.Copy(all, map[string]forms.SignOn{
		"username-password": signOn(), "identifier": lookup(), "password": password(), "password-long-name": long(password()),
		"elsewhere": elsewhere(), "unlinked": unlinked(), "elsewhere-refused": said(elsewhere(), func(s *forms.SignOn) {
			s.Fault = &flow.Fault{Code: flow.RequestFailed, Details: []flow.Detail{{Code: flow.ExternalFailed}}}
		}),
		"expired-password": expired(), "temporary-password": change("MUST_CHANGE_PASSWORD"),
		"recovery": recovery(), "recovery-from-link": linked, "verification": verification(), "verification-long-name": long(verification()),
		"register": registration(), "forgot": forgotten(), "forgot-known": said(password(), func(s *forms.SignOn) { s.Show = "password.forgot" }),
		"resent":       said(verification(), func(s *forms.SignOn) { s.Done = "user.sendVerificationCode" }),
		"wrong-code":   typed(refuse(verification(), "user.verify", inner(flow.InvalidValue, "verificationCode", "attemptsRemaining", 3)), flow.Values{"verificationCode": "AB34EF79"}),
		"spent-code":   refuse(recovery(), "password.recover", inner(flow.InvalidValue, "recoveryCode", "attemptsRemaining", 0)),
		"weak-reset":   typed(missing(recovery(), "password.recover", "newPassword", passwordpolicy.Length, passwordpolicy.MinCharacters, passwordpolicy.History), flow.Values{"recoveryCode": "AB34EF78"}),
		"many-errors":  typed(refuse(registration(), "user.register", flow.Detail{Code: flow.RequiredValue, Target: "username"}, flow.Detail{Code: flow.InvalidValue, Target: "email"}, inner(flow.InvalidValue, "password", "unsatisfiedRequirements", []string{passwordpolicy.ExcludesCommonlyUsed})), flow.Values{"email": "ada@"}),
		"wrong-change": refuse(expired(), "password.reset", flow.Detail{Code: flow.InvalidValue, Target: "currentPassword"}),
		"locked":       refuse(signOn(), "usernamePassword.check", inner(flow.PasswordLockedOut, "password", "secondsUntilUnlock", 900)),
		"out-of-date":  said(signOn(), func(s *forms.SignOn) { s.Fault = &flow.Fault{Code: flow.Conflict} }),
		"terms":        execution("TERMS_REQUIRED", flow.Offer{Name: "terms.accept", Prompt: flow.Text{Default: "Agree and continue"}, Fields: []flow.Field{{Name: "accept", Type: flow.TypeBoolean, Required: true, Label: flow.Text{Default: "I agree to the terms of service"}}}}),
	})
	return all
}

// messages are the pages without a form, and the one with all of them.
func messages(p *forms.Pages) map[string]func(forms.Setting) []byte {
	return map[string]func(forms.Setting) []byte{
		"failed": func(set forms.Setting) []byte {
			return p.Failed(set, &flow.View{Failure: &flow.Failure{Code: "ACCOUNT_DISABLED"}}, "Acme Travel", "/resume")
		},
		"expired": func(set forms.Setting) []byte {
			return p.Fault(set, &flow.Fault{Code: flow.NotFound, Restart: true}, "id", "")
		},
		"down": func(set forms.Setting) []byte {
			return p.Fault(set, &flow.Fault{Code: flow.Unavailable}, "11111111-c55a-4807-889b-cd14f74ec4c5", "/again")
		},
		"sign-off":   func(set forms.Setting) []byte { return p.SignOff(set, "/signoff", [][2]string{{"token", "t"}}) },
		"signed-off": p.SignedOff,
		"code":       func(set forms.Setting) []byte { return p.Code(set, "AB34EF78") },
		"gallery":    func(set forms.Setting) []byte { return p.Gallery(set, "/gallery") },
		"form-gallery": func(set forms.Setting) []byte {
			page, _ := p.FormGallery(set, "/form-gallery") // another test holds that there is one
			return page
		},
	}
}

// hang serves the wall: /{language}/{page}, in the built-in look, and under
// /themed/ in another one.
func hang(t *testing.T) *httptest.Server {
	t.Helper()
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := pages(t)
	named, others := wall(), messages(p)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := assets.Find(r.URL.Path); ok {
			w.Header().Set("Content-Type", a.Type)
			_, _ = w.Write(a.Body)
			return
		}
		path, themed := strings.CutPrefix(r.URL.Path, "/themed")
		language, name, _ := strings.Cut(strings.Trim(path, "/"), "/")
		set := acme(language)
		if themed {
			set.Theme = forms.Theme{Style: "/theme.css", Logo: "/logo.svg"}
		}
		var body []byte
		var view flow.View
		if draw, ok := others[name]; ok {
			body = draw(set)
		} else if e, ok := named[name]; ok {
			e.Address = r.URL.Path + "?flowId=f"
			body = p.SignOn(set, e)
			view = e.View
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", contentPolicy(&view))
		switch r.URL.Path {
		case "/theme.css":
			w.Header().Set("Content-Type", "text/css")
			body = []byte(":root{--page:#102a43;--on-page:#8b919b;--accent:#0a6640;--accent-press:#085233;--on-accent:#ffffff;--radius:2px}@media (prefers-color-scheme:dark){:root{--page:#000000;--on-page:#a8b1bf;--accent:#69a28a;--accent-press:#87b5a1;--on-accent:#000000}}")
		case "/logo.svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			body = []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 40"><rect width="40" height="40" rx="20" fill="#0a6640"/><path d="M52 28h100M52 12h60" stroke="#4f9175" stroke-width="8"/></svg>`)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestBrowserWall looks at every page as people with different eyes, windows and
// languages do. LOOK names a directory for screenshots.
func TestBrowserWall(t *testing.T) {
	t.Parallel()
	s, b := hang(t), browsertest.Start(t)
	tab := b.Visitor(t, browsertest.Look{})
	paths := []string{
		"/themed/en/form-gallery", "/de/form-gallery", "/themed/en/gallery", "/themed/en/username-password", "/de/username-password", "/de/recovery", "/de/register", "/de/many-errors",
		"/de/expired-password", "/de/verification-long-name", "/de/forgot", "/de/gallery", "/de/code", "/es/recovery",
		"/themed/en/selection", "/de/enrolment", "/de/recovery-codes", "/es/push-number", "/es/passkey-sign-on", "/de/elsewhere-refused", "/es/unlinked",
	}
	for name := range wall() {
		paths = append(paths, "/en/"+name)
	}
	for name := range messages(pages(t)) {
		paths = append(paths, "/en/"+name)
	}
	heard := 0
	for _, path := range paths {
		t.Run(path[1:], func(t *testing.T) {
			tab.Resize(browsertest.Look{})
			tab.Open(s.URL + path)
			for _, p := range tab.Problems()[heard:] {
				t.Errorf("the browser says: %s", p)
				heard++
			}
			if n := browsertest.Eval[int](tab, `document.querySelectorAll("main .button:not(.quiet)").length`); n > 1 {
				t.Errorf("%d primary actions", n)
			}
			for _, dark := range []bool{false, true} {
				tab.Resize(browsertest.Look{Dark: dark})
				for _, v := range tab.Violations() {
					t.Errorf("dark %t: %s", dark, v)
				}
			}
			fits(t, tab)
			touchable(t, tab)
			keep(t, tab, strings.ReplaceAll(path[1:], "/", "-"))
		})
	}
}

// fits holds that a page can be read in a narrow window, magnified, and in large
// letters, without moving it sideways.
func fits(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
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
}

// touchable holds that what can be pressed is 44 pixels high, but for links in
// the middle of what is read.
func touchable(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	tab.Resize(browsertest.Look{Width: 320, Height: 640})
	const small = `[...document.querySelectorAll("a, button, input, select, .check")].filter(e => e.checkVisibility() && e.type !== "hidden" && !e.matches("li a:not(.button), p a, [type=checkbox], [type=radio]") && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 120) + " " + e.getBoundingClientRect().height).join("\n")`
	if found := browsertest.Eval[string](tab, small); found != "" {
		t.Errorf("too small to be touched:\n%s", found)
	}
}

// keep takes screenshots of the whole page on a phone and on a desk, by day and
// by night.
func keep(t *testing.T, tab *browsertest.Tab, name string) {
	t.Helper()
	to := os.Getenv("LOOK")
	if to == "" {
		return
	}
	for size, l := range map[string]browsertest.Look{"390": {Width: 390, Height: 844}, "1280": {}, "390-dark": {Width: 390, Height: 844, Dark: true}, "1280-dark": {Dark: true}, "320": {Width: 320, Height: 640}, "200": {Zoom: 2, Width: 1280, Height: 800}} {
		tab.Resize(l)
		l.Height = max(l.Height, browsertest.Eval[int](tab, "document.documentElement.scrollHeight")*int(max(l.Zoom, 1)))
		if l.Width == 0 {
			l.Width, l.Height = 1280, max(l.Height, 800)
		}
		tab.Resize(l)
		if err := os.WriteFile(filepath.Join(to, name+"-"+size+".png"), tab.Screenshot(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

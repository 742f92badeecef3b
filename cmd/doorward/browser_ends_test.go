package main_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// Where a sign-on does not go on. Each page says what to do next.

// playUnknown compares a flow that never was with one of another browser.
func playUnknown(p player) {
	owner, tab := p.visit(), p.visit()
	owner.Open(p.start(""))
	read := func(address string) string {
		tab.Open(address)
		if tab.Status() != http.StatusNotFound || tab.Text("h1") != "This page has expired" || !strings.Contains(tab.Text("main"), "Go back to the application you came from and start again.") || tab.Has("form") {
			p.Errorf("%d %s", tab.Status(), tab.Text("body"))
		}
		return browsertest.Eval[string](tab, "document.documentElement.outerHTML")
	}
	unknown := read(p.address("/signon/", url.Values{"flowId": {"00000000-0000-4000-8000-000000000000"}}))
	if foreign := read(owner.URL()); foreign != unknown {
		p.Errorf("a stranger's flow is told from an unknown one:\n%s\n%s", foreign, unknown)
	}
	read(p.address("/as/resume", url.Values{"flowId": {"00000000-0000-4000-8000-000000000000"}}))
}

func playFailed(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	p.fill(tab, eve, nodetest.Password)
	tab.Follow(primary)
	if tab.Text("h1") != "We could not sign you on" || tab.Text(primary) != "Go back to Acme Travel" || tab.Has("form") {
		p.Error(tab.Text("body"))
	}
	tab.Follow(primary)
	if !strings.HasPrefix(tab.URL(), p.app) || tab.Text("#error") != "access_denied" || !tab.Has("#sign-on") {
		p.Errorf("%s %s", tab.URL(), tab.Text("body"))
	}
}

func playLocked(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	for range 6 {
		p.fill(tab, joe, "wrong")
		tab.Follow(primary)
	}
	if told := tab.Text("#password-error"); !regexp.MustCompile(`^There were too many tries\. Try again in 1[0-5] minutes\.$`).MatchString(told) {
		p.Error(told)
	}
}

func playNoToken(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	p.fill(tab, nodetest.User, nodetest.Password)
	browsertest.Eval[any](tab, `document.querySelector("[name=_token]").remove()`)
	checked := p.events("PASSWORD.CHECK_SUCCEEDED")
	tab.Follow(primary)
	if tab.Status() != http.StatusForbidden || tab.Text("h1") != "We did not accept that" || p.events("PASSWORD.CHECK_SUCCEEDED") != checked {
		p.Errorf("%d %s", tab.Status(), tab.Text("body"))
	}
	tab.Follow(primary)
	p.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	p.signedOn(tab)
}

// playOtherSite posts the owner's own token from a page of another origin.
func playOtherSite(p player) {
	tab := p.visit()
	tab.Open(p.start(""))
	here, token := tab.URL(), browsertest.Eval[string](tab, `document.querySelector("[name=_token]").value`)
	tab.Open(p.app + "/elsewhere")
	browsertest.Eval[any](tab, `(f => { f.action = "`+here+`"; f._action.value = "usernamePassword.check"; f._token.value = "`+token+`"; f.username.value = "`+nodetest.User+`"; f.password.value = "`+nodetest.Password+`" })(document.forms[0])`)
	checked := p.events("PASSWORD.CHECK_SUCCEEDED")
	tab.Follow(primary)
	if tab.Status() != http.StatusForbidden || p.events("PASSWORD.CHECK_SUCCEEDED") != checked {
		p.Errorf("%d %s", tab.Status(), tab.Text("body"))
	}
}

func playSignOff(p player) {
	tab := p.visit()
	p.signOn(tab)
	tab.Open(p.address("/as/signoff", nil))
	if tab.Text("h1") != "Sign off?" {
		p.Error(tab.Text("body"))
	}
	tab.Follow(primary)
	if tab.Text("h1") != "You are signed off" {
		p.Error(tab.Text("body"))
	}
	tab.Open(p.start(""))
	if !tab.Has("#username") {
		p.Errorf("signed off, but not asked: %s", tab.Text("body"))
	}
}

// TestBrowserStoreDown submits while the store is gone, and goes on when it is
// back.
func TestBrowserStoreDown(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newStage(t, nodetest.Options{Redis: redis.URL(), Keys: nodetest.NewKeys(t, t.TempDir())})
	for mode, look := range map[string]browsertest.Look{"with scripts": {}, "without scripts": {NoScript: true}} {
		t.Run(mode, func(t *testing.T) {
			tab := s.visitor(t, look)
			tab.Open(s.start(""))
			s.fill(tab, nodetest.User, nodetest.Password)
			redis.Kill()
			tab.Follow(primary)
			s.down(t, tab)
			tab.Follow(primary)
			s.down(t, tab)
			redis.Restart()
			for tries := 0; !tab.Has("#password") && tries < 20; tries++ {
				tab.Follow(primary)
			}
			s.fill(tab, nodetest.User, nodetest.Password)
			tab.Follow(primary)
			s.signedOn(tab)
		})
	}
}

func (s *stage) down(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	if tab.Status() != http.StatusServiceUnavailable || tab.Header("Retry-After") == "" || tab.Text("h1") != "We cannot sign you on right now" || tab.Text(primary) != "Try again" {
		t.Fatalf("%d %s", tab.Status(), tab.Text("body"))
	}
}

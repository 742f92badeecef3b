package main_test

import (
	"testing"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// TestBrowserAccount: somebody makes a passkey on their account's pages, is asked for it
// elsewhere before they may remove it, and finds it gone.
func TestBrowserAccount(t *testing.T) {
	s := newStage(t, nodetest.Options{Host: "localhost"})
	account := func(page string) string { return s.node.Base + "/" + nodetest.Env + "/account" + page }
	at := func(tab *browsertest.Tab, page string) {
		t.Helper()
		tab.Await(`location.href.split("?")[0] === "` + account(page) + `"`)
	}
	tab := s.visitor(t, browsertest.Look{Width: 390, Height: 844})
	key := tab.Authenticator()
	tab.Open(account("/devices"))
	s.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	at(tab, "/devices")
	tab.Follow("main a.button")
	tab.Follow(`form:has([value=FIDO2]) .choice, form:has([value=PLATFORM]) .choice`)
	tab.Follow(primary)
	at(tab, "/devices")
	if !tab.Has(".choices .choice") {
		t.Fatalf("no passkey is listed: %s", tab.Text("main"))
	}
	for _, v := range tab.Violations() {
		t.Error(v)
	}

	// As if it were ten minutes later: another sign-on, by the password alone.
	tab.Open(s.address("/as/signoff", nil))
	tab.Follow(primary)
	key.Touch(false) // else the browser offers the passkey, and it is taken
	tab.Open(account("/devices"))
	s.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	at(tab, "/devices")
	tab.Follow(".choices .choice")
	key.Touch(true)
	tab.Follow(`.links a[href$="/remove"]`)
	tab.Follow(primary) // the passkey
	tab.Await(`location.pathname.endsWith("/remove")`)
	tab.Follow(primary)
	at(tab, "/devices")
	if tab.Has(".choices .choice") {
		t.Errorf("it is listed yet: %s", tab.Text("main"))
	}
}

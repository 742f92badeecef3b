package main_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

const offerTitle = "Sign on faster next time"

// loud makes the browser one that makes no passkey without asking.
const loud = `PublicKeyCredential.getClientCapabilities = () => Promise.resolve({conditionalCreate: false})`

// silent makes it one that does: what it is asked is kept, and what it answers is a real
// credential.
const silent = `PublicKeyCredential.getClientCapabilities = () => Promise.resolve({conditionalCreate: true});
const {create} = navigator.credentials;
navigator.credentials.create = o => {
	localStorage.asked = (localStorage.asked || "") + (o.mediation || "modal") + " ";
	return create.call(navigator.credentials, {publicKey: o.publicKey});
}`

// deaf makes it one that could and does not.
const deaf = `PublicKeyCredential.getClientCapabilities = () => Promise.resolve({conditionalCreate: true});
const {create} = navigator.credentials;
navigator.credentials.create = o => o.mediation === "conditional" ? Promise.reject(new DOMException("no", "NotAllowedError")) : create.call(navigator.credentials, o)`

// signals keeps what the browser is told of its passkeys.
const signals = `for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
	PublicKeyCredential[name] = o => { localStorage[name] = JSON.stringify(o); return Promise.resolve(); };
}`

// TestBrowserOffers: whoever has signed on with a password is offered a passkey, where
// the browser can make one; and the browser's own list stays true.
func TestBrowserOffers(t *testing.T) {
	t.Parallel()
	g := newPorch(t, browsertest.Start(t))
	for name, play := range map[string]func(*caller){
		"a passkey is made in the end, and used from then on": (*caller).playsOffer,
		"not now is heard":                         (*caller).playsNotNow,
		"a browser makes one by itself":            (*caller).playsSilent,
		"a browser that could does not":            (*caller).playsDeaf,
		"a browser that cannot is offered nothing": (*caller).playsUnable,
		"the browser's list follows":               (*caller).playsSignals,
	} {
		g.plays(t, name, browsertest.Look{Width: 390, Height: 844}, play)
	}
	g.plays(t, "without scripts nothing is offered", browsertest.Look{NoScript: true}, (*caller).playsUnable)
}

// begins signs on with the password, to the application.
func (c *caller) begins() {
	c.Helper()
	c.Open(c.node.Base + "/demo/sign-on")
	c.names()
}

// offered waits for the page.
func (c *caller) offered() {
	c.Helper()
	c.Await(`document.querySelector("h1").innerText === "` + offerTitle + `" && !document.querySelector("main[aria-busy=true]")`)
	c.page(offerTitle)
}

// playsOffer has an authenticator that refuses at first.
func (c *caller) playsOffer() {
	c.Before(loud)
	c.Before(`const {create} = navigator.credentials; let first = true;
navigator.credentials.create = o => first ? (first = false, Promise.reject(new DOMException("no", "NotAllowedError"))) : create.call(navigator.credentials, o)`)
	c.Authenticator()
	c.begins()
	c.offered()
	c.Click(asserts)
	c.Await(`document.querySelector("[data-passkey] .error").checkVisibility()`)
	c.page(offerTitle)
	if !strings.Contains(c.Text("main"), "Not now") || !strings.Contains(c.Text("main"), "Do not ask again") {
		c.Errorf("no way past it: %s", c.Text("main"))
	}
	c.Click(asserts)
	c.arrived("Single_Factor", "pwd")
	c.leaves()
	c.Go(c.node.Base + "/demo/sign-on") // the browser offers the passkey, and the person takes it
	c.arrived("Single_Factor", "hwk", "mfa")
}

func (c *caller) playsNotNow() {
	c.Before(loud)
	c.Authenticator()
	c.begins()
	c.offered()
	c.presses("Not now")
	c.arrived("Single_Factor", "pwd")
	c.leaves()
	c.begins()
	c.arrived("Single_Factor", "pwd")
}

func (c *caller) playsSilent() {
	c.Before(silent)
	c.Authenticator()
	c.begins()
	c.arrived("Single_Factor", "pwd")
	if asked := browsertest.Eval[string](c.Tab, "localStorage.asked"); asked != "conditional " {
		c.Errorf("the browser was asked %q", asked)
	}
	devices := c.manages(http.MethodGet, "/devices", "", http.StatusOK)["_embedded"]
	if list, _ := devices.(map[string]any)["devices"].([]any); len(list) != 1 {
		c.Errorf("there are %v", devices)
	}
	c.leaves()
	c.Go(c.node.Base + "/demo/sign-on")
	c.arrived("Single_Factor", "hwk", "mfa")
}

func (c *caller) playsDeaf() {
	c.Before(deaf)
	c.Authenticator()
	c.begins()
	c.offered()
	c.presses("Do not ask again")
	c.arrived("Single_Factor", "pwd")
}

// playsUnable has no authenticator, or a browser without scripts.
func (c *caller) playsUnable() {
	c.begins()
	c.arrived("Single_Factor", "pwd")
}

func (c *caller) playsSignals() {
	c.Before(loud)
	c.Before(signals)
	c.Authenticator()
	c.begins()
	c.offered()
	c.Click(asserts)
	c.arrived("Single_Factor", "pwd")
	told := func(name string) map[string]any {
		c.Helper()
		c.Await("localStorage." + name)
		return browsertest.Eval[map[string]any](c.Tab, "JSON.parse(localStorage."+name+")")
	}
	account := c.node.Base + "/" + nodetest.Env + "/account"
	c.Open(account + "/devices")
	all, details := told("signalAllAcceptedCredentials"), told("signalCurrentUserDetails")
	ids, _ := all["allAcceptedCredentialIds"].([]any)
	if len(ids) != 1 || all["rpId"] != "localhost" || all["userId"] != details["userId"] || details["name"] != c.name || details["displayName"] != c.name {
		c.Fatalf("told %v and %v", all, details)
	}
	devices, _ := c.manages(http.MethodGet, "/devices", "", http.StatusOK)["_embedded"].(map[string]any)["devices"].([]any)
	id, _ := devices[0].(map[string]any)["id"].(string)
	c.manages(http.MethodDelete, "/devices/"+id, "", http.StatusNoContent)
	c.Open(account + "/devices?done=removed")
	if ids, _ := told("signalAllAcceptedCredentials")["allAcceptedCredentialIds"].([]any); len(ids) != 0 {
		c.Errorf("told of %v", ids)
	}
	c.Before(unoffered)
	c.Open(c.node.Base + "/demo")
	c.Open(c.node.Base + "/demo/sign-on")
	c.leaves()
	c.Open(c.node.Base + "/demo/sign-on")
	c.Click(asserts)
	unknown := told("signalUnknownCredential")
	if unknown["rpId"] != "localhost" || unknown["credentialId"] != ids[0] {
		c.Errorf("told %v, not %v", unknown, ids)
	}
	c.Await(`document.querySelector("[data-unknown]")`)
	if !c.Has("#username") || !strings.Contains(c.Text("main"), "not accepted") {
		c.Errorf("no other way: %s", c.Text("main"))
	}
}

package main_test

import (
	"strings"
	"testing"

	"doorward/internal/browsertest"
	"doorward/internal/mailtest"
)

// TestBrowserFactors is what people do who have a second factor, or get one. All of
// them are there at once, and those whose codes are really mailed at a node that does.
func TestBrowserFactors(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	g := newPorch(t, b)
	plays := map[string]func(*caller){
		"a passkey that knows who uses it is enough":        (*caller).playsPasskey,
		"a passkey that does not is one factor":             (*caller).playsUnverified,
		"a security key is lost":                            (*caller).playsLostKey,
		"an authenticator app is scanned":                   (*caller).playsApp,
		"a session is stepped up":                           (*caller).playsStepUp,
		"codes come by SMS":                                 (*caller).playsSMS,
		"a phone is paired and asked":                       (*caller).playsPhone,
		"a phone says no":                                   (*caller).playsRefusal,
		"whoever begins without passkeys is offered others": (*caller).playsNoPasskeys,
		"the number is changed":                             (*caller).playsNewNumber,
	}
	for name, play := range plays {
		g.plays(t, name, browsertest.Look{}, play)
	}
	for name, play := range map[string]func(*caller){
		"an authenticator app is scanned": (*caller).playsApp,
		"codes come by SMS":               (*caller).playsSMS,
		"a phone is paired and asked":     (*caller).playsPhone,
	} {
		g.plays(t, name+", without scripts", browsertest.Look{NoScript: true}, play)
	}
	mail := mailtest.Start(t)
	posts := newPorch(t, b, "--smtp", mail.URL(), "--mail-from", "Demo <no-reply@demo.example>")
	posts.mail = mail
	for name, look := range map[string]browsertest.Look{"": {}, ", without scripts": {NoScript: true}} {
		posts.plays(t, "codes come by mail"+name, look, (*caller).playsMail)
		posts.plays(t, "the mail address is changed"+name, look, (*caller).playsNewMail)
	}
}

// unoffered keeps the browser from offering passkeys where it offers names, so that
// there is only the button.
const unoffered = `PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false)`

// trusting makes the browser one that lets whoever is there use the passkey, and not
// ask who they are. It has to name the passkey then: others are hidden.
const trusting = `const {create, get} = navigator.credentials;
navigator.credentials.create = o => create.call(navigator.credentials, o).then(made => { localStorage.made = made.id; return made; });
navigator.credentials.get = o => {
	o.publicKey.userVerification = "discouraged";
	o.publicKey.allowCredentials = [{type: "public-key", id: Uint8Array.fromBase64(localStorage.made, {alphabet: "base64url"})}];
	return get.call(navigator.credentials, o);
}`

// makes sets a passkey up during a sign-on.
func (c *caller) makes() {
	c.Helper()
	c.journey()
	c.names()
	c.page("Add a second step")
	c.chooses("Passkey")
	c.page("Create a passkey")
	c.Follow(primary)
	c.arrived("Multi_Factor", "pwd", "hwk", "mfa")
}

// asserts presses the button of a page for passkeys.
const asserts = "[data-passkey] button"

// playsPasskey makes a passkey while signing on, and needs nothing else after that.
func (c *caller) playsPasskey() {
	c.Authenticator()
	c.makes()
	for _, policy := range []string{"Multi_Factor", "Passwordless"} {
		c.leaves()
		c.Go(c.at(policy)) // the browser offers the passkey, and the person takes it
		c.arrived(policy, "hwk", "mfa")
	}
	c.Before(unoffered)
	c.leaves()
	c.journey()
	c.page("Sign on")
	c.Click(asserts)
	c.arrived("Multi_Factor", "hwk", "mfa")
}

// playsUnverified uses a passkey that whoever holds it can use: it is asked for the
// password after it, or for it after the password.
func (c *caller) playsUnverified() {
	c.Authenticator()
	c.Before(unoffered)
	c.Before(trusting)
	c.makes()
	c.leaves()
	c.journey()
	c.Follow(asserts)
	if c.Has("#username:not([hidden])") || !c.Has("#password") || !strings.Contains(c.Text(".chip"), c.name) {
		c.Fatalf("after a passkey there is %s", c.Text("body"))
	}
	c.sound()
	c.password()
	c.arrived("Multi_Factor", "hwk", "pwd", "mfa")
	c.leaves()
	c.journey()
	c.names()
	c.page("Confirm that it is you")
	c.says("Use the passkey or the security key that you have set up.")
	c.Click(asserts)
	c.arrived("Multi_Factor", "pwd", "hwk", "mfa")
}

// playsLostKey signs on with a key that is plugged in; then has another one, of which
// nothing is known, and takes another way.
func (c *caller) playsLostKey() {
	key := c.Attach(browsertest.Sort{Plugged: true, Forgetful: true})
	c.makes()
	c.mails()
	c.leaves()
	c.journey()
	c.names()
	c.page("Confirm that it is you")
	c.Click(asserts)
	c.arrived("Multi_Factor", "pwd", "hwk", "mfa")
	c.leaves()
	key.Detach()
	c.Attach(browsertest.Sort{Plugged: true, Forgetful: true})
	c.journey()
	c.names()
	c.page("Confirm that it is you")
	c.Click(asserts)
	c.Await(`document.querySelector("[data-passkey] .error").checkVisibility()`)
	if said := c.Text("[data-passkey] .error"); said != "That was cancelled, or it took too long. Try again." {
		c.Errorf("%q", said)
	}
	c.otherWay()
	c.chooses("Email")
	c.code(c.sent(c.mailbox))
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
}

// playsStepUp signs on with a password, and is asked for the second factor alone once
// an application wants more.
func (c *caller) playsStepUp() {
	c.mails()
	c.Open(c.node.Base + "/demo/sign-on")
	c.names()
	c.arrived("Single_Factor", "pwd")
	c.journey()
	c.page("Confirm that it is you")
	if c.Has("#password") {
		c.Errorf("the password is asked for again: %s", c.Text("main"))
	}
	c.code(c.sent(c.mailbox))
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
	c.Go(c.at("Multi_Factor")) // asks nothing for an hour
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
}

// playsNoPasskeys has a browser that knows nothing of passkeys.
func (c *caller) playsNoPasskeys() {
	c.Before("delete window.PublicKeyCredential")
	c.journey()
	if c.Has("#problems") || strings.Contains(c.Text("main"), "passkey") {
		c.Errorf("passkeys are offered: %s", c.Text("main"))
	}
	c.names()
	c.page("Add a second step")
	if strings.Contains(c.Text("main"), "Passkey") {
		c.Errorf("passkeys are offered: %s", c.Text("main"))
	}
}

package forms_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"doorward/forms"
	"doorward/internal/browsertest"
	"doorward/runtime/flow"
)

// scripted are the fields that the script of passkeys fills in.
func scripted() []flow.Field {
	return []flow.Field{{Name: "assertion"}, {Name: "attestation"}, {Name: "origin"}, {Name: "compatibility"}, {Name: "device.id"}}
}

// local is where a page is, as a passkey may be for: not at an IP address.
func (c *counter) local() string { return strings.Replace(c.URL, "127.0.0.1", "localhost", 1) }

// vendors are options in the older form: bytes are lists of signed numbers.
// Source: reference/flows.md 8.4.
func vendors(s forms.SignOn, name, options string) forms.SignOn {
	s.View.Members = append(s.View.Members[:len(s.View.Members)-2:len(s.View.Members)-2], member(name, options))
	return s
}

const (
	oldCreation = `{"rp":{"id":"localhost","name":"Acme"},"user":{"id":[-80,-62,1],"name":"ada","displayName":"Ada"},"challenge":[-103,5,109,7,8,9,10,11,12,13,14,15,16,17,18,19],"pubKeyCredParams":[{"type":"public-key","alg":"-7"},{"type":"public-key","alg":"-257"}],"timeout":60000,"excludeCredentials":[],"authenticatorSelection":{"requireResidentKey":true,"residentKey":"required","userVerification":"preferred"},"attestation":"none"}`
	oldRequest  = `{"challenge":[-103,5,109,7,8,9,10,11,12,13,14,15,16,17,18,19],"timeout":60000,"rpId":"localhost","allowCredentials":[],"userVerification":"preferred"}`
)

// TestBrowserMakesAndUsesAPasskey: with what browsers have now, and without it.
func TestBrowserMakesAndUsesAPasskey(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	for name, row := range map[string]struct {
		before        string
		create, check forms.SignOn
		challenge     string
	}{
		"now":   {"", newPasskey(), assertion(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"},
		"older": {"delete PublicKeyCredential.parseCreationOptionsFromJSON; delete PublicKeyCredential.parseRequestOptionsFromJSON; delete PublicKeyCredential.prototype.toJSON", newPasskey(), assertion(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"},
		"the vendor's form": {
			"", vendors(newPasskey(), "publicKeyCredentialCreationOptions", oldCreation), vendors(assertion(), "publicKeyCredentialRequestOptions", oldRequest), "mQVtBwgJCgsMDQ4PEBESEw",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tab := b.Visitor(t, browsertest.Look{})
			tab.Authenticator()
			tab.Before(row.before)
			for _, step := range []struct {
				page   forms.SignOn
				input  string
				signed string
			}{{row.create, "attestation", "attestationObject"}, {row.check, "assertion", "signature"}} {
				c := serve(t, step.page)
				tab.Open(c.local())
				tab.Follow("button.button")
				_, v := c.last(t, scripted())
				var said struct {
					ID, RawID, Type string
					Response        map[string]any
				}
				text, _ := v[step.input].(string)
				if err := json.Unmarshal([]byte(text), &said); err != nil {
					t.Fatalf("%v: %v", v, err)
				}
				if said.ID == "" || said.RawID != said.ID || said.Type != "public-key" || said.Response[step.signed] == nil || v["origin"] != c.local() {
					t.Errorf("%v", v)
				}
				if step.input == "assertion" && v["compatibility"] != "FULL" {
					t.Errorf("the browser can do %v", v["compatibility"])
				}
				client, _ := said.Response["clientDataJSON"].(string)
				if data := decoded(t, client); data["challenge"] != row.challenge {
					t.Errorf("%v", data)
				}
			}
			if problems := tab.Problems(); len(problems) > 0 {
				t.Error(strings.Join(problems, "\n"))
			}
		})
	}
}

// TestBrowserOffersPasskeys: among the names it knows, and by a button, which ends
// the request that waits; nothing moves when the button comes to light.
func TestBrowserOffersPasskeys(t *testing.T) {
	t.Parallel()
	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	a := tab.Authenticator()
	made := serve(t, newPasskey())
	tab.Open(made.local())
	tab.Follow("button.button")

	a.Touch(false)
	c := serve(t, withPasskeys(signOn()))
	tab.Before(`window.asked = []; const get = navigator.credentials.get; navigator.credentials.get = function (o) { asked.push(o.mediation || "modal"); return get.call(navigator.credentials, o) }`)
	tab.Open(c.local())
	tab.Await(`asked.length === 1 && asked[0] === "conditional"`)
	if !tab.Has(`#username[autocomplete="username webauthn"]`) || tab.Has("form.unseen") {
		t.Error("passkeys are not offered")
	}
	if moved := browsertest.Eval[float64](tab, `new Promise(done => { new PerformanceObserver(l => done(l.getEntries().reduce((n, e) => n + e.value, 0))).observe({ type: "layout-shift", buffered: true }); setTimeout(() => done(0), 300) })`); moved > 0 {
		t.Errorf("the page moves by %f", moved)
	}
	a.Touch(true)
	tab.Follow("[data-passkey] button")
	if action, v := c.last(t, scripted()); action != "assertion.check" || v["assertion"] == nil {
		t.Errorf("%s %v", action, v)
	}

	again := serve(t, refuse(withPasskeys(signOn()), "assertion.check", flow.Detail{Code: flow.InvalidValue, Target: "assertion"}))
	tab.Go(again.local())
	tab.Await(`document.title.startsWith("You are signed off")`)
	if action, v := again.last(t, scripted()); action != "assertion.check" || v["assertion"] == nil {
		t.Errorf("a page with an error does not offer passkeys: %s %v", action, v)
	}
}

// TestBrowserExplainsItself: what goes wrong in the browser is said in words, and
// there is always a way on.
func TestBrowserExplainsItself(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	fails := func(name string) string {
		return `navigator.credentials.get = navigator.credentials.create = () => Promise.reject(new DOMException("x", "` + name + `"))`
	}
	for _, tc := range []struct {
		name, before string
		page         forms.SignOn
		want         string
	}{
		{"cancelled", fails("NotAllowedError"), assertion(), "That was cancelled, or it took too long. Try again."},
		{"ended", fails("AbortError"), assertion(), "That was cancelled, or it took too long. Try again."},
		{"another address", fails("SecurityError"), assertion(), "Passkeys do not work in this browser or at this address. Use another way, or another browser."},
		{"there is one", fails("InvalidStateError"), newPasskey(), "This device has a passkey for your account already. Use another device, or choose another way."},
		{"something else", fails("UnknownError"), newPasskey(), "That did not work. Try again, or use another way."},
		{"options that cannot be read", `PublicKeyCredential.parseRequestOptionsFromJSON = () => { throw new TypeError("x") }`, assertion(), "That did not work. Try again, or use another way."},
		{"on the sign-on page", fails("NotAllowedError"), withPasskeys(signOn()), "That was cancelled, or it took too long. Try again."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tab := b.Visitor(t, browsertest.Look{})
			tab.Before(tc.before)
			c := serve(t, tc.page)
			tab.Open(c.local())
			for range 2 { // it can be tried again
				tab.Click("[data-passkey] button")
				tab.Await(`document.querySelector("[data-passkey] .error").checkVisibility() && !document.querySelector("[data-passkey]").hasAttribute("aria-busy")`)
				if said := tab.Text("[data-passkey] .error"); said != tc.want {
					t.Errorf("%q", said)
				}
			}
			for _, v := range tab.Violations() {
				t.Error(v)
			}
			if c.posted != nil {
				t.Errorf("it was submitted: %q", c.posted)
			}
		})
	}
}

// TestBrowserWithoutPasskeys: no script, or none of this in the browser.
func TestBrowserWithoutPasskeys(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	for _, noScript := range []bool{false, true} {
		tab := b.Visitor(t, browsertest.Look{NoScript: noScript})
		tab.Before("delete window.PublicKeyCredential")
		tab.Open(serve(t, assertion()).local())
		want := "Passkeys do not work in this browser"
		if noScript {
			want = "A passkey needs JavaScript."
		}
		if said := tab.Text("main"); !strings.Contains(said, want) || !strings.Contains(said, "Use another way") || strings.Contains(said, "Use my passkey") {
			t.Errorf("no script %t: %s", noScript, said)
		}
		tab.Open(serve(t, withPasskeys(signOn())).local())
		if said := tab.Text("main"); strings.Contains(said, "passkey") || !strings.Contains(said, "Create account") {
			t.Errorf("no script %t: %s", noScript, said)
		}
		tab.Open(serve(t, enrolment()).local())
		if said := tab.Text("main"); strings.Contains(said, "Passkey") || !strings.Contains(said, "Text message") {
			t.Errorf("no script %t: %s", noScript, said)
		}
		c := serve(t, selection())
		tab.Open(c.local())
		tab.Follow(".choices li:nth-child(3) button")
		_, v := c.last(t, scripted())
		if v["device.id"] != "d3" || !noScript && v["compatibility"] != "NONE" || noScript && v["compatibility"] != nil {
			t.Errorf("no script %t: %v", noScript, v)
		}
	}
}

// TestBrowserWaitsForAPhone: the page reads itself until it has become another
// one; a person without scripts does so.
func TestBrowserWaitsForAPhone(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	for _, noScript := range []bool{false, true} {
		var answered atomic.Bool
		c := serveEach(t, func() forms.SignOn {
			s := push("42")
			if answered.Load() {
				s = unanswered()
				s.View.Token = "next"
			}
			return s
		})
		tab := b.Visitor(t, browsertest.Look{NoScript: noScript})
		tab.Open(c.URL)
		if said := tab.Text("main"); !strings.Contains(said, "42") || strings.Contains(said, "I have approved it") != noScript || strings.Contains(said, "Waiting") == noScript {
			t.Errorf("no script %t: %s", noScript, said)
		}
		tab.Leads(func() {
			if answered.Store(true); noScript {
				tab.Click("main a.button")
			}
		})
		if said := tab.Text("main"); !strings.Contains(said, "There was no answer") {
			t.Errorf("no script %t: %s", noScript, said)
		}
		if problems := tab.Problems(); len(problems) > 0 {
			t.Error(strings.Join(problems, "\n"))
		}
	}
}

// TestBrowserCopies: what has to be kept is copied by a button.
func TestBrowserCopies(t *testing.T) {
	t.Parallel()
	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	tab.Before(`navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve() }`)
	tab.Open(serve(t, recoveryCodes()).local())
	tab.Click("[data-copy]")
	tab.Await(`copied.split("\n").length === 10 && copied.startsWith("k3m9 x2qa")`)
	if said := tab.Text(".copy"); said != "Copied" {
		t.Errorf("%q", said)
	}
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var data map[string]any
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

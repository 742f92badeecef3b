package browsertest

import (
	"context"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator keeps passkeys for the person at a tab.
type Authenticator struct {
	tab *Tab
	id  webauthn.AuthenticatorID
}

// Sort is what an authenticator is like. The zero Sort is part of a machine, and
// keeps passkeys that are found without a name.
type Sort struct {
	Plugged   bool // in, as security keys are
	Forgetful bool // keeps no passkeys that are found without a name
}

// Authenticator gives the tab one, without passkeys.
func (t *Tab) Authenticator() *Authenticator {
	t.tb.Helper()
	return t.Attach(Sort{})
}

// Attach gives the tab another one, without passkeys.
func (t *Tab) Attach(s Sort) *Authenticator {
	t.tb.Helper()
	a := &Authenticator{tab: t}
	transport := webauthn.AuthenticatorTransportInternal
	if s.Plugged {
		transport = webauthn.AuthenticatorTransportUsb
	}
	t.do("attach an authenticator", func(ctx context.Context) error {
		if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		r, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: transport, HasResidentKey: !s.Forgetful,
			HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		a.id = r.AuthenticatorID
		return err
	})
	return a
}

// Touch says whether the person touches it when asked to. One who does not is
// waited for.
func (a *Authenticator) Touch(yes bool) {
	a.tab.tb.Helper()
	a.tab.do("touch the authenticator", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: yes})
		return err
	})
}

// Forget takes all passkeys from it.
func (a *Authenticator) Forget() {
	a.tab.tb.Helper()
	a.tab.do("clear the authenticator", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: a.id})
		return err
	})
}

// Detach takes the authenticator away, with what is on it.
func (a *Authenticator) Detach() {
	a.tab.tb.Helper()
	a.tab.do("detach the authenticator", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: a.id})
		return err
	})
}

// Before runs a script in every page that follows, before those of the page: so
// that the browser is another one.
func (t *Tab) Before(script string) {
	t.tb.Helper()
	t.do("prepare the pages", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

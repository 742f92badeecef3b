package browsertest

import (
	"context"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator keeps passkeys for the person at a tab, as the one that is part of
// a machine does, and verifies who uses it.
type Authenticator struct {
	tab *Tab
	id  webauthn.AuthenticatorID
}

// Authenticator gives the tab one, without passkeys.
func (t *Tab) Authenticator() *Authenticator {
	t.tb.Helper()
	a := &Authenticator{tab: t}
	t.do("attach an authenticator", func(ctx context.Context) error {
		if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		r, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
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

// Before runs a script in every page that follows, before those of the page: so
// that the browser is another one.
func (t *Tab) Before(script string) {
	t.tb.Helper()
	t.do("prepare the pages", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/wire"
)

// authorize starts a sign-on. Source: reference/flows.md 1.2, 1.3; OpenID
// Connect Core 3.1.2.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request, b *configs.Bundle) {
	v, f := readParams(r)
	if f != nil {
		p.refuseHere(w, r, b, f, "unreadable")
		return
	}
	t, f := trust(b, v)
	if f != nil {
		p.refuseHere(w, r, b, f, "untrusted")
		return
	}
	applicationOrigin(w, r, t.app)
	a, e := read(t, v)
	if e != nil {
		p.refuse(w, r, b, t, e)
		return
	}
	if err := p.readHint(r.Context(), b, a, v.Get("id_token_hint")); err != nil {
		p.fail(w, r, b, a, err)
		return
	}
	if err := p.readHintToken(r.Context(), b, a, v.Get("login_hint_token")); err != nil {
		p.fail(w, r, b, a, err)
		return
	}
	view, done, err := p.start(r, b, a)
	p.setState(w, b, &view)
	switch {
	case err != nil:
		p.fail(w, r, b, a, err)
	case done != nil:
		p.accept(w, r, b, view, done)
	case a.piFlow:
		p.Pages.Flow(w, r, b, view, nil)
	default:
		redirect(w, signOnPage(b, a.app, view.Ref.ID))
	}
}

// readHint takes the subject of an ID token of ours, expired or not.
func (p *Provider) readHint(ctx context.Context, b *configs.Bundle, a *authorization, hint string) error {
	if hint == "" {
		return nil
	}
	c, err := p.idToken(ctx, b, hint)
	if errors.Is(err, errToken) {
		return invalidRequest("id_token_hint is not an ID token of this issuer")
	}
	a.Subject = c.Subject
	return err
}

// start asks the engine. When the session's user is another than the one the
// application named, the session does not answer for them.
func (p *Provider) start(r *http.Request, b *configs.Bundle, a *authorization) (flow.View, *flow.Completion, error) {
	plans, err := b.Plans(a.app, a.acr)
	if err != nil && len(a.acr) > 0 {
		return flow.View{}, nil, invalidRequest("acr_values names a policy that the application is not assigned")
	}
	if err != nil {
		return flow.View{}, nil, err
	}
	kept, err := a.encode()
	if err != nil {
		return flow.View{}, nil, err
	}
	s := flow.Start{
		Env: b.Environment().ID, Plans: plans, Caller: callerOf(r), Silent: a.silent, FlowToken: a.app.FlowTokenEnabled,
		Request: flow.Request{
			Application: a.app.ID, PiFlow: a.piFlow, ReturnTo: a.redirectURI, Fresh: a.fresh,
			MaxAge: a.maxAge, LoginHint: a.loginHint, Locales: a.locales, Payload: kept, User: a.named,
		},
	}
	view, done, err := p.Engine.Start(r.Context(), s)
	who := view.User.ID
	if done != nil {
		who = done.User.ID
	}
	if err != nil || a.Subject == "" || who == "" || who == a.Subject {
		return view, done, err
	}
	if a.silent {
		return flow.View{}, nil, flow.ErrInteractionRequired
	}
	s.Request.Fresh = true
	return p.Engine.Start(r.Context(), s)
}

// fail answers what stopped a request whose target is trusted. An application
// that asked silently is told everything; a person is told by us what a retry
// can mend.
func (p *Provider) fail(w http.ResponseWriter, r *http.Request, b *configs.Bundle, a *authorization, err error) {
	var e *oauthError
	switch {
	case errors.As(err, &e):
	case errors.Is(err, flow.ErrInteractionRequired):
		e = &oauthError{"login_required", "the user has to sign on"}
	case a.silent && !a.piFlow:
		p.logFailure(r, b, err)
		e = &oauthError{"temporarily_unavailable", "the service cannot answer now"}
	default:
		p.Pages.Problem(w, r, b, flow.AsFault(err))
		return
	}
	p.refuse(w, r, b, a.target, e)
}

// refuseHere answers on our own origin.
func (p *Provider) refuseHere(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault, reason string) {
	p.record(r, b, flow.Event{Type: flow.AuthorizeRefused, Reason: reason})
	p.Pages.Problem(w, r, b, f)
}

// refuse answers the application. Source: RFC 6749 4.1.2.1, RFC 9207 2.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, b *configs.Bundle, t target, e *oauthError) {
	p.record(r, b, flow.Event{Type: flow.AuthorizeRefused, Application: t.app.ID, Reason: e.Code})
	if t.piFlow {
		f := malformed(e.Description)
		f.Details = []flow.Detail{{Code: strings.ToUpper(e.Code), Message: e.Description}}
		p.Pages.Problem(w, r, b, f)
		return
	}
	redirect(w, answerURL(b, t.redirectURI, t.state, url.Values{"error": {e.Code}, "error_description": {e.Description}}))
}

// answerURL is the redirect URI with an answer, the state and who answers.
func answerURL(b *configs.Bundle, redirectURI, state string, answer url.Values) string {
	answer.Set("iss", b.Environment().Issuer())
	if state != "" {
		answer.Set("state", state)
	}
	return withQuery(redirectURI, answer)
}

// signOnPage is where a person goes on with an execution: the application's own
// page when it has one. Source: reference/flows.md 1.3 rule 4.
func signOnPage(b *configs.Bundle, app *configs.Application, id string) string {
	env := b.Environment()
	if app == nil || app.LoginPageURL == "" {
		return env.SignOnPage(id)
	}
	return withQuery(app.LoginPageURL, url.Values{"environmentId": {env.ID}, "flowId": {id}})
}

// setState hands the caller what binds the execution to it.
func (p *Provider) setState(w http.ResponseWriter, b *configs.Bundle, v *flow.View) {
	if env := b.Environment(); v.Cookie != "" {
		w.Header().Add("Set-Cookie", wire.SessionCookie(v.Cookie, env.CookiePath(), env.Secure()))
	}
	if v.FlowToken != "" {
		w.Header().Set("Flow-Token", v.FlowToken)
	}
}

// callerOf is what the request brings along.
func callerOf(r *http.Request) flow.Caller {
	c := flow.Caller{FlowToken: r.Header.Get("Flow-Token")}
	if st, err := r.Cookie(wire.CookieName); err == nil {
		c.Cookie = st.Value
	}
	if trusted, err := r.Cookie(wire.BrowserCookieName); err == nil {
		c.Browser = trusted.Value
	}
	ip, err := netip.ParseAddr(r.RemoteAddr)
	if a, err2 := netip.ParseAddrPort(r.RemoteAddr); err != nil && err2 == nil {
		ip = a.Addr()
	}
	c.Client = flow.ClientOf(ip.Unmap(), r.UserAgent(), r.Header.Get("Accept-Language"))
	return c
}

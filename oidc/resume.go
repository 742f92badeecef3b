package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/flow"
)

// resume hands a finished execution back to the application.
// Source: reference/flows.md 1.5.
func (p *Provider) resume(w http.ResponseWriter, r *http.Request, b *configs.Bundle) {
	id, once := single(r.URL.Query(), "flowId")
	if u, err := uuid.Parse(id); !once || err != nil || u.String() != id {
		p.Pages.Problem(w, r, b, flow.Gone())
		return
	}
	view, done, err := p.Engine.Resume(r.Context(), flow.Ref{Env: b.Environment().ID, ID: id}, callerOf(r))
	p.setState(w, b, &view)
	app, _ := b.Application(view.Application)
	switch {
	case err != nil:
		p.Pages.Problem(w, r, b, flow.AsFault(err))
	case view.Application == "": // of a page of ours: there is nobody to issue anything to
		p.Pages.Problem(w, r, b, flow.Gone())
	case done != nil:
		p.accept(w, r, b, view, done)
	case view.PiFlow:
		p.Pages.Flow(w, r, b, view, nil)
	case view.Status == flow.Failed:
		p.resumeFailed(w, r, b, view)
	default:
		redirect(w, signOnPage(b, app, view.Ref.ID))
	}
}

// resumeFailed tells the application that the sign-on came to nothing.
func (p *Provider) resumeFailed(w http.ResponseWriter, r *http.Request, b *configs.Bundle, v flow.View) {
	kept, err := decodePayload(v.Payload)
	if err != nil {
		p.Pages.Problem(w, r, b, flow.AsFault(err))
		return
	}
	t, f := stillTrusted(b, v.Application, v.ReturnTo)
	if f != nil {
		p.refuseHere(w, r, b, f, "no longer trusted")
		return
	}
	t.state = kept.State
	e := &oauthError{Code: "access_denied", Description: "the sign-on was not completed"}
	if v.Failure != nil && v.Failure.Message != "" {
		e.Description = v.Failure.Message
	}
	p.refuse(w, r, b, t, e)
}

// stillTrusted judges again, at the end of a sign-on, what trust judged at its
// start, since applications are read live.
func stillTrusted(b *configs.Bundle, application, redirectURI string) (target, *flow.Fault) {
	app, known := b.Application(application)
	if !known || !app.Enabled {
		return target{}, malformed("The application was switched off while you signed on.")
	}
	if redirectURI != "" && !redirectMatches(app.RedirectURIs, redirectURI) {
		return target{}, malformed("The application's address to go back to was changed while you signed on. Start again from the application.")
	}
	return target{app: app, redirectURI: redirectURI}, nil
}

// accept issues the code of a completed execution and hands it over, if the user is
// whom the application has named by an ID token, if it has. A repeat
// issues the same code again, which changes nothing. Once the code was redeemed, a
// browser that comes back (the back button, a second click) is shown the
// application instead: it would only present the code again.
func (p *Provider) accept(w http.ResponseWriter, r *http.Request, b *configs.Bundle, view flow.View, c *flow.Completion) {
	t, f := stillTrusted(b, c.Request.Application, c.Request.ReturnTo)
	if f != nil {
		p.refuseHere(w, r, b, f, "no longer trusted")
		return
	}
	kept, err := decodePayload(c.Request.Payload)
	if err == nil && kept.Subject != "" && kept.Subject != c.User.ID {
		t.piFlow, t.state = c.Request.PiFlow, kept.State
		p.refuse(w, r, b, t, &oauthError{"login_required", "somebody else has signed on than the user of id_token_hint"})
		return
	}
	if err == nil {
		err = p.issue(r.Context(), b, c, kept)
	}
	switch {
	case errors.Is(err, directory.ErrRedeemed) && !c.Request.PiFlow:
		p.landed(w, r, b, t.app)
		return
	case err != nil && !errors.Is(err, directory.ErrRedeemed):
		p.Pages.Problem(w, r, b, flow.AsFault(err))
		return
	}
	p.record(r, b, flow.Event{Type: flow.CodeIssued, Flow: c.Ref.ID, Application: t.app.ID, User: c.User.ID, Session: c.SessionID})
	if c.Request.PiFlow {
		p.Pages.Flow(w, r, b, view, &Answer{Code: c.Code, State: kept.State, Issuer: b.Environment().Issuer()})
		return
	}
	redirect(w, answerURL(b, t.redirectURI, kept.State, url.Values{"code": {c.Code}}))
}

// landed answers a browser whose sign-on is over: its application's home page,
// where that is known.
func (p *Provider) landed(w http.ResponseWriter, r *http.Request, b *configs.Bundle, app *configs.Application) {
	if app.HomePageURL == "" {
		p.Pages.Problem(w, r, b, flow.Gone())
		return
	}
	redirect(w, app.HomePageURL)
}

func (p *Provider) issue(ctx context.Context, b *configs.Bundle, c *flow.Completion, kept payload) error {
	now := p.Now()
	code := directory.Code{
		Hash: flow.Sum(c.Code), Env: b.Environment().ID, GrantID: uuid.NewString(), Application: c.Request.Application,
		RedirectURI: c.Request.ReturnTo, Challenge: kept.Challenge, Nonce: kept.Nonce, Scope: kept.Scope,
		UserID: c.User.ID, SessionID: c.SessionID, ACR: c.ACR, AMR: c.AMR, AuthTime: c.AuthTime,
		IssuedAt: now, ExpiresAt: now.Add(directory.CodeLife), EndsAt: now.Add(directory.CodeLife + tokenLife),
	}
	if kept.Challenge != "" {
		code.ChallengeMethod = "S256"
	}
	err := p.Codes.Issue(ctx, code)
	switch {
	case err == nil, errors.Is(err, directory.ErrRedeemed):
		return err
	case errors.Is(err, directory.ErrLate):
		return flow.Gone()
	}
	return flow.Busy(err)
}

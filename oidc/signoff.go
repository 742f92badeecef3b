package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/wire"
)

// SignOffPage asks a person whether to sign off, or says that it is done.
type SignOffPage struct {
	Done      bool
	Action    string      // where the form posts to
	Fields    [][2]string // hidden inputs, name and value
	ReturnTo  string      // where the post may redirect to, for form-action; empty: nowhere
	Languages []string    // best first, each as Accept-Language
}

// leave is a judged sign-off request.
type leave struct {
	session  string // of a valid id_token_hint
	subject  string // of the same
	hinted   bool
	clientID string
	returnTo string // registered, or empty
	state    string
	locales  string // ui_locales
}

// languages are those of who signs off, best first.
func (l *leave) languages(r *http.Request) []string {
	return []string{locales(l.locales), r.Header.Get("Accept-Language")}
}

const (
	signOffPurpose = "sign-off"
	signOffToken   = "token"
)

// signOff ends the browser's session for every application. An ID token of ours
// shows that an application asks for its user; without one of who is signed on the
// person is asked, so that no other page signs them off. Source: OpenID Connect RP-Initiated
// Logout 1.0 2, 6; reference/flows.md 1.1.
func (p *Provider) signOff(w http.ResponseWriter, r *http.Request, b *configs.Bundle) {
	v, f := readParams(r)
	if f == nil {
		if e := checkParams(v); e != nil {
			f = malformed(e.Description)
		}
	}
	if f != nil {
		p.Pages.Problem(w, r, b, f)
		return
	}
	l, err := p.readSignOff(r.Context(), b, v)
	if err != nil {
		p.Pages.Problem(w, r, b, flow.AsFault(err))
		return
	}
	caller := callerOf(r)
	mine, err := p.Engine.Present(r.Context(), b.Environment().ID, caller)
	if err != nil {
		p.Pages.Problem(w, r, b, flow.AsFault(err))
		return
	}
	asked := l.hinted && (mine == nil || mine.User.ID == l.subject)
	if !asked && caller.Cookie != "" && !p.confirmed(r, b, v, caller.Cookie) {
		w.Header().Set("Referrer-Policy", "same-origin")
		p.Pages.SignOff(w, b, p.ask(b, l, r, caller.Cookie))
		return
	}
	if err := p.end(r.Context(), b, l, caller, mine); err != nil {
		p.Pages.Problem(w, r, b, flow.AsFault(err))
		return
	}
	env := b.Environment()
	w.Header().Add("Set-Cookie", wire.SessionCookie("", env.CookiePath(), env.Secure()))
	if l.returnTo == "" {
		p.Pages.SignOff(w, b, SignOffPage{Done: true, Languages: l.languages(r)})
		return
	}
	back := url.Values{}
	if l.state != "" {
		back.Set("state", l.state)
	}
	redirect(w, withQuery(l.returnTo, back))
}

// readSignOff finds out who asks and where to go afterwards. An address that is
// not registered, byte for byte, is a fault; one that nobody stands for is
// ignored.
func (p *Provider) readSignOff(ctx context.Context, b *configs.Bundle, v url.Values) (leave, error) {
	l := leave{clientID: v.Get("client_id"), state: v.Get("state"), locales: v.Get("ui_locales")}
	if hint := v.Get("id_token_hint"); hint != "" {
		c, err := p.idToken(ctx, b, hint)
		switch {
		case errors.Is(err, errToken): // a person is asked instead
		case err != nil:
			return leave{}, err
		case l.clientID != "" && l.clientID != c.Audience[0]:
			return leave{}, malformed("The application (client_id) is not the one that the ID token was issued to.")
		default:
			l.hinted, l.session, l.subject, l.clientID = true, c.Session, c.Subject, c.Audience[0]
		}
	}
	uri := v.Get("post_logout_redirect_uri")
	if app, known := b.Application(l.clientID); uri != "" && known {
		if !slices.Contains(app.PostLogoutRedirectURIs, uri) {
			return leave{}, malformed("The address to go to after signing off (post_logout_redirect_uri) is not registered for this application.")
		}
		l.returnTo = uri
	}
	return l, nil
}

// confirmed reports whether this is the post of our own form by this browser.
func (p *Provider) confirmed(r *http.Request, b *configs.Bundle, v url.Values, cookie string) bool {
	if r.Method != http.MethodPost {
		return false
	}
	env := b.Environment()
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "same-origin", "none":
	case "":
		if o := r.Header.Get("Origin"); o != "" && o != env.AuthBase {
			return false
		}
	default:
		return false
	}
	sum, err := base64.RawURLEncoding.DecodeString(v.Get(signOffToken))
	return err == nil && len(sum) == 32 && p.Forms.Matches(signOffPurpose, [32]byte(sum), env.ID, cookie)
}

// ask is the form that leads back here, bound to the browser's cookie.
func (p *Provider) ask(b *configs.Bundle, l leave, r *http.Request, cookie string) SignOffPage {
	sum := p.Forms.Derive(signOffPurpose, b.Environment().ID, cookie)
	page := SignOffPage{Action: r.URL.Path, ReturnTo: l.returnTo, Languages: l.languages(r)}
	page.Fields = append(page.Fields, [2]string{signOffToken, base64.RawURLEncoding.EncodeToString(sum[:])})
	if l.returnTo != "" {
		page.Fields = append(page.Fields, [2]string{"client_id", l.clientID}, [2]string{"post_logout_redirect_uri", l.returnTo})
	}
	if l.state != "" {
		page.Fields = append(page.Fields, [2]string{"state", l.state})
	}
	if l.locales != "" {
		page.Fields = append(page.Fields, [2]string{"ui_locales", l.locales})
	}
	return page
}

// end ends the session of the browser, which is mine, and the one that the hint names,
// and the grants of both: before, so that whoever tries again after a failure can still
// say whose they are, and behind, since a code may have been issued meanwhile.
func (p *Provider) end(ctx context.Context, b *configs.Bundle, l leave, caller flow.Caller, mine *flow.Session) error {
	env := b.Environment().ID
	sessions := []string{l.session}
	if mine != nil {
		sessions = append(sessions, mine.ID)
	}
	if err := p.revoke(ctx, env, sessions); err != nil {
		return err
	}
	ended, err := p.Engine.SignOff(ctx, env, caller, l.session)
	if err != nil {
		return err
	}
	return p.revoke(ctx, env, append(sessions, ended))
}

// revoke ends the grants of sessions, of which some may be empty or the same.
func (p *Provider) revoke(ctx context.Context, env string, sessions []string) error {
	for i, session := range sessions {
		if session == "" || slices.Contains(sessions[:i], session) {
			continue
		}
		if err := p.Grants.RevokeBySession(ctx, env, session); err != nil {
			return flow.Busy(err)
		}
	}
	return nil
}

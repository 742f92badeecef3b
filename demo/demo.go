package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Where the demo lies. The redirect URI that is registered for it is the
// deployment's base address followed by CallbackPath.
const (
	HomePath     = "/demo/"
	SignOnPath   = "/demo/sign-on"
	SignOutPath  = "/demo/sign-out"
	CallbackPath = "/demo/callback"
	stylePath    = "/demo/demo.css"

	JourneyPath         = "/demo/journeys/sign-on"
	JourneyCallbackPath = "/demo/journeys/callback"
)

// Router takes the demo's routes.
type Router interface {
	Handle(method, path string, h http.Handler)
}

// Config is what the demo knows of its provider and of itself.
type Config struct {
	Issuer       string // of the provider; its discovery document is read at first use
	ClientID     string
	ClientSecret string
	RedirectURI  string       // absolute, ending in CallbackPath; https makes the cookies Secure
	AfterSignOut string       // absolute, registered as post logout redirect URI
	Client       *http.Client // reaches the provider; its Timeout bounds each call
	Log          *slog.Logger
	Now          func() time.Time
	Account      string    // of the pages where people change what is theirs; empty: there are none
	Outbox       bool      // there is one beside it
	Journeys     *Journeys // nil: there are none
}

// Journeys are flow definitions to try: those that a link begins, and those that
// a sign-on policy leads through, for an application of their own.
type Journeys struct {
	ClientID     string
	ClientSecret string
	RedirectURI  string // absolute, ending in JourneyCallbackPath
	Experiences  []Experience
	Policies     []string // names, for acr_values
	StepUp       string   // one of them, that asks for more than others; empty: there is none
}

// Experience is a journey that a link begins.
type Experience struct{ Name, Address string }

// Demo is the relying party.
type Demo struct {
	screen
	config   Config
	provider *provider
	journeys *provider // nil: there are none
	secret   [32]byte  // of this process: state, nonce and verifier derive from it
	sessions sessions
	arrivals arrivals
	desk     desk
	secure   bool
	crossing *http.CrossOriginProtection
}

// New reports a configuration that cannot work. It calls nobody.
func New(c Config) (*Demo, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" {
		return nil, fmt.Errorf("issuer %q is not an absolute URL", c.Issuer)
	}
	callback, err := url.Parse(c.RedirectURI)
	if err != nil || callback.Host == "" {
		return nil, fmt.Errorf("redirect URI %q is not an absolute URL", c.RedirectURI)
	}
	if c.ClientID == "" || c.Client == nil || c.Log == nil || c.Now == nil {
		return nil, errors.New("client id, HTTP client, log and clock are needed")
	}
	d := &Demo{
		config:   c,
		provider: &provider{config: c},
		sessions: sessions{now: c.Now, byID: map[string]session{}},
		arrivals: arrivals{now: c.Now, byAnswer: map[string]*arrival{}},
		screen: screen{log: c.Log, policy: "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
			"form-action 'self' " + issuer.Scheme + "://" + issuer.Host},
		secure:   callback.Scheme == "https",
		crossing: http.NewCrossOriginProtection(),
	}
	if j := c.Journeys; j != nil {
		c.ClientID, c.ClientSecret, c.RedirectURI = j.ClientID, j.ClientSecret, j.RedirectURI
		d.journeys = &provider{config: c}
	}
	_, err = rand.Read(d.secret[:])
	return d, err
}

// Register adds the routes.
func (d *Demo) Register(r Router) {
	type route struct {
		method, path string
		handle       http.HandlerFunc
	}
	routes := []route{
		{http.MethodGet, HomePath, d.home},
		{http.MethodGet, SignOnPath, d.signOn(d.provider)},
		{http.MethodGet, CallbackPath, d.callback(d.provider)},
		{http.MethodPost, SignOutPath, d.signOut},
		{http.MethodGet, stylePath, style},
	}
	if d.journeys != nil {
		routes = append(routes,
			route{http.MethodGet, JourneyPath, d.signOn(d.journeys)},
			route{http.MethodGet, JourneyCallbackPath, d.callback(d.journeys)},
			route{http.MethodPost, DeskPath, d.judge},
			route{http.MethodPost, deskMoodPath, d.changeMood})
	}
	for _, one := range routes {
		r.Handle(one.method, one.path, one.handle)
	}
}

// page is what the home page shows. Ended is the error code that a journey ended
// with, Done that one has ended well.
type page struct {
	Outbox   bool
	Account  string
	Journeys *Journeys
	Moods    []mood // of the voucher desk
	Done     bool
	Ended    string
	session
}

func (d *Demo) home(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p := page{Outbox: d.config.Outbox, Account: d.config.Account, Journeys: d.config.Journeys, Ended: q.Get("error")}
	p.Done = q.Get("flowExecutionId") != "" && p.Ended == ""
	p.Moods = d.desk.moods()
	var ok bool
	if p.session, ok = d.sessions.find(cookie(r, sessionCookie)); !ok {
		d.show(w, http.StatusOK, signedOut(p))
		return
	}
	d.show(w, http.StatusOK, signedIn(p))
}

// signOn sends the person to the provider. The query may ask for prompt=login or
// prompt=none, to see what they do, and for a journey by the name of its policy.
func (d *Demo) signOn(p *provider) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		browser := d.browser(w, r)
		state := d.newState(browser)
		ask := map[string]string{}
		if prompt := r.URL.Query().Get("prompt"); prompt == "login" || prompt == "none" {
			ask["prompt"] = prompt
		}
		if policy := r.URL.Query().Get("journey"); policy != "" {
			ask["acr_values"] = policy
		}
		to, err := p.authorizeURL(r.Context(), state, d.derive("nonce", browser, state), d.derive("verifier", browser, state), ask)
		if err != nil {
			d.fail(w, r, unreachable(err))
			return
		}
		redirect(w, to)
	}
}

// callback takes the answer. Nothing of it is believed, and nothing of it is
// shown, before its state proves that this browser asked for it.
func (d *Demo) callback(p *provider) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		browser, state := cookie(r, browserCookie), q.Get("state")
		if !d.validState(browser, state) {
			d.fail(w, r, &problem{Code: "invalid_state", Description: "This sign-on was not started in this browser, or more than 10 minutes ago."})
			return
		}
		if q.Get("error") != "" {
			d.fail(w, r, &problem{Code: q.Get("error"), Description: q.Get("error_description")})
			return
		}
		// Who clicks twice leaves the first answer; its code is used up all the same.
		ctx := context.WithoutCancel(r.Context())
		id, err := d.arrivals.take(ctx, state+" "+q.Get("code"), func(ctx context.Context) (string, error) {
			s, err := p.exchange(ctx, answer{
				code: q.Get("code"), issuer: q.Get("iss"),
				nonce: d.derive("nonce", browser, state), verifier: d.derive("verifier", browser, state),
			})
			if err != nil {
				return "", err
			}
			d.sessions.end(cookie(r, sessionCookie))
			return d.sessions.start(s), nil
		})
		if err != nil {
			d.fail(w, r, err)
			return
		}
		d.setCookie(w, sessionCookie, id, sessionLife)
		redirect(w, HomePath)
	}
}

// signOut ends the demo's session and asks the provider to end its own.
func (d *Demo) signOut(w http.ResponseWriter, r *http.Request) {
	if err := d.crossing.Check(r); err != nil {
		d.fail(w, r, &problem{Code: "access_denied", Description: "Sign out from the demo's own page.", reason: err})
		return
	}
	s, ok := d.sessions.end(cookie(r, sessionCookie))
	d.setCookie(w, sessionCookie, "", -time.Second)
	if !ok {
		redirect(w, HomePath)
		return
	}
	to, err := d.provider.endSessionURL(r.Context(), s.raw)
	if err != nil {
		d.fail(w, r, unreachable(err))
		return
	}
	redirect(w, to)
}

package oidc

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/flow"
)

// Router is where the provider's routes go. Paths name a segment with a colon.
type Router interface {
	Handle(method, path string, h http.Handler)
}

// Tenants turns a request into an environment; a *flow.Fault when it cannot.
type Tenants interface {
	Resolve(host, path string) (b *configs.Bundle, rest string, err error)
}

// Engine is what the provider needs of the sign-on engine.
type Engine interface {
	Start(ctx context.Context, s flow.Start) (flow.View, *flow.Completion, error)
	Resume(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, *flow.Completion, error)
	// Present is who is signed on in the caller's browser; nil when nobody is.
	Present(ctx context.Context, env string, c flow.Caller) (*flow.Session, error)
	// SignOff ends the caller's session and the one named; it returns the
	// caller's.
	SignOff(ctx context.Context, env string, c flow.Caller, session string) (mine string, err error)
}

// Codes keeps authorization codes, by their digest. Issue answers
// directory.ErrRedeemed for a code that is spent,
// directory.ErrLate for one that was issued a while ago. Redeem answers First at most
// once for a code, and revokes the grant when it answers Again.
type Codes interface {
	Issue(ctx context.Context, c directory.Code) error
	Redeem(ctx context.Context, env string, hash flow.Digest) (directory.Code, directory.Redemption, error)
}

// Grants is what codes have become: the right of an application to act for a
// user until it is revoked.
type Grants interface {
	Grant(ctx context.Context, env, id string) (directory.Grant, error)
	Revoke(ctx context.Context, env, id string) error
	RevokeBySession(ctx context.Context, env, session string) error
}

// Users reads a user live; flow.ErrUnknown when there is none.
type Users interface {
	Get(ctx context.Context, env, id string) (directory.User, error)
}

// Tries counts, and fails with a *flow.LimitError over a limit.
type Tries interface {
	Count(ctx context.Context, limits []flow.Limit) error
}

// SigningKeys holds the keys of an environment. All returns every key that is
// published, Active the one that signs now by the algorithm, flow.ErrUnknown when
// there is none; Ensure then makes the first one, and reports whether it did.
type SigningKeys interface {
	All(ctx context.Context, env string) ([]*keys.SigningKey, error)
	Active(ctx context.Context, env, algorithm string) (*keys.SigningKey, error)
	Ensure(ctx context.Context, env, algorithm string) (bool, error)
}

// Deriver makes and checks the token of the sign-off form.
type Deriver interface {
	Derive(purpose string, parts ...string) [32]byte
	Matches(purpose string, sum [32]byte, parts ...string) bool
}

// Pages writes what is not OAuth. Its author decides by Accept whether a person
// or a program reads, and logs faults.
type Pages interface {
	// Flow writes an execution to a pi.flow client, with status 200; a is what
	// the authorization came to, nil while it has not.
	Flow(w http.ResponseWriter, r *http.Request, b *configs.Bundle, v flow.View, a *Answer)
	// Problem writes f with its status. b is nil when the tenant is unknown.
	Problem(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault)
	// SignOff writes the page that asks whether to sign off, or says that it
	// is done.
	SignOff(w http.ResponseWriter, b *configs.Bundle, p SignOffPage)
}

// Answer is the authorizeResponse of a pi.flow client.
// Source: reference/flows.md 1.5.
type Answer struct {
	Code   string
	State  string // empty when none was sent
	Issuer string
}

// Parts is what a provider is made of; all of it is needed.
type Parts struct {
	Tenants     Tenants
	Engine      Engine
	Codes       Codes
	Grants      Grants
	Users       Users
	SigningKeys SigningKeys
	Tries       Tries
	Forms       Deriver
	Pages       Pages
	Events      flow.Recorder
	Log         *slog.Logger
	Now         func() time.Time
}

// Provider serves the OpenID endpoints of every environment.
type Provider struct {
	Parts
	library http.Handler
}

// New returns a Provider of the parts.
func New(parts Parts) *Provider {
	p := &Provider{Parts: parts}
	p.library = p.newLibrary()
	return p
}

// Register puts the provider's routes on rt.
func (p *Provider) Register(rt Router) {
	for _, route := range []struct {
		path    string
		h       handler
		origins origins
		methods []string
	}{
		{"authorize", p.authorize, p.preflightOrigin, []string{http.MethodGet, http.MethodPost}},
		{"resume", p.resume, p.environmentOrigin, []string{http.MethodGet}},
		{"signoff", p.signOff, nil, []string{http.MethodGet, http.MethodPost}},
		{"token", p.token, p.environmentOrigin, []string{http.MethodPost}},
		{"userinfo", p.userinfo, p.environmentOrigin, []string{http.MethodGet, http.MethodPost}},
		{"jwks", p.jwks, anyOrigin, []string{http.MethodGet, http.MethodHead}},
		{".well-known/openid-configuration", p.discovery, anyOrigin, []string{http.MethodGet, http.MethodHead}},
	} {
		h := p.serve(route.h, route.origins, route.methods)
		for _, m := range route.methods {
			if m != http.MethodHead { // which a router hands over with GET
				rt.Handle(m, "/:env/as/"+route.path, h)
			}
		}
		if route.origins != nil {
			rt.Handle(http.MethodOptions, "/:env/as/"+route.path, h)
		}
	}
}

// handler answers a request whose tenant is known.
type handler func(w http.ResponseWriter, r *http.Request, b *configs.Bundle)

// serve resolves the tenant, answers preflights and other methods, and sets the
// headers that every answer of the provider has.
func (p *Provider) serve(h handler, allowed origins, methods []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		b, _, err := p.Tenants.Resolve(r.Host, r.URL.Path)
		if err != nil {
			p.Pages.Problem(w, r, nil, flow.AsFault(err))
			return
		}
		if allowed != nil && cors(w, r, b, allowed, methods) {
			return
		}
		for _, m := range methods {
			if r.Method == m {
				h(w, r, b)
				return
			}
		}
		f := &flow.Fault{Code: flow.MethodNotAllowed, Message: "This address does not take the method. See the header Allow."}
		allow(w, methods)
		p.Pages.Problem(w, r, b, f)
	})
}

// record tells the audit of a decision about a request.
func (p *Provider) record(r *http.Request, b *configs.Bundle, e flow.Event) {
	e.Env, e.At = b.Environment().ID, p.Now()
	if ip := callerOf(r).Client.RemoteIP; ip.IsValid() {
		e.RemoteIP = ip.String()
	}
	p.Events.Record(r.Context(), e)
}

package management

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/flow"
)

// Router is where the routes go. Paths name a segment with a colon.
type Router interface {
	Handle(method, path string, h http.Handler)
}

// Tenants finds environments. ResolveAPI turns a host and a path that begins with an
// environment's id into that environment; a *flow.Fault when it cannot.
type Tenants interface {
	ResolveAPI(host, path string) (b *configs.Bundle, rest string, err error)
	Bundle(env string) (*configs.Bundle, bool)
}

// Workers judges access tokens.
type Workers interface {
	// Environment is the environment that a token says it is of, unverified: it
	// tells whose keys to ask and nothing else.
	Environment(token string) string
	// Worker is the enabled worker application of b that a token was minted for,
	// for an API of that base address; a *flow.Fault with code InvalidToken when
	// the token is none.
	Worker(ctx context.Context, b *configs.Bundle, audience, token string) (*configs.Application, error)
}

// Parts is what an API is made of; all but Administrators is needed.
type Parts struct {
	Tenants      Tenants
	Workers      Workers
	Editor       *configs.Editor
	Users        *directory.Users
	Passwords    *directory.Passwords
	Accounts     *directory.Accounts
	Consents     *directory.Consents
	Devices      *directory.Devices
	Certificates *directory.Certificates
	Links        *directory.Links
	Factors      Factors
	Metadata     Metadata
	Invoker      Invoker
	Targets      Targets
	Outbox       *directory.Outbox
	Phones       Phones
	Events       flow.Recorder
	Log          *slog.Logger
	Now          func() time.Time
	// Reload brings a change of configuration to what this process serves; others
	// notice it by themselves.
	Reload func(ctx context.Context) error
	// Posted is called when there may be messages to send.
	Posted func()
	// Administrators is the environment whose administrators may make
	// environments and administer all of them; empty: there is none.
	Administrators string
}

// API serves the management API of every environment.
type API struct {
	Parts
	limits *limits
}

// New returns an API of the parts.
func New(parts Parts) *API {
	return &API{Parts: parts, limits: newLimits(parts.Now)}
}

// Register puts the API's routes on rt: each path for every method, so that an
// unfit one is answered as all refusals here are.
func (a *API) Register(rt Router) {
	for _, route := range a.routes() {
		h := a.serve(route)
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
			rt.Handle(method, route.path, h)
		}
	}
}

// routes are all of them; more special paths come first.
func (a *API) routes() []route {
	routes := append(environmentRoutes(), userRoutes()...)
	routes = append(routes, metadataRoutes()...)
	routes = append(routes, versionRoutes()...)
	routes = append(routes, secretRoute())
	routes = append(routes, externalServiceRoutes()...)
	for _, k := range configs.Kinds() {
		if k.Name != environmentKind {
			routes = append(routes, kindRoutes(k)...)
		}
	}
	return routes
}

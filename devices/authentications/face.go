package authentications

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// Router is where the routes go. Paths name a segment with a colon.
type Router interface {
	Handle(method, path string, h http.Handler)
}

// Tenants finds environments.
type Tenants interface {
	// Resolve turns a host and a path that begins with an environment's id into that
	// environment; a *flow.Fault when it cannot.
	Resolve(host, path string) (b *configs.Bundle, rest string, err error)
	// DeviceAuthentication names the plan of one, which is published by then.
	DeviceAuthentication(ctx context.Context, env string, d policy.DeviceAuthentication) (flow.Digest, error)
}

// Workers judges access tokens.
type Workers interface {
	// Worker is the enabled worker application of b that a token was minted for, for an
	// API of that base address; a *flow.Fault with code InvalidToken when it is none.
	Worker(ctx context.Context, b *configs.Bundle, audience, token string) (*configs.Application, error)
}

// Engine runs executions.
type Engine interface {
	Start(ctx context.Context, s flow.Start) (flow.View, *flow.Completion, error)
	View(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, error)
	Act(ctx context.Context, ref flow.Ref, c flow.Caller, s flow.Submit) (flow.View, error)
}

// Users reads accounts live; flow.ErrUnknown when there is none.
type Users interface {
	Account(ctx context.Context, env, userID string) (Account, error)
}

// Account is somebody who is to be asked.
type Account struct {
	Subject flow.Subject
	Enabled bool
	Locked  bool
	// UnlockIn is for how long it is locked yet; zero: until somebody unlocks it.
	UnlockIn time.Duration
}

// Parts is what a Face is made of; all of it is needed.
type Parts struct {
	Tenants Tenants
	Workers Workers
	Engine  Engine
	Users   Users
	Events  flow.Recorder
	Log     *slog.Logger
	Now     func() time.Time
}

// Face serves the device authentications of every environment.
type Face struct{ Parts }

// New returns a Face of the parts.
func New(parts Parts) *Face { return &Face{parts} }

// Register puts the routes on rt.
func (f *Face) Register(rt Router) {
	const base = "/:env/deviceAuthentications"
	rt.Handle(http.MethodPost, base, f.serve(f.create))
	rt.Handle(http.MethodGet, base+"/:id", f.serve(f.read))
	rt.Handle(http.MethodPost, base+"/:id", f.serve(f.act))
}

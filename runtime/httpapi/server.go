package httpapi

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorward/configs"
	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/static"
)

// What one connection may cost. Source: faults.md rule 10; cases DOS-SLOW, DOS-JSON.
const (
	bodyLimit     = 64 << 10         // bytes of a request body
	documentLimit = 1 << 20          // likewise, of the management API
	headerLimit   = 16 << 10         // bytes of a request head
	readTimeout   = 10 * time.Second // whole request
	writeTimeout  = 10 * time.Second // whole answer
	idleTimeout   = 60 * time.Second // between requests
)

// Tenants turns a request into its environment; a *flow.Fault when it cannot.
type Tenants interface {
	Resolve(host, path string) (b *configs.Bundle, rest string, err error)
}

// Engine is what the routes need of the sign-on engine.
type Engine interface {
	View(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, error)
	Act(ctx context.Context, ref flow.Ref, c flow.Caller, s flow.Submit) (flow.View, error)
	Start(ctx context.Context, s flow.Start) (flow.View, *flow.Completion, error)
	Return(ctx context.Context, ref flow.Ref, from string, c flow.Caller) (flow.View, error)
	Callback(ctx context.Context, ref flow.Ref, c flow.Caller, v flow.Values) (flow.View, error)
}

// Metrics takes one measurement for each answer. Routes are a closed list.
type Metrics interface {
	Observe(route string, status int, took time.Duration)
}

// Offers may lead people over a page of their own, on their way from a completed
// sign-on to the application; empty: not now.
type Offers interface {
	Offer(ctx context.Context, b *configs.Bundle, v *flow.View) (page string)
}

// Parts is what a Server is made of; all but Offers, Checks and Proxies is needed.
type Parts struct {
	Tenants Tenants
	Engine  Engine
	Actions []flow.Action // every action of every step kind
	Metrics Metrics
	Events  flow.Recorder
	Log     *slog.Logger
	Now     func() time.Time
	Offers  Offers // set before Serve
	// Checks decide /readyz, by name. Each has a second.
	Checks map[string]func(context.Context) error
	// Proxies are the peers whose X-Forwarded-For and X-Forwarded-Host are
	// believed; nobody else's are.
	Proxies []netip.Prefix
	// Drain is how long, at shutdown, /readyz is red and connections are sent
	// away before the listeners close.
	Drain time.Duration
}

// Server serves every route of the process.
type Server struct {
	Parts
	app      *fiber.App
	pages    *forms.Pages
	assets   *static.Assets
	actions  map[string]flow.Action // by name in lower case
	ready    sync.Once
	draining atomic.Bool
	ending   sync.Once
	stopping chan struct{}
}

// New returns a Server with its own routes. It fails when the binary was built
// wrongly.
func New(parts Parts) (*Server, error) {
	assets, err := static.Load()
	if err != nil {
		return nil, err
	}
	pages, err := forms.NewPages(assets)
	if err != nil {
		return nil, err
	}
	s := &Server{Parts: parts, assets: assets, pages: pages, actions: map[string]flow.Action{}, stopping: make(chan struct{})}
	for _, a := range parts.Actions {
		s.actions[strings.ToLower(a.Name)] = merged(s.actions[strings.ToLower(a.Name)], a)
	}
	s.app = fiber.New(fiber.Config{
		BodyLimit: bodyLimit, ReadBufferSize: headerLimit,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		CaseSensitive: true, StrictRouting: true, Immutable: true,
		DisableStartupMessage: true, DisablePreParseMultipartForm: true, DisableDefaultContentType: true,
		EnableTrustedProxyCheck: true, // of an empty list: Fiber believes nobody, client.go judges
		ErrorHandler:            s.broken,
	})
	server := s.app.Server()
	server.CloseOnShutdown = true
	server.SecureErrorLogMessage = true
	server.HeaderReceived = refuseEncoded
	server.ErrorHandler = unlessSilent(server.ErrorHandler)
	s.routes()
	return s, nil
}

// merged joins the fields of actions that share a name, since kinds declare one
// for each status: a form is decoded before the status is known. Where one of them lets
// the node say what it takes, only the offer knows.
func merged(a, b flow.Action) flow.Action {
	b.Open = b.Open || a.Open
	for _, f := range a.Fields {
		known := false
		for _, g := range b.Fields {
			known = known || f.Name == g.Name
		}
		if !known {
			b.Fields = append(b.Fields[:len(b.Fields):len(b.Fields)], f)
		}
	}
	return b
}

func (s *Server) routes() {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
		s.app.Add(method, "/:env/flows/:id", s.serve("/:env/flows/:id", false, s.flows))
		s.app.Add(method, "/:env/flowExecutions/:id", s.serve("/:env/flowExecutions/:id", false, s.flows))
	}
	for _, method := range []string{http.MethodPost, http.MethodOptions} {
		s.app.Add(method, "/:env/experiences/:id", s.serve("/:env/experiences/:id", false, s.experience))
	}
	s.app.Add(http.MethodGet, "/:env/experiences/:id", s.serve("/:env/experiences/:id", true, s.experienceLink))
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		s.app.Add(method, "/:env/flows/:id/flowExecutionCallback", s.serve("/:env/flows/:id/flowExecutionCallback", true, s.callback))
	}
	s.app.Add(http.MethodGet, "/:env/rp/authenticate", s.serve("/:env/rp/authenticate", true, s.authenticate))
	s.app.Add(http.MethodGet, "/:env/rp/callback/openid_connect", s.serve("/:env/rp/callback/openid_connect", true, s.answered))
	s.app.Add(http.MethodPost, "/:env/rp/callback/openid_connect", s.serve("/:env/rp/callback/openid_connect", true, s.posted))
	for _, path := range []string{"/:env/signon", "/:env/signon/"} {
		for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodPost} {
			s.app.Add(method, path, s.serve("/:env/signon/", true, s.signOn))
		}
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		s.app.Add(method, "/:env/signon/gallery", s.serve("/:env/signon/gallery", true, s.gallery))
		s.app.Add(method, "/:env/signon/gallery/form", s.serve("/:env/signon/gallery/form", true, s.gallery))
		s.app.Add(method, "/:env/theme.:digest.css", s.serve("/:env/theme.:digest.css", false, s.theme))
		s.app.Add(method, "/static/*", s.serve("/static/*", false, s.static))
		s.app.Add(method, "/healthz", s.serve("/healthz", false, s.healthz))
		s.app.Add(method, "/readyz", s.serve("/readyz", false, s.readyz))
	}
}

// Handle serves method and path by h. Path is a pattern of this server's router:
// "/:env/as/token", "/demo/*"; its parameters become path values of the request.
// GET answers HEAD too. Call it before Serve.
func (s *Server) Handle(method, path string, h http.Handler) {
	handler := s.serve(path, false, func(ctx context.Context, x *exchange) error { return x.bridge(ctx, h) })
	if method == http.MethodGet {
		s.app.Add(http.MethodHead, path, handler)
	}
	s.app.Add(method, path, handler)
}

// Serve answers on ln until Shutdown. It may be called for several listeners.
func (s *Server) Serve(ln net.Listener) error {
	s.ready.Do(func() {
		s.app.Use(s.serve("other", false, func(_ context.Context, x *exchange) error { return x.Next() }))
		s.app.Server().Handler = s.gate(s.app.Handler())
	})
	return s.app.Server().Serve(countingListener{ln, s.Log})
}

// gate answers what Fiber would answer in its own words: methods it has no
// number for.
func (s *Server) gate(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	return func(fc *fasthttp.RequestCtx) {
		if slices.Contains(methods, string(fc.Method())) {
			next(fc)
			return
		}
		c := s.app.AcquireCtx(fc)
		defer s.app.ReleaseCtx(c)
		c.Set(fiber.HeaderAllow, strings.Join(methods, ", "))
		c.Response().SetConnectionClose()
		_ = s.broken(c, fiber.ErrMethodNotAllowed) // writes the answer, has no other failure
	}
}

// Stopping is closed when Shutdown begins: who waits for something answers now.
func (s *Server) Stopping() <-chan struct{} { return s.stopping }

// Shutdown ends the server so that nobody notices: /readyz turns red and every
// answer closes its connection, for Parts.Drain; then the listeners close, and
// it waits for the requests that run. The error is ctx's when they outlive it.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.ending.Do(func() { close(s.stopping) })
	select {
	case <-time.After(s.Drain):
	case <-ctx.Done():
	}
	return s.app.Server().ShutdownWithContext(ctx)
}

package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/wire"
)

const (
	headerCorrelation = "Correlation-Id"
	headerFlowToken   = "Flow-Token"
	headerIdempotency = "Idempotency-Key"
)

// exchange is one request and its answer.
type exchange struct {
	*fiber.Ctx
	s           *Server
	route       string
	page        bool // a person reads the answer
	correlation string
	types       []string // Content-Type, one for each line it was sent in; fasthttp keeps the last
	client      flow.Client
	host        string
	tenant      *configs.Bundle // nil until resolved
	ref         flow.Ref        // zero until resolved
}

// handler answers a request within ctx, or returns why it does not.
type handler func(ctx context.Context, x *exchange) error

// serve is around every handler: deadline, ids, headers, recovery, the one log
// line of a failure, the measurement.
func (s *Server) serve(route string, page bool, h handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		start := s.Now()
		allow(c)
		x := s.exchange(c, route, page)
		ctx, cancel := flow.Within(context.Background(), flow.RequestTimeout)
		defer cancel()
		x.client, x.host = s.origin(c)
		if err := x.try(ctx, h); err != nil {
			x.fail(err)
		}
		if s.draining.Load() {
			c.Response().SetConnectionClose()
		}
		s.Metrics.Observe(route, c.Response().StatusCode(), s.Now().Sub(start))
		return nil
	}
}

func (s *Server) exchange(c *fiber.Ctx, route string, page bool) *exchange {
	x := &exchange{Ctx: c, s: s, route: route, page: page}
	x.correlation = c.Get(headerCorrelation)
	if !isUUID(x.correlation) {
		x.correlation = uuid.NewString()
	}
	h := &c.Response().Header
	h.Set(headerCorrelation, x.correlation)
	for _, field := range always {
		h.SetCanonical(field[0], field[1])
	}
	return x
}

// always are the fields that every answer has, until a handler says otherwise.
//
//nolint:gochecknoglobals // never changes
var always = [][2][]byte{
	{[]byte(fiber.HeaderCacheControl), []byte("no-store")},
	{[]byte(fiber.HeaderXContentTypeOptions), []byte("nosniff")},
	{[]byte(fiber.HeaderReferrerPolicy), []byte("no-referrer")},
	{[]byte(fiber.HeaderContentSecurityPolicy), []byte("default-src 'none'; frame-ancestors 'none'")},
}

// try runs h on a request that is fit to be read. A panic is that request's
// error and nobody else's.
func (x *exchange) try(ctx context.Context, h handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err := x.framed(); err != nil {
		return err
	}
	return h(ctx, x)
}

// broken answers a request that never became one: it could not be parsed, was
// too large or too slow. The parser's words repeat the request, secrets and all,
// so that they are not logged.
func (s *Server) broken(c *fiber.Ctx, err error) error {
	x := s.exchange(c, "broken", false)
	x.client, x.host = s.origin(c)
	encoded := len(c.Request().Header.ContentEncoding()) > 0
	var fe *fiber.Error
	switch {
	case !errors.As(err, &fe):
		err = &flow.Fault{Code: flow.InvalidRequest, Message: "The request could not be read."}
	case fe.Code == http.StatusRequestEntityTooLarge && encoded:
		err = encodedFault()
	case fe.Code == http.StatusRequestEntityTooLarge && manages(c.Request().RequestURI()):
		err = &flow.Fault{Code: flow.TooLarge, Message: "The body is over 1 MiB; send a smaller one."}
	case fe.Code == http.StatusRequestEntityTooLarge:
		err = &flow.Fault{Code: flow.TooLarge, Message: "The body is over 64 KiB; send a smaller one."}
	case fe.Code == http.StatusRequestHeaderFieldsTooLarge:
		err = &flow.Fault{Code: flow.TooLarge, Message: "The target and the header fields are over 16 KiB; send fewer cookies or shorter values."}
	case fe.Code == http.StatusRequestTimeout:
		err = &flow.Fault{Code: flow.InvalidRequest, Message: "The request did not arrive within 10 seconds; send it again, whole."}
	case fe.Code == http.StatusMethodNotAllowed:
	default:
		err = &flow.Fault{Code: flow.InvalidRequest, Message: "The request is not well-formed HTTP."}
	}
	x.fail(err)
	s.Metrics.Observe("broken", c.Response().StatusCode(), 0)
	return nil
}

// unlessSilent closes connections on which nothing was ever said without a word.
// Browsers open some in advance, and would take an answer to no request for that to
// the first one. An error that comes as the connection had it is of the first byte;
// later ones are wrapped by then, or follow a header.
func unlessSilent(answer func(*fasthttp.RequestCtx, error)) func(*fasthttp.RequestCtx, error) {
	return func(c *fasthttp.RequestCtx, err error) {
		if _, bare := err.(*net.OpError); bare && len(c.Request.Header.RawHeaders()) == 0 { //nolint:errorlint // see above
			_ = c.Conn().Close()
			return
		}
		answer(c, err)
	}
}

// resolve finds the environment and, of id, the execution. Whatever is wrong
// with either looks like an execution that does not exist.
func (x *exchange) resolve(id string) error {
	if err := x.environment(); err != nil {
		return err
	}
	if !isUUID(id) {
		return flow.Gone()
	}
	x.ref = flow.Ref{Env: x.tenant.Environment().ID, ID: id}
	return nil
}

// environment finds the environment.
func (x *exchange) environment() error {
	path := x.Path()
	if strings.Contains(path, "%") {
		return flow.Gone()
	}
	b, _, err := x.s.Tenants.Resolve(x.host, path)
	var f *flow.Fault
	switch {
	case errors.As(err, &f) && f.Code == flow.NotFound:
		return flow.Gone()
	case err != nil:
		return err
	}
	x.tenant, x.ref.Env = b, b.Environment().ID
	if b.Environment().Secure() {
		x.Set(fiber.HeaderStrictTransportSecurity, "max-age=63072000")
	}
	return nil
}

// caller is what the request shows of being the execution's owner.
func (x *exchange) caller() flow.Caller {
	return flow.Caller{
		Cookie: x.Cookies(wire.CookieName), FlowToken: x.Get(headerFlowToken), Browser: x.Cookies(wire.BrowserCookieName), Client: x.client,
	}
}

// fail answers with the fault in err and writes the one log line about it.
func (x *exchange) fail(err error) {
	f := asFault(err)
	id := uuid.NewString()
	x.s.log(x, f, id)
	if x.page || x.route == "other" && strings.Contains(x.Get(fiber.HeaderAccept), "text/html") {
		x.sendFaultPage(f, id)
		return
	}
	x.sendProblem(f, id)
}

// log writes the one line about a request that failed. It goes out without the
// request's context: a deadline that has passed is no reason to stay silent.
func (s *Server) log(x *exchange, f *flow.Fault, id string) {
	status := wire.StatusOf(f.Code)
	s.Log.LogAttrs(context.Background(), levelOf(status), "request failed",
		slog.String("id", id), slog.String("correlation", x.correlation), slog.String("method", x.Method()), slog.String("route", x.route),
		slog.Int("status", status), slog.String("env", x.ref.Env), slog.String("flow", x.ref.ID),
		slog.String("remote", x.client.RemoteIP.String()), slog.String("error", f.Error()))
}

func levelOf(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// asFault finds the fault in err, also in what Fiber and the clock say.
func asFault(err error) *flow.Fault {
	var f *flow.Fault
	var fe *fiber.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &fe) && fe.Code == http.StatusNotFound:
		return &flow.Fault{Code: flow.NotFound, Message: "There is nothing at this address."}
	case errors.As(err, &fe) && fe.Code == http.StatusMethodNotAllowed:
		return &flow.Fault{Code: flow.MethodNotAllowed, Message: "This address does not take the method; see the Allow field for those it takes."}
	case errors.Is(err, context.DeadlineExceeded):
		return flow.Busy(err)
	}
	return flow.AsFault(err)
}

// isUUID reports whether s is a UUID as we write them: lower case, with hyphens.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

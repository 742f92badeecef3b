package authentications

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/wire"
)

// call is one request of an application.
type call struct {
	*http.Request
	bundle *configs.Bundle
	env    configs.Environment
	ref    flow.Ref // without an ID: of one that is to be
	caller flow.Caller
	body   []byte
}

// answer is what a call comes to.
type answer struct {
	status int
	view   flow.View
}

// serve is around every route: environment, caller, body, and the one exit.
func (f *Face) serve(h func(c *call) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		c := &call{Request: r}
		got, err := f.answer(c, h) //nolint:contextcheck // the call has it
		if c.bundle != nil && c.env.Secure() {
			w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		}
		if err != nil {
			f.fail(w, c, err) //nolint:contextcheck // as above
			return
		}
		f.send(w, c, got)
	})
}

// answer lets a route answer whoever may ask it.
func (f *Face) answer(c *call, h func(c *call) (answer, error)) (answer, error) {
	b, _, err := f.Tenants.Resolve(c.Host, c.URL.Path)
	if err != nil {
		return answer{}, err
	}
	c.bundle, c.env = b, b.Environment()
	if err := f.authenticate(c); err != nil {
		return answer{}, err
	}
	c.ref = flow.Ref{Env: c.env.ID, ID: c.PathValue("id")}
	if c.ref.ID != "" && !isID(c.ref.ID) {
		return answer{}, flow.Gone()
	}
	if c.body, err = io.ReadAll(c.Body); err != nil { // the server under us has limited it
		return answer{}, &flow.Fault{Code: flow.InvalidRequest, Message: "The body could not be read; send it again, whole.", Err: err}
	}
	return h(c)
}

// errNoToken is the log's word for a request that shows no token.
var errNoToken = errors.New("no bearer token")

// authenticate finds the caller: a worker application of the environment itself, which
// may look after its users. What else the request shows, such as a cookie, is not looked
// at. Source: RFC 6750 2.1.
func (f *Face) authenticate(c *call) error {
	app, err := f.worker(c)
	if err != nil {
		if fault := flow.AsFault(err); fault.Code == flow.InvalidToken || fault.Code == flow.AccessFailed {
			f.record(c, flow.Event{Type: flow.ManagementRefused, Reason: "device authentication"})
		}
		return err
	}
	c.caller = flow.Caller{Application: app.ID, Client: flow.Client{UserAgent: c.UserAgent()}}
	if at, err := netip.ParseAddrPort(c.RemoteAddr); err == nil {
		c.caller.Client.RemoteIP = at.Addr().Unmap()
	}
	return nil
}

func (f *Face) worker(c *call) (*configs.Application, error) {
	const message = "The request could not be completed. Send an access token of a worker application of this environment as Authorization: Bearer, one that has not expired."
	lines := c.Header.Values("Authorization")
	if len(lines) == 0 {
		return nil, &flow.Fault{Code: flow.InvalidToken, Err: errNoToken, Message: message}
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	if len(lines) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.Contains(token, " ") {
		return nil, &flow.Fault{Code: flow.InvalidToken, Message: message}
	}
	app, err := f.Workers.Worker(c.Context(), c.bundle, c.env.APIBase, token)
	if err != nil {
		return nil, err
	}
	roles := []string{configs.RoleEnvironmentAdmin, configs.RoleIdentityDataAdmin}
	if !slices.ContainsFunc(app.Roles, func(role string) bool { return slices.Contains(roles, role) }) {
		message := "The application lacks the role that this needs: " + strings.Join(roles, " or ") + "."
		return nil, &flow.Fault{Code: flow.AccessFailed, Message: "The request could not be completed. You do not have access to this resource.", Details: []flow.Detail{{
			Code: flow.InsufficientPermissions, Message: message, Inner: map[string]any{"allowedValues": roles},
		}}}
	}
	return app, nil
}

// isID reports whether s is a UUID as they are written here: lower case, with hyphens.
func isID(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && u.String() == s
}

func (f *Face) send(w http.ResponseWriter, c *call, got answer) {
	v := shown(got.view)
	w.Header().Set("Content-Type", wire.HAL)
	w.Header().Set("ETag", wire.ETag(v))
	if got.status == http.StatusCreated {
		w.Header().Set("Location", c.env.DeviceAuthenticationURL(v.Ref.ID))
	}
	w.WriteHeader(got.status)
	if c.Method != http.MethodHead {
		_, _ = w.Write(wire.Encode(v, place(c, v))) // an error is a client that has gone
	}
}

// place is where one is met, and where another may be begun.
func place(c *call, v flow.View) wire.Place {
	return wire.Place{Self: c.env.DeviceAuthenticationURL(v.Ref.ID), Restart: restart(c)}
}

func restart(c *call) string { return strings.TrimSuffix(c.env.DeviceAuthenticationURL(""), "/") }

// fail answers with the fault in err and writes the one log line about it.
func (f *Face) fail(w http.ResponseWriter, c *call, err error) {
	fault, id := flow.AsFault(err), uuid.NewString()
	status, level := wire.StatusOf(fault.Code), slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	f.Log.LogAttrs(c.Context(), level, "request failed", slog.String("id", id), slog.String("method", c.Method), slog.String("path", c.URL.Path),
		slog.Int("status", status), slog.String("env", c.ref.Env), slog.String("flow", c.ref.ID), slog.String("application", c.caller.Application),
		slog.String("remote", c.RemoteAddr), slog.String("error", fault.Error()))
	if fault.Code == flow.InvalidToken {
		challenge := `Bearer realm="deviceAuthentications"`
		if !errors.Is(fault.Err, errNoToken) {
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	p := wire.Place{}
	g := *fault
	if c.bundle != nil {
		p.Restart = restart(c)
	}
	switch {
	case g.View != nil:
		v := shown(*g.View)
		g.View, p = &v, place(c, v)
		w.Header().Set("ETag", wire.ETag(v))
	case g.Restart:
		g.Message = "The device authentication does not exist or has expired. Begin another one."
	case c.ref.ID != "":
		p.Self = c.env.DeviceAuthenticationURL(c.ref.ID)
	}
	_, body, header := wire.Problem(&g, id, p)
	for k, v := range header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(status)
	if c.Method != http.MethodHead {
		_, _ = w.Write(body) // an error is a client that has gone
	}
}

// record tells the audit what was decided.
func (f *Face) record(c *call, e flow.Event) {
	e.Env, e.At = c.env.ID, f.Now()
	if at, err := netip.ParseAddrPort(c.RemoteAddr); err == nil {
		e.RemoteIP = at.Addr().Unmap().String()
	}
	f.Events.Record(c.Context(), e)
}

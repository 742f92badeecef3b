package management

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/runtime/flow"
)

const headerCorrelation = "Correlation-Id"

// prefix is what all paths begin with. Source: reference/management.md 0.3.
const prefix = "/v1/environments"

// route is one address and what may be done there.
type route struct {
	path       string
	operations []operation
}

// operation is one thing that may be done at an address: by a method and, when
// it takes a body, by the body's media type.
type operation struct {
	method string
	types  []string // media types of its body; none: there is no body to take
	params []string // query parameters that it takes
	access access
	run    func(c *call) (*answer, error)
}

// call is one request that may be answered.
type call struct {
	*http.Request
	api    *API
	bundle *configs.Bundle // of the collection of environments the caller's
	env    string
	caller caller
	params map[string]string // of the query
	media  string            // of the body
	body   []byte
}

// answer is what a call comes to.
type answer struct {
	status   int
	location string // of what was made
	body     any    // marshalled as JSON; nil: none
}

func ok(body any) (*answer, error) { return &answer{status: http.StatusOK, body: body}, nil }

func created(location string, body any) (*answer, error) {
	return &answer{status: http.StatusCreated, location: location, body: body}, nil
}

func nothing() (*answer, error) { return &answer{status: http.StatusNoContent}, nil }

// methods are those of the route, as Allow and the answer to a preflight list
// them.
func (rt route) methods() string {
	var out []string
	for _, o := range rt.operations {
		if !slices.Contains(out, o.method) {
			out = append(out, o.method)
		}
		if o.method == http.MethodGet && !slices.Contains(out, http.MethodHead) {
			out = append(out, http.MethodHead)
		}
	}
	return strings.Join(append(out, http.MethodOptions), ", ")
}

// serve is around every operation: headers, tenant, preflight, method, caller,
// role, query and body, in that order; then the answer or the refusal.
func (a *API) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.header(w, r)
		c := &call{Request: r, api: a}
		if err := a.tenant(c); err != nil {
			a.fail(w, c, err) //nolint:contextcheck // the call has it
			return
		}
		if c.bundle != nil && c.bundle.Environment().Secure() {
			w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		}
		if r.Method == http.MethodOptions {
			preflight(w, rt)
			return
		}
		got, err := a.answer(c, rt, w.Header()) //nolint:contextcheck // the call has it
		if err != nil {
			a.fail(w, c, err) //nolint:contextcheck // the call has it
			return
		}
		send(w, r, got)
	})
}

// answer lets an operation answer the call.
func (a *API) answer(c *call, rt route, h http.Header) (*answer, error) {
	method := c.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var fit []operation
	for _, o := range rt.operations {
		if o.method == method {
			fit = append(fit, o)
		}
	}
	if len(fit) == 0 {
		h.Set("Allow", rt.methods())
		return nil, &flow.Fault{Code: flow.MethodNotAllowed, Message: "This address does not take the method; it takes " + rt.methods() + "."}
	}
	if err := a.authenticate(c); err != nil {
		return nil, err
	}
	if err := a.limits.take(c.caller.app.ID); err != nil {
		a.record(c, flow.Event{Type: flow.RequestLimited, Reason: "management"})
		return nil, err
	}
	if err := a.authorize(c, fit); err != nil {
		return nil, err
	}
	o, err := c.choose(fit, h)
	if err != nil {
		return nil, err
	}
	if err := c.readParams(o.params); err != nil {
		return nil, err
	}
	return o.run(c)
}

// tenant finds the environment that the path names. The ids in a path have the
// shape of ids, or there is nothing there.
func (a *API) tenant(c *call) error {
	env := c.PathValue("env")
	if env == "" {
		return nil
	}
	for _, name := range []string{"env", "id", "agreement", "device", "pairingKey", "browser", "link", parentParam(0), parentParam(1)} {
		if v := c.PathValue(name); v != "" && !isID(v) {
			return notFound()
		}
	}
	b, _, err := a.Tenants.ResolveAPI(c.Host, strings.TrimPrefix(c.URL.Path, prefix))
	if err != nil {
		return err
	}
	c.bundle, c.env = b, b.Environment().ID
	return nil
}

// isID reports whether s is a UUID as they are written here: lower case, with
// hyphens.
func isID(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && u.String() == s
}

// header sets what every answer has. A page of any origin may read the answers,
// since the token is all that counts: no cookie is looked at.
// Source: reference/management.md 7.5.
func (a *API) header(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	id := r.Header.Get(headerCorrelation)
	if !isID(id) {
		id = uuid.NewString()
	}
	h.Set(headerCorrelation, id)
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "0")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Vary", "Authorization")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", headerCorrelation+", Location, Retry-After, WWW-Authenticate")
}

func preflight(w http.ResponseWriter, rt route) {
	h := w.Header()
	h.Set("Allow", rt.methods())
	h.Set("Access-Control-Allow-Methods", rt.methods())
	h.Set("Access-Control-Allow-Headers", "Accept, Accept-Language, Content-Language, Content-Type, Range, Authorization, "+headerCorrelation)
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

func send(w http.ResponseWriter, r *http.Request, got *answer) {
	if got.location != "" {
		w.Header().Set("Location", got.location)
	}
	if got.body == nil {
		w.WriteHeader(got.status)
		return
	}
	w.Header().Set("Content-Type", halType)
	w.WriteHeader(got.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(encode(got.body)) // an error is a client that has gone
	}
}

// record tells the audit who did what.
func (a *API) record(c *call, e flow.Event) {
	e.Env, e.At = c.env, a.Now()
	if c.caller.app != nil {
		e.Application = c.caller.app.ID
	}
	e.RemoteIP = remoteIP(c.Request)
	a.Events.Record(c.Context(), e)
}

// did records a change of configuration, and has it served here from now on. That
// it is not yet is no failure of the change, which has been made.
func (c *call) did(e flow.EventType, kind, id string) {
	c.api.record(c, flow.Event{Type: e, Reason: kind + " " + id})
	if err := c.api.Reload(c.Context()); err != nil {
		c.api.Log.LogAttrs(c.Context(), slog.LevelError, "a change of configuration is not served yet", slog.String("env", c.env), slog.String("error", err.Error()))
	}
}

package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/wire"
)

// What a definition may be started with.
const (
	mostParameters  = 20
	longestArgument = 1000 // bytes of a parameter's name and value
)

// wanted is a request for an execution of a flow definition.
type wanted struct {
	redirectURI string
	plan        string // of the draft that is to be tried; empty: what is published
	parameters  map[string]any
	locales     string // ui_locales
}

// experience starts an execution of a flow definition for a client of the API.
// Source: reference/flows.md 7.2.
func (s *Server) experience(ctx context.Context, x *exchange) error {
	x.Set(fiber.HeaderVary, fiber.HeaderOrigin)
	if err := x.environment(); err != nil {
		return err
	}
	allowed := x.cors()
	if x.Method() == http.MethodOptions {
		return x.preflight(allowed, corsMethods)
	}
	if !allowed && x.crossSite() {
		return s.refuse(ctx, x, flow.RequestCrossSite, &flow.Fault{
			Code: flow.AccessFailed, Message: "The request comes from a page of another origin that no application of this environment allows.",
		})
	}
	if media, err := wire.TypeOf(x.types); err != nil || media != "application/json" {
		return s.refuse(ctx, x, flow.RequestMalformed, &flow.Fault{
			Code: flow.UnsupportedMedia, Message: `Send application/json: {"redirectUri": "...", "parameters": {...}}.`,
		})
	}
	values, err := wire.DecodeExactly(x.Request().Body()) // parameters go on as they were written
	if err != nil {
		return s.refuse(ctx, x, flow.RequestMalformed, flow.AsFault(err))
	}
	w, f := readWanted(values)
	if f != nil {
		return f
	}
	v, err := s.begin(ctx, x, w)
	if err != nil {
		return err
	}
	x.Set(fiber.HeaderLocation, x.tenant.Environment().FlowExecutionURL(v.Ref.ID))
	x.Status(http.StatusCreated)
	x.sendFlow(v)
	return nil
}

// experienceLink is the same for a browser that follows a link: redirectUri and
// parameters come in the query. It leads to the page of the execution.
func (s *Server) experienceLink(ctx context.Context, x *exchange) error {
	if err := x.environment(); err != nil {
		return err
	}
	w := wanted{parameters: map[string]any{}}
	var f *flow.Fault
	for name, value := range x.Context().QueryArgs().All() {
		switch n := string(name); n {
		case "redirectUri":
			if w.redirectURI != "" {
				f = said("redirectUri")
			}
			w.redirectURI = string(value)
		case "plan":
			w.plan = string(value)
		case "ui_locales":
			w.locales = strings.ReplaceAll(string(value), " ", ",")
		default:
			if _, twice := w.parameters[n]; twice {
				f = said(n)
			}
			w.parameters[n] = string(value)
		}
	}
	if f == nil {
		f = w.fault()
	}
	if f != nil {
		return f
	}
	v, err := s.begin(ctx, x, w)
	if err != nil {
		return err
	}
	x.keepState(&v)
	x.Set(fiber.HeaderLocation, x.tenant.Environment().SignOnPage(v.Ref.ID))
	if v.Status == flow.Completed {
		x.Set(fiber.HeaderLocation, v.Redirect)
	}
	x.Status(http.StatusFound)
	return nil
}

func said(name string) *flow.Fault {
	return flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: name, Message: "This is said twice; say it once."})
}

// readWanted reads the body of a request for an execution.
func readWanted(v flow.Values) (wanted, *flow.Fault) {
	var w wanted
	var faults []flow.Detail
	for name, value := range v {
		var ok bool
		switch name {
		case "redirectUri":
			w.redirectURI, ok = value.(string)
		case "plan":
			w.plan, ok = value.(string)
		case "parameters":
			w.parameters, ok = value.(map[string]any)
		}
		if !ok {
			faults = append(faults, flow.Detail{Code: flow.InvalidValue, Target: name, Message: "An experience takes redirectUri, a string, parameters, an object, and plan, the hash of a draft."})
		}
	}
	if len(faults) > 0 {
		return w, flow.Invalid(faults...)
	}
	return w, w.fault()
}

// fault says what is wrong with what was asked for.
func (w *wanted) fault() *flow.Fault {
	if w.redirectURI == "" {
		return flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: "redirectUri", Message: "A value for redirectUri is required: where the person goes in the end."})
	}
	if len(w.parameters) > mostParameters {
		return flow.Invalid(flow.Detail{Code: flow.SizeLimitExceeded, Target: "parameters", Message: "An experience takes at most 20 parameters.", Inner: map[string]any{"maximumValue": mostParameters}})
	}
	for name, value := range w.parameters {
		text, is := value.(string)
		switch value.(type) {
		case map[string]any, []any:
			return flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "parameters", Message: "A parameter is a string, a number, true or false."})
		}
		if len(name) > longestArgument || is && len(text) > longestArgument {
			return flow.Invalid(flow.Detail{Code: flow.SizeLimitExceeded, Target: "parameters", Message: "A parameter has at most 1000 bytes.", Inner: map[string]any{"maximumValue": longestArgument}})
		}
	}
	return nil
}

// begin starts an execution of the definition that the path names, which ends at
// an address that an application of the environment has registered, or comes back
// to the sign-on that led to it.
func (s *Server) begin(ctx context.Context, x *exchange, w wanted) (flow.View, error) {
	d, known := x.tenant.FlowDefinition(x.Params("id"))
	if w.plan != "" {
		d, known = x.tenant.Draft(x.Params("id"), w.plan)
	}
	if !known || !d.Enabled {
		return flow.View{}, noExperience()
	}
	r := flow.Request{Definition: d.ID, ReturnTo: w.redirectURI, MaxAge: -1, Locales: w.locales}
	app, registered := x.tenant.RedirectAllowed(w.redirectURI)
	if registered && d.Trigger != flow.TriggerExperience { // is for sign-ons alone. Source: reference/flows.md 7.1
		return flow.View{}, noExperience()
	}
	if registered {
		r.Application = app.ID
	} else if r.For = x.callbackOf(w.redirectURI); r.For == "" {
		return flow.View{}, s.refuse(ctx, x, flow.RequestMalformed, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "redirectUri", Message: "This address is not registered with an application of this environment. Register it, or send one that is, letter for letter.",
		}))
	}
	inputs, err := json.Marshal(w.parameters)
	if err != nil {
		return flow.View{}, err
	}
	v, _, err := s.Engine.Start(ctx, flow.Start{Env: x.tenant.Environment().ID, Plans: []flow.Digest{d.Plan}, Request: r, Caller: x.caller(), Inputs: inputs})
	return v, err
}

func noExperience() *flow.Fault {
	return &flow.Fault{Code: flow.NotFound, Message: "There is no such experience here, or it is switched off."}
}

// callbackOf is the id of the sign-on whose callback an address is; empty when it
// is none of this environment.
func (x *exchange) callbackOf(address string) string {
	e := x.tenant.Environment()
	before, after, _ := strings.Cut(e.CallbackURL("\x00"), "\x00")
	rest, ours := strings.CutPrefix(address, before)
	id, whole := strings.CutSuffix(rest, after)
	if !ours || !whole || !isUUID(id) {
		return ""
	}
	return id
}

// beyond is the application that people get to in the end, and where. From an
// execution that comes back to a sign-on, that is where the sign-on leads: the
// browser goes there from a form, in redirects which the policy of the form's page
// has to allow.
func (x *exchange) beyond(ctx context.Context, v *flow.View) (application, returnTo string) {
	id := x.callbackOf(v.ReturnTo)
	if v.Definition == "" || id == "" {
		return v.Application, v.ReturnTo
	}
	to, err := x.s.Engine.View(ctx, flow.Ref{Env: v.Ref.Env, ID: id}, x.caller())
	if err != nil { // it is over, or not the caller's: there is nothing beyond
		return v.Application, v.ReturnTo
	}
	return to.Application, to.ReturnTo
}

// callback brings a finished execution of a definition back to the sign-on that
// led to it, which goes on. Source: reference/flows.md 7.5.
func (s *Server) callback(ctx context.Context, x *exchange) error {
	x.Set(fiber.HeaderVary, fiber.HeaderOrigin)
	x.page = strings.Contains(x.Get(fiber.HeaderAccept), "text/html")
	if err := x.resolve(x.Params("id")); err != nil {
		return err
	}
	if allowed := x.cors(); x.Method() == http.MethodOptions {
		return x.preflight(allowed, http.MethodGet)
	}
	from := x.only("flowExecutionId")
	if !isUUID(from) {
		return flow.Gone()
	}
	v, err := s.Engine.Return(ctx, x.ref, from, x.caller())
	if err != nil {
		return err
	}
	if v.PiFlow {
		x.sendFlow(v)
		return nil
	}
	x.keepState(&v)
	to := x.tenant.Environment().SignOnPage(v.Ref.ID)
	if v.Status == flow.Completed {
		to = finish(x.tenant.Environment(), &v)
	}
	x.Set(fiber.HeaderLocation, to)
	x.Status(http.StatusFound)
	return nil
}

// leadsTo is the address of a link: where an execution begins that comes back to
// this one.
func leadsTo(e configs.Environment, v *flow.View, l *flow.Link) string {
	return e.ExperienceURL(l.Definition) + "?redirectUri=" + url.QueryEscape(e.CallbackURL(v.Ref.ID))
}

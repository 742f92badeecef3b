package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/wire"
)

// resetAction is the engine's own action, offered wherever an execution waits.
const resetAction = forms.Reset

// signOn serves the hosted page of an execution: GET draws the step it waits in,
// POST submits what was typed and leads back to GET, or on to the application.
func (s *Server) signOn(ctx context.Context, x *exchange) error {
	if err := x.resolve(x.only("flowId")); err != nil {
		return err
	}
	if x.Method() == http.MethodPost {
		return s.submit(ctx, x)
	}
	v, err := s.Engine.View(ctx, x.ref, x.caller())
	if err != nil {
		return err
	}
	return x.sendStep(http.StatusOK, forms.SignOn{View: v})
}

// only is a query parameter that was sent once.
func (x *exchange) only(name string) string {
	values := x.Context().QueryArgs().PeekMulti(name)
	if len(values) != 1 {
		return ""
	}
	return string(values[0])
}

// submit turns a posted form into an action. A form of another site, or without
// the token that our page carries, is refused before the execution is touched.
func (s *Server) submit(ctx context.Context, x *exchange) error {
	if !wire.IsForm(x.types) {
		return s.refuse(ctx, x, flow.RequestMalformed, &flow.Fault{Code: flow.UnsupportedMedia, Message: "The page takes its own form only."})
	}
	form, err := forms.Parse(x.Request().Body())
	if err != nil {
		return s.refuse(ctx, x, flow.RequestMalformed, flow.AsFault(err))
	}
	if x.formCrossSite() || form.Token == "" {
		return s.refuse(ctx, x, flow.RequestCrossSite, &flow.Fault{Code: flow.AccessFailed, Message: "The form did not come from our page."})
	}
	values, err := form.Values(s.actions[strings.ToLower(form.Action)].Fields)
	if err != nil {
		return s.again(ctx, x, form.Action, values, flow.AsFault(err))
	}
	v, err := s.Engine.Act(ctx, x.ref, x.caller(), flow.Submit{Action: form.Action, Values: values, Token: form.Token})
	if err != nil {
		return s.again(ctx, x, form.Action, values, asFault(err))
	}
	x.keepState(&v)
	x.onward(&v)
	return nil
}

// onward leads the browser to where the execution is now.
func (x *exchange) onward(v *flow.View) {
	e := x.tenant.Environment()
	if v.Status == flow.Completed {
		x.see(e.ResumeURL(v.Ref.ID))
		return
	}
	x.see(e.SignOnPage(v.Ref.ID))
}

func (x *exchange) see(location string) {
	x.Set(fiber.HeaderLocation, location)
	x.Status(http.StatusSeeOther)
}

// again draws the step once more, with what is wrong, when there is a step to
// draw; else the fault has a page of its own.
func (s *Server) again(ctx context.Context, x *exchange, action string, typed flow.Values, f *flow.Fault) error {
	if f.View == nil && (f.Code == flow.InvalidData || f.Code == flow.InvalidRequest || f.Code == flow.Conflict) {
		v, err := s.Engine.View(ctx, x.ref, x.caller())
		if err != nil {
			return err
		}
		f.View = &v
	}
	if f.View == nil {
		return f
	}
	x.keepState(f.View)
	if f.View.Status == flow.Completed {
		x.onward(f.View)
		return nil
	}
	if _, offered := f.View.Find(action); !offered {
		typed = nil
	}
	status, _, header := wire.Problem(f, "", wire.Place{})
	if after := header[fiber.HeaderRetryAfter]; after != "" {
		x.Set(fiber.HeaderRetryAfter, after)
	}
	s.log(x, f, x.correlation) //nolint:contextcheck // see log
	return x.sendStep(status, forms.SignOn{View: *f.View, Submitted: action, Typed: typed, Fault: f})
}

// sendStep draws an execution: its form, or what became of it.
func (x *exchange) sendStep(status int, p forms.SignOn) error {
	v := &p.View
	x.keepState(v)
	if v.Status == flow.Completed {
		x.onward(v)
		return nil
	}
	e := x.tenant.Environment()
	p.Address, p.Owner = e.SignOnPage(v.Ref.ID), e.Name
	if app, ok := x.tenant.Application(v.Application); ok {
		p.Application = app.Name
	}
	var b bytes.Buffer
	draw := func() error { return x.s.pages.SignOn(&b, p) }
	if v.Status == flow.Failed {
		draw = func() error { return x.s.pages.Failed(&b, *v, p.Application, e.Name, e.ResumeURL(v.Ref.ID)) }
	}
	if err := draw(); err != nil {
		return err
	}
	x.Set(fiber.HeaderContentSecurityPolicy, pagePolicy(v.ReturnTo))
	x.Set(fiber.HeaderReferrerPolicy, "same-origin") // no-referrer would make a form's Origin null
	x.Status(status)
	x.html(b.Bytes())
	return nil
}

func (x *exchange) html(b []byte) {
	x.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	x.Response().SetBodyRaw(b)
}

// sendFaultPage answers with the page for a fault that leaves nothing to fill in.
func (x *exchange) sendFaultPage(f *flow.Fault, id string) {
	owner, again := "", ""
	if x.tenant != nil {
		owner = x.tenant.Environment().Name
	}
	if x.ref.ID != "" {
		again = x.tenant.Environment().SignOnPage(x.ref.ID)
	}
	status, _, header := wire.Problem(f, id, wire.Place{})
	var b bytes.Buffer
	if err := x.s.pages.Fault(&b, f, id, owner, again); err != nil {
		x.sendProblem(f, id)
		return
	}
	if after := header[fiber.HeaderRetryAfter]; after != "" {
		x.Set(fiber.HeaderRetryAfter, after)
	}
	x.Set(fiber.HeaderContentSecurityPolicy, pagePolicy(""))
	x.Status(status)
	x.html(b.Bytes())
}

// pagePolicy is the content security policy of a page of ours. Its forms may
// post here and be redirected to the application, which Chromium checks too.
func pagePolicy(returnTo string) string {
	target := "'self'"
	if o := source(returnTo); o != "" {
		target += " " + o
	}
	return "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action " + target + "; base-uri 'none'; frame-ancestors 'none'"
}

// source is a redirect address as a CSP source: its origin, or its scheme when
// it has no host that a policy can name.
func source(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || strings.ContainsAny(u.Host, " ;,'\"") {
		return ""
	}
	if (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.HasPrefix(u.Host, "[") {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":"
}

package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/wire"
)

// restart is where a person begins again, relative to any address that is two
// segments below its environment. It is relative so that the answer to an
// unknown environment is the answer to an unknown execution.
const restart = "../as/authorize"

// flows serves one execution: GET reads it, POST submits the action that the
// content type names, OPTIONS tells a browser what another origin may send.
func (s *Server) flows(ctx context.Context, x *exchange) error {
	x.Set(fiber.HeaderVary, fiber.HeaderOrigin)
	if err := x.resolve(x.Params("id")); err != nil {
		return err
	}
	allowed := x.cors()
	switch x.Method() {
	case http.MethodOptions:
		return x.preflight(allowed, corsMethods)
	case http.MethodGet:
		v, err := s.Engine.View(ctx, x.ref, x.caller())
		if err != nil {
			return err
		}
		x.sendFlow(v)
		return nil
	}
	v, err := s.act(ctx, x, allowed)
	if err != nil {
		return err
	}
	x.sendFlow(v)
	return nil
}

// act submits the action of a POST.
func (s *Server) act(ctx context.Context, x *exchange, allowed bool) (flow.View, error) {
	action, err := wire.ActionOf(x.types)
	if err != nil {
		return flow.View{}, s.shown(ctx, x, err)
	}
	if !allowed && x.crossSite() {
		return flow.View{}, s.refuse(ctx, x, flow.RequestCrossSite, &flow.Fault{
			Code: flow.AccessFailed, Message: "The request comes from a page of another origin that no application of this environment allows.",
		})
	}
	values, err := wire.DecodeValues(x.Request().Body())
	if err != nil {
		return flow.View{}, s.shown(ctx, x, err)
	}
	return s.Engine.Act(ctx, x.ref, x.caller(), flow.Submit{
		Action: s.spelling(action), Values: values, Token: wire.TokenOf(x.Get(fiber.HeaderIfMatch)), Key: x.Get(headerIdempotency),
	})
}

// spelling is the action's name as its kind declares it: media types compare
// without case, names do not.
func (s *Server) spelling(action string) string {
	if a, ok := s.actions[strings.ToLower(action)]; ok {
		return a.Name
	}
	if strings.EqualFold(action, resetAction) {
		return resetAction
	}
	return action
}

// shown adds to a fault about the request's form what the execution offers now,
// and records the event. Who does not own the execution learns nothing.
func (s *Server) shown(ctx context.Context, x *exchange, err error) error {
	f := flow.AsFault(err)
	v, err := s.Engine.View(ctx, x.ref, x.caller())
	if err != nil {
		return err
	}
	f.View = &v
	if f.Code == flow.UnsupportedMedia {
		f.Message += " It must be one of those in the Accept field, with no parameter but charset=utf-8."
	}
	return s.refuse(ctx, x, flow.RequestMalformed, f)
}

// refuse records that a request was turned away at the door.
func (s *Server) refuse(ctx context.Context, x *exchange, event flow.EventType, f *flow.Fault) error {
	s.Events.Record(ctx, flow.Event{
		Type: event, Env: x.ref.Env, Flow: x.ref.ID, RemoteIP: x.client.RemoteIP.String(), Reason: string(f.Code), At: s.Now(),
	})
	return f
}

// place is where the execution is met.
func place(b *configs.Bundle, v *flow.View) wire.Place {
	e := b.Environment()
	p := wire.Place{Self: e.FlowURL(v.Ref.ID), Resume: e.ResumeURL(v.Ref.ID), Restart: restart, PasswordPolicy: b.PasswordPolicyJSON(v.Population), Authenticate: leavesBy(e, v)}
	if v.Definition != "" {
		p.Self, p.Resume, p.Restart = e.FlowExecutionURL(v.Ref.ID), v.Redirect, ""
	}
	for i := range v.Links {
		p.Links = append(p.Links, wire.Link{Name: v.Links[i].Name, Address: leadsTo(e, v, &v.Links[i])})
	}
	if v.PiFlow || v.Definition != "" {
		p.SignOn = e.SignOnPage(v.Ref.ID)
	}
	if app, ok := b.Application(v.Application); ok {
		p.Application = app.Name
	}
	return p
}

func (x *exchange) sendFlow(v flow.View) {
	x.keepState(&v)
	x.Set(fiber.HeaderContentType, wire.HAL)
	res := x.Response()
	res.SwapBody(wire.Append(res.SwapBody(nil)[:0], v, place(x.tenant, &v))) // into the buffer that the connection has
}

// keepState hands the client the secrets it must hold from now on, and the step
// token of what it is shown.
func (x *exchange) keepState(v *flow.View) {
	e := x.tenant.Environment()
	if v.Cookie != "" {
		x.Response().Header.Add(fiber.HeaderSetCookie, wire.SessionCookie(v.Cookie, e.CookiePath(), e.Secure()))
	}
	if v.Trust != nil {
		x.Response().Header.Add(fiber.HeaderSetCookie, wire.BrowserCookie(v.Trust.Value, v.Trust.Life, e.CookiePath(), e.Secure()))
	}
	if v.FlowToken != "" {
		x.Set(headerFlowToken, v.FlowToken)
	}
	if tag := wire.ETag(*v); tag != "" {
		x.Set(fiber.HeaderETag, tag)
	}
}

// sendProblem answers with the error body.
func (x *exchange) sendProblem(f *flow.Fault, id string) {
	p := wire.Place{Restart: restart}
	switch {
	case f.View != nil && x.tenant != nil:
		x.keepState(f.View)
		p = place(x.tenant, f.View)
	case x.ref.ID != "":
		p.Self = x.tenant.Environment().FlowURL(x.ref.ID)
	}
	status, body, header := wire.Problem(f, id, p)
	for k, v := range header {
		x.Set(k, v)
	}
	x.Status(status)
	x.Response().SetBodyRaw(body)
}

package httpapi

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorward/configs"
	"doorward/runtime/federation"
	"doorward/runtime/flow"
	"doorward/wire"
)

// elsewhereRequired is the status in which somebody signs on elsewhere. Source:
// reference/flows.md 3.1.
const elsewhereRequired = "EXTERNAL_AUTHENTICATION_REQUIRED"

// How long the parameters of an answer may be, in bytes. They are of the provider's own
// making, but for the state.
const (
	longestCode  = 2048
	longestError = 255
)

// authenticate sends the browser to the provider that the execution waits for. It changes
// nothing, so that it may be loaded again. Source: reference/flows.md 9.1.
func (s *Server) authenticate(ctx context.Context, x *exchange) error {
	if err := x.resolve(x.only("flowId")); err != nil {
		return err
	}
	v, err := s.Engine.View(ctx, x.ref, x.caller())
	if err != nil {
		return err
	}
	p, there := x.awaited(&v)
	if !there || p.ID != x.only("providerId") {
		return nothingHere()
	}
	x.keepState(&v)
	leg := federation.NewLeg(v.Ref.ID, p.ID, v.External.Challenge)
	x.Set(fiber.HeaderLocation, p.Address(leg, x.tenant.Environment().ProviderCallbackURL(), *v.External))
	x.Status(http.StatusFound)
	return nil
}

// awaited is the provider whose answer an execution waits for.
func (x *exchange) awaited(v *flow.View) (federation.Provider, bool) {
	if v.External == nil || v.Status != elsewhereRequired {
		return federation.Provider{}, false
	}
	p, there := x.tenant.IdentityProvider(v.External.Provider)
	return p, there && p.Enabled
}

// answered takes what a provider sent the browser back with, and leads on. Nothing is
// asked of anybody unless the state is the one that was made for this execution, as it is
// now, in this browser. Cases LINK-FORGED-CALLBACK, LINK-MIXUP.
func (s *Server) answered(ctx context.Context, x *exchange) error {
	if err := x.environment(); err != nil {
		return err
	}
	a, fault := readAnswer(x.Context().QueryArgs())
	if fault != nil {
		return s.refuse(ctx, x, flow.RequestMalformed, fault)
	}
	id, _ := federation.FlowOf(a.state)
	if err := x.resolve(id); err != nil {
		return err
	}
	v, err := s.Engine.View(ctx, x.ref, x.caller())
	if err != nil {
		return err
	}
	p, there := x.awaited(&v)
	if !there { // it has had its answer: a second arrival, or a page that was left
		x.keepState(&v)
		x.onward(&v, "")
		return nil
	}
	leg := federation.NewLeg(v.Ref.ID, p.ID, v.External.Challenge)
	if subtle.ConstantTimeCompare([]byte(leg.State), []byte(a.state)) != 1 {
		return s.refuse(ctx, x, flow.RequestMalformed, malformedAnswer())
	}
	v, err = s.Engine.Callback(ctx, x.ref, x.caller(), a.values(&v))
	if err != nil {
		return s.again(ctx, x, flow.CallbackAction, nil, asFault(err))
	}
	x.keepState(&v)
	x.onward(&v, flow.CallbackAction)
	return nil
}

// posted takes an answer that the provider had the browser post. It comes from another
// site, so that the browser may have kept its cookies to itself: it is led to the same
// address with the same answer, and brings them there.
// Source: OAuth 2.0 Form Post Response Mode.
func (s *Server) posted(ctx context.Context, x *exchange) error {
	if err := x.environment(); err != nil {
		return err
	}
	if !wire.IsForm(x.types) {
		return s.refuse(ctx, x, flow.RequestMalformed, &flow.Fault{Code: flow.UnsupportedMedia, Message: "An answer comes in the address or as a form."})
	}
	var form fasthttp.Args
	form.ParseBytes(x.Request().Body())
	a, fault := readAnswer(&form)
	if fault != nil {
		return s.refuse(ctx, x, flow.RequestMalformed, fault)
	}
	x.see(x.tenant.Environment().ProviderCallbackURL() + "?" + a.query())
	return nil
}

// externalAnswer is what came back from a provider. Source: RFC 6749 4.1.2; RFC 9207 2.
type externalAnswer struct{ state, code, issuer, failure string }

// readAnswer reads the parameters of an answer, each of which comes once.
func readAnswer(args *fasthttp.Args) (a externalAnswer, fault *flow.Fault) {
	for _, p := range []struct {
		name    string
		into    *string
		longest int
	}{{"state", &a.state, longestCode}, {"code", &a.code, longestCode}, {"iss", &a.issuer, longestCode}, {"error", &a.failure, longestError}} {
		switch values := args.PeekMulti(p.name); {
		case len(values) > 1, len(values) == 1 && len(values[0]) > p.longest:
			return a, malformedAnswer()
		case len(values) == 1:
			*p.into = string(values[0])
		}
	}
	if _, ok := federation.FlowOf(a.state); !ok || (a.code == "") == (a.failure == "") {
		return a, malformedAnswer()
	}
	return a, nil
}

func malformedAnswer() *flow.Fault {
	return &flow.Fault{Code: flow.InvalidRequest, Message: "This is not the answer that the sign-on waits for. Go back to it and try again."}
}

// values are those of flow.CallbackAction. The sign-on there has to be as fresh as the
// request asked for.
func (a *externalAnswer) values(v *flow.View) flow.Values {
	out := flow.Values{}
	for name, value := range map[string]string{"code": a.code, "iss": a.issuer, "error": a.failure} {
		if value != "" {
			out[name] = value
		}
	}
	switch at := v.CreatedAt.Unix(); {
	case v.External.Fresh:
		out["since"] = strconv.FormatInt(at, 10)
	case v.External.MaxAge >= 0:
		out["since"] = strconv.FormatInt(max(0, at-v.External.MaxAge), 10)
	}
	return out
}

// query is the answer as it comes in an address.
func (a *externalAnswer) query() string {
	q := url.Values{"state": {a.state}}
	for name, value := range map[string]string{"code": a.code, "iss": a.issuer, "error": a.failure} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q.Encode()
}

// leavesBy is where an execution sends its person to sign on elsewhere; empty: it does not.
func leavesBy(e configs.Environment, v *flow.View) string {
	if v.External == nil || v.Status != elsewhereRequired {
		return ""
	}
	return e.AuthenticateURL(v.External.Provider, v.Ref.ID)
}

// leaving marks the address of a page that is left at once.
const leaving = "leave"

// leave has the browser go on from a page to where its person signs on elsewhere. A
// redirect would be of the form that was posted, and Chromium would hold it to the policy
// of the form's page, which names no provider; from a page of ours, it is nobody's form.
func (x *exchange) leave(v *flow.View) {
	if to := leavesBy(x.tenant.Environment(), v); to != "" && x.only(leaving) == "1" {
		x.Set("Refresh", "0; url="+to)
	}
}

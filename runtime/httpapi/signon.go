package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorward/configs"
	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/wire"
)

// resetAction is the engine's own action, offered wherever an execution waits.
const resetAction = forms.Reset

// signOn serves the hosted page of an execution: GET draws the step it waits in,
// POST submits what was typed and leads back to GET, or on to the application.
// What the address says beside the execution only chooses what is drawn.
func (s *Server) signOn(ctx context.Context, x *exchange) error {
	err := x.resolve(x.only("flowId"))
	if x.Method() == http.MethodPost {
		if err != nil {
			return err
		}
		return s.submit(ctx, x)
	}
	var v flow.View
	if err == nil {
		v, err = s.Engine.View(ctx, x.ref, x.caller())
	}
	code := x.code()
	switch {
	case err == nil:
		x.leave(&v)
		return x.sendStep(ctx, http.StatusOK, forms.SignOn{View: v, Show: x.only("show"), Done: x.only("done"), Code: code})
	case code != "" && x.tenant != nil && asFault(err).Code == flow.NotFound:
		x.sendCode(code)
		return nil
	}
	return err
}

// code is the one-time code in the address: a message leads here with it.
func (x *exchange) code() string {
	if code := x.only("code"); forms.IsCode(code) {
		return code
	}
	return ""
}

// sendCode answers whoever follows a link of a message in another browser than
// they began in: with the code, and whether or not it and the execution are
// anybody's. Nothing is looked up, so that nothing is used up. Case REC-PREFETCH.
func (x *exchange) sendCode(code string) {
	set := x.setting("", "")
	x.sendPage(pagePolicy("", set.Theme), x.s.pages.Code(set, code), set.Language)
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
	typed := flow.Values{}
	sent := flow.Submit{Action: form.Action, Token: form.Token}
	if a := s.actions[strings.ToLower(form.Action)]; a.Open {
		sent.Form = &flow.Form{Body: x.Request().Body(), Read: func(fields []flow.Field) (v flow.Values, err error) {
			typed, err = form.Values(fields)
			return typed, err
		}}
	} else {
		if typed, err = form.Values(a.Fields); err != nil {
			return s.again(ctx, x, form.Action, typed, flow.AsFault(err))
		}
		untick(a.Fields, typed)
		sent.Values = typed
	}
	v, err := s.Engine.Act(ctx, x.ref, x.caller(), sent)
	if err != nil {
		return s.again(ctx, x, form.Action, typed, asFault(err))
	}
	if forms.ShownOnce(&v) { // the page behind a redirect would not have it any more
		return x.sendStep(ctx, http.StatusOK, forms.SignOn{View: v})
	}
	x.keepState(&v)
	if page := x.offer(ctx, &v); page != "" {
		x.see(page)
		return nil
	}
	x.onward(&v, form.Action)
	return nil
}

// untick leaves out what nobody has to say and nobody has ticked: not every kind that
// declares the action may have that box.
func untick(fields []flow.Field, v flow.Values) {
	for i := range fields {
		if f := &fields[i]; f.Type == flow.TypeBoolean && !f.Required && v[f.Name] == false {
			delete(v, f.Name)
		}
	}
}

// onward leads the browser to where the execution is now. The page is told what
// was done when the same can be done there again, and that it is not to be lingered on
// when the person signs on elsewhere.
func (x *exchange) onward(v *flow.View, done string) {
	e := x.tenant.Environment()
	if v.Status == flow.Completed {
		x.see(finish(e, v))
		return
	}
	to := e.SignOnPage(v.Ref.ID)
	if leavesBy(e, v) != "" && done != "" && done != resetAction {
		to += "&" + leaving + "=1"
	}
	if o, offered := v.Find(done); offered && len(o.Fields) == 0 && done != resetAction {
		to += "&done=" + url.QueryEscape(done)
	}
	x.see(to)
}

// finish is where the browser goes from an execution that is at its end. One without
// an application was begun by a page of ours, and goes back there.
func finish(e configs.Environment, v *flow.View) string {
	switch {
	case v.Definition != "":
		return v.Redirect
	case v.Application == "" && v.ReturnTo != "":
		return v.ReturnTo + "?flowId=" + v.Ref.ID
	}
	return e.ResumeURL(v.Ref.ID)
}

func (x *exchange) see(location string) {
	x.Set(fiber.HeaderLocation, location)
	x.Status(http.StatusSeeOther)
}

// again draws the step once more, with what is wrong, when there is a step to
// draw; else the fault has a page of its own.
func (s *Server) again(ctx context.Context, x *exchange, action string, typed flow.Values, f *flow.Fault) error {
	if f.View == nil && (f.Code == flow.InvalidData || f.Code == flow.InvalidRequest || f.Code == flow.RequestFailed || f.Code == flow.Conflict) {
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
		x.onward(f.View, "")
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
	return x.sendStep(ctx, status, forms.SignOn{View: *f.View, Submitted: action, Typed: typed, Fault: f})
}

// sendStep draws an execution: its form, or what became of it.
func (x *exchange) sendStep(ctx context.Context, status int, p forms.SignOn) error {
	v := &p.View
	x.keepState(v)
	if v.Status == flow.Completed {
		x.onward(v, "")
		return nil
	}
	e := x.tenant.Environment()
	p.Address, p.Elsewhere = e.SignOnPage(v.Ref.ID), leavesBy(e, v)
	application, returnTo := x.beyond(ctx, v)
	if app, ok := x.tenant.Application(application); ok {
		p.Application = app.Name
	}
	for i := range v.Links {
		p.Ways = append(p.Ways, forms.Way{Address: leadsTo(e, v, &v.Links[i]), Prompt: v.Links[i].Prompt})
	}
	set := x.setting(v.Locales, v.Population)
	var body []byte
	if v.Status == flow.Failed {
		body = x.s.pages.Failed(set, v, p.Application, finish(e, v))
	} else {
		rules := x.tenant.PasswordPolicy(v.Population)
		p.Policy = &rules
		body = x.s.pages.SignOn(set, p)
	}
	if !x.Context().QueryArgs().Has("code") { // else no-referrer, which makes a form's Origin null
		x.Set(fiber.HeaderReferrerPolicy, "same-origin")
	}
	x.Status(status)
	policy := pagePolicy(returnTo, set.Theme)
	if forms.ThirdParty(v) {
		policy = letIn(policy)
	}
	if forms.Waits(v) {
		policy += "; connect-src 'self'"
	}
	x.sendPage(policy, body, set.Language)
	return nil
}

// setting is what a page of the exchange's environment is drawn in: in the
// language that the application asked for, that the browser asks for, or that
// people of the population are said to speak.
func (x *exchange) setting(locales, population string) forms.Setting {
	return x.s.setting(x.tenant, population, locales, x.client.Locales)
}

// setting is that of b, which may be nil, for who wants languages.
func (s *Server) setting(b *configs.Bundle, population string, languages ...string) forms.Setting {
	if b == nil {
		return forms.Setting{Language: s.pages.Language(nil, languages...)}
	}
	e := b.Environment()
	if p, ok := b.Population(population); ok {
		languages = append(languages, p.PreferredLanguage)
	}
	return forms.Setting{
		Language: s.pages.Language(e.Languages, languages...), Owner: e.Name,
		Theme: forms.Theme{Style: e.Theme.Path, Logo: e.Theme.Logo, DarkLogo: e.Theme.DarkLogo},
	}
}

// sendPage sends a page for people, in the language it is written in.
func (x *exchange) sendPage(policy string, body []byte, language string) {
	h := &x.Response().Header
	h.Set(fiber.HeaderContentType, htmlType)
	h.Set(fiber.HeaderContentSecurityPolicy, policy)
	h.Set(fiber.HeaderContentLanguage, language)
	h.Set(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	x.Response().SetBodyRaw(body)
}

const htmlType = "text/html; charset=utf-8"

// sendFaultPage answers with the page for a fault that leaves nothing to fill in.
func (x *exchange) sendFaultPage(f *flow.Fault, id string) {
	again := ""
	if x.ref.ID != "" {
		again = x.tenant.Environment().SignOnPage(x.ref.ID)
	}
	status, _, header := wire.Problem(f, id, wire.Place{})
	if after := header[fiber.HeaderRetryAfter]; after != "" {
		x.Set(fiber.HeaderRetryAfter, after)
	}
	set := x.setting("", "")
	x.Status(status)
	x.sendPage(pagePolicy("", set.Theme), x.s.pages.Fault(set, f, id, again), set.Language)
}

// pagePolicy is the content security policy of a page of ours. Its forms may
// post here and be redirected to the application, which Chromium checks too.
// Images come from here and from where the environment keeps its logo.
func pagePolicy(returnTo string, theme forms.Theme) string {
	images, target := "'self'", "'self'"
	for _, logo := range []string{theme.Logo, theme.DarkLogo} {
		if o := source(logo); o != "" && !strings.Contains(images, " "+o) {
			images += " " + o
		}
	}
	if o := source(returnTo); o != "" {
		target += " " + o
	}
	return "default-src 'none'; style-src 'self'; img-src " + images + "; script-src 'self'; form-action " + target + "; base-uri 'none'; frame-ancestors 'none'"
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

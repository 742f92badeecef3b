package httpapi

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorward/runtime/flow"
)

// theme serves the stylesheet of an environment's own look. A name that is of
// another state of it, as while nodes take over a change one after the other, is
// answered with what holds here, for nobody to keep.
func (s *Server) theme(_ context.Context, x *exchange) error {
	if err := x.environment(); err != nil {
		return err
	}
	t := x.tenant.Environment().Theme
	if t.Path == "" {
		return nothingHere()
	}
	if x.Path() == t.Path {
		x.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	x.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	x.Response().SetBodyRaw(t.Style)
	return nil
}

// gallery shows every component of the pages, or every field of forms that are
// data, in the look of an environment that is the demo, to whoever chooses a look.
// It belongs to no execution.
func (s *Server) gallery(_ context.Context, x *exchange) error {
	if err := x.environment(); err != nil {
		return err
	}
	e := x.tenant.Environment()
	if !e.Demo {
		return nothingHere()
	}
	set := x.setting("", "")
	body := s.pages.Gallery(set, e.SignOnPage(""))
	if strings.HasSuffix(x.Path(), "/form") {
		var err error
		if body, err = s.pages.FormGallery(set, e.SignOnPage("")); err != nil {
			return err
		}
	}
	x.sendPage(pagePolicy("", set.Theme), body, set.Language)
	return nil
}

// google is where reCAPTCHA's scripts and frames come from: of Google's hosts that
// part alone. Source: developers.google.com/recaptcha/docs/faq, Content Security
// Policy.
const google = " https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/"

// letIn makes the policy that of a page on which Google tells people from
// programs.
func letIn(policy string) string {
	const ours = "script-src 'self'"
	return strings.Replace(policy, ours, ours+google+"; frame-src"+google, 1)
}

func nothingHere() *flow.Fault {
	return &flow.Fault{Code: flow.NotFound, Message: "There is nothing at this address."}
}

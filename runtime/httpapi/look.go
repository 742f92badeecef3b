package httpapi

import (
	"context"

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

// gallery shows every component of the pages in the look of an environment that
// is the demo, to whoever chooses a look. It belongs to no execution.
func (s *Server) gallery(_ context.Context, x *exchange) error {
	if err := x.environment(); err != nil {
		return err
	}
	e := x.tenant.Environment()
	if !e.Demo {
		return nothingHere()
	}
	set := x.setting("", "")
	x.sendPage(pagePolicy("", set.Theme), s.pages.Gallery(set, e.SignOnPage("")), set.Language)
	return nil
}

func nothingHere() *flow.Fault {
	return &flow.Fault{Code: flow.NotFound, Message: "There is nothing at this address."}
}

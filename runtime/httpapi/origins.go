package httpapi

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// What a page of an allowed origin may send and read. Case BIND-CORS.
const (
	corsMethods = "GET, POST"
	corsHeaders = "Content-Type, If-Match, Idempotency-Key, Flow-Token, Authorization, Correlation-Id"
	corsExposed = "ETag, Flow-Token, Retry-After, Correlation-Id"
	corsMaxAge  = "600" // seconds a browser may remember a preflight
)

// cors lets a page of an allowed origin read the answer, with credentials, and
// reports whether the request comes from one. An origin is allowed by being one,
// byte for byte.
func (x *exchange) cors() bool {
	origins := x.Request().Header.PeekAll(fiber.HeaderOrigin)
	if len(origins) != 1 {
		return false
	}
	origin := string(origins[0])
	if origin == "" || origin == "null" || !x.tenant.OriginAllowed(origin) {
		return false
	}
	x.Set(fiber.HeaderAccessControlAllowOrigin, origin)
	x.Set(fiber.HeaderAccessControlAllowCredentials, "true")
	x.Set(fiber.HeaderAccessControlExposeHeaders, corsExposed)
	return true
}

// preflight tells a browser what a page of another origin may send: one of methods, with
// the fields above.
func (x *exchange) preflight(allowed bool, methods string) error {
	if allowed {
		x.Set(fiber.HeaderAccessControlAllowMethods, methods)
		x.Set(fiber.HeaderAccessControlAllowHeaders, corsHeaders)
		x.Set(fiber.HeaderAccessControlMaxAge, corsMaxAge)
	}
	x.Set(fiber.HeaderVary, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	x.Set(fiber.HeaderAllow, methods+", OPTIONS")
	x.Status(http.StatusNoContent)
	return nil
}

// crossSite reports whether a page of another origin sent the request. A browser
// says so in one of two fields; a client that sends neither is no browser.
// Case BIND-LOGIN-CSRF.
func (x *exchange) crossSite() bool {
	switch origins := x.Request().Header.PeekAll(fiber.HeaderOrigin); len(origins) {
	case 0:
		site := x.Get("Sec-Fetch-Site")
		return site != "" && site != "same-origin" && site != "none"
	case 1:
		return string(origins[0]) != x.tenant.Environment().AuthBase
	}
	return true
}

// formCrossSite is crossSite for our own pages: what the browser says of the
// site comes first, since a page may be told to send an opaque origin.
// Source: design of the house, section 4.
func (x *exchange) formCrossSite() bool {
	if site := x.Get("Sec-Fetch-Site"); site != "" {
		return site != "same-origin" && site != "none"
	}
	return x.crossSite()
}

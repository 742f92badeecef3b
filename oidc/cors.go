package oidc

import (
	"net/http"
	"slices"
	"strings"

	"doorward/configs"
)

// origins says whether a page of origin may read an answer, and whether with the
// browser's credentials.
type origins func(r *http.Request, b *configs.Bundle, origin string) (allowed, credentials bool)

// anyOrigin is for documents that are public anyway.
func anyOrigin(*http.Request, *configs.Bundle, string) (bool, bool) { return true, false }

// environmentOrigin takes the exact origins that any application of the
// environment has listed.
func (p *Provider) environmentOrigin(_ *http.Request, b *configs.Bundle, origin string) (bool, bool) {
	ok := b.OriginAllowed(origin)
	return ok, ok
}

// preflightOrigin is environmentOrigin for the question alone: the answer of
// authorize may hold a code without a question, so only the application's own
// pages may read it, and the application is not known yet.
func (p *Provider) preflightOrigin(r *http.Request, b *configs.Bundle, origin string) (bool, bool) {
	if r.Method != http.MethodOptions {
		return false, false
	}
	return p.environmentOrigin(r, b, origin)
}

// applicationOrigin lets the exact origins of the application read the answer.
func applicationOrigin(w http.ResponseWriter, r *http.Request, app *configs.Application) {
	if sent := r.Header.Values("Origin"); len(sent) == 1 && slices.Contains(app.CORSSettings.Origins, sent[0]) {
		mayRead(w.Header(), sent[0])
	}
}

func mayRead(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", "ETag, Flow-Token, Retry-After, WWW-Authenticate")
}

// cors sets the headers that let a page read the answer, and answers a
// preflight; it reports whether it did. Source: Fetch standard 3.3.
func cors(w http.ResponseWriter, r *http.Request, b *configs.Bundle, allowed origins, methods []string) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	sent := r.Header.Values("Origin")
	if len(sent) == 1 && sent[0] != "null" {
		ok, credentials := allowed(r, b, sent[0])
		switch {
		case ok && credentials:
			mayRead(h, sent[0])
		case ok:
			h.Set("Access-Control-Allow-Origin", "*")
		}
	}
	if r.Method != http.MethodOptions {
		return false
	}
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Flow-Token")
		h.Set("Access-Control-Max-Age", "600")
	}
	allow(w, methods)
	w.WriteHeader(http.StatusNoContent)
	return true
}

func allow(w http.ResponseWriter, methods []string) {
	w.Header().Set("Allow", strings.Join(append(slices.Clone(methods), http.MethodOptions), ", "))
}

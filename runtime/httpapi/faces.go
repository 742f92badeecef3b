package httpapi

import (
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/wire"
)

// Flow writes an execution to a client of another face, with status 200 and the
// face's own members, as the flow API would.
func (s *Server) Flow(w http.ResponseWriter, b *configs.Bundle, v flow.View, members ...flow.Member) {
	h := w.Header()
	h.Set("Content-Type", wire.HAL)
	if tag := wire.ETag(v); tag != "" {
		h.Set("ETag", tag)
	}
	_, _ = w.Write(wire.Encode(v, place(b, &v), members...)) // the client has gone
}

// Problem writes a fault of another face with its status and logs it: a page for
// a browser that asks for one, the error body for anybody else. b is nil when
// the environment is unknown.
func (s *Server) Problem(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault) {
	s.ProblemIn(w, r, b, f, []string{r.Header.Get("Accept-Language")})
}

// ProblemIn is Problem in the first of languages that the page has.
func (s *Server) ProblemIn(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault, languages []string) {
	id := uuid.NewString()
	p := wire.Place{Restart: restart}
	if b != nil && f.View != nil {
		p = place(b, f.View)
	}
	status, body, header := wire.Problem(f, id, p)
	remote, _, _ := net.SplitHostPort(r.RemoteAddr)
	s.Log.LogAttrs(r.Context(), levelOf(status), "request failed", slog.String("id", id), slog.String("correlation", r.Header.Get(headerCorrelation)),
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status), slog.String("remote", remote), slog.String("error", f.Error()))
	h := w.Header()
	for k, v := range header {
		h.Set(k, v)
	}
	h.Add("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		set := s.setting(b, "", languages...)
		htmlHeader(h, set, "")
		body = s.pages.Fault(set, f, id, again(r, b))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // pages take text only as text; an error is a client that has gone
}

// again is where a request may be tried again: at its own address, or at the page of
// ours whose form sent it. Empty: nowhere.
func again(r *http.Request, b *configs.Bundle) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	if from := r.Referer(); b != nil && strings.HasPrefix(from, b.Environment().AuthBase+"/") {
		return from
	}
	return ""
}

// Page writes a page that draw draws, in the look of the environment and in the first
// of languages that it has.
func (s *Server) Page(w http.ResponseWriter, b *configs.Bundle, status int, languages []string, draw func(*forms.Pages, forms.Setting) []byte) {
	s.PageToward(w, b, status, "", languages, draw)
}

// PageToward is Page, of which the forms may lead on to an application at returnTo.
func (s *Server) PageToward(w http.ResponseWriter, b *configs.Bundle, status int, returnTo string, languages []string, draw func(*forms.Pages, forms.Setting) []byte) {
	set := s.setting(b, "", languages...)
	htmlHeader(w.Header(), set, returnTo)
	w.WriteHeader(status)
	_, _ = w.Write(draw(s.pages, set)) // an error is a client that has gone
}

// htmlHeader is what a page of ours is sent with.
func htmlHeader(h http.Header, set forms.Setting, returnTo string) {
	h.Set("Content-Type", htmlType)
	h.Set("Content-Security-Policy", pagePolicy(returnTo, set.Theme))
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Language", set.Language)
	h.Add("Vary", "Accept-Language")
}

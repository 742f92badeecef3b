package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/wire"
)

// Flow writes an execution to a client of another face, with status 200 and the
// face's own members, as the flow API would.
func (s *Server) Flow(w http.ResponseWriter, b *configs.Bundle, v flow.View, members ...wire.Member) {
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
	id := uuid.NewString()
	p, owner := wire.Place{Restart: restart}, ""
	if b != nil {
		owner = b.Environment().Name
		if f.View != nil {
			p = place(b, f.View)
		}
	}
	status, body, header := wire.Problem(f, id, p)
	s.Log.LogAttrs(r.Context(), levelOf(status), "request failed", slog.String("id", id), slog.String("correlation", r.Header.Get(headerCorrelation)),
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status), slog.String("remote", r.RemoteAddr), slog.String("error", f.Error()))
	h := w.Header()
	for k, v := range header {
		h.Set(k, v)
	}
	h.Add("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		var page bytes.Buffer
		again := ""
		if r.Method == http.MethodGet {
			again = r.URL.RequestURI()
		}
		if err := s.pages.Fault(&page, f, id, owner, again); err == nil {
			htmlHeader(h, "")
			body = page.Bytes()
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}

// SignOff writes the page that asks whether to sign off, or says that it is done.
// Its form posts the hidden fields, pairs of name and value, to action, which may
// redirect to returnTo.
func (s *Server) SignOff(w http.ResponseWriter, b *configs.Bundle, done bool, action string, hidden [][2]string, returnTo string) error {
	var page bytes.Buffer
	draw := func() error { return s.pages.SignOff(&page, b.Environment().Name, action, hidden) }
	if done {
		draw = func() error { return s.pages.SignedOff(&page, b.Environment().Name) }
	}
	if err := draw(); err != nil {
		return err
	}
	htmlHeader(w.Header(), returnTo)
	_, err := w.Write(page.Bytes())
	return err
}

// htmlHeader is what a page of ours is sent with.
func htmlHeader(h http.Header, returnTo string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy(returnTo))
	h.Set("Referrer-Policy", "same-origin")
}

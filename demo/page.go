package demo

import (
	"bytes"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"

	g "maragu.dev/gomponents"
)

//go:embed demo.css
var styleSource []byte

// screen sends pages.
type screen struct {
	log    *slog.Logger
	policy string // Content-Security-Policy
}

// show sends a page. Nothing on it is kept by anybody: its URL may have carried
// a code, and its text is about a person.
func (s *screen) show(w http.ResponseWriter, status int, page g.Node) {
	var b bytes.Buffer
	if err := page.Render(&b); err != nil {
		s.log.Error("demo page", "error", err)
		status = http.StatusInternalServerError
		b.Reset()
	}
	s.answer(w, status, "text/html; charset=utf-8", b.Bytes())
}

func (s *screen) answer(w http.ResponseWriter, status int, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone, or it has not
}

// fail shows why a sign-on did not finish.
func (d *Demo) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{Code: "server_error", Status: http.StatusInternalServerError, reason: err}
	}
	if p.Status == 0 {
		p.Status = http.StatusBadRequest
	}
	d.log.WarnContext(r.Context(), "demo sign-on did not finish", "error", p.Error())
	d.show(w, p.Status, failed(p))
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(styleSource) // as in show
}

// redirect sends the browser on with a GET.
func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

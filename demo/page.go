package demo

import (
	"bytes"
	_ "embed"
	"errors"
	"net/http"

	g "maragu.dev/gomponents"
)

//go:embed demo.css
var styleSource []byte

// show sends a page. Nothing on it is kept by anybody: its URL may have carried
// a code, and its text is about a person.
func (d *Demo) show(w http.ResponseWriter, status int, page g.Node) {
	var b bytes.Buffer
	if err := page.Render(&b); err != nil {
		d.config.Log.Error("demo page", "error", err)
		status = http.StatusInternalServerError
		b.Reset()
	}
	d.answer(w, status, "text/html; charset=utf-8", b.Bytes())
}

func (d *Demo) answer(w http.ResponseWriter, status int, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", d.policy)
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
	d.config.Log.WarnContext(r.Context(), "demo sign-on did not finish", "error", p.Error())
	d.show(w, p.Status, failed(p))
}

func (d *Demo) style(w http.ResponseWriter, _ *http.Request) {
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

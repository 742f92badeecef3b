package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"doorward/configs"
)

// tokenRequest is what our half of the library's server knows of a request.
type tokenRequest struct {
	http   *http.Request
	bundle *configs.Bundle
}

type contextKey struct{}

func requestFrom(ctx context.Context) *tokenRequest {
	q, _ := ctx.Value(contextKey{}).(*tokenRequest)
	return q
}

// noRedirect stands for a redirect_uri that was not sent, which the library
// would refuse: a pi.flow authorization may have none. As a registered redirect
// URI it is impossible, being relative.
const noRedirect = "none"

// token checks the form of a token request before the library sees it.
// Source: RFC 6749 3.2.
func (p *Provider) token(to http.ResponseWriter, r *http.Request, b *configs.Bundle) {
	w := &answering{ResponseWriter: to, challenge: challengeBasic}
	defer p.logRefusal(r, b, w)
	form, e := tokenForm(r)
	if e != nil {
		writeOAuthError(w, http.StatusBadRequest, e)
		return
	}
	if e := checkBasic(r, form); e != nil {
		status := http.StatusBadRequest
		if e.Code == "invalid_client" {
			status = http.StatusUnauthorized
		}
		writeOAuthError(w, status, e)
		return
	}
	if !form.Has("redirect_uri") {
		form.Set("redirect_uri", noRedirect)
	}
	p.hand(w, r, b, form, "/token")
}

const (
	challengeBasic  = `Basic realm="token", charset="UTF-8"`
	challengeBearer = `Bearer error="invalid_token"`
)

// tokenForm reads a form that came by POST, every parameter once.
func tokenForm(r *http.Request) (url.Values, *oauthError) {
	if r.URL.RawQuery != "" {
		return nil, invalidRequest("parameters belong into the body")
	}
	form, f := readParams(r)
	if f != nil {
		return nil, invalidRequest("%s", strings.TrimSuffix(f.Message, "."))
	}
	return form, checkParams(form)
}

// checkBasic refuses a header that is not a readable Basic one, and a client
// that authenticates twice. Source: RFC 6749 2.3.1.
func checkBasic(r *http.Request, form url.Values) *oauthError {
	sent := r.Header.Values("Authorization")
	if len(sent) == 0 {
		return nil
	}
	bad := &oauthError{"invalid_client", "the Authorization header is not readable as Basic"}
	user, secret, ok := r.BasicAuth()
	if len(sent) > 1 || !ok {
		return bad
	}
	id, err := url.QueryUnescape(user)
	if _, err2 := url.QueryUnescape(secret); err != nil || err2 != nil {
		return bad
	}
	if form.Has("client_secret") || (form.Has("client_id") && form.Get("client_id") != id) {
		return invalidRequest("the client authenticates in the header or in the body, not in both")
	}
	return nil
}

// hand gives the library a request whose form has been read and judged.
func (p *Provider) hand(w http.ResponseWriter, r *http.Request, b *configs.Bundle, form url.Values, path string) {
	q := &tokenRequest{http: r, bundle: b}
	inner := r.Clone(context.WithValue(r.Context(), contextKey{}, q))
	inner.URL = &url.URL{Path: path}
	inner.Form, inner.PostForm = form, form
	inner.Body = io.NopCloser(bytes.NewReader(nil))
	p.library.ServeHTTP(w, inner)
}

// answering adds what RFC 9110 15.5.2 and RFC 6750 3 want beside the statuses that
// the library sets, and remembers what a refusal said.
type answering struct {
	http.ResponseWriter
	challenge string
	status    int
	refusal   []byte
}

func (a *answering) WriteHeader(status int) {
	a.status = status
	switch status {
	case http.StatusUnauthorized:
		a.Header().Set("WWW-Authenticate", a.challenge)
	case http.StatusServiceUnavailable:
		a.Header().Set("Retry-After", "1")
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answering) Write(b []byte) (int, error) {
	if a.status >= http.StatusBadRequest && len(a.refusal) < 1024 {
		a.refusal = append(a.refusal, b...)
	}
	return a.ResponseWriter.Write(b)
}

// logRefusal logs by its code what a client was refused. Our own failures are logged
// where they happen.
func (p *Provider) logRefusal(r *http.Request, b *configs.Bundle, a *answering) {
	if a.status < http.StatusBadRequest || a.status >= http.StatusInternalServerError {
		return
	}
	var said struct{ Error string }
	_ = json.Unmarshal(a.refusal, &said) // no code is none
	remote, _, _ := net.SplitHostPort(r.RemoteAddr)
	p.Log.InfoContext(r.Context(), "request failed", "correlation", r.Header.Get("Correlation-Id"), "method", r.Method, "path", r.URL.Path,
		"status", a.status, "env", b.Environment().ID, "remote", remote, "error", said.Error)
}

// writeOAuthError writes the error body of RFC 6749 5.2.
func writeOAuthError(w http.ResponseWriter, status int, e *oauthError) {
	writeJSON(w, status, map[string]string{"error": e.Code, "error_description": e.Description})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has left cannot be told
}

// logFailure logs what failed on our side, once.
func (p *Provider) logFailure(r *http.Request, b *configs.Bundle, err error) {
	p.Log.ErrorContext(r.Context(), "openid request failed", "env", b.Environment().ID, "path", r.URL.Path, "error", err)
}

package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
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
func (p *Provider) token(w http.ResponseWriter, r *http.Request, b *configs.Bundle) {
	form, e := tokenForm(r)
	if e != nil {
		writeOAuthError(w, http.StatusBadRequest, e)
		return
	}
	if e := checkBasic(r, form); e != nil {
		status := http.StatusBadRequest
		if e.Code == "invalid_client" {
			status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", challengeBasic)
		}
		writeOAuthError(w, status, e)
		return
	}
	if !form.Has("redirect_uri") {
		form.Set("redirect_uri", noRedirect)
	}
	p.hand(challenged{w, challengeBasic}, r, b, form, "/token")
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

// challenged adds what RFC 9110 15.5.2 and RFC 6750 3 want beside the statuses
// that the library sets.
type challenged struct {
	http.ResponseWriter
	challenge string
}

func (c challenged) WriteHeader(status int) {
	switch status {
	case http.StatusUnauthorized:
		c.Header().Set("WWW-Authenticate", c.challenge)
	case http.StatusServiceUnavailable:
		c.Header().Set("Retry-After", "1")
	}
	c.ResponseWriter.WriteHeader(status)
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

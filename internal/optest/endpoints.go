package optest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// authorize sends the browser back at once: with a code, or with what Refuse says.
// Source: OpenID Connect Core 3.1.2; RFC 9207 for iss.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := maps.Clone(r.Form)
	back, err := url.Parse(q.Get("redirect_uri"))
	if q.Get("client_id") != p.ClientID || err != nil || !back.IsAbs() {
		http.Error(w, "unknown client or redirect_uri", http.StatusBadRequest)
		return
	}
	answer := url.Values{"iss": {p.Issuer}}
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	p.mu.Lock()
	switch {
	case p.refusal != "":
		answer.Set("error", p.refusal)
	case q.Get("response_type") != "code", !contains(q.Get("scope"), "openid"), q.Has("code_challenge") && q.Get("code_challenge_method") != "S256":
		answer.Set("error", "invalid_request")
	default:
		code := rand.Text()
		answer.Set("code", code)
		p.codes[code] = &grant{request: q, claims: maps.Clone(p.person)}
	}
	p.mu.Unlock()
	if q.Get("response_mode") == "form_post" {
		posted(w, back, answer)
		return
	}
	query := back.Query()
	for name := range answer {
		query.Set(name, answer.Get(name))
	}
	back.RawQuery = query.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// posted is a page that sends itself on. Source: OAuth 2.0 Form Post Response Mode.
func posted(w http.ResponseWriter, to *url.URL, answer url.Values) {
	var fields strings.Builder
	for name := range answer {
		fields.WriteString(`<input type="hidden" name="` + name + `" value="` + html.EscapeString(answer.Get(name)) + `">`)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><title>On</title><body onload="document.forms[0].submit()"><form method="post" action="` +
		html.EscapeString(to.String()) + `">` + fields.String() + `<button>On</button></form>`))
}

// contains reports whether a scope is among those asked for.
func contains(scope, one string) bool {
	for s := range strings.FieldsSeq(scope) {
		if s == one {
			return true
		}
	}
	return false
}

// token exchanges a code. Source: RFC 6749 4.1.3, 5.2; RFC 7636 4.6.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || len(r.URL.RawQuery) > 0 || r.Form.Get("grant_type") != "authorization_code" {
		refused(w, http.StatusBadRequest, "invalid_request")
		return
	}
	if !p.knows(r) {
		refused(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	p.mu.Lock()
	g := p.codes[r.Form.Get("code")]
	good := g != nil && !g.used && g.request.Get("redirect_uri") == r.Form.Get("redirect_uri") && g.verified(r.Form)
	if g != nil {
		g.used = true
	}
	p.mu.Unlock()
	if !good {
		refused(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	access := rand.Text() + rand.Text()
	id, err := p.idToken(g, access)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.mu.Lock()
	p.access[access] = g.claims
	p.mu.Unlock()
	send(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(validFor.Seconds()), "id_token": id,
	})
}

// knows reports whether a request is the client's.
func (p *Provider) knows(r *http.Request) bool {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if name, password, basic := r.BasicAuth(); basic {
		if r.PostForm.Has("client_secret") {
			return false
		}
		var one, other error
		id, one = url.QueryUnescape(name)
		secret, other = url.QueryUnescape(password)
		if one != nil || other != nil {
			return false
		}
	}
	return id == p.ClientID && secret == p.ClientSecret
}

// verified reports whether a verifier is that of the challenge, if there was one.
func (g *grant) verified(form url.Values) bool {
	challenge := g.request.Get("code_challenge")
	if challenge == "" {
		return !form.Has("code_verifier")
	}
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	return challenge == base64.RawURLEncoding.EncodeToString(sum[:])
}

// idToken makes the ID token of a grant.
func (p *Provider) idToken(g *grant, access string) (string, error) {
	p.mu.Lock()
	signs, spoil, now := p.keys[len(p.keys)-1], p.spoil, time.Now()
	p.mu.Unlock()
	hash := sha256.Sum256([]byte(access))
	t := &Token{
		Header: map[string]any{"alg": "RS256", "kid": signs.id, "typ": "JWT"},
		Claims: map[string]any{
			"iss": p.Issuer, "aud": p.ClientID, "iat": now.Unix(), "exp": now.Add(validFor).Unix(),
			"at_hash": base64.RawURLEncoding.EncodeToString(hash[:len(hash)/2]),
		},
		Key: signs.secret, Access: access,
	}
	if nonce := g.request.Get("nonce"); nonce != "" {
		t.Claims["nonce"] = nonce
	}
	if g.request.Has("max_age") || g.request.Get("prompt") == "login" {
		t.Claims["auth_time"] = now.Unix()
	}
	maps.Copy(t.Claims, g.claims)
	if spoil != nil {
		spoil(t)
	}
	return t.signed()
}

// jwks publishes the keys.
func (p *Provider) jwks(w http.ResponseWriter) {
	p.mu.Lock()
	var set jose.JSONWebKeySet
	for _, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.secret.Public(), KeyID: k.id, Algorithm: "RS256", Use: "sig"})
	}
	p.mu.Unlock()
	send(w, http.StatusOK, set)
}

// userInfo tells of whom an access token is. Source: OpenID Connect Core 5.3.
func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	claims := p.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	p.mu.Unlock()
	if claims == nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refused(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	send(w, http.StatusOK, claims)
}

func refused(w http.ResponseWriter, status int, code string) {
	send(w, status, map[string]any{"error": code})
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

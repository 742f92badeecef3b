package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
	"doorward/oidc"
	"doorward/session"
)

const (
	envID    = "d0000000-0000-4000-8000-000000000001"
	otherEnv = "d0000000-0000-4000-8000-000000000002"
	web      = "d0000000-0000-4000-8000-0000000000a1" // confidential, PKCE as it likes
	native   = "d0000000-0000-4000-8000-0000000000a2" // public, query and pi.flow
	strict   = "d0000000-0000-4000-8000-0000000000a3" // confidential, S256_REQUIRED, by POST
	off      = "d0000000-0000-4000-8000-0000000000a4" // switched off
	custom   = "d0000000-0000-4000-8000-0000000000a5" // own sign-on page, ES256
	modern   = "d0000000-0000-4000-8000-0000000000a6" // EdDSA, of which there is no key yet
	worker   = "d0000000-0000-4000-8000-0000000000a9"

	back     = "https://ok.example/cb"
	verifier = "the-verifier-of-the-tests-0123456789-0123456789"
	secret   = "s3cret with : and %"
)

// house is a provider behind a real listener, with a real directory and keys,
// and an engine that does as it is told.
type house struct {
	*httptest.Server
	t      testing.TB
	engine *engine
	bundle *configs.Bundle
	events *events
	db     *directory.DB
	codes  *directory.Codes
	users  *directory.Users
	tries  *session.Memory
	ada    directory.User
	ahead  atomic.Int64 // of the provider's clock, nanoseconds
	client *http.Client

	provider *oidc.Provider
	log      lines
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

func newHouse(t testing.TB) *house {
	t.Helper()
	mux := http.NewServeMux()
	h := &house{Server: httptest.NewServer(mux), t: t, events: &events{}}
	t.Cleanup(h.Close)
	h.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	db, err := directory.Open(t.Context(), directory.Options{Path: ":memory:", Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h.db = db
	h.codes = directory.NewCodes(db, h.now)
	h.users = directory.NewUsers(db, directory.NewHasher(directory.Params{Memory: 8, Time: 1, Threads: 1}, 1, h.now), h.now)
	h.ada, err = h.users.Create(t.Context(), directory.User{Env: envID, Username: "ada", Enabled: true, Given: "Ada", Family: "Lovelace", Email: "ada@example.com", EmailVerified: true, Locale: "en"}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	h.tries = session.NewMemory(session.DefaultMemory, h.now)
	t.Cleanup(func() { _ = h.tries.Close() })
	h.engine = &engine{user: h.ada.Subject(), now: h.now}
	all := h.tenants()
	h.bundle = all[envID]
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	h.provider = oidc.New(oidc.Parts{
		Tenants: all, Engine: h.engine, Codes: h.codes, Grants: h.codes, Users: h.users, SigningKeys: signingKeys(t, db, ring, h.now), Tries: h.tries,
		Forms: ring, Pages: pages{}, Events: h.events, Log: slog.New(slog.NewTextHandler(&h.log, nil)), Now: h.now,
	})
	h.provider.Register(router{mux})
	return h
}

type router struct{ *http.ServeMux }

func (m router) Handle(method, path string, h http.Handler) {
	m.ServeMux.Handle(method+" "+strings.Replace(path, ":env", "{env}", 1), h)
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is a good authorization request of an application, changed by pairs of
// name and value; the value "-" takes the parameter away.
func request(app string, change ...string) url.Values {
	v := url.Values{"response_type": {"code"}, "client_id": {app}, "redirect_uri": {back}, "scope": {"openid profile email"}, "state": {"s1"}, "nonce": {"n1"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"}}
	if app == native {
		v.Set("redirect_uri", "http://127.0.0.1:51004/callback")
	}
	return set(v, change...)
}

func set(v url.Values, change ...string) url.Values {
	for i := 0; i < len(change); i += 2 {
		if v.Del(change[i]); change[i+1] != "-" {
			v.Set(change[i], change[i+1])
		}
	}
	return v
}

type reply struct {
	*http.Response
	body string
}

// location is the parsed Location, and its query.
func (r reply) location(t testing.TB) (*url.URL, url.Values) {
	t.Helper()
	u, err := url.Parse(r.Header.Get("Location"))
	if err != nil || r.StatusCode != http.StatusFound {
		t.Fatalf("%d %q %v: %s", r.StatusCode, r.Header.Get("Location"), err, r.body)
	}
	return u, u.Query()
}

func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatalf("%d %s: %v", r.StatusCode, r.body, err)
	}
	return m
}

func (h *house) url(path string) string { return h.URL + "/" + envID + "/as/" + path }

func (h *house) do(r *http.Request) reply {
	h.t.Helper()
	res, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{res, string(body)}
}

func (h *house) get(path string, header ...string) reply {
	h.t.Helper()
	return h.do(with(httptest.NewRequest(http.MethodGet, h.url(path), nil), header...))
}

func (h *house) post(path string, form url.Values, header ...string) reply {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, h.url(path), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.do(with(r, header...))
}

func with(r *http.Request, header ...string) *http.Request {
	r.RequestURI = ""
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func (h *house) authorize(v url.Values, header ...string) reply {
	h.t.Helper()
	return h.get("authorize?"+v.Encode(), header...)
}

// code signs ada on without a question and returns the code.
func (h *house) code(v url.Values) string {
	h.t.Helper()
	h.engine.sso = true
	_, q := h.authorize(v).location(h.t)
	if q.Get("code") == "" {
		h.t.Fatalf("no code: %v", q)
	}
	return q.Get("code")
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// exchange is a good token request for a code of web.
func exchange(code string, change ...string) url.Values {
	return set(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}}, change...)
}

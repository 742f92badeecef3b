package optest

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// The paths of the endpoints.
const (
	Authorize = "/authorize"
	TokenPath = "/token"
	JWKS      = "/jwks"
	UserInfo  = "/userinfo"
)

// Provider is a provider that listens on 127.0.0.1, by http, until the test is over.
type Provider struct {
	URL    string // of the listener, without a slash
	Issuer string // URL; a test may change it before anybody signs on

	AuthorizationEndpoint string
	TokenEndpoint         string
	JWKSEndpoint          string
	UserInfoEndpoint      string

	ClientID     string
	ClientSecret string // taken by Basic and in the body; empty: the client has none

	tb      testing.TB
	server  *httptest.Server
	mu      sync.Mutex
	keys    []key // the last one signs
	person  map[string]any
	refusal string // error of the next authorizations
	spoil   func(*Token)
	instead map[string]http.HandlerFunc
	codes   map[string]*grant
	access  map[string]map[string]any // claims by access token
	asked   []Request
}

type key struct {
	id     string
	secret *rsa.PrivateKey
}

// spare holds keys of providers that are no more, since new ones take a while to make.
// No two providers have one in common at a time.
var spare sync.Pool

// grant is what a code stands for.
type grant struct {
	request url.Values // of the authorization
	claims  map[string]any
	used    bool
}

// Request is one that the provider was sent.
type Request struct {
	Method, Path string
	Form         url.Values // of the query and the body
	Header       http.Header
}

// Start starts a provider at which sub "ada" signs on.
func Start(tb testing.TB) *Provider {
	tb.Helper()
	p := &Provider{
		ClientID: "doorward", ClientSecret: "the secret: of 100% the client",
		tb: tb, person: map[string]any{"sub": "ada"},
		instead: map[string]http.HandlerFunc{}, codes: map[string]*grant{}, access: map[string]map[string]any{},
	}
	p.Rotate()
	p.server = httptest.NewServer(p)
	tb.Cleanup(p.server.Close)
	p.URL = p.server.URL
	p.Issuer = p.URL
	p.AuthorizationEndpoint, p.TokenEndpoint = p.URL+Authorize, p.URL+TokenPath
	p.JWKSEndpoint, p.UserInfoEndpoint = p.URL+JWKS, p.URL+UserInfo
	return p
}

// Client is one that may call the provider. It follows redirects, as clients do.
func (p *Provider) Client() *http.Client { return p.server.Client() }

// SignIn says who signs on from now on: sub, and what else the provider tells of them.
// A claim that is a member of what the provider itself says of a token replaces it.
func (p *Provider) SignIn(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person, p.refusal = maps.Clone(claims), ""
}

// Refuse has authorizations end with an error from now on: "access_denied".
func (p *Provider) Refuse(code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = code
}

// Spoil has a function change every ID token before it is signed; nil: no more.
func (p *Provider) Spoil(spoil func(*Token)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = spoil
}

// Instead has something else answer at a path; nil: the provider again.
func (p *Provider) Instead(path string, h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.instead[path] = h; h == nil {
		delete(p.instead, path)
	}
}

// Rotate makes a new key, which signs from now on. Those before stay published.
func (p *Provider) Rotate() {
	p.tb.Helper()
	secret, ok := spare.Get().(*rsa.PrivateKey)
	if !ok {
		var err error
		if secret, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			p.tb.Fatal(err)
		}
	}
	p.tb.Cleanup(func() { spare.Put(secret) })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, key{rand.Text(), secret})
}

// Withdraw stops publishing all keys but the one that signs.
func (p *Provider) Withdraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = p.keys[len(p.keys)-1:]
}

// Key is the key that signs.
func (p *Provider) Key() *rsa.PrivateKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1].secret
}

// Asked is what was sent to these paths, or to any when none is named, in order.
func (p *Provider) Asked(paths ...string) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Request
	for _, r := range p.asked {
		if len(paths) == 0 || slices.Contains(paths, r.Path) {
			out = append(out, r)
		}
	}
	return out
}

// Forget empties Asked.
func (p *Provider) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = nil
}

// ServeHTTP answers as the provider.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, Request{r.Method, r.URL.Path, r.Form, r.Header.Clone()})
	answer := p.instead[r.URL.Path]
	p.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	switch r.URL.Path {
	case Authorize:
		p.authorize(w, r)
	case TokenPath:
		p.token(w, r)
	case JWKS:
		p.jwks(w)
	case UserInfo:
		p.userInfo(w, r)
	default:
		http.NotFound(w, r)
	}
}

// validFor is how long an ID token holds.
const validFor = 5 * time.Minute

package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRedirect holds that an answer only ever goes to a registered address, as a
// browser would understand it.
func FuzzRedirect(f *testing.F) {
	h := newHouse(f)
	h.engine.sso = true
	for _, s := range []string{
		"http://127.0.0.1:80/callback", "http://127.0.0.1:80@evil.tld/callback", "http://[::1]:1/callback?x=1", `http://127.0.0.1:1\@evil.tld/callback`,
		"http://127.0.0.1:00080/callback", "http://127.0.0.1/callback#", "http://[::1]%2f:1/callback?x=1", "http://localhost/callback", "", "http://127.0.0.1:",
	} {
		f.Add(s)
	}
	app, _ := h.bundle.Application(native)
	f.Fuzz(func(t *testing.T, uri string) {
		w := httptest.NewRecorder()
		h.Config.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, h.url("authorize?"+request(native, "redirect_uri", uri).Encode()), nil))
		location := w.Header().Get("Location")
		if w.Code != http.StatusFound {
			if w.Code != http.StatusBadRequest || location != "" {
				t.Fatalf("%d %q", w.Code, location)
			}
			return
		}
		sent, err := url.Parse(uri)
		if err != nil || sent.User != nil || strings.Contains(uri, "#") || !strings.HasPrefix(location, uri) {
			t.Fatalf("%q was taken: %v", uri, err)
		}
		for _, r := range app.RedirectURIs {
			ours, _ := url.Parse(r)
			loopback := ours.Hostname() == "127.0.0.1" || ours.Hostname() == "::1"
			if r == uri || (loopback && ours.Scheme == sent.Scheme && ours.Hostname() == sent.Hostname() && ours.Path == sent.Path && ours.RawQuery == sent.RawQuery) {
				return
			}
		}
		t.Fatalf("%q is not registered", uri)
	})
}

// FuzzAuthorize holds that no query makes the provider panic, fail, or redirect
// anywhere but to the registered address or its own page.
func FuzzAuthorize(f *testing.F) {
	h := newHouse(f)
	h.engine.sso = true
	for _, change := range [][]string{nil, {"prompt", "none login"}, {"max_age", "-0"}, {"state", "\r\n"}, {"acr_values", " "}, {"response_mode", "pi.flow"}, {"request", "x"}, {"id_token_hint", "a.b.c"}, {"scope", "openid openid"}} {
		f.Add(request(web, change...).Encode())
	}
	f.Add("client_id=" + web + "&redirect_uri=" + url.QueryEscape(back) + "&&=&=a&%00=1&state=%ff;")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, h.url("authorize"), nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.Config.Handler.ServeHTTP(w, r)
		location := w.Header().Get("Location")
		switch w.Code {
		case http.StatusFound:
			known := strings.HasPrefix(location, back) || strings.HasPrefix(location, h.URL+"/"+envID+"/signon/") || strings.HasPrefix(location, "http://") && strings.Contains(query, native) || strings.HasPrefix(location, "https://login.example/page?")
			if _, err := url.Parse(location); err != nil || !known || strings.ContainsAny(location, "\r\n\x00") {
				t.Fatalf("%q: %v", location, err)
			}
		case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

package oidc_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"doorward/oidc"
	"doorward/runtime/flow"
)

const bye = "https://ok.example/bye"

func (h *house) signOff(v url.Values, header ...string) reply {
	h.t.Helper()
	return h.get("signoff?"+v.Encode(), header...)
}

func TestSec_BIND_LOGOUT(t *testing.T) {
	h := newHouse(t)
	tokens := func() (access, id string) {
		m := h.redeem(exchange(h.code(request(web)))).json(t)
		return m["access_token"].(string), m["id_token"].(string)
	}
	t.Run("with an ID token of ours everything ends at once", func(t *testing.T) {
		access, id := tokens()
		r := h.signOff(url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {bye}, "state": {"a b"}}, "Cookie", "ST=mine")
		if _, q := r.location(t); r.Header.Get("Location") != bye+"?state=a+b" || len(q) != 1 {
			t.Error(r.Header.Get("Location"))
		}
		if st := r.Header.Get("Set-Cookie"); !strings.HasPrefix(st, "ST=; Path=/"+envID+"; Max-Age=0") {
			t.Error(st)
		}
		isError(t, h.userinfo(access), http.StatusUnauthorized, "invalid_token")
	})
	t.Run("an expired one, too", func(t *testing.T) {
		_, id := tokens()
		h.ahead.Store(int64(1e18))
		defer h.ahead.Store(0)
		before := h.engine.ended
		if r := h.signOff(url.Values{"id_token_hint": {id}}, "Cookie", "ST=mine"); r.StatusCode != http.StatusOK || h.engine.ended != before+1 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	})
	t.Run("without the cookie the grants still end", func(t *testing.T) {
		access, id := tokens()
		h.signOff(url.Values{"id_token_hint": {id}})
		isError(t, h.userinfo(access), http.StatusUnauthorized, "invalid_token")
	})
	t.Run("the page speaks the language that is asked for, and keeps to it", func(t *testing.T) {
		var page oidc.SignOffPage
		r := h.signOff(url.Values{"ui_locales": {"de-AT es"}}, "Cookie", "ST=mine", "Accept-Language", "en")
		if err := json.Unmarshal([]byte(r.body), &page); err != nil {
			t.Fatal(err)
		}
		if want := []string{"de-AT,es", "en"}; !slices.Equal(page.Languages, want) || !slices.Contains(page.Fields, [2]string{"ui_locales", "de-AT es"}) {
			t.Errorf("languages %q, fields %q", page.Languages, page.Fields)
		}
	})
	t.Run("that of somebody else only asks who is signed on", func(t *testing.T) {
		access, id := tokens()
		before, ada := h.engine.ended, h.engine.user
		h.engine.user = flow.Subject{ID: "be000000-0000-4000-8000-000000000001"}
		r := h.signOff(url.Values{"id_token_hint": {id}}, "Cookie", "ST=mine", "Sec-Fetch-Site", "cross-site")
		h.engine.user = ada
		if r.StatusCode != http.StatusOK || h.engine.ended != before || !strings.Contains(r.body, `"Done":false`) {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if r := h.userinfo(access); r.StatusCode != http.StatusOK {
			t.Errorf("the grants have ended: %d", r.StatusCode)
		}
	})
	t.Run("what could not be ended is ended by the next try", func(t *testing.T) {
		access, id := tokens()
		before := h.engine.ended
		h.engine.ends = errors.New("the store is down")
		r := h.signOff(url.Values{"id_token_hint": {id}}, "Cookie", "ST=mine")
		h.engine.ends = nil
		if r.StatusCode == http.StatusOK || h.engine.ended != before {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		isError(t, h.userinfo(access), http.StatusUnauthorized, "invalid_token") // the grants go first
		if r := h.signOff(url.Values{"id_token_hint": {id}}, "Cookie", "ST=mine"); r.StatusCode != http.StatusOK || h.engine.ended != before+1 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	})
	t.Run("an address that is not registered is refused and nothing ends", func(t *testing.T) {
		_, id := tokens()
		before := h.engine.ended
		for _, uri := range []string{bye + "/", bye + "?x=1", "https://OK.example/bye", "https://ok.example.evil.tld/bye", "//ok.example/bye", back, "javascript:alert(1)"} {
			if r := h.signOff(url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {uri}}, "Cookie", "ST=mine"); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
				t.Errorf("%s: %d", uri, r.StatusCode)
			}
		}
		if h.engine.ended != before {
			t.Error("ended")
		}
	})
	t.Run("the hint must be of the named application", func(t *testing.T) {
		_, id := tokens()
		if r := h.signOff(url.Values{"id_token_hint": {id}, "client_id": {native}}); r.StatusCode != http.StatusBadRequest {
			t.Error(r.StatusCode)
		}
	})
	t.Run("what is no ID token of ours only asks", func(t *testing.T) {
		access, id := tokens()
		before := h.engine.ended
		for _, hint := range []string{access, id[:len(id)-4] + "AAAA", "e30.e30.", "eyJhbGciOiJub25lIn0.eyJhdWQiOlsxXX0.", "x"} {
			r := h.signOff(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {bye}}, "Cookie", "ST=mine")
			if r.StatusCode != http.StatusOK || h.engine.ended != before || !strings.Contains(r.body, `"Done":false`) {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
		}
	})
}

func TestWithoutAHintThePersonIsAsked(t *testing.T) {
	h := newHouse(t)
	r := h.signOff(url.Values{"client_id": {web}, "post_logout_redirect_uri": {bye}, "state": {"s"}}, "Cookie", "ST=mine")
	var page oidc.SignOffPage
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || page.Done || h.engine.ended != 0 || page.ReturnTo != bye {
		t.Fatalf("%v %s", err, r.body)
	}
	form := url.Values{}
	for _, f := range page.Fields {
		form.Set(f[0], f[1])
	}
	for name, send := range map[string]func() reply{
		"another browser":    func() reply { return h.post("signoff", form, "Cookie", "ST=other") },
		"another site":       func() reply { return h.post("signoff", form, "Cookie", "ST=mine", "Sec-Fetch-Site", "cross-site") },
		"another origin":     func() reply { return h.post("signoff", form, "Cookie", "ST=mine", "Origin", "https://evil.tld") },
		"no form token":      func() reply { return h.post("signoff", url.Values{"client_id": {web}}, "Cookie", "ST=mine") },
		"the form by a link": func() reply { return h.signOff(form, "Cookie", "ST=mine") },
	} {
		t.Run(name+" is asked again", func(t *testing.T) {
			if r := send(); r.StatusCode != http.StatusOK || h.engine.ended != 0 || !strings.Contains(r.body, `"Done":false`) {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
		})
	}
	if r := h.post("signoff", form, "Cookie", "ST=mine", "Sec-Fetch-Site", "same-origin", "Origin", h.URL); r.Header.Get("Location") != bye+"?state=s" || h.engine.ended != 1 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	t.Run("who is not signed on is not asked", func(t *testing.T) {
		if r := h.signOff(url.Values{}); !strings.Contains(r.body, `"Done":true`) {
			t.Error(r.body)
		}
	})
}

package oidc_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/flow"
)

// long is a secret that may sign a login_hint_token.
const long = "a-secret-of-thirty-two-bytes-or-so"

// signing gives an application of the house the long secret.
func signing(t testing.TB, h *house, id string) *configs.Application {
	t.Helper()
	app, ok := h.bundle.Application(id)
	if !ok {
		t.Fatal("no application " + id)
	}
	app.Secret = long
	return app
}

type said map[string]any

// good are the claims of a token of web about ada.
func good(h *house) said {
	return said{"iss": web, "aud": h.bundle.Environment().Issuer(), "sub": h.ada.ID, "iat": h.now().Unix(), "exp": h.now().Add(2 * time.Minute).Unix()}
}

func (s said) with(name string, v any) said {
	if s[name] = v; v == nil {
		delete(s, name)
	}
	return s
}

func signed(t testing.TB, alg jose.SignatureAlgorithm, key any, claims said) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jwt.Signed(s).Claims(map[string]any(claims)).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hs256(t testing.TB, claims said) string {
	t.Helper()
	return signed(t, jose.HS256, []byte(long), claims)
}

// TestAHintTokenNamesTheUser: and nothing more. What was typed for them is not looked at.
func TestAHintTokenNamesTheUser(t *testing.T) {
	h := newHouse(t)
	signing(t, h, web)
	r := h.authorize(request(web, "login_hint_token", hs256(t, good(h)), "login_hint", "bob"))
	if u, _ := r.location(t); !strings.Contains(u.Path, "signon") {
		t.Fatalf("led to %s", u)
	}
	s := h.engine.last()
	if s.Request.User != h.ada.Subject() || s.Request.LoginHint != "" || s.Caller.Application != "" || s.Request.Fresh {
		t.Errorf("started with %+v", s)
	}
	r = h.post("authorize", request(web, "login_hint_token", hs256(t, good(h).with("aud", []string{h.bundle.Environment().Issuer()}).with("jti", "2"))))
	if r.StatusCode != http.StatusFound || h.engine.last().Request.User.ID != h.ada.ID {
		t.Errorf("by POST: %d %s", r.StatusCode, r.body)
	}
}

func TestAHintTokenThatIsNotBelieved(t *testing.T) {
	h := newHouse(t)
	app := signing(t, h, web)
	h.engine.sso = true // whoever is not refused gets a code
	off, err := h.users.Create(t.Context(), directory.User{Env: envID, Username: "off", Email: "off@example.com"}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := h.users.Create(t.Context(), directory.User{Env: otherEnv, Username: "ada", Enabled: true, Email: "ada@example.com"}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	right := hs256(t, good(h))
	parts := strings.Split(right, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	ago := func(d time.Duration) int64 { return h.now().Add(-d).Unix() }
	for name, token := range map[string]string{
		"no JWT":                  "x",
		"unsigned":                none + "." + parts[1] + ".",
		"signature cut off":       parts[0] + "." + parts[1] + ".",
		"another secret":          signed(t, jose.HS256, []byte(strings.ToUpper(long)), good(h)),
		"another algorithm":       signed(t, jose.HS512, []byte(long+long), good(h)),
		"other claims":            parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"x"}`)) + "." + parts[2],
		"of another application":  hs256(t, good(h).with("iss", custom)),
		"of nobody":               hs256(t, good(h).with("iss", nil)),
		"for another issuer":      hs256(t, good(h).with("aud", "https://other.example")),
		"for two":                 hs256(t, good(h).with("aud", []string{h.bundle.Environment().Issuer(), "https://other.example"})),
		"for nobody":              hs256(t, good(h).with("aud", nil)),
		"about nobody":            hs256(t, good(h).with("sub", nil)),
		"about somebody unknown":  hs256(t, good(h).with("sub", "d0000000-0000-4000-8000-00000000ffff")),
		"about a disabled user":   hs256(t, good(h).with("sub", off.ID)),
		"about one of elsewhere":  hs256(t, good(h).with("sub", elsewhere.ID)),
		"about a number":          hs256(t, good(h).with("sub", 7)),
		"without an end":          hs256(t, good(h).with("exp", nil)),
		"without a beginning":     hs256(t, good(h).with("iat", nil)),
		"over":                    hs256(t, good(h).with("iat", ago(4*time.Minute)).with("exp", ago(0))),
		"older than five minutes": hs256(t, good(h).with("iat", ago(5*time.Minute)).with("exp", ago(-time.Hour))),
		"of the future":           hs256(t, good(h).with("iat", ago(-2*time.Minute)).with("exp", ago(-time.Hour))),
		"too long":                hs256(t, good(h).with("x", strings.Repeat("a", 4096))),
	} {
		t.Run(name, func(t *testing.T) {
			r := h.authorize(request(web, "login_hint_token", token))
			refused(t, r, "invalid_request")
			_, q := r.location(t)
			if !strings.HasPrefix(q.Get("error_description"), "login_hint_token ") || strings.Contains(q.Get("error_description"), token) {
				t.Errorf("%q", q.Get("error_description"))
			}
		})
	}
	if n := len(h.engine.started); n != 0 {
		t.Errorf("%d were started", n)
	}
	if v := request(web); true {
		v["login_hint_token"] = []string{right, right}
		refused(t, h.authorize(v), "invalid_request")
	}
	app.Secret = "short-secret-of-31-bytes-or-so.."[:31]
	refused(t, h.authorize(request(web, "login_hint_token", right)), "invalid_request")
}

func TestAPublicApplicationNamesNobody(t *testing.T) {
	h := newHouse(t)
	_, q := h.authorize(request(native, "login_hint_token", hs256(t, good(h).with("iss", native)))).location(t)
	if q.Get("error") != "invalid_request" || !strings.Contains(q.Get("error_description"), "secret") {
		t.Errorf("%v", q)
	}
}

// TestAHintTokenIsGoodOnce: also where it is written in another way.
func TestAHintTokenIsGoodOnce(t *testing.T) {
	h := newHouse(t)
	signing(t, h, web)
	token := hs256(t, good(h))
	if r := h.authorize(request(web, "login_hint_token", token)); r.StatusCode != http.StatusFound || len(h.engine.started) != 1 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	last := token[len(token)-1]
	again := map[string]string{"the same": token}
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if byte(c) != last {
			again[string(c)] = token[:len(token)-1] + string(c)
		}
	}
	for name, token := range again {
		if _, q := h.authorize(request(web, "login_hint_token", token)).location(t); q.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", name, q)
		}
	}
	if len(h.engine.started) != 1 {
		t.Errorf("%d were started", len(h.engine.started))
	}
}

func TestTwoHintsNameOneUser(t *testing.T) {
	h := newHouse(t)
	signing(t, h, strict)
	signing(t, h, web)
	code := h.code(request(web))
	answer := h.post("token", exchange(code), "Authorization", basic(web, long)).json(t)
	id, _ := answer["id_token"].(string)
	bob, err := h.users.Create(t.Context(), directory.User{Env: envID, Username: "bob", Enabled: true, Email: "bob@example.com"}, "", "")
	if err != nil || id == "" {
		t.Fatal(err, answer)
	}
	h.engine.sso = false
	refused(t, h.authorize(request(web, "id_token_hint", id, "login_hint_token", hs256(t, good(h).with("sub", bob.ID)))), "invalid_request")
	if r := h.authorize(request(web, "id_token_hint", id, "login_hint_token", hs256(t, good(h)))); r.StatusCode != http.StatusFound || h.engine.last().Request.User.ID != h.ada.ID {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// brokenTries count nothing.
type brokenTries struct{}

func (brokenTries) Count(context.Context, []flow.Limit) error {
	return errors.New("connection refused")
}

func TestAHintTokenThatCannotBeCountedIsNotTaken(t *testing.T) {
	h := newHouse(t)
	signing(t, h, web)
	h.provider.Tries = brokenTries{}
	if r := h.authorize(request(web, "login_hint_token", hs256(t, good(h)))); r.StatusCode != http.StatusServiceUnavailable || len(h.engine.started) != 0 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func FuzzHintToken(f *testing.F) {
	h := newHouse(f)
	signing(f, h, web)
	right := hs256(f, good(h))
	for _, seed := range []string{"", "..", right, right[:len(right)-1], right + ".", "eyJhbGciOiJub25lIn0.e30.", "{}", `{"payload":"","signatures":[]}`, strings.Replace(right, ".", "..", 1)} {
		f.Add(seed)
	}
	h.authorize(request(web, "login_hint_token", right)) // used up, however it is written
	h.engine.sso = true
	f.Fuzz(func(t *testing.T, token string) {
		h.t = t
		if token == "" {
			return
		}
		r := h.authorize(request(web, "login_hint_token", token))
		if _, q := r.location(t); q.Has("code") {
			t.Fatalf("taken: %q", token)
		}
	})
}

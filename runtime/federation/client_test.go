package federation_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/internal/optest"
	"doorward/runtime/federation"
)

func TestSigningOnElsewhere(t *testing.T) {
	for name, row := range map[string]struct {
		change func(r *rig)
	}{
		"with the secret by Basic":    {func(*rig) {}},
		"with the secret in the body": {func(r *rig) { r.p.AuthMethod = federation.SecretPost }},
		"without a secret": {func(r *rig) {
			r.op.ClientSecret, r.p.ClientSecret, r.p.AuthMethod = "", "", federation.NoSecret
		}},
		"without PKCE":           {func(r *rig) { r.p.PKCE = false }},
		"with userinfo":          {func(r *rig) { r.p.UserInfoEndpoint = r.op.UserInfoEndpoint }},
		"without being told iss": {func(*rig) {}},
		"afresh":                 {func(r *rig) { r.request.Fresh, r.since = true, time.Now() }},
		"not long ago":           {func(r *rig) { r.request.MaxAge, r.since = 60, time.Now().Add(-time.Minute) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			row.change(r)
			a := r.browse()
			if name == "without being told iss" {
				a.Issuer = ""
			}
			who, err := r.exchange(a)
			if err != nil || who.ID != "ada" || who.Attributes["username"] != "ada" {
				t.Fatalf("%+v, %v", who, err)
			}
			sent := r.op.Asked(optest.TokenPath)[0]
			_, _, basic := (&http.Request{Header: sent.Header}).BasicAuth()
			if basic != (r.p.AuthMethod == federation.SecretBasic) || sent.Form.Has("client_secret") != (r.p.AuthMethod == federation.SecretPost) ||
				sent.Form.Has("code_verifier") != r.p.PKCE {
				t.Errorf("sent %v %v", sent.Header, sent.Form)
			}
			if _, err := r.exchange(a); err == nil {
				t.Error("a code was good twice")
			} else {
				refused(t, err, federation.TokenRefused)
			}
		})
	}
}

// TestTheCodeGoesNowhere is what is refused before anybody is asked: case LINK-MIXUP.
func TestTheCodeGoesNowhere(t *testing.T) {
	for name, row := range map[string]struct {
		change func(r *rig, a *federation.Answer)
		reason string
	}{
		"the answer is of another provider": {func(_ *rig, a *federation.Answer) { a.Issuer = "https://z.example" }, federation.WrongIssuer},
		"its issuer has a slash":            {func(_ *rig, a *federation.Answer) { a.Issuer += "/" }, federation.WrongIssuer},
		"the provider is switched off":      {func(r *rig, _ *federation.Answer) { r.p.Enabled = false }, federation.UnknownProvider},
		"the provider is of another type":   {func(r *rig, _ *federation.Answer) { r.p.Type = "SAML" }, federation.UnknownProvider},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a := r.browse()
			row.change(r, &a)
			_, err := r.exchange(a)
			refused(t, err, row.reason)
			if asked := r.op.Asked(optest.TokenPath, optest.JWKS); len(asked) > 0 {
				t.Errorf("asked %+v", asked)
			}
		})
	}
}

func TestTheTokenEndpointRefuses(t *testing.T) {
	for name, change := range map[string]func(r *rig, a *federation.Answer){
		"the secret":             func(r *rig, _ *federation.Answer) { r.p.ClientSecret = "another secret" },
		"the verifier":           func(_ *rig, a *federation.Answer) { a.Leg.Verifier = "another verifier" },
		"the redirect URI":       func(_ *rig, a *federation.Answer) { a.RedirectURI += "/x" },
		"the code":               func(_ *rig, a *federation.Answer) { a.Code = "another code" },
		"a verifier that is not": func(r *rig, _ *federation.Answer) { r.p.PKCE = false },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a := r.browse()
			change(r, &a)
			_, err := r.exchange(a)
			refused(t, err, federation.TokenRefused)
		})
	}
}

// answers is a handler that answers like this.
func answers(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// echo answers with what it was sent, as somebody would who wants it in our log.
func echo(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte(`{"error":"` + r.Form.Get("code") + `","error_description":"` + r.Form.Get("code_verifier") + `"}`))
}

// cut ends the connection in the middle of an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"id_token":"`))
	panic(http.ErrAbortHandler)
}

// garbled answers with something that is not HTTP, and holds what was sent.
func garbled(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("HTTP/1.1 abc " + r.Form.Get("code") + "\r\n\r\n"))
	_ = conn.Close()
}

func TestAnEndpointThatIsNotWell(t *testing.T) {
	strayed := atomic.Int32{}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(elsewhere.Close)
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) }
	}
	huge := strings.Repeat(" ", 257<<10)
	for name, row := range map[string]struct {
		path   string
		answer http.HandlerFunc
		reason string
	}{
		"token: 500":                        {optest.TokenPath, answers(500, "text/html", "<html>"), federation.Unreachable},
		"token: 503 with an answer":         {optest.TokenPath, answers(503, "application/json", `{"error":"invalid_grant"}`), federation.Unreachable},
		"token: 404":                        {optest.TokenPath, answers(404, "text/plain", "no"), federation.TokenRefused},
		"token: 201":                        {optest.TokenPath, answers(201, "application/json", `{}`), federation.Unreachable},
		"token: 204":                        {optest.TokenPath, answers(204, "application/json", ``), federation.Unreachable},
		"token: no JSON":                    {optest.TokenPath, answers(200, "text/html", "<html>"), federation.BadTokenAnswer},
		"token: nothing":                    {optest.TokenPath, answers(200, "application/json", ""), federation.BadTokenAnswer},
		"token: a list":                     {optest.TokenPath, answers(200, "application/json", "[]"), federation.BadTokenAnswer},
		"token: two values":                 {optest.TokenPath, answers(200, "application/json", "{} {}"), federation.BadTokenAnswer},
		"token: deep":                       {optest.TokenPath, answers(200, "application/json", `{"a":`+strings.Repeat("[", 9999)), federation.BadTokenAnswer},
		"token: a name twice":               {optest.TokenPath, answers(200, "application/json", `{"token_type":"Bearer","id_token":"a","id_token":"b","access_token":"t"}`), federation.BadTokenAnswer},
		"token: no ID token":                {optest.TokenPath, answers(200, "application/json", `{"token_type":"Bearer","access_token":"t"}`), federation.BadTokenAnswer},
		"token: an ID token of no type":     {optest.TokenPath, answers(200, "application/json", `{"token_type":"Bearer","access_token":"t","id_token":{}}`), federation.BadTokenAnswer},
		"token: no access token":            {optest.TokenPath, answers(200, "application/json", `{"token_type":"Bearer","id_token":"a"}`), federation.BadTokenAnswer},
		"token: an access token of lines":   {optest.TokenPath, answers(200, "application/json", `{"token_type":"Bearer","id_token":"a","access_token":"t\r\nCookie: a"}`), federation.BadTokenAnswer},
		"token: another type":               {optest.TokenPath, answers(200, "application/json", `{"token_type":"DPoP","id_token":"a","access_token":"t"}`), federation.BadTokenAnswer},
		"token: huge":                       {optest.TokenPath, answers(200, "application/json", huge), federation.Unreachable},
		"token: redirects":                  {optest.TokenPath, redirect(302), federation.Unreachable},
		"token: redirects what was sent":    {optest.TokenPath, redirect(307), federation.Unreachable},
		"token: is moved":                   {optest.TokenPath, redirect(308), federation.Unreachable},
		"token: tells what it was told":     {optest.TokenPath, echo, federation.TokenRefused},
		"token: ends in the middle":         {optest.TokenPath, cut, federation.Unreachable},
		"jwks: 500":                         {optest.JWKS, answers(500, "text/html", "<html>"), federation.Unreachable},
		"jwks: no JSON":                     {optest.JWKS, answers(200, "text/html", "<html>"), federation.Unreachable},
		"jwks: huge":                        {optest.JWKS, answers(200, "application/json", huge), federation.Unreachable},
		"jwks: redirects":                   {optest.JWKS, redirect(302), federation.Unreachable},
		"jwks: ends in the middle":          {optest.JWKS, cut, federation.Unreachable},
		"jwks: a name twice":                {optest.JWKS, answers(200, "application/json", `{"keys":[],"keys":[]}`), federation.Unreachable},
		"jwks: no keys":                     {optest.JWKS, answers(200, "application/json", `{"keys":[]}`), federation.BadSignature},
		"jwks: a symmetric key":             {optest.JWKS, answers(200, "application/json", `{"keys":[{"kty":"oct","k":"YQ","alg":"HS256"}]}`), federation.BadSignature},
		"jwks: something else":              {optest.JWKS, answers(200, "application/json", `{"keys":7}`), federation.BadSignature},
		"userinfo: 401":                     {optest.UserInfo, answers(401, "application/json", `{}`), federation.BadUserInfo},
		"userinfo: 500":                     {optest.UserInfo, answers(500, "text/html", `<html>`), federation.BadUserInfo},
		"userinfo: no JSON":                 {optest.UserInfo, answers(200, "text/html", `<html>`), federation.BadUserInfo},
		"userinfo: a token":                 {optest.UserInfo, answers(200, "application/jwt", `e30.e30.`), federation.BadUserInfo},
		"userinfo: a name twice":            {optest.UserInfo, answers(200, "application/json", `{"sub":"ada","sub":"ada"}`), federation.BadUserInfo},
		"userinfo: huge":                    {optest.UserInfo, answers(200, "application/json", huge), federation.Unreachable},
		"userinfo: redirects":               {optest.UserInfo, redirect(302), federation.BadUserInfo},
		"userinfo: redirects the token":     {optest.UserInfo, redirect(307), federation.BadUserInfo},
		"userinfo: of somebody else":        {optest.UserInfo, answers(200, "application/json", `{"sub":"eve"}`), federation.WrongSubject},
		"userinfo: of nobody":               {optest.UserInfo, answers(200, "application/json", `{}`), federation.WrongSubject},
		"userinfo: of somebody of no type":  {optest.UserInfo, answers(200, "application/json", `{"sub":["ada"]}`), federation.WrongSubject},
		"userinfo: of somebody in capitals": {optest.UserInfo, answers(200, "application/json", `{"sub":"Ada"}`), federation.WrongSubject},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.p.UserInfoEndpoint = r.op.UserInfoEndpoint
			r.op.Instead(row.path, row.answer)
			_, err := r.signOn()
			refused(t, err, row.reason)
			if n := strayed.Load(); n > 0 {
				t.Errorf("a redirect was followed %d times", n)
			}
			r.op.Instead(row.path, nil)
			_, err = r.signOn()
			for end := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(end); _, err = r.signOn() {
				time.Sleep(time.Millisecond) // who asks while keys are still being taken gets those
			}
			if err != nil {
				t.Errorf("once it is well again: %v", err)
			}
		})
	}
}

// TestARefusalTellsNothing looks at what alone is printed. What it unwraps to is the
// library's, and may quote an answer that is not HTTP.
func TestARefusalTellsNothing(t *testing.T) {
	r := newRig(t)
	r.op.Instead(optest.TokenPath, garbled)
	a := r.browse()
	_, err := r.c.Exchange(t.Context(), envID, r.p, a)
	refused(t, err, federation.Unreachable)
	if err != nil && strings.Contains(err.Error(), a.Code) {
		t.Errorf("the error holds the code: %v", err)
	}
}

func TestAnEndpointThatIsSlow(t *testing.T) {
	for _, path := range []string{optest.TokenPath, optest.JWKS, optest.UserInfo} {
		t.Run(path, func(t *testing.T) {
			r := newRig(t)
			r.p.UserInfoEndpoint = r.op.UserInfoEndpoint
			released := make(chan struct{})
			r.op.Instead(path, func(_ http.ResponseWriter, req *http.Request) {
				select {
				case <-released:
				case <-req.Context().Done():
				}
			})
			t.Cleanup(func() { close(released) })
			a := r.browse()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := r.c.Exchange(ctx, envID, r.p, a)
			refused(t, err, federation.Unreachable)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v does not say that time was up", err)
			}
		})
	}
}

func TestWhoeverGoesIsNotTheProvidersFault(t *testing.T) {
	for _, path := range []string{optest.TokenPath, optest.JWKS, optest.UserInfo} {
		t.Run(path, func(t *testing.T) {
			r := newRig(t)
			r.p.UserInfoEndpoint = r.op.UserInfoEndpoint
			a := r.browse()
			ctx, cancel := context.WithCancel(t.Context())
			released := make(chan struct{})
			r.op.Instead(path, func(http.ResponseWriter, *http.Request) { cancel(); <-released })
			t.Cleanup(func() { close(released) })
			_, err := r.c.Exchange(ctx, envID, r.p, a)
			if r := (*federation.Refusal)(nil); errors.As(err, &r) || !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAnEndpointThatIsNotThere(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, change := range map[string]func(p *federation.Provider){
		"token":    func(p *federation.Provider) { p.TokenEndpoint = gone.URL },
		"jwks":     func(p *federation.Provider) { p.JWKSEndpoint = gone.URL },
		"userinfo": func(p *federation.Provider) { p.UserInfoEndpoint = gone.URL },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a := r.browse()
			change(&r.p)
			_, err := r.exchange(a)
			refused(t, err, federation.Unreachable)
		})
	}
}

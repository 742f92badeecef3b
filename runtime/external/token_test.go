package external_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/external"
)

// issuer is an authorization server with one client, as RFC 6749 has it. The
// resource server beside it takes the tokens that are good.
type issuer struct {
	id, secret string
	life       string // of a token, as JSON; empty: not said
	pause      time.Duration

	mu      sync.Mutex
	good    map[string]bool
	issued  int
	refused int
	last    url.Values
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/token":
		i.token(w, r)
	default:
		i.mu.Lock()
		ok := i.good[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		i.mu.Unlock()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		echo(w, r)
	}
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	time.Sleep(i.pause)
	i.mu.Lock()
	defer i.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.PostForm.Get("grant_type") != "client_credentials" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_request"}`)
		return
	}
	i.last = r.PostForm
	if !i.known(r) {
		i.refused++
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"error":"invalid_client","error_description":"10.0.0.1 says no to hush"}`)
		return
	}
	i.issued++
	token := fmt.Sprintf("token-%d", i.issued)
	i.good[token] = true
	life := ""
	if i.life != "" {
		life = `,"expires_in":` + i.life
	}
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer"%s}`, token, life)
}

// known reads either way of client authentication. Source: RFC 6749 2.3.1.
func (i *issuer) known(r *http.Request) bool {
	if id := r.PostForm.Get("client_id"); id != "" {
		return r.Header.Get("Authorization") == "" && id == i.id && r.PostForm.Get("client_secret") == i.secret
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
	id, secret, _ := strings.Cut(string(raw), ":")
	id, wrong := url.QueryUnescape(id)
	secret, also := url.QueryUnescape(secret)
	return err == nil && wrong == nil && also == nil && id == i.id && secret == i.secret
}

func (i *issuer) revoke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.good = map[string]bool{}
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.issued
}

// house is an issuer, a service that uses it, and a clock.
type house struct {
	*issuer
	wire     *wire
	origin   string
	vault    vault
	service  *external.Service
	services *external.Services
	clock    atomic.Int64 // seconds
}

func open(t *testing.T, how, scope string) *house {
	t.Helper()
	i := &issuer{id: "client:1 ä&", secret: "s3cr3t+/%:=&ü", good: map[string]bool{}, life: "3600"}
	h := &house{issuer: i}
	h.origin, h.wire = target(t, i.ServeHTTP)
	h.vault = of(map[string]string{"authSchemes/partner/clientSecret": i.secret})
	h.service = compile(t, h.origin, `"authSchemes":[{"name":"partner","type":"OAUTH_2","tokenEndpointAuthType":"`+how+`","tokenEndpoint":"ORIGIN/token","clientId":`+asJSON(t, i.id)+scope+`}],`,
		get+`,"authScheme":"partner"}`)
	h.services = external.New(h.wire, h.vault, func() time.Time { return time.Unix(h.clock.Load(), 0) })
	return h
}

func (h *house) call(t *testing.T) (int, error) {
	t.Helper()
	out, err := call(t, h.services, h.service, nil)
	if err != nil {
		return 0, err
	}
	var status int
	_, err = fmt.Sscan(fmt.Sprint(out.(map[string]any)["status"]), &status)
	return status, err
}

// expect makes a call that is answered, by when so many tokens were issued.
func (h *house) expect(t *testing.T, issued int) {
	t.Helper()
	got, err := h.call(t)
	if err != nil || got != http.StatusOK || h.count() != issued {
		t.Fatalf("status %d, %v, %d tokens; want %d", got, err, h.count(), issued)
	}
}

func TestATokenIsGotEitherWay(t *testing.T) {
	for _, how := range []string{"client_secret_basic", "client_secret_post"} {
		t.Run(how, func(t *testing.T) {
			h := open(t, how, `,"scope":["read","write:all"]`)
			h.expect(t, 1)
			if h.last.Get("scope") != "read write:all" || h.last.Has("client_secret") != (how == "client_secret_post") {
				t.Errorf("asked with %v", h.last)
			}
			calls := h.wire.calls()
			if calls[0].Target != h.origin || calls[0].Origin != h.origin || calls[0].Env != env || calls[0].Key != "" || calls[1].Target != service {
				t.Errorf("sent to %s and %s", calls[0].Target, calls[1].Target)
			}
			if strings.Contains(calls[0].URL, "s3cr3t") {
				t.Error("the secret is in a URL")
			}
		})
	}
}

func TestATokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	for life, until := range map[string]int64{`3600`: 3570, `"3600"`: 3570, `100`: 90, ``: 270, `1e9`: 86370} {
		h := open(t, "client_secret_basic", "")
		h.life = life
		h.expect(t, 1)
		h.clock.Store(until - 1)
		h.expect(t, 1)
		h.clock.Store(until)
		h.expect(t, 2)
	}
}

func TestATokenThatEndsAtOnceIsUsedOnce(t *testing.T) {
	h := open(t, "client_secret_basic", "")
	h.life = "0"
	h.expect(t, 1)
	h.expect(t, 2)
}

func TestTwoHundredWaitingCallsAskForOneToken(t *testing.T) {
	h := open(t, "client_secret_basic", "")
	h.pause = 300 * time.Millisecond
	var wg sync.WaitGroup
	var good atomic.Int32
	begin := make(chan struct{})
	for range 200 {
		wg.Go(func() {
			<-begin
			if status, err := h.call(t); err == nil && status == 200 {
				good.Add(1)
			}
		})
	}
	close(begin)
	wg.Wait()
	if good.Load() != 200 || h.count() != 1 {
		t.Errorf("%d of 200 were answered, with %d tokens", good.Load(), h.count())
	}
}

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	h := open(t, "client_secret_basic", "")
	h.expect(t, 1)
	h.revoke()
	h.expect(t, 2)
	h.expect(t, 2)
	if n := len(h.wire.calls()); n != 6 { // token, call; refused call, token, call; call
		t.Errorf("%d calls", n)
	}
}

func TestATargetThatRefusesEveryTokenAnswersSo(t *testing.T) {
	secrets := of(map[string]string{"authSchemes/partner/clientSecret": "hush"})
	origin, w := target(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"t","token_type":"Bearer","expires_in":60}`)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	s := compile(t, origin, `"authSchemes":[{"name":"partner","type":"OAUTH_2","tokenEndpointAuthType":"client_secret_post","tokenEndpoint":"ORIGIN/token","clientId":"c"}],`,
		get+`,"authScheme":"partner"},"response":{"output":"response.status","outputSchema":"{}"}`)
	out, err := invoke(t, w, secrets, s, nil)
	if err != nil || fmt.Sprint(out) != "401" || len(w.calls()) != 4 {
		t.Errorf("%v %v, %d calls", out, err, len(w.calls()))
	}
}

func TestAnotherSecretIsAnotherToken(t *testing.T) {
	h := open(t, "client_secret_post", "")
	h.expect(t, 1)
	const rotated = "another"
	h.mu.Lock()
	h.secret = rotated
	h.mu.Unlock()
	h.expect(t, 1) // the token is still good
	h.vault[env+"/"+service+"/authSchemes/partner/clientSecret"] = rotated
	h.expect(t, 2)
}

func TestATokenIsOfOneEnvironmentAndService(t *testing.T) {
	h := open(t, "client_secret_basic", "")
	r, _ := h.service.Request("r")
	for _, in := range []external.Invocation{{Env: "e1", ServiceID: "s1"}, {Env: "e1", ServiceID: "s2"}, {Env: "e2", ServiceID: "s1"}, {Env: "e1", ServiceID: "s1"}} {
		h.vault[in.Env+"/"+in.ServiceID+"/authSchemes/partner/clientSecret"] = h.secret
		in.Request = r
		if _, err := h.services.Invoke(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if h.count() != 3 {
		t.Errorf("%d tokens, want 3", h.count())
	}
}

func TestATokenEndpointThatFails(t *testing.T) {
	h := open(t, "client_secret_basic", "")
	h.vault[env+"/"+service+"/authSchemes/partner/clientSecret"] = "wrong-hush"
	_, err := h.call(t)
	e := failure(t, err)
	if e.Code != external.InvocationError || !strings.Contains(e.Message, "token endpoint answered with status 401") || strings.Contains(fmt.Sprintf("%v %+v", err, e.Reason), "hush") {
		t.Errorf("%v %v", err, e.Reason)
	}
	for name, answer := range map[string]string{
		"a page":          `<html>`,
		"no token":        `{"token_type":"Bearer"}`,
		"another type":    `{"access_token":"t","token_type":"mac"}`,
		"a line break":    `{"access_token":"t\r\nX-Evil: 1","token_type":"Bearer"}`,
		"a space":         `{"access_token":"t X","token_type":"Bearer"}`,
		"no string":       `{"access_token":{"a":1},"token_type":"Bearer"}`,
		"too long by far": `{"access_token":"` + strings.Repeat("x", 9000) + `","token_type":"Bearer"}`,
	} {
		origin, w := target(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, answer)
		})
		s := compile(t, origin, `"authSchemes":[{"name":"partner","type":"OAUTH_2","tokenEndpointAuthType":"client_secret_post","tokenEndpoint":"ORIGIN/token","clientId":"c"}],`, get+`,"authScheme":"partner"}`)
		_, err := invoke(t, w, h.vault, s, nil)
		if e := failure(t, err); e.Code != external.InvocationError || len(w.calls()) != 1 {
			t.Errorf("%s: %v, %d calls", name, err, len(w.calls()))
		}
	}
}

// A token endpoint that is busy is nobody's mistake: it is asked again later.
func TestATokenEndpointThatIsBusy(t *testing.T) {
	secrets := of(map[string]string{"authSchemes/partner/clientSecret": "hush"})
	for name, row := range map[string]struct {
		status int
		after  string
		code   string
		want   time.Duration
	}{
		"busy, for so long":  {503, "7", external.TooMany, 7 * time.Second},
		"busy":               {503, "", external.TooMany, 0},
		"asked too often":    {429, "120", external.TooMany, 2 * time.Minute},
		"broken":             {500, "soon", external.TooMany, 0},
		"busy for ages":      {502, "4000000000", external.TooMany, time.Hour},
		"busy until the end": {503, "Fri, 31 Dec 9999 23:59:59 GMT", external.TooMany, time.Hour},
		"over long ago":      {503, "Thu, 01 Jan 1970 00:00:00 GMT", external.TooMany, 0},
		"refused":            {400, "7", external.InvocationError, 0},
	} {
		t.Run(name, func(t *testing.T) {
			origin, w := target(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", row.after)
				w.WriteHeader(row.status)
			})
			s := compile(t, origin, `"authSchemes":[{"name":"partner","type":"OAUTH_2","tokenEndpointAuthType":"client_secret_post","tokenEndpoint":"ORIGIN/token","clientId":"c"}],`, get+`,"authScheme":"partner"}`)
			_, err := invoke(t, w, secrets, s, nil)
			if e := failure(t, err); e.Code != row.code || e.RetryAfter != row.want || !e.NoToken || len(w.calls()) != 1 {
				t.Errorf("%v, after %v, %d calls", err, e.RetryAfter, len(w.calls()))
			}
		})
	}
}

func TestWhoeverGivesUpDoesNotTakeTheTokenFromTheOthers(t *testing.T) {
	h := open(t, "client_secret_basic", "")
	h.pause = 300 * time.Millisecond
	r, _ := h.service.Request("r")
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := h.services.Invoke(ctx, external.Invocation{Env: env, ServiceID: service, Request: r})
		gone <- err
	}()
	for len(h.wire.calls()) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if e := failure(t, <-gone); e.Code != external.InvocationFailed {
		t.Errorf("%v", e)
	}
	h.expect(t, 1)
}

func TestSchemesThatAreHeaders(t *testing.T) {
	origin, w := target(t, echo)
	for scheme, row := range map[string]struct{ secret, header, want string }{
		`"type":"API_KEY"`:                      {"key", "Authorization", "hush"},
		`"type":"API_KEY","header":"X-Api-Key"`: {"key", "X-Api-Key", "hush"},
		`"type":"BEARER"`:                       {"token", "Authorization", "Bearer hush"},
		`"type":"BASIC","username":"ada ä"`:     {"password", "Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("ada ä:hush"))},
	} {
		s := compile(t, origin, `"authSchemes":[{"name":"s",`+scheme+`}],`, get+`,"authScheme":"s"}`)
		_, err := invoke(t, w, of(map[string]string{"authSchemes/s/" + row.secret: "hush"}), s, nil)
		calls := w.calls()
		if err != nil || calls[len(calls)-1].Header.Get(row.header) != row.want {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

package management_test

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/management"
	"doorward/runtime/flow"
)

const (
	envID   = "d0000000-0000-4000-8000-000000000001"
	otherID = "d0000000-0000-4000-8000-000000000002"

	admin    = "d0000000-0000-4000-8000-0000000000d1" // ENVIRONMENT_ADMIN
	people   = "d0000000-0000-4000-8000-0000000000d2" // IDENTITY_DATA_ADMIN
	viewer   = "d0000000-0000-4000-8000-0000000000d3" // CONFIGURATION_READ_ONLY
	nobody   = "d0000000-0000-4000-8000-0000000000d4" // no role
	service  = "d0000000-0000-4000-8000-0000000000d5" // no worker
	stranger = "d0000000-0000-4000-8000-0000000000e1" // ENVIRONMENT_ADMIN of the other environment

	secret     = "the-secret-of-the-tests"
	population = "d0000000-0000-4000-8000-0000000000b1"
	policyID   = "d0000000-0000-4000-8000-0000000000c1"
)

// house is the API behind a real listener, over a real directory, real
// configuration and real tokens.
type house struct {
	*httptest.Server
	t        testing.TB
	host     string // to be sent instead of the URL's
	api      *management.API
	logger   *slog.Logger
	users    *directory.Users
	outbox   *directory.Outbox
	devices  *directory.Devices
	issued   *directory.Certificates
	registry *configs.Registry
	events   *events
	logs     *log
	ahead    atomic.Int64 // of every clock, nanoseconds
	stopped  atomic.Pointer[time.Time]
	tokens   map[string]string // by application
}

func (h *house) now() time.Time {
	if at := h.stopped.Load(); at != nil {
		return *at
	}
	return time.Now().Add(time.Duration(h.ahead.Load()))
}

// stop stops every clock.
func (h *house) stop(at time.Time) { h.stopped.Store(&at) }

// wait lets time pass; tokens do not get old.
func (h *house) wait(d time.Duration) {
	h.ahead.Add(int64(d))
	if d > time.Minute {
		h.tokens = map[string]string{}
	}
}

type events struct {
	mu  sync.Mutex
	all []flow.Event
}

func (e *events) Record(_ context.Context, one flow.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, one)
}

func (e *events) of(kind flow.EventType) (found []flow.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.all {
		if one.Type == kind {
			found = append(found, one)
		}
	}
	return found
}

// router takes paths as the real server's do.
type router struct{ *http.ServeMux }

func (m router) Handle(method, path string, h http.Handler) {
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		if name, is := strings.CutPrefix(part, ":"); is {
			part = "{" + name + "}"
		}
		parts = append(parts, part)
	}
	m.ServeMux.Handle(method+" "+strings.Join(parts, "/"), h)
}

// files are the environment of the tests and another one.
func files(t testing.TB) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	for dir, env := range map[string]string{"one": envID, "two": otherID} {
		for _, name := range []string{"environment.json", "populations/default.json", "passwordPolicies/standard.json", "signOnPolicies/single-factor.json"} {
			b, err := fs.ReadFile(configs.Demo, "demo/"+name)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(b), envID, env)
			if dir == "two" {
				text = strings.NewReplacer(`"Demo"`, `"Two"`, `"managed": false`, `"managed": true`).Replace(text)
			}
			out[dir+"/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	for id, role := range map[string]string{admin: "ENVIRONMENT_ADMIN", people: "IDENTITY_DATA_ADMIN", viewer: "CONFIGURATION_READ_ONLY", nobody: "", service: "", stranger: "ENVIRONMENT_ADMIN"} {
		dir := "one"
		if id == stranger {
			dir = "two"
		}
		app := map[string]any{
			"id": id, "name": "app " + id[34:], "enabled": true, "type": "WORKER", "protocol": "OPENID_CONNECT",
			"grantTypes": []string{"CLIENT_CREDENTIALS"}, "tokenEndpointAuthMethod": "CLIENT_SECRET_BASIC", "secret": secret, "signingAlgorithm": "ES256",
		}
		if role != "" {
			app["roles"] = []string{role}
		}
		if id == service {
			app["type"] = "SERVICE"
		}
		b, err := json.Marshal(app)
		if err != nil {
			t.Fatal(err)
		}
		out[dir+"/applications/"+id[34:]+".json"] = &fstest.MapFile{Data: b}
	}
	return out
}

// do sends a request as one of the applications; path is below the environment
// unless it is whole.
func (h *house) do(as, method, path, body string, header ...string) reply {
	h.t.Helper()
	if !strings.HasPrefix(path, "http") {
		if !strings.HasPrefix(path, "/v1") {
			path = "/v1/environments/" + envID + path
		}
		path = h.URL + path
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if h.host != "" {
		r.Host = h.host
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+h.token(as))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{res, h.t, string(b)}
}

func (h *house) get(path string) reply        { h.t.Helper(); return h.do(admin, "GET", path, "") }
func (h *house) post(path, body string) reply { h.t.Helper(); return h.do(admin, "POST", path, body) }

func (h *house) put(path, body string) reply { h.t.Helper(); return h.do(admin, "PUT", path, body) }

func (h *house) remove(path string) reply { h.t.Helper(); return h.do(admin, "DELETE", path, "") }

// act posts or puts an action by its media type.
func (h *house) act(method, path, action, body string) reply {
	h.t.Helper()
	return h.do(admin, method, path, body, "Content-Type", "application/vnd.pingidentity."+action+"+json")
}

// token is an access token that an application has got from the token endpoint.
func (h *house) token(app string) string {
	h.t.Helper()
	if t := h.tokens[app]; t != "" {
		return t
	}
	h.tokens[app] = h.newToken(app, secret)
	return h.tokens[app]
}

func (h *house) newToken(app, secret string) string {
	h.t.Helper()
	env := envID
	if app == stranger {
		env = otherID
	}
	r, err := http.NewRequestWithContext(h.t.Context(), "POST", h.URL+"/"+env+"/as/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	if h.host != "" {
		r.Host = h.host
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(app, secret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	var m map[string]any
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil || m["access_token"] == nil {
		h.t.Fatalf("token of %s: %d %v %v", app, res.StatusCode, m, err)
	}
	return m["access_token"].(string)
}

// published is a body of the published examples.
func published(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

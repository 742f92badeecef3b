package management_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"doorward/runtime/httpapi"
)

type unmeasured struct{}

func (unmeasured) Observe(string, int, time.Duration) {}

// TestTheRealServerServesEveryRoute puts the API behind the server that the
// product has, whose router and copies of requests are others than those of the
// other tests.
func TestTheRealServerServesEveryRoute(t *testing.T) {
	h := newHouse(t)
	server, err := httpapi.New(httpapi.Parts{Tenants: h.registry, Metrics: unmeasured{}, Events: h.events, Log: h.logger, Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	h.api.Register(server)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Shutdown(t.Context()) })
	h.token(admin)
	front := &house{Server: &httptest.Server{URL: "http://" + l.Addr().String()}, t: t, tokens: h.tokens, host: h.Listener.Addr().String()}
	u := front.post("/users", `{"username":"ben"}`).is(http.StatusCreated)
	path := "/users/" + u["id"].(string)
	front.get(path).is(http.StatusOK)
	front.get("/users?filter=username%20eq%20%22ben%22").is(http.StatusOK)
	front.act("POST", path, "account.lock", "").is(http.StatusOK)
	front.put(path+"/enabled", `{"enabled":false}`).is(http.StatusOK)
	front.get(path + "/password").is(http.StatusOK)
	front.get("/flowMetadata/stepTypes/COMPLETE_FLOW").is(http.StatusOK)
	front.get("/applications/" + admin + "/secret").is(http.StatusOK)
	front.get("/applications/" + admin + "/signOnPolicyAssignments").is(http.StatusOK)
	front.get("").is(http.StatusOK)
	front.get("/v1/environments").is(http.StatusOK)
	if r := front.do(admin, "HEAD", path, ""); r.StatusCode != http.StatusOK || r.text != "" {
		t.Errorf("%d %q", r.StatusCode, r.text)
	}
	if r := front.do("", "OPTIONS", path, ""); r.StatusCode != http.StatusNoContent {
		t.Error(r.StatusCode)
	}
	front.do(admin, "PATCH", "/populations", `{}`).refuses(http.StatusMethodNotAllowed, "INVALID_REQUEST")
	front.remove(path).is(http.StatusNoContent)
}

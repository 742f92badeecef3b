package management_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestEveryAnswerHasTheDocumentedHeader(t *testing.T) {
	h := newHouse(t)
	for _, r := range []reply{h.get("/users"), h.get("/users/x"), h.do("", "GET", "/users", ""), h.remove("/populations"), h.post("/users", `{}`)} {
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Access-Control-Allow-Origin": "*",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
		} {
			if r.Header.Get(name) != want {
				t.Errorf("%d: %s is %q", r.StatusCode, name, r.Header.Get(name))
			}
		}
		if len(r.Header.Get("Correlation-Id")) != 36 || r.Header.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(r.Header.Get("Content-Type"), "json") {
			t.Errorf("%d: %v", r.StatusCode, r.Header)
		}
	}
	const mine = "8c1a2b3c-0000-4000-8000-000000000001"
	if got := h.do(admin, "GET", "/users", "", "Correlation-Id", mine).Header.Get("Correlation-Id"); got != mine {
		t.Errorf("%q", got)
	}
}

func TestAPageOfAnyOriginMayAsk(t *testing.T) {
	h := newHouse(t)
	r := h.do("", "OPTIONS", "/users", "", "Origin", "https://tool.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
	if r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Origin") != "*" || r.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD, POST, OPTIONS" ||
		!strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Authorization") || r.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	h := newHouse(t)
	r := h.do(admin, "HEAD", "/users", "")
	if r.StatusCode != http.StatusOK || r.text != "" || r.Header.Get("Content-Type") != "application/hal+json;charset=UTF-8" {
		t.Errorf("%d %q %v", r.StatusCode, r.text, r.Header)
	}
	if r = h.do(admin, "HEAD", "/users/x", ""); r.StatusCode != http.StatusNotFound || r.text != "" {
		t.Errorf("%d %q", r.StatusCode, r.text)
	}
}

func TestOtherMethodsAreRefusedWithThoseThatAreTaken(t *testing.T) {
	h := newHouse(t)
	for path, allow := range map[string]string{
		"/users": "GET, HEAD, POST, OPTIONS", "/populations/" + population: "GET, HEAD, DELETE, PUT, OPTIONS", "": "GET, HEAD, PUT, DELETE, OPTIONS",
		"/flowMetadata/stepTypes": "GET, HEAD, OPTIONS", "/users/" + population + "/password": "GET, HEAD, POST, PUT, OPTIONS",
	} {
		r := h.do(admin, "PATCH", path, `{}`)
		r.refuses(http.StatusMethodNotAllowed, "INVALID_REQUEST")
		if r.Header.Get("Allow") != allow {
			t.Errorf("%s: %q", path, r.Header.Get("Allow"))
		}
	}
}

func TestABodyIsTakenWholeOrNotAtAll(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct {
		body, contentType string
		status            int
	}{
		"no type":          {`{}`, "", http.StatusUnsupportedMediaType},
		"a form":           {"name=x", "application/x-www-form-urlencoded", http.StatusUnsupportedMediaType},
		"another charset":  {`{}`, "application/json; charset=latin1", http.StatusUnsupportedMediaType},
		"another's action": {`{}`, "application/vnd.pingidentity.user.import+json", http.StatusUnsupportedMediaType},
		"a fold":           {`{}`, "application/j\u017fon", http.StatusUnsupportedMediaType},
		"nothing":          {``, "application/json", http.StatusBadRequest},
		"a list":           {`[]`, "application/json", http.StatusBadRequest},
		"two objects":      {`{}{}`, "application/json", http.StatusBadRequest},
		"a name twice":     {`{"name":"a","name":"b"}`, "application/json", http.StatusBadRequest},
		"no UTF-8":         {"{\"name\":\"\xff\"}", "application/json", http.StatusBadRequest},
		"too deep":         {strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40), "application/json", http.StatusBadRequest},
		"too large":        {`{"name":"` + strings.Repeat("x", 1<<20) + `"}`, "application/json", http.StatusRequestEntityTooLarge},
	} {
		r := h.do(admin, "POST", "/populations", c.body, "Content-Type", c.contentType)
		if r.StatusCode != c.status {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.text)
		}
		if c.status == http.StatusUnsupportedMediaType && r.Header.Get("Accept") != "application/json" {
			t.Errorf("%s: %v", name, r.Header)
		}
	}
	h.do(admin, "POST", "/populations", `{"name":"ok"}`, "Content-Type", "Application/JSON; charset=UTF-8").is(http.StatusCreated)
	h.do(admin, "DELETE", "/populations/"+population, `{}`).refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_VALUE")
}

func TestAnErrorHasTheShapeOfThePublishedOne(t *testing.T) {
	h := newHouse(t)
	want := reply{t: t, text: published(t, "doc-error-invalid-value.response-400.json")}.json()
	got := h.post("/users", `{"username":7}`).is(http.StatusBadRequest)
	for name := range want {
		if got[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	for name := range list(want["details"])[0] {
		if list(got["details"])[0][name] == nil {
			t.Errorf("a detail has no %s", name)
		}
	}
	if len(h.logs.String()) == 0 || strings.Count(h.logs.String(), got["id"].(string)) != 1 {
		t.Error("the log does not carry the error's id once")
	}
}

func TestAnUnknownEnvironmentIsNotFound(t *testing.T) {
	h := newHouse(t)
	h.do(admin, "GET", "/v1/environments/d0000000-0000-4000-8000-00000000dead/users", "").refuses(http.StatusNotFound, "NOT_FOUND")
	h.do(admin, "GET", "/v1/environments/x/users", "").refuses(http.StatusNotFound, "NOT_FOUND")
	r, err := http.NewRequestWithContext(t.Context(), "GET", h.URL+"/v1/environments/"+envID+"/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "elsewhere.example"
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest {
		t.Error(res.StatusCode)
	}
}

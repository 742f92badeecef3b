package management_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/runtime/flow"
)

func TestARoleMayDoWhatItIsFor(t *testing.T) {
	h := newHouse(t)
	user := h.user("ben", "")
	u := "/users/" + user
	for _, c := range []struct {
		method, path, body, contentType string
		may                             []string // beside ENVIRONMENT_ADMIN, which may do everything
	}{
		{"GET", "/users", "", "", []string{people}},
		{"POST", "/users", `{}`, "", []string{people}},
		{"GET", u, "", "", []string{people}},
		{"PUT", u, `{}`, "", []string{people}},
		{"PATCH", u, `{}`, "", []string{people}},
		{"POST", u, ``, "application/vnd.pingidentity.account.unlock+json", []string{people}},
		{"GET", u + "/enabled", "", "", []string{people}},
		{"PUT", u + "/enabled", `{}`, "", []string{people}},
		{"GET", u + "/password", "", "", []string{people}},
		{"PUT", u + "/password", `{}`, "application/vnd.pingidentity.password.set+json", []string{people}},
		{"GET", u + "/agreementConsents", "", "", []string{people}},
		{"GET", "/populations", "", "", []string{people, viewer}},
		{"GET", "/populations/" + population, "", "", []string{people, viewer}},
		{"POST", "/populations", `{}`, "", nil},
		{"DELETE", "/populations/" + population, "", "", nil},
		{"GET", "/passwordPolicies", "", "", []string{people, viewer}},
		{"GET", "/agreements", "", "", []string{people, viewer}},
		{"GET", "/applications", "", "", []string{viewer}},
		{"GET", "/applications/" + admin + "/secret", "", "", nil},
		{"POST", "/applications/" + admin + "/secret", "", "", nil},
		{"PUT", "/applications/" + nobody, `{}`, "", nil},
		{"GET", "/signOnPolicies", "", "", []string{viewer}},
		{"GET", "/flowDefinitions", "", "", []string{viewer}},
		{"GET", "/flowDefinitions/" + policyID + "/draft", "", "", []string{viewer}},
		{"PUT", "/flowDefinitions/" + policyID + "/draft", `{}`, "", nil},
		{"GET", "/flowMetadata/stepTypes", "", "", []string{viewer}},
		{"GET", "/recaptchaV2Config", "", "", []string{viewer}},
		{"GET", "/notificationsSettings", "", "", []string{viewer}},
		{"PUT", "/notificationsSettings", `{}`, "", nil},
		{"POST", "/notificationsSettings", `{}`, "application/vnd.doorward.notification.test+json", nil},
		{"GET", "/notificationsSettings/tests/" + policyID, "", "", []string{viewer}},
		{"GET", "", "", "", []string{viewer}},
		{"PUT", "", `{}`, "", nil},
	} {
		for _, app := range []string{people, viewer, nobody} {
			header := []string{}
			if c.contentType != "" {
				header = []string{"Content-Type", c.contentType}
			}
			r := h.do(app, c.method, c.path, c.body, header...)
			if slices.Contains(c.may, app) {
				if r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusUnauthorized {
					t.Errorf("%s may %s %s: %d", app[34:], c.method, c.path, r.StatusCode)
				}
				continue
			}
			m := r.refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
			if !strings.Contains(list(m["details"])[0]["message"].(string), "ENVIRONMENT_ADMIN") {
				t.Errorf("the role is not said: %v", m)
			}
		}
		h.do("", c.method, c.path, c.body).refuses(http.StatusUnauthorized, "ACCESS_FAILED", "INVALID_TOKEN")
	}
	if len(h.events.of(flow.ManagementRefused)) == 0 {
		t.Error("refusals are not recorded")
	}
	if h.get(u).is(http.StatusOK)["username"] != "ben" {
		t.Error("something was changed")
	}
}

func TestATokenThatIsNoneIsRefused(t *testing.T) {
	h := newHouse(t)
	good := h.token(admin)
	parts := strings.Split(good, ".")
	for name, header := range map[string][]string{
		"another scheme":      {"Basic " + good},
		"no token":            {"Bearer"},
		"two tokens":          {"Bearer " + good + " " + good},
		"nonsense":            {"Bearer x.y.z"},
		"without a signature": {"Bearer " + parts[0] + "." + parts[1] + "."},
		"another's payload":   {"Bearer " + parts[0] + "." + strings.Split(h.token(stranger), ".")[1] + "." + parts[2]},
		"no worker":           {"Bearer " + h.token(service)},
		"two lines":           {"Bearer " + good, "Bearer " + good},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", h.URL+"/v1/environments/"+envID+"/users", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Authorization"] = header
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), `Bearer realm="management", error="invalid_token"`) {
			t.Errorf("%s: %d %q", name, res.StatusCode, res.Header.Get("WWW-Authenticate"))
		}
	}
	if got := h.do("", "GET", "/users", "").Header.Get("WWW-Authenticate"); got != `Bearer realm="management"` {
		t.Errorf("without a token: %q", got)
	}
	h.do("", "GET", "/users?access_token="+good, "").refuses(http.StatusUnauthorized, "ACCESS_FAILED", "INVALID_TOKEN")
	h.get("/users?access_token="+good).refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER access_token")
	if strings.Contains(h.logs.String(), parts[2]) {
		t.Error("a token is in the log")
	}
	h.ahead.Add(int64(2 * time.Hour))
	h.get("/users").refuses(http.StatusUnauthorized, "ACCESS_FAILED", "INVALID_TOKEN")
}

func TestATokenEndsWithItsApplicationAndItsRole(t *testing.T) {
	h := newHouse(t)
	h.do(people, "GET", "/users", "").is(http.StatusOK)
	app := `{"name":"app d2","enabled":%v,"type":"WORKER","protocol":"OPENID_CONNECT","grantTypes":["CLIENT_CREDENTIALS"],"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"}`
	h.put("/applications/"+people, fmt.Sprintf(app, true)).is(http.StatusOK)
	h.do(people, "GET", "/users", "").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	h.put("/applications/"+people, fmt.Sprintf(app, false)).is(http.StatusOK)
	h.do(people, "GET", "/users", "").refuses(http.StatusUnauthorized, "ACCESS_FAILED", "INVALID_TOKEN")
	h.remove("/applications/" + people).is(http.StatusNoContent)
	h.do(people, "GET", "/users", "").refuses(http.StatusUnauthorized, "ACCESS_FAILED", "INVALID_TOKEN")
}

func TestAnApplicationThatSendsTooMuchWaits(t *testing.T) {
	h := newHouse(t)
	h.token(admin)
	h.do(viewer, "GET", "/populations", "").is(http.StatusOK)
	stopped := h.now()
	h.stop(stopped)
	var last reply
	for range 201 {
		last = h.get("/populations")
	}
	last.refuses(http.StatusTooManyRequests, "REQUEST_LIMITED", "LIMIT_EXCEEDED")
	if last.Header.Get("Retry-After") != "1" {
		t.Error(last.Header)
	}
	h.do(viewer, "GET", "/populations", "").is(http.StatusOK) // another application
	h.stop(stopped.Add(time.Second))
	h.get("/populations").is(http.StatusOK)
	if len(h.events.of(flow.RequestLimited)) != 1 {
		t.Error("it is not recorded")
	}
}

func TestEnvironmentsAreMadeByTheAdministrators(t *testing.T) {
	h := newHouse(t)
	const all = "/v1/environments"
	m := h.get(all).is(http.StatusOK)
	if got := embedded(m); len(got) != 1 || got[0]["id"] != envID || m["count"] != 1.0 {
		t.Error(m)
	}
	m = h.do(stranger, "GET", all+"?order=-name&limit=1", "").is(http.StatusOK)
	if got := embedded(m); len(got) != 1 || got[0]["id"] != otherID || m["count"] != 2.0 || at(m, "_links", "next") == nil {
		t.Error(m)
	}
	body := `{"name":"New-Env","description":"New environment description","type":"SANDBOX","region":"EU","license":{"id":"d0000000-0000-4000-8000-0000000000ee"}}`
	h.post(all, body).refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	h.remove("").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	r := h.do(stranger, "POST", all, body)
	made := r.is(http.StatusCreated)
	path := all + "/" + made["id"].(string)
	if r.Header.Get("Location") != h.URL+path || at(made, "_links", "users", "href") != h.URL+path+"/users" || made["name"] != "New-Env" {
		t.Error(r.Header.Get("Location"), made)
	}
	if got := h.do(stranger, "GET", path, "").is(http.StatusOK); got["name"] != "New-Env" {
		t.Error(got)
	}
	pops := h.do(stranger, "GET", path+"/populations", "").is(http.StatusOK)
	if pops["count"] != 1.0 {
		t.Error(pops)
	}
	h.get(path).refuses(http.StatusUnauthorized, "ACCESS_FAILED", "INVALID_TOKEN") // another environment's worker
	if got := h.do(stranger, "PUT", path, `{"name":"Renamed","type":"SANDBOX"}`).is(http.StatusOK); got["name"] != "Renamed" {
		t.Error(got)
	}
	h.do(stranger, "POST", all, `{"name":"Renamed","type":"x"}`).is(http.StatusBadRequest)
	h.do(stranger, "DELETE", path, "").is(http.StatusNoContent)
	h.do(stranger, "GET", path, "").refuses(http.StatusNotFound, "NOT_FOUND")
	if got := h.get("").is(http.StatusOK); got["id"] != envID || at(got, "_links", "signOnPolicies") == nil {
		t.Error(got)
	}
}

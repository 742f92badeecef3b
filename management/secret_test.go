package management_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/runtime/flow"
)

func TestAnApplicationsSecretIsReadAndRotated(t *testing.T) {
	h := newHouse(t)
	app := h.post("/applications", `{"name":"New","enabled":true,"type":"WORKER","protocol":"OPENID_CONNECT","grantTypes":["CLIENT_CREDENTIALS"],"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC","roles":["IDENTITY_DATA_ADMIN"]}`).is(http.StatusCreated)
	id := app["id"].(string)
	if app["secret"] != nil {
		t.Error("the secret is shown with the application")
	}
	path := "/applications/" + id + "/secret"
	first := h.get(path).is(http.StatusOK)["secret"].(string)
	h.tokens[id] = h.newToken(id, first)
	h.do(id, "GET", "/users", "").is(http.StatusOK) // at once, with its role
	h.do(id, "GET", path, "").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	h.do(viewer, "GET", path, "").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	second := h.post(path, "").is(http.StatusOK)["secret"].(string)
	if second == first || h.get(path).is(http.StatusOK)["secret"] != second {
		t.Error("the secret was not changed")
	}
	h.newToken(id, second)
	h.get("/applications/d0000000-0000-4000-8000-00000000dead/secret").refuses(http.StatusNotFound, "NOT_FOUND")
	if n := len(h.events.of(flow.ManagementSecret)); n != 2 {
		t.Errorf("%d reads of secrets are recorded", n)
	}
	if strings.Contains(h.logs.String(), first) || strings.Contains(h.logs.String(), second) {
		t.Error("a secret is in the log")
	}
}

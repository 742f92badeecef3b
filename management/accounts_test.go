package management_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/runtime/flow"
)

func TestAnImportTakesPasswordAndLifecycle(t *testing.T) {
	h := newHouse(t)
	body := strings.Replace(published(t, "comp-user-import.json"), "11111111-0000-4000-8000-0000000000a1", population, 1)
	for _, contentType := range []string{"application/vnd.pingidentity.user.import+json", "application/vnd.pingidentity.user.import; charset=UTF-8"} {
		u := h.do(admin, "POST", "/users", body, "Content-Type", contentType).is(http.StatusCreated)
		if at(u, "lifecycle", "status") != "VERIFICATION_REQUIRED" || at(u, "_links", "user.verify") == nil {
			t.Error(u)
		}
		id := u["id"].(string)
		if s := h.get("/users/" + id + "/password").is(http.StatusOK); s["status"] != "MUST_CHANGE_PASSWORD" {
			t.Error(s)
		}
		if mail := h.mail(); mail == nil || mail.To != "lsmith@example.com" || mail.Template != "verification" {
			t.Errorf("mail: %+v", mail)
		}
		h.remove("/users/" + id).is(http.StatusNoContent)
	}
	silent := h.act("POST", "/users", "user.import", `{"username":"ben","email":"b@example.com","lifecycle":{"status":"VERIFICATION_REQUIRED","suppressVerificationCode":true},"password":{"value":"Correct-Horse-9"}}`).is(http.StatusCreated)
	if mail := h.mail(); mail != nil {
		t.Errorf("mail: %+v", mail)
	}
	if strings.Contains(h.get("/users/"+silent["id"].(string)).text, "Correct-Horse-9") {
		t.Error("the password is shown")
	}
	for body, details := range map[string][]string{
		`{"username":"x","password":{"value":"{SSHA512}!!!"}}`:                                                 {"INVALID_VALUE password.value"},
		`{"username":"x","password":{"value":"$2a$20$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}`: {"INVALID_VALUE password.value"},
		`{"username":"x","password":{"value":""}}`:                                                             {"INVALID_VALUE password.value"},
		`{"username":"x","password":{"hash":"y","forceChange":1}}`:                                             {"INVALID_VALUE password.forceChange", "INVALID_VALUE password.hash"},
		`{"username":"x","lifecycle":{"status":"GONE","suppressVerificationCode":"no"}}`:                       {"INVALID_VALUE lifecycle.status", "INVALID_VALUE lifecycle.suppressVerificationCode"},
		published(t, "doc-user-import-external-password.json"):                                                 {"INVALID_VALUE password.external", "INVALID_VALUE population.id"},
	} {
		h.act("POST", "/users", "user.import", body).refuses(http.StatusBadRequest, "INVALID_DATA", details...)
	}
}

func TestAnAccountIsLockedAndUnlocked(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", "")
	path := "/users/" + id
	u := h.act("POST", path, "account.lock", "").is(http.StatusOK)
	if at(u, "account", "status") != "LOCKED" || at(u, "account", "canAuthenticate") != false || at(u, "account", "lockedAt") == nil || at(u, "account", "unlockAt") != nil || at(u, "_links", "account.unlock") == nil {
		t.Error(u["account"])
	}
	u = h.act("POST", path, "account.unlock", "").is(http.StatusOK)
	if at(u, "account", "status") != "OK" {
		t.Error(u["account"])
	}
	u = h.act("POST", path, "account.lock", fmt.Sprintf(`{"unlockAt":%q}`, h.now().Add(time.Hour).UTC().Format(time.RFC3339))).is(http.StatusOK)
	if s, _ := at(u, "account", "secondsUntilUnlock").(float64); s < 3500 || s > 3601 {
		t.Error(u["account"])
	}
	h.wait(2 * time.Hour)
	if u = h.get(path).is(http.StatusOK); at(u, "account", "status") != "OK" {
		t.Error(u["account"])
	}
	for _, over := range []string{published(t, "doc-account-lock.json"), `{"unlockAt":"1970-01-01T00:00:00Z"}`, `{"unlockAt":"0001-01-01T00:00:00Z"}`} {
		u = h.act("POST", path, "account.lock", over).is(http.StatusOK)
		if at(u, "account", "status") != "OK" {
			t.Error(over, u["account"])
		}
	}
	h.act("POST", path, "account.lock", `{"unlockAt":"tomorrow"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE unlockAt")
	h.act("POST", path, "account.lock", `{"until":"x"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE until")
	m := h.act("POST", path, "account.destroy", "").refuses(http.StatusUnsupportedMediaType, "INVALID_REQUEST")
	if !strings.Contains(m["message"].(string), "account.lock+json") {
		t.Error(m)
	}
	h.do(admin, "POST", path, "").refuses(http.StatusUnsupportedMediaType, "INVALID_REQUEST")
	if len(h.events.of(flow.UserLocked)) != 2 || len(h.events.of(flow.UserUnlocked)) != 1 {
		t.Error("locks and unlocks are not recorded")
	}
}

func TestAnAddressIsVerified(t *testing.T) {
	h := newHouse(t)
	id := h.act("POST", "/users", "user.import", `{"username":"ben","email":"b@example.com","lifecycle":{"status":"VERIFICATION_REQUIRED"}}`).is(http.StatusCreated)["id"].(string)
	h.mail()
	h.act("POST", "/users/"+id, "user.sendVerificationCode", "").is(http.StatusOK)
	mail := h.mail()
	if mail == nil {
		t.Fatal("no mail")
	}
	h.act("POST", "/users/"+id, "user.verify", `{"verificationCode":"nonsense"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE verificationCode")
	h.act("POST", "/users/"+id, "user.verify", `{}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE verificationCode")
	u := h.act("POST", "/users/"+id, "user.verify", fmt.Sprintf(`{"verificationCode":%q}`, mail.Params["code"])).is(http.StatusOK)
	if at(u, "lifecycle", "status") != "ACCOUNT_OK" || u["emailVerified"] != true {
		t.Error(u)
	}
	h.act("POST", "/users/"+id, "user.sendVerificationCode", "").refuses(http.StatusBadRequest, "REQUEST_FAILED", "CONSTRAINT_VIOLATION")
}

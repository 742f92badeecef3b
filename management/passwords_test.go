package management_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/runtime/flow"
)

const good = "Correct-Horse-9"

func TestAPasswordStateIsTheDocumentedOne(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", "")
	got := h.get("/users/" + id + "/password?expand=passwordPolicy").is(http.StatusOK)
	want := reply{t: t, text: published(t, "doc-password-state.response-200.json")}.json()
	for name := range want {
		if got[name] == nil && name != "lastChangedAt" { // of a user without one it is not known
			t.Errorf("there is no %s", name)
		}
	}
	for rel := range want["_links"].(map[string]any) {
		if at(got, "_links", rel) == nil {
			t.Errorf("there is no link %s", rel)
		}
	}
	if got["status"] != "NO_PASSWORD" || at(got, "user", "id") != id || at(got, "passwordPolicy", "id") != policyID || at(got, "_embedded", "passwordPolicy", "id") != policyID {
		t.Error(got)
	}
	h.get("/users/"+id+"/password?expand=user").refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER expand")
}

func TestAPasswordIsSetAndChecked(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", `"email":"ben@example.com"`)
	path := "/users/" + id + "/password"
	check := fmt.Sprintf(`{"password":%q}`, good)
	h.act("POST", path, "password.check", check).refuses(http.StatusBadRequest, "REQUEST_FAILED", "NO_PASSWORD")
	s := h.act("PUT", path, "password.set", fmt.Sprintf(`{"value":%q,"forceChange":true}`, good)).is(http.StatusOK)
	if s["status"] != "MUST_CHANGE_PASSWORD" || s["lastChangedAt"] == nil {
		t.Error(s)
	}
	if s = h.act("POST", path, "password.check", check).is(http.StatusOK); s["status"] != "MUST_CHANGE_PASSWORD" {
		t.Error(s)
	}
	h.act("PUT", path, "password.set", fmt.Sprintf(`{"value":%q}`, good)).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE value") // it is the one in use
	h.act("PUT", path, "password.set", `{"value":"Better-Battery-7"}`).is(http.StatusOK)
	if s = h.act("POST", path, "password.check", `{"password":"Better-Battery-7"}`).is(http.StatusOK); s["status"] != "OK" {
		t.Error(s)
	}
	h.act("POST", path, "password.check", `{"password":"wrong"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE password")
	h.act("PUT", path, "password.set", `{"value":"{SSHA512}!!"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE value")
	h.act("PUT", path, "password.set", `{}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE value")
	h.put(path, `{"value":"x"}`).refuses(http.StatusUnsupportedMediaType, "INVALID_REQUEST")
	s = h.act("POST", path, "password.forceChange", "").is(http.StatusOK)
	if s["status"] != "MUST_CHANGE_PASSWORD" {
		t.Error(s)
	}
	if mail := h.mail(); mail == nil || mail.Template != "password.changed" {
		t.Errorf("mail: %+v", mail)
	}
	if strings.Contains(h.logs.String(), good) {
		t.Error("the password is in the log")
	}
}

func TestACheckIsNoSignOn(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", "")
	path := "/users/" + id
	h.act("PUT", path+"/password", "password.set", fmt.Sprintf(`{"value":%q}`, good)).is(http.StatusOK)
	h.act("POST", path+"/password", "password.check", fmt.Sprintf(`{"password":%q}`, good)).is(http.StatusOK)
	if u := h.get(path).is(http.StatusOK); u["lastSignOn"] != nil {
		t.Error(u["lastSignOn"])
	}
}

func TestAPasswordSaysWhenItSoonExpires(t *testing.T) {
	h := newHouse(t)
	h.put("/passwordPolicies/"+policyID, published(t, "doc-password-policy.json")).is(http.StatusOK) // 182 days
	id := h.user("ben", "")
	path := "/users/" + id + "/password"
	if s := h.act("PUT", path, "password.set", fmt.Sprintf(`{"value":%q}`, good)).is(http.StatusOK); s["warnings"] != nil {
		t.Error(s)
	}
	h.wait(170 * 24 * time.Hour)
	if s := h.get(path).is(http.StatusOK); s["status"] != "OK" || at(s, "warnings", "expires") == nil {
		t.Error(s)
	}
	h.wait(20 * 24 * time.Hour)
	if s := h.get(path).is(http.StatusOK); s["status"] != "PASSWORD_EXPIRED" || s["warnings"] != nil {
		t.Error(s)
	}
}

func TestWrongPasswordsLockAndAreUnlocked(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", "")
	path := "/users/" + id + "/password"
	h.act("PUT", path, "password.set", fmt.Sprintf(`{"value":%q}`, good)).is(http.StatusOK)
	var last reply
	for range 5 {
		last = h.act("POST", path, "password.check", `{"password":"wrong"}`)
	}
	last.refuses(http.StatusBadRequest, "REQUEST_FAILED", "PASSWORD_LOCKED_OUT password")
	s := h.get(path).is(http.StatusOK)
	if s["status"] != "PASSWORD_LOCKED_OUT" || s["secondsUntilUnlock"] == nil {
		t.Error(s)
	}
	h.act("POST", path, "password.check", fmt.Sprintf(`{"password":%q}`, good)).refuses(http.StatusBadRequest, "REQUEST_FAILED", "PASSWORD_LOCKED_OUT password")
	h.act("POST", path, "password.sendRecoveryCode", "").refuses(http.StatusBadRequest, "REQUEST_FAILED", "PASSWORD_LOCKED_OUT password")
	s = h.do(admin, "POST", path, "", "Content-Type", "application/vnd.pingidentity.password.unlock").is(http.StatusOK)
	if s["status"] != "OK" {
		t.Error(s)
	}
	if len(h.events.of(flow.PasswordUnlocked)) != 1 {
		t.Error("the unlock is not recorded")
	}
	h.act("POST", path, "password.check", fmt.Sprintf(`{"password":%q}`, good)).is(http.StatusOK)
}

func TestAPasswordIsRecovered(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", `"email":"ben@example.com"`)
	path := "/users/" + id + "/password"
	h.act("POST", path, "password.sendRecoveryCode", "").refuses(http.StatusBadRequest, "REQUEST_FAILED", "NO_PASSWORD")
	h.act("PUT", path, "password.set", fmt.Sprintf(`{"value":%q}`, good)).is(http.StatusOK)
	h.mail()
	h.do(admin, "POST", path, "", "Content-Type", "application/vnd.pingidentity.password.sendRecoveryCode").is(http.StatusOK)
	mail := h.mail()
	if mail == nil || mail.Template != "recovery" {
		t.Fatalf("mail: %+v", mail)
	}
	h.act("POST", path, "password.recover", published(t, "doc-password-recover.json")).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE recoveryCode")
	h.act("POST", path, "password.recover", `{}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE recoveryCode", "REQUIRED_VALUE newPassword")
	m := h.act("POST", path, "password.recover", fmt.Sprintf(`{"recoveryCode":%q,"newPassword":"x"}`, mail.Params["code"]))
	d := list(m.refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE newPassword")["details"])[0]
	if at(d, "innerError", "unsatisfiedRequirements") == nil || d["pointer"] != "/newPassword" {
		t.Error(d)
	}
	if s := h.act("POST", path, "password.recover", fmt.Sprintf(`{"recoveryCode":%q,"newPassword":"Better-Battery-7"}`, mail.Params["code"])).is(http.StatusOK); s["status"] != "OK" {
		t.Error(s)
	}
	h.act("POST", path, "password.check", `{"password":"Better-Battery-7"}`).is(http.StatusOK)
	h.put("/users/"+id+"/enabled", `{"enabled":false}`).is(http.StatusOK)
	h.act("POST", path, "password.sendRecoveryCode", "").refuses(http.StatusBadRequest, "REQUEST_FAILED", "ACCOUNT_NOT_USABLE")
}

func TestAPasswordIsResetByTheOneInUse(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", "")
	path := "/users/" + id + "/password"
	h.act("PUT", path, "password.set", fmt.Sprintf(`{"value":%q,"forceChange":true}`, good)).is(http.StatusOK)
	h.put("/passwordPolicies/"+policyID, published(t, "doc-password-policy.json")).is(http.StatusOK) // a day between changes
	h.wait(25 * time.Hour)
	reset := func(current, next string) reply {
		return h.act("PUT", path, "password.reset", fmt.Sprintf(`{"currentPassword":%q,"newPassword":%q}`, current, next))
	}
	reset("wrong", "Better-Battery-7").refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE currentPassword")
	reset(good, "x").refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE newPassword")
	if s := reset(good, "Better-Battery-7").is(http.StatusOK); s["status"] != "OK" {
		t.Error(s)
	}
	reset("Better-Battery-7", "Staple-Kettle-5").refuses(http.StatusBadRequest, "INVALID_DATA", "CONSTRAINT_VIOLATION newPassword")
}

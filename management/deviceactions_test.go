package management_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

func TestDevicesAreListedInTheirOrder(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	var ids []string
	for i := range 3 {
		body := fmt.Sprintf(`{"type":"SMS","phone":"+1512555110%d","status":"ACTIVE"}`, i)
		ids = append(ids, h.post(user+"/devices", body).is(http.StatusCreated)["id"].(string))
		h.wait(time.Second)
	}
	order := func(m map[string]any) (out []string) {
		for _, d := range embedded(m) {
			out = append(out, d["id"].(string))
		}
		return out
	}
	got := h.get(user + "/devices").is(http.StatusOK)
	if !slices.Equal(order(got), ids) || got["count"] != 3.0 || got["size"] != 3.0 {
		t.Error(got)
	}
	reorder := func(ids ...string) reply {
		body := `{"order":[`
		for i, id := range ids {
			body += strings.Repeat(",", min(i, 1)) + `{"id":"` + id + `"}`
		}
		return h.act("POST", user+"/devices", "devices.reorder", body+`]}`)
	}
	if got := order(reorder(ids[2], ids[0]).is(http.StatusOK)); !slices.Equal(got, []string{ids[2], ids[0], ids[1]}) {
		t.Error(got)
	}
	page := h.get(user + "/devices?limit=2").is(http.StatusOK)
	next := h.do(admin, "GET", at(page, "_links", "next", "href").(string), "").is(http.StatusOK)
	if got := append(order(page), order(next)...); !slices.Equal(got, []string{ids[2], ids[0], ids[1]}) {
		t.Error(got)
	}
	reorder(ids[0], ids[0]).refuses(http.StatusBadRequest, "INVALID_DATA", "UNIQUENESS_VIOLATION order[1].id")
	reorder(population).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE order[0].id")
	reorder().refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE order")
	h.act("POST", user+"/devices", "devices.reorder", `{"order":["x"]}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE order[0]")
	if got := order(h.act("POST", user+"/devices", "devices.order.remove", "").is(http.StatusOK)); !slices.Equal(got, ids) {
		t.Error(got)
	}
}

func TestDevicesAreBlockedAndUnlocked(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	id := h.post(user+"/devices", `{"type":"SMS","phone":"+15125551101","status":"ACTIVE"}`).is(http.StatusCreated)["id"].(string)
	path := user + "/devices/" + id
	d := h.act("POST", path, "device.block", "").is(http.StatusOK)
	if at(d, "block", "status") != "BLOCKED" || at(d, "block", "blockedAt") == nil || at(d, "_links", "device.unblock") == nil {
		t.Error(d)
	}
	if d = h.act("POST", path, "device.unblock", "").is(http.StatusOK); at(d, "block", "status") != "UNBLOCKED" {
		t.Error(d)
	}
	if err := h.devices.Lock(t.Context(), envID, strings.TrimPrefix(user, "/users/"), id, h.now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	d = h.get(path).is(http.StatusOK)
	if at(d, "lock", "status") != "LOCKED" || at(d, "lock", "expiresAt") == nil || at(d, "_links", "device.unlock") == nil {
		t.Error(d)
	}
	if d = h.act("POST", path, "device.unlock", "").is(http.StatusOK); at(d, "lock", "status") != "UNLOCKED" {
		t.Error(d)
	}
	h.act("POST", path, "device.block", `{"until":"x"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE until")
	h.act("POST", user+"/devices/"+population, "device.block", "").refuses(http.StatusNotFound, "NOT_FOUND")
	h.act("POST", path, "device.sendActivationCode", "").refuses(http.StatusBadRequest, "REQUEST_FAILED")
}

func TestAnActivationCodeIsSentOnceMore(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	path := user + "/devices/" + h.post(user+"/devices", `{"type":"EMAIL","email":"ada@example.com"}`).is(http.StatusCreated)["id"].(string)
	first := h.code()
	h.act("POST", path, "device.sendActivationCode", "").is(http.StatusOK)
	second := h.code()
	if first != second {
		h.act("POST", path, "device.activate", `{"otp":"`+first+`"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_OTP otp")
	}
	h.act("POST", path, "device.activate", `{"otp":"`+second+`"}`).is(http.StatusOK)
}

func TestDevicesOfOneAreNobodyElses(t *testing.T) {
	h := newHouse(t)
	user, other := h.person(), "/users/"+h.user("ben", "")
	id := h.post(user+"/devices", `{"type":"SMS","phone":"+15125551101","status":"ACTIVE"}`).is(http.StatusCreated)["id"].(string)
	for _, r := range []reply{
		h.get(other + "/devices/" + id), h.remove(other + "/devices/" + id), h.put(other+"/devices/"+id+"/nickname", `{"nickname":"x"}`),
		h.act("POST", other+"/devices/"+id, "device.block", ""), h.get(other + "/devices/" + id + "/logs"),
	} {
		r.refuses(http.StatusNotFound, "NOT_FOUND")
	}
	for _, as := range []string{viewer, nobody} {
		h.do(as, "GET", user+"/devices", "").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	}
	h.do(people, "GET", user+"/devices", "").is(http.StatusOK)
	h.do(people, "GET", "/deviceAuthenticationPolicies", "").is(http.StatusOK)
	h.do(people, "PUT", "/mfaSettings", `{}`).refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
}

func TestTrustedBrowsersAreListedAndRevoked(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	for i := range 2 {
		b := directory.Browser{Env: envID, UserID: strings.TrimPrefix(user, "/users/"), Hash: flow.Digest{byte(i + 1)}, Name: fmt.Sprintf("Browser %d", i), RemoteIP: "203.0.113.7", ExpiresAt: h.now().Add(time.Hour)}
		if err := h.devices.Trust(t.Context(), b, h.now()); err != nil {
			t.Fatal(err)
		}
	}
	all := embedded(h.get(user + "/trustedBrowsers").is(http.StatusOK))
	if len(all) != 2 || all[0]["name"] == nil || all[0]["expiresAt"] == nil || all[0]["hash"] != nil {
		t.Fatal(all)
	}
	h.remove(user + "/trustedBrowsers/" + all[0]["id"].(string)).is(http.StatusNoContent)
	h.remove(user+"/trustedBrowsers/"+all[0]["id"].(string)).refuses(http.StatusNotFound, "NOT_FOUND")
	h.remove(user + "/trustedBrowsers").is(http.StatusNoContent)
	if left := h.get(user + "/trustedBrowsers").is(http.StatusOK); left["count"] != 0.0 {
		t.Error(left)
	}
}

func TestWhatAnApplicationToldIsRead(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	id := h.post(user+"/devices", `{"type":"SMS","phone":"+15125551101","status":"ACTIVE"}`).is(http.StatusCreated)["id"].(string)
	if err := h.devices.AddLog(t.Context(), envID, id, "the radio was off"); err != nil {
		t.Fatal(err)
	}
	all := embedded(h.get(user + "/devices/" + id + "/logs").is(http.StatusOK))
	if len(all) != 1 || all[0]["log"] != "the radio was off" || all[0]["createdAt"] == nil {
		t.Error(all)
	}
}

func TestAnUnlockedAccountHasItsDevicesUnlocked(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	device := h.post(user+"/devices", `{"type":"SMS","phone":"+15125551101","status":"ACTIVE"}`).is(http.StatusCreated)["id"].(string)
	wrong := directory.Failing{Judged: directory.Judged{
		Env: envID, UserID: strings.TrimPrefix(user, "/users/"), ID: device, Account: directory.Failure{Count: 1, CoolDown: time.Hour},
	}}
	if s, err := h.devices.Fail(t.Context(), wrong); err != nil || !s.AccountLocked {
		t.Fatal(s, err)
	}
	m := at(h.get(user).is(http.StatusOK), "_embedded", "mfa")
	if at(m, "status") != "LOCKED" || at(m, "unlockAt") == nil {
		t.Error(m)
	}
	h.act("POST", user, "account.unlock", "").is(http.StatusOK)
	if m := at(h.get(user).is(http.StatusOK), "_embedded", "mfa"); at(m, "status") != "OK" {
		t.Error(m)
	}
}

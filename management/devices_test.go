package management_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// person makes somebody with an address and returns the path to them.
func (h *house) person() string {
	h.t.Helper()
	return "/users/" + h.user("ada", `"email":"ada@example.com","name":{"given":"Ada","family":"Lovelace"}`)
}

// policyOfAll is an MFA policy in which everything is on but MOBILE.
func policyOfAll() string {
	sent := `{"enabled":true,"otp":{"lifeTime":{"duration":10,"timeUnit":"MINUTES"},"failure":{"count":3,"coolDown":{"duration":2,"timeUnit":"MINUTES"}}}}`
	return `{"name":"All","default":true,"sms":` + sent + `,"voice":` + sent + `,"email":` + sent + `,"totp":{"enabled":true},"mobile":{"enabled":false},"fido2":{"enabled":true},"oathToken":{"enabled":true}}`
}

// code is the code of the mail that waits.
func (h *house) code() string {
	h.t.Helper()
	m := h.mail()
	if m == nil || m.Params["code"] == "" {
		h.t.Fatalf("no code: %+v", m)
	}
	return m.Params["code"]
}

func TestADeviceIsAddedActivatedNamedAndRemoved(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	r := h.post(user+"/devices", `{"type":"EMAIL","email":"Ada@Example.com","nickname":"work"}`)
	made := r.is(http.StatusCreated)
	path := user + "/devices/" + made["id"].(string)
	self := h.URL + "/v1/environments/" + envID + path
	if r.Header.Get("Location") != self || at(made, "_links", "self", "href") != self || at(made, "_links", "device.activate", "href") != self {
		t.Error(r.text)
	}
	for name, want := range map[string]any{
		"type": "EMAIL", "status": "ACTIVATION_REQUIRED", "nickname": "work", "userRetries": 0.0, "environment.id": envID, "user.id": strings.TrimPrefix(user, "/users/"),
		"block.status": "UNBLOCKED", "lock.status": "UNLOCKED",
	} {
		if got := at(made, strings.Split(name, ".")...); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if strings.Contains(r.text, "Ada@") || strings.Contains(r.text, "ada@") || made["email"] == nil {
		t.Errorf("the address is not masked: %s", r.text)
	}
	code := h.code()
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	h.act("POST", path, "device.activate", `{"otp":"`+wrong+`"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_OTP otp")
	h.act("POST", path, "device.activate", `{}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE otp")
	active := h.act("POST", path, "device.activate", `{"otp":"`+code+`"}`).is(http.StatusOK)
	if active["status"] != "ACTIVE" || active["activatedAt"] == nil || at(active, "_links", "device.activate") != nil {
		t.Error(active)
	}
	if notice := h.mail(); notice == nil || notice.Template != "device.added" || notice.To != "ada@example.com" {
		t.Errorf("nobody is told: %+v", notice)
	}
	h.act("POST", path, "device.activate", `{"otp":"`+code+`"}`).refuses(http.StatusBadRequest, "REQUEST_FAILED", "CONSTRAINT_VIOLATION")
	if u := h.get(user).is(http.StatusOK); u["mfaEnabled"] != true {
		t.Error("who has a device is asked for it")
	}

	if d := h.put(path+"/nickname", `{"nickname":"mail"}`).is(http.StatusOK); d["nickname"] != "mail" {
		t.Error(d)
	}
	h.put(path+"/nickname", `{"nickname":"a\u202eb\n"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE nickname")
	h.put(path+"/nickname", `{"nickname":"`+strings.Repeat("x", 101)+`"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "SIZE_LIMIT_EXCEEDED nickname")
	h.put(path+"/nickname", `{"name":"x"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE name")

	h.remove(path).is(http.StatusNoContent)
	if notice := h.mail(); notice == nil || notice.Template != "device.removed" {
		t.Errorf("nobody is told: %+v", notice)
	}
	h.get(path).refuses(http.StatusNotFound, "NOT_FOUND")
	h.remove(path).refuses(http.StatusNotFound, "NOT_FOUND")
	for kind, n := range map[flow.EventType]int{flow.DeviceCreated: 1, flow.DeviceActivated: 1, flow.DeviceRefused: 1, flow.DeviceChanged: 1, flow.DeviceDeleted: 1} {
		got := h.events.of(kind)
		if len(got) != n || got[0].Application != admin || got[0].User != strings.TrimPrefix(user, "/users/") {
			t.Errorf("%s: %+v, want %d", kind, got, n)
		}
	}
}

func TestADeviceThatIsWrongIsRefused(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	h.post("/deviceAuthenticationPolicies", policyOfAll()).is(http.StatusCreated)
	for name, row := range map[string]struct{ body, want string }{
		"nothing":                 {`{}`, "REQUIRED_VALUE type"},
		"a type that is none":     {`{"type":"PIGEON"}`, "INVALID_VALUE type"},
		"a telephone by itself":   {`{"type":"MOBILE"}`, "INVALID_VALUE type"},
		"no address":              {`{"type":"EMAIL"}`, "REQUIRED_VALUE email"},
		"an address that is none": {`{"type":"EMAIL","email":"nobody"}`, "INVALID_VALUE email"},
		"no number":               {`{"type":"SMS"}`, "REQUIRED_VALUE phone"},
		"a number of no country":  {`{"type":"SMS","phone":"0711 123"}`, "INVALID_VALUE phone"},
		"a number of an address":  {`{"type":"EMAIL","email":"a@example.com","phone":"+4971112345"}`, "INVALID_VALUE phone"},
		"a passkey without proof": {`{"type":"FIDO2","status":"ACTIVE"}`, "INVALID_VALUE status"},
		"a passkey of others":     {`{"type":"FIDO2","rp":{"id":"elsewhere.example"}}`, "INVALID_VALUE rp.id"},
		"a status that is none":   {`{"type":"TOTP","status":"LOST"}`, "INVALID_VALUE status"},
		"a policy that is none":   {`{"type":"TOTP","policy":{"id":"` + population + `"}}`, "INVALID_VALUE policy.id"},
		"a token without a seed":  {`{"type":"OATH_TOKEN"}`, "REQUIRED_VALUE secret"},
		"a seed that is none":     {`{"type":"OATH_TOKEN","secret":"!!!"}`, "INVALID_VALUE secret"},
		"a member that is none":   {`{"type":"TOTP","colour":"red"}`, "INVALID_VALUE colour"},
		"a nickname of two lines": {`{"type":"TOTP","nickname":"a\nb"}`, "INVALID_VALUE nickname"},
	} {
		t.Run(name, func(t *testing.T) {
			m := h.post(user+"/devices", row.body).refuses(http.StatusBadRequest, "INVALID_DATA", row.want)
			if d := list(m["details"])[0]; d["message"] == "" || d["pointer"] == nil {
				t.Error(d)
			}
		})
	}
	m := h.post(user+"/devices", `{"type":"MOBILE"}`).json()
	if !strings.Contains(list(m["details"])[0]["message"].(string), "pairingKeys") {
		t.Error(m)
	}
	if got := h.get(user + "/devices").is(http.StatusOK); got["count"] != 0.0 {
		t.Errorf("what was refused left %v", got)
	}
	h.post("/users/"+population+"/devices", `{"type":"TOTP"}`).refuses(http.StatusNotFound, "NOT_FOUND")
	h.get("/users/"+population+"/devices").refuses(http.StatusNotFound, "NOT_FOUND")
	h.get(user+"/devices/x").refuses(http.StatusNotFound, "NOT_FOUND")
}

func TestAUserHasNoMoreDevicesThanAreAllowed(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	h.put("/mfaSettings", `{"pairing":{"maxAllowedDevices":1,"pairingKeyFormat":"NUMERIC"}}`).is(http.StatusOK)
	h.post(user+"/devices", `{"type":"TOTP"}`).is(http.StatusCreated)
	h.post(user+"/devices", `{"type":"TOTP"}`).refuses(http.StatusBadRequest, "REQUEST_FAILED", "LIMIT_EXCEEDED devices")
}

func TestATypeThatThePolicyDoesNotAddIsRefused(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	m := h.post(user+"/devices", `{"type":"VOICE","phone":"+15125551101"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE type")
	if message := list(m["details"])[0]["message"].(string); !strings.Contains(message, "Default MFA Policy") || !strings.Contains(message, "VOICE") {
		t.Error(message)
	}
	policy := h.post("/deviceAuthenticationPolicies", policyOfAll()).is(http.StatusCreated)["id"].(string)
	d := h.post(user+"/devices", `{"type":"VOICE","phone":"+15125551101","policy":{"id":"`+policy+`"}}`).is(http.StatusCreated)
	if at(d, "policy", "id") != policy {
		t.Error(d)
	}
}

func TestSettingsSayWhoIsAskedFromTheBeginning(t *testing.T) {
	h := newHouse(t)
	standing := h.get("/mfaSettings").is(http.StatusOK)
	if at(standing, "pairing", "maxAllowedDevices") != 5.0 {
		t.Error(standing)
	}
	h.put("/mfaSettings", `{"users":{"mfaEnabled":true}}`).is(http.StatusOK)
	if u := h.get("/users/" + h.user("ben", "")).is(http.StatusOK); u["mfaEnabled"] != true {
		t.Error(u)
	}
	h.remove("/mfaSettings").is(http.StatusNoContent)
	h.remove("/mfaSettings").is(http.StatusNoContent)
	if again := h.get("/mfaSettings").is(http.StatusOK); at(again, "users", "mfaEnabled") != false {
		t.Error(again)
	}
}

func TestThePublishedMFAPolicyIsCreated(t *testing.T) {
	h := newHouse(t)
	made := h.post("/deviceAuthenticationPolicies", published(t, "comp-device-authentication-policy.json")).is(http.StatusCreated)
	if made["forSignOnPolicy"] != false || made["updatedAt"] == nil || made["id"] == nil {
		t.Error(made)
	}
	user := h.person()
	d := h.post(user+"/devices", strings.Replace(published(t, "doc-mfa-device-email.json"), "66666666-0000-4000-8000-000000000001", made["id"].(string), 1)).is(http.StatusCreated)
	if d["type"] != string(device.Email) {
		t.Error(d)
	}
	h.act("POST", user+"/devices/"+d["id"].(string), "device.activate", `{"otp":"`+h.code()+`"}`).is(http.StatusOK)
	h.remove("/deviceAuthenticationPolicies/"+made["id"].(string)).refuses(http.StatusBadRequest, "REQUEST_FAILED", "CONSTRAINT_VIOLATION")
}

package management_test

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"
)

func TestTheSecretOfATOTPDeviceIsShownOnce(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	made := h.post(user+"/devices", `{"type":"TOTP"}`).is(http.StatusCreated)
	secret, _ := made["secret"].(string)
	if uri, _ := made["keyUri"].(string); secret == "" || !strings.HasPrefix(uri, "otpauth://totp/") || !strings.Contains(uri, secret) {
		t.Fatal(made)
	}
	path := user + "/devices/" + made["id"].(string)
	if r := h.get(path); strings.Contains(r.text, secret) || strings.Contains(r.text, "otpauth") {
		t.Error(r.text)
	}
	code, err := totp.GenerateCode(secret, h.now())
	if err != nil {
		t.Fatal(err)
	}
	if d := h.act("POST", path, "device.activate", `{"otp":"`+code+`"}`).is(http.StatusOK); d["status"] != "ACTIVE" {
		t.Error(d)
	}
	if strings.Contains(h.logs.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func TestAnAdministratorAnswersForAddressesAndBringsTokens(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	h.post("/deviceAuthenticationPolicies", policyOfAll()).is(http.StatusCreated)
	sms := h.post(user+"/devices", `{"type":"SMS","phone":"+15125551101","status":"ACTIVE"}`).is(http.StatusCreated)
	if sms["status"] != "ACTIVE" || sms["phone"] != "**********01" {
		t.Error(sms)
	}
	if m := h.mail(); m == nil || m.Template != "device.added" {
		t.Errorf("a code was sent, or nobody told: %+v", m)
	}
	h.post(user+"/devices", `{"type":"SMS","phone":"+1 512 555 1101"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "UNIQUENESS_VIOLATION phone")
	seed := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))
	token := h.post(user+"/devices", `{"type":"OATH_TOKEN","secret":"`+seed+`"}`)
	made := token.is(http.StatusCreated)
	if strings.Contains(token.text, seed) || made["status"] != "ACTIVATION_REQUIRED" {
		t.Error(token.text)
	}
	code, err := totp.GenerateCode(seed, h.now())
	if err != nil {
		t.Fatal(err)
	}
	h.act("POST", user+"/devices/"+made["id"].(string), "device.activate", `{"otp":"`+code+`"}`).is(http.StatusOK)
}

func TestRecoveryCodesAreShownOnce(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	made := h.post(user+"/devices", `{"type":"RECOVERY_CODE"}`).is(http.StatusCreated)
	codes, _ := made["recoveryCodes"].([]any)
	if len(codes) != 10 || made["status"] != "ACTIVE" {
		t.Fatal(made)
	}
	r := h.get(user + "/devices/" + made["id"].(string))
	if m := r.is(http.StatusOK); m["codesLeft"] != 10.0 || strings.Contains(r.text, codes[0].(string)) {
		t.Error(r.text)
	}
}

func TestAPasskeyIsAddedWithWhatABrowserSigns(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	made := h.post(user+"/devices", `{"type":"FIDO2","nickname":"laptop"}`).is(http.StatusCreated)
	path := user + "/devices/" + made["id"].(string)
	text, _ := made["publicKeyCredentialCreationOptions"].(string)
	var options struct {
		RP        struct{ ID string }
		Challenge []int8
		User      struct{ ID []int8 }
	}
	if err := json.Unmarshal([]byte(text), &options); err != nil || options.RP.ID != "127.0.0.1" || len(options.Challenge) != 32 || len(options.User.ID) != 64 {
		t.Fatalf("%v %s", err, text)
	}
	bytes := func(signed []int8) (out []byte) {
		for _, b := range signed {
			out = append(out, byte(b))
		}
		return out
	}
	party := virtualwebauthn.RelyingParty{ID: options.RP.ID, Name: "Demo", Origin: h.URL}
	answer := virtualwebauthn.CreateAttestationResponse(party, virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
		virtualwebauthn.AttestationOptions{Challenge: bytes(options.Challenge), RelyingPartyID: options.RP.ID, UserID: string(bytes(options.User.ID))})
	body := fmt.Sprintf(`{"origin":%q,"attestation":%q}`, h.URL, answer)
	d := h.act("POST", path, "device.activate", body).is(http.StatusOK)
	if d["status"] != "ACTIVE" || at(d, "credential", "relyingPartyId") != "127.0.0.1" || at(d, "credential", "backupEligible") == nil {
		t.Error(d)
	}
	second := h.post(user+"/devices", `{"type":"SECURITY_KEY"}`).is(http.StatusCreated)
	if !strings.Contains(second["publicKeyCredentialCreationOptions"].(string), `"cross-platform"`) {
		t.Error(second)
	}
	h.act("POST", user+"/devices/"+second["id"].(string), "device.activate", body).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE attestation")
	h.act("POST", user+"/devices/"+second["id"].(string), "device.activate", `{"otp":"123456"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE attestation")
}

func TestAnApplicationOnADeviceIsPairedByAKey(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	app := h.post("/applications", `{"name":"App","enabled":true,"type":"NATIVE_APP","protocol":"OPENID_CONNECT","grantTypes":["AUTHORIZATION_CODE"],"responseTypes":["CODE"],"redirectUris":["com.example.app:/callback"],"tokenEndpointAuthMethod":"NONE","pkceEnforcement":"S256_REQUIRED"}`).is(http.StatusCreated)["id"].(string)
	body := `{"applications":[{"id":"` + app + `"}]}`
	h.post(user+"/pairingKeys", body).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE application.id")
	h.post("/deviceAuthenticationPolicies", strings.Replace(policyOfAll(), `"mobile":{"enabled":false}`, `"mobile":{"enabled":true,"applications":[{"id":"`+app+`","push":{"enabled":true}}]}`, 1)).is(http.StatusCreated)
	made := h.post(user+"/pairingKeys", body).is(http.StatusCreated)
	code, _ := made["code"].(string)
	if len(code) != 16 || made["status"] != "UNCLAIMED" || made["expiresAt"] == nil || list(made["applications"])[0]["id"] != app || !strings.HasPrefix(made["codeUri"].(string), "doorward://pair?") {
		t.Error(made)
	}
	path := user + "/pairingKeys/" + made["id"].(string)
	if r := h.get(path); strings.Contains(r.text, code) || r.is(http.StatusOK)["status"] != "UNCLAIMED" {
		t.Error(r.text)
	}
	h.get("/users/"+h.user("ben", "")+"/pairingKeys/"+made["id"].(string)).refuses(http.StatusNotFound, "NOT_FOUND")
	h.remove(user+"/devices/"+made["id"].(string)).refuses(http.StatusNotFound, "NOT_FOUND") // it is no device
	h.get(path).is(http.StatusOK)
	h.remove(path).is(http.StatusNoContent)
	h.get(path).refuses(http.StatusNotFound, "NOT_FOUND")
	h.remove(path).refuses(http.StatusNotFound, "NOT_FOUND")
	for wrong, want := range map[string]string{
		`{}`:                     "REQUIRED_VALUE applications",
		`{"applications":[]}`:    "REQUIRED_VALUE applications",
		`{"applications":["x"]}`: "INVALID_VALUE applications[0]",
		`{"applications":[{"id":"a"},{"id":"b"}]}`: "INVALID_VALUE applications",
		`{"code":"1"}`: "INVALID_VALUE code",
	} {
		h.post(user+"/pairingKeys", wrong).refuses(http.StatusBadRequest, "INVALID_DATA", want)
	}
}

func TestThePublishedAttestationIsRead(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	path := user + "/devices/" + h.post(user+"/devices", `{"type":"FIDO2"}`).is(http.StatusCreated)["id"].(string)
	h.act("POST", path, "device.activate", published(t, "doc-mfa-device-activate-fido2.json")).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE attestation")
	h.act("POST", path, "device.activate", published(t, "doc-mfa-device-activate-otp.json")).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE attestation")
}

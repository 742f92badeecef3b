package management_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"
)

// Administrators reach an environment wherever it is served, also at a host that its own
// administrator has given it.
func TestAdministratorsReachAnEnvironmentAtItsOwnHost(t *testing.T) {
	h := newHouse(t)
	const all = "/v1/environments"
	r := h.do(stranger, "POST", all, `{"name":"Own","authBase":"https://auth.example"}`)
	path := all + "/" + r.is(http.StatusCreated)["id"].(string)
	if to := r.Header.Get("Location"); to != "https://auth.example"+path {
		t.Errorf("it is said to be at %s", to)
	}
	h.host = "auth.example"
	h.do(stranger, "GET", path, "").is(http.StatusOK)
	h.host = ""
	h.put("", `{"name":"Demo","apiBase":"https://mine.example"}`).is(http.StatusOK)
	h.host = "mine.example"
	h.do(stranger, "GET", all+"/"+envID, "").is(http.StatusOK)
	h.host = "auth.example"
	if res := h.do(stranger, "DELETE", path, ""); res.StatusCode != http.StatusNoContent {
		t.Errorf("removed: %d", res.StatusCode)
	}
}

// Nobody takes the host of another environment: pages and passkeys there are that one's.
func TestAHostIsOneEnvironments(t *testing.T) {
	h := newHouse(t)
	h.do(stranger, "POST", "/v1/environments", `{"name":"Bank","authBase":"https://bank.example"}`).is(http.StatusCreated)
	h.put("", `{"name":"Demo","authBase":"https://bank.example"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "UNIQUENESS_VIOLATION authBase")
	h.put("", `{"name":"Demo","apiBase":"https://bank.example"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "UNIQUENESS_VIOLATION apiBase")
	h.post("/fido2Policies", `{"name":"Passkeys","default":true,"deviceDisplayName":"Passkey","attestationRequirements":"NONE","authenticatorAttachment":"BOTH","discoverableCredentials":"PREFERRED",
		"userVerification":{"option":"REQUIRED","enforceDuringAuthentication":true},"backupEligibility":{"allow":true,"enforceDuringAuthentication":false},
		"mdsAuthenticatorsRequirements":{"option":"NONE","enforceDuringAuthentication":false},"userDisplayNameAttributes":{"attributes":[{"name":"username"}]},
		"relyingPartyId":"bank.example","relatedOrigins":["https://evil.example"]}`).is(http.StatusCreated)
	for _, near := range []string{"https://BANK.example", "https://bank.example:8443", "https://x.bank.example"} {
		h.put("", `{"name":"Demo","authBase":"`+near+`"}`).refuses(http.StatusBadRequest, "INVALID_DATA", "UNIQUENESS_VIOLATION authBase")
	}
	if _, origins := h.registry.RelatedOrigins("bank.example"); slices.Contains(origins, "https://evil.example") {
		t.Errorf("another environment says who may use the passkeys of the bank: %q", origins)
	}
	before := h.get("").is(http.StatusOK)
	const moved = `{"name":"Demo","authBase":"https://own.example","apiBase":"{base}"}`
	h.put("", moved).is(http.StatusOK)
	h.do(stranger, "POST", "/v1/environments", `{"name":"Shared","authBase":"https://own.example"}`).is(http.StatusCreated) // an administrator means it
	delete(h.tokens, admin)                                                                                                 // it is issued there now
	h.host = "own.example"
	h.token(admin)
	h.host = ""
	h.put("", moved).is(http.StatusOK)
	back, err := json.Marshal(map[string]any{"name": before["name"], "authBase": before["authBase"], "apiBase": before["apiBase"]})
	if err != nil {
		t.Fatal(err)
	}
	h.put("", string(back)).is(http.StatusOK) // to the host that all have
}

// A text that people have agreed to stays what it is: there is no way around the address
// at which it is kept.
func TestARevisionIsNotRewrittenWithWhatItIsAPartOf(t *testing.T) {
	h := newHouse(t)
	agreement := h.post("/agreements", `{"name":"Terms of trade","enabled":false}`).is(http.StatusCreated)["id"].(string)
	languages := "/agreements/" + agreement + "/languages"
	language := h.post(languages, `{"displayName":"English","locale":"en","enabled":false}`).is(http.StatusCreated)["id"].(string)
	when := h.now().UTC().Format(time.RFC3339)
	revision := h.post(languages+"/"+language+"/revisions", `{"contentType":"text/plain","effectiveAt":"`+when+`","requireReconsent":false,"text":"We keep nothing."}`).is(http.StatusCreated)["id"].(string)
	revisions := `"revisions":[{"id":"` + revision + `","contentType":"text/plain","effectiveAt":"` + when + `","requireReconsent":false,"text":"We sell everything."}]`
	h.put("/agreements/"+agreement, `{"name":"Terms of trade","enabled":false,"languages":[{"id":"`+language+`","displayName":"English","locale":"en","enabled":true,`+revisions+`}]}`).
		refuses(http.StatusBadRequest, "INVALID_DATA", "CONSTRAINT_VIOLATION languages")
	h.put(languages+"/"+language, `{"displayName":"English","locale":"en","enabled":true,`+revisions+`}`).
		refuses(http.StatusBadRequest, "INVALID_DATA", "CONSTRAINT_VIOLATION revisions")
	h.put(languages+"/"+language, `{"displayName":"English","locale":"en","enabled":true}`).is(http.StatusOK)
	h.put("/agreements/"+agreement, `{"name":"Terms of trade","enabled":true}`).is(http.StatusOK)
	if text := h.get(languages + "/" + language + "/revisions/" + revision + "/text").is(http.StatusOK)["text"]; text != "We keep nothing." {
		t.Errorf("it says %q", text)
	}
}

package management_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/runtime/certificate"
	"doorward/runtime/flow"

	"github.com/google/uuid"
)

func TestCertificatesAreSeenAndRevoked(t *testing.T) {
	h := newHouse(t)
	user := h.person()
	phone := h.post(user+"/devices", `{"type":"EMAIL","email":"ada@example.com"}`).is(http.StatusCreated)["id"].(string)
	issue := func(serial, pin string) string {
		t.Helper()
		got, err := h.issued.Add(t.Context(), certificate.New{PIN: pin, Most: 20, Issued: certificate.Issued{
			Env: envID, UserID: strings.TrimPrefix(user, "/users/"), ID: uuid.NewString(), Device: phone, Generation: 1, Serial: serial,
			Thumbprint: [32]byte{0xab}, Certificate: []byte("der"), CreatedAt: h.now(), ExpiresAt: h.now().Add(time.Hour),
		}})
		if err != nil {
			t.Fatal(err)
		}
		return got.ID
	}
	first := issue("a1", "canary-4711")
	h.wait(time.Second)
	second := issue("b2", "")
	list := h.get(user + "/certificates")
	all := embedded(list.is(http.StatusOK))
	if len(all) != 2 || all[1]["id"] != second || strings.Contains(list.text, "canary") {
		t.Fatal(list.text)
	}
	got := h.get(user + "/certificates/" + first).is(http.StatusOK)
	for name, want := range map[string]any{
		"status": "GOOD", "serialNumber": "a1", "device.id": phone, "environment.id": envID, "pin.reads": 0.0, "_links.self.href": h.URL + "/v1/environments/" + envID + user + "/certificates/" + first,
		"_links.device.href": h.URL + "/v1/environments/" + envID + user + "/devices/" + phone, "thumbprint": "ab" + strings.Repeat("00", 31), "revokedAt": nil,
	} {
		if have := at(got, strings.Split(name, ".")...); have != want {
			t.Errorf("%s is %v, want %v", name, have, want)
		}
	}
	h.do(viewer, "GET", user+"/certificates", "").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	for _, path := range []string{user + "/certificates/" + uuid.NewString(), "/users/" + uuid.NewString() + "/certificates/" + first} {
		h.get(path).refuses(http.StatusNotFound, "NOT_FOUND")
		h.remove(path).refuses(http.StatusNotFound, "NOT_FOUND")
	}
	for range 2 {
		h.remove(user + "/certificates/" + first).is(http.StatusNoContent)
	}
	gone := h.get(user + "/certificates/" + first).is(http.StatusOK)
	if gone["status"] != "REVOKED" || gone["revokedAt"] == nil || gone["pin"] != nil {
		t.Error(gone)
	}
	if e := h.events.of(flow.CertificateRevoked); len(e) != 2 || e[0].User != strings.TrimPrefix(user, "/users/") || e[0].Reason != "certificate "+first {
		t.Errorf("%+v", e)
	}
	h.remove(user + "/devices/" + phone).is(http.StatusNoContent)
	if r := h.get(user + "/certificates/" + second).is(http.StatusOK); r["status"] != "REVOKED" {
		t.Error(r)
	}
}

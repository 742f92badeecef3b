package management_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"doorward/directory"
)

func TestPopulationsAndPoliciesSayHowManyAreInThem(t *testing.T) {
	h := newHouse(t)
	strict := h.post("/passwordPolicies", `{"name":"Strict","excludesProfileData":true,"notSimilarToCurrent":true,"excludesCommonlyUsed":true}`).is(http.StatusCreated)
	staff := h.post("/populations", fmt.Sprintf(`{"name":"Staff","passwordPolicy":{"id":%q},"userCount":9}`, strict["id"])).is(http.StatusCreated)
	if strict["populationCount"] != 0.0 || staff["userCount"] != 0.0 {
		t.Error(strict, staff)
	}
	for i := range 3 {
		in := ""
		if i > 0 {
			in = fmt.Sprintf(`"population":{"id":%q}`, staff["id"])
		}
		h.user(fmt.Sprintf("user%d", i), in)
	}
	h.post("/populations", `{"name":"Others"}`).is(http.StatusCreated) // under the default policy
	want := map[any]any{"Default": 1.0, "Staff": 2.0, "Others": 0.0, "Strict": 1.0, "Standard": 2.0}
	for _, path := range []string{"/populations", "/passwordPolicies"} {
		member := map[string]string{"/populations": "userCount", "/passwordPolicies": "populationCount"}[path]
		for _, one := range embedded(h.get(path).is(http.StatusOK)) {
			if one[member] != want[one["name"]] {
				t.Errorf("%s: %v of %v, want %v", path, one[member], one["name"], want[one["name"]])
			}
			self := h.get(path + "/" + one["id"].(string)).is(http.StatusOK)
			if self[member] != one[member] {
				t.Errorf("%s alone says %v", one["name"], self[member])
			}
		}
	}
	again := h.put("/populations/"+staff["id"].(string), `{"name":"Staff","userCount":0}`).is(http.StatusOK)
	if again["userCount"] != 2.0 {
		t.Error(again)
	}
}

func TestAgreementsSayHowManyHaveAgreed(t *testing.T) {
	h := newHouse(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	agreement := h.post("/agreements", `{"name":"Terms","enabled":false}`).is(http.StatusCreated)
	id := agreement["id"].(string)
	if agreement["totalConsents"] != 0.0 || agreement["totalExpiredConsents"] != 0.0 || agreement["consentsAggregatedAt"] == nil {
		t.Error(agreement)
	}
	ada, bea := h.user("ada", ""), h.user("bea", "")
	for user, expires := range map[string]time.Time{ada: {}, bea: at.Add(-time.Second)} {
		c := directory.Consent{Env: envID, UserID: user, Agreement: id, Language: "l", Revision: "r", ExpiresAt: expires}
		if _, err := h.api.Consents.Accept(t.Context(), c, ""); err != nil {
			t.Fatal(err)
		}
	}
	_ = h.token(viewer)
	h.stop(at)
	got := embedded(h.do(viewer, "GET", "/agreements", "").is(http.StatusOK))[0]
	if got["totalConsents"] != 2.0 || got["totalExpiredConsents"] != 1.0 || got["consentsAggregatedAt"] != "2026-03-01T12:00:00.000Z" {
		t.Error(got)
	}
}

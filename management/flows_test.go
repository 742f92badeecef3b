package management_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStepAndTriggerTypesAreDescribed(t *testing.T) {
	h := newHouse(t)
	all := embedded(h.get("/flowMetadata/stepTypes").is(http.StatusOK))
	i := slices.IndexFunc(all, func(m map[string]any) bool { return m["typeName"] == "COMPLETE_FLOW" })
	if i < 0 || all[i]["displayName"] == nil || all[i]["configurationSchema"] == nil || all[i]["resultMetadata"] == nil {
		t.Fatal(all)
	}
	if got := h.get("/flowMetadata/stepTypes/COMPLETE_FLOW").is(http.StatusOK); !cmp.Equal(got, all[i]) {
		t.Error(got)
	}
	triggers := embedded(h.get("/flowMetadata/triggerTypes").is(http.StatusOK))
	if len(triggers) != 2 || triggers[0]["typeName"] != "EXPERIENCE" || triggers[1]["typeName"] != "SIGN_ON_POLICY" {
		t.Error(triggers)
	}
	rich := h.post("/flowMetadata/stepTypes/COMPLETE_FLOW", `{"trigger":{"type":"EXPERIENCE"},"configuration":{"result":"REDIRECT"}}`)
	if rich.is(http.StatusOK); !strings.Contains(rich.text, "REDIRECT") {
		t.Error(rich.text)
	}
	f := h.post("/forms", fmt.Sprintf(aForm, "Ask")).is(http.StatusCreated)["id"].(string)
	rich = h.post("/flowMetadata/stepTypes/FORM", fmt.Sprintf(`{"trigger":{"type":"EXPERIENCE"},"configuration":{"form":{"id":%q}}}`, f))
	if rich.is(http.StatusOK); !strings.Contains(rich.text, "username") {
		t.Errorf("the fields of the form are not described: %s", rich.text)
	}
	h.post("/flowMetadata/stepTypes/COMPLETE_FLOW", `{}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE trigger.type")
	h.post("/flowMetadata/stepTypes/COMPLETE_FLOW", `{"trigger":{"type":"X"}}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE trigger.type")
	m := h.post("/flowMetadata/stepTypes/COMPLETE_FLOW", `{"trigger":{"type":"EXPERIENCE"},"configuration":{"result":"MAYBE"}}`).is(http.StatusBadRequest)
	if d := list(m["details"])[0]; !strings.HasPrefix(d["pointer"].(string), "/configuration/result") {
		t.Error(m)
	}
	h.post("/flowMetadata/stepTypes/NOTHING", `{"trigger":{"type":"EXPERIENCE"}}`).refuses(http.StatusNotFound, "NOT_FOUND")
}

func TestEveryVersionOfADefinitionIsKept(t *testing.T) {
	h := newHouse(t)
	id := h.post("/flowDefinitions", fmt.Sprintf(definition1, "Stop", "X")).is(http.StatusCreated)["id"].(string)
	path := "/flowDefinitions/" + id
	h.put(path, fmt.Sprintf(definition1, "Stop it", "Y")).is(http.StatusOK)
	all := embedded(h.get(path + "/versions").is(http.StatusOK))
	if len(all) != 2 || all[0]["number"] != 2.0 || at(all[0], "application", "id") != admin || all[1]["publishedAt"] == nil {
		t.Fatal(all)
	}
	page := h.get(path + "/versions?limit=1").is(http.StatusOK)
	if rest := embedded(h.get(at(page, "_links", "next", "href").(string)).is(http.StatusOK)); len(rest) != 1 || !cmp.Equal(rest[0], all[1]) {
		t.Error(rest)
	}
	young, old := all[0]["hash"].(string), all[1]["hash"].(string)
	v := h.get(path + "/versions/" + young + "?against=" + old).is(http.StatusOK)
	want := []map[string]any{
		{"op": "replace", "path": "/name", "value": "Stop it", "was": "Stop"},
		{"op": "replace", "path": "/stepDefinitions/end/input/error/code", "value": "Y", "was": "X"},
	}
	if diff := cmp.Diff(want, list(v["changes"])); diff != "" {
		t.Error(diff)
	}
	if at(v, "flowDefinition", "name") != "Stop it" {
		t.Error(v)
	}
	restore := func(hash string) reply {
		return h.do(admin, "POST", path+"/versions/"+hash, "", "Content-Type", "application/vnd.doorward.flowDefinition.restore+json")
	}
	if got := restore(old).is(http.StatusOK); got["name"] != "Stop" {
		t.Error(got)
	}
	if got := h.get(path).is(http.StatusOK); got["name"] != "Stop" {
		t.Error(got)
	}
	nowhere := strings.Repeat("0", 64)
	restore(nowhere).refuses(http.StatusNotFound, "NOT_FOUND")
	h.get(path+"/versions/xyz").refuses(http.StatusNotFound, "NOT_FOUND")
	h.get(path+"/versions/"+young+"?against="+nowhere).refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER against")
	h.get(path+"/versions?cursor=x").refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER cursor")
	h.get("/flowDefinitions/"+population+"/versions").refuses(http.StatusNotFound, "NOT_FOUND")
	h.do(viewer, "POST", path+"/versions/"+old, "", "Content-Type", "application/vnd.doorward.flowDefinition.restore+json").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
}

func TestADraftMayBeWrongUntilItIsPublished(t *testing.T) {
	h := newHouse(t)
	id := h.post("/flowDefinitions", fmt.Sprintf(definition1, "Stop", "X")).is(http.StatusCreated)["id"].(string)
	path := "/flowDefinitions/" + id + "/draft"
	publish := func() reply {
		return h.do(admin, "POST", path, "", "Content-Type", "application/vnd.doorward.flowDefinition.publish+json")
	}
	h.get(path).refuses(http.StatusNotFound, "NOT_FOUND")
	publish().refuses(http.StatusNotFound, "NOT_FOUND")
	m := h.put(path, `{"name":"Draft","enabled":true,"trigger":{"type":"EXPERIENCE","next":"nowhere"},"stepDefinitions":{}}`).is(http.StatusOK)
	faults := list(at(m, "_embedded", "faults"))
	if len(faults) == 0 || faults[0]["pointer"] == nil || m["plan"] != nil || m["name"] != "Draft" {
		t.Error(m)
	}
	publish().is(http.StatusBadRequest)
	if got := h.get("/flowDefinitions/" + id).is(http.StatusOK); got["name"] != "Stop" {
		t.Error("a draft is served")
	}
	m = h.put(path, fmt.Sprintf(definition1, "Draft", "Z")).is(http.StatusOK)
	if at(m, "plan", "hash") == nil || at(m, "_embedded", "faults") != nil {
		t.Error(m)
	}
	if diff := cmp.Diff(m, h.get(path).is(http.StatusOK)); diff != "" {
		t.Error(diff)
	}
	if got := publish().is(http.StatusOK); got["name"] != "Draft" {
		t.Error(got)
	}
	h.get(path).refuses(http.StatusNotFound, "NOT_FOUND")
	h.put(path, fmt.Sprintf(definition1, "Next", "Z")).is(http.StatusOK)
	h.remove(path).is(http.StatusNoContent)
	h.remove(path).refuses(http.StatusNotFound, "NOT_FOUND")
}

func TestWarningsComeWithWhatWasPublished(t *testing.T) {
	h := newHouse(t)
	m := h.post("/flowDefinitions", `{"name":"W","enabled":true,"trigger":{"type":"EXPERIENCE","next":"end"},
		"stepDefinitions":{"end":{"type":"TERMINATE_FLOW","input":{"error":{"code":"X","message":"no"}}},"lost":{"type":"TERMINATE_FLOW","input":{"error":{"code":"Y","message":"no"}}}}}`).is(http.StatusCreated)
	warnings := list(at(m, "_embedded", "warnings"))
	if len(warnings) != 1 || warnings[0]["code"] != "UNREACHABLE_STEP" || warnings[0]["message"] == nil {
		t.Errorf("%v", m)
	}
}

func TestAConsentIsAcceptedAndRevoked(t *testing.T) {
	h := newHouse(t)
	user := h.user("ben", "")
	agreement := h.post("/agreements", `{"name":"ToS","enabled":false,"reconsentPeriodDays":31}`).is(http.StatusCreated)["id"].(string)
	languages := "/agreements/" + agreement + "/languages"
	language := h.post(languages, `{"displayName":"English","locale":"en","enabled":false}`).is(http.StatusCreated)["id"].(string)
	made := h.post(languages+"/"+language+"/revisions", published(t, "doc-agreement-revision.json")).is(http.StatusCreated)
	if made["text"] != nil {
		t.Error("the text is in the answer")
	}
	revision := made["id"].(string)
	if text := h.get(at(made, "_links", "text", "href").(string)).is(http.StatusOK); text["text"] != "Test, test, test" || text["contentType"] != "text/plain" {
		t.Error(text)
	}
	path := "/users/" + user + "/agreementConsents"
	if m := h.get(path).is(http.StatusOK); m["count"] != 0.0 {
		t.Error(m)
	}
	h.get(path+"/"+agreement).refuses(http.StatusNotFound, "NOT_FOUND")
	h.act("POST", path+"/"+agreement, "consent.revoke", "").refuses(http.StatusNotFound, "NOT_FOUND")
	body := strings.NewReplacer("55555555-0000-4000-8000-0000000000a1", language, "55555555-0000-4000-8000-0000000000b1", revision).Replace(published(t, "doc-agreement-consent-accept.json"))
	m := h.act("POST", path+"/"+agreement, "consent.accept", body).is(http.StatusOK)
	if m["status"] != "EXPIRED" || at(m, "language", "id") != language || at(m, "revision", "id") != revision || m["expiresAt"] != "2024-02-01T00:00:00.000Z" {
		t.Error(m)
	}
	body = fmt.Sprintf(`{"language":{"id":%q},"revision":{"id":%q}}`, language, revision)
	if m = h.act("POST", path+"/"+agreement, "consent.accept", body).is(http.StatusOK); m["status"] != "ACCEPTED" {
		t.Error(m)
	}
	if diff := cmp.Diff([]map[string]any{m}, embedded(h.get(path).is(http.StatusOK))); diff != "" {
		t.Error(diff)
	}
	if m = h.act("POST", path+"/"+agreement, "consent.revoke", "").is(http.StatusOK); m["status"] != "REVOKED" {
		t.Error(m)
	}
	for body, details := range map[string][]string{
		`{}`: {"REQUIRED_VALUE language.id", "REQUIRED_VALUE revision.id"},
		fmt.Sprintf(`{"language":{"id":%q},"revision":{"id":%q}}`, revision, language):                                      {"INVALID_VALUE language.id"},
		fmt.Sprintf(`{"language":{"id":%q},"revision":{"id":%q}}`, language, language):                                      {"INVALID_VALUE revision.id"},
		fmt.Sprintf(`{"language":{"id":%q},"revision":{"id":%q},"consentedAt":"2999-01-01T00:00:00Z"}`, language, revision): {"INVALID_VALUE consentedAt"},
		fmt.Sprintf(`{"language":{"id":%q},"revision":{"id":%q},"status":"ACCEPTED"}`, language, revision):                  {"INVALID_VALUE status"},
	} {
		h.act("POST", path+"/"+agreement, "consent.accept", body).refuses(http.StatusBadRequest, "INVALID_DATA", details...)
	}
	h.act("POST", path+"/"+population, "consent.accept", body).refuses(http.StatusNotFound, "NOT_FOUND")
}

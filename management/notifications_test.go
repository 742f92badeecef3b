package management_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
)

const (
	number   = "+4930123456"
	testType = "application/vnd.doorward.notification.test+json"
)

// test asks for a test message.
func (h *house) test(body string) reply {
	h.t.Helper()
	return h.do(admin, "POST", "/notificationsSettings", body, "Content-Type", testType)
}

// texting makes the environment send SMS by a request of a service.
func (h *house) texting() (service string) {
	h.t.Helper()
	service = h.post("/externalServices", `{"name":"Gateway","requests":[{"name":"sms","request":{"method":"POST","url":"https://gateway.example/sms",
		"inputSchema":"{\"properties\":{\"to\":{},\"content\":{}}}","body":{"type":"JSON","template":"{'to': inputs.to, 'text': inputs.content}"}}}]}`).is(http.StatusCreated)["id"].(string)
	h.put("/notificationsSettings", `{"requests":[{"deliveryMethod":"SMS","externalService":{"id":"`+service+`"},"request":"sms"}]}`).is(http.StatusOK)
	return service
}

func TestNotificationsSettings(t *testing.T) {
	h := newHouse(t)
	const path = "/notificationsSettings"
	if r := h.get(path); r.StatusCode != http.StatusNoContent {
		t.Error(r.StatusCode)
	}
	service := h.texting()
	m := h.get(path).is(http.StatusOK)
	if diff := cmp.Diff([]map[string]any{{"deliveryMethod": "SMS", "externalService": map[string]any{"id": service}, "request": "sms"}}, list(m["requests"])); diff != "" {
		t.Error(diff)
	}
	h.put(path, `{"requests":[{"deliveryMethod":"SMS","externalService":{"id":"`+service+`"},"request":"fax"}]}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE requests[0].request")
	h.remove("/externalServices/"+service).refuses(http.StatusConflict, "CONFLICT", "CONSTRAINT_VIOLATION")
	if r := h.remove(path); r.StatusCode != http.StatusNoContent {
		t.Error(r.StatusCode)
	}
	h.remove("/externalServices/" + service)
}

func TestATestMessageIsPostedAndFollowed(t *testing.T) {
	h := newHouse(t)
	h.test(`{"deliveryMethod":"SMS","to":"`+number+`"}`).refuses(http.StatusBadRequest, "REQUEST_FAILED", "CONSTRAINT_VIOLATION deliveryMethod")
	h.texting()
	h.test(`{"deliveryMethod":"VOICE","to":"`+number+`"}`).refuses(http.StatusBadRequest, "REQUEST_FAILED", "CONSTRAINT_VIOLATION deliveryMethod")
	made := h.test(`{"deliveryMethod":"SMS","to":"` + number + `","locale":"de"}`)
	m := made.is(http.StatusCreated)
	at := made.Header.Get("Location")
	if m["status"] != "WAITING" || m["deliveryMethod"] != "SMS" || m["tries"] != 0.0 || at != h.URL+"/v1/environments/"+envID+"/notificationsSettings/tests/"+m["id"].(string) {
		t.Errorf("%v at %s", m, at)
	}
	got, err := h.outbox.Claim(t.Context(), 9, time.Minute, nil, flow.SMS)
	if err != nil || len(got) != 1 || got[0].ID != m["id"] || got[0].To != number || got[0].Template != flow.TestMessage || got[0].Locales != "de" || len(got[0].Params["code"]) != 6 {
		t.Fatalf("%+v %v", got, err)
	}
	if err := h.outbox.Later(t.Context(), got[0].ID, h.now(), "BUSY"); err != nil {
		t.Fatal(err)
	}
	if m := h.get(strings.TrimPrefix(at, h.URL)).is(http.StatusOK); m["status"] != "WAITING" || m["reason"] != "BUSY" || m["tries"] != 1.0 {
		t.Error(m)
	}
	if err := h.outbox.Sent(t.Context(), got[0].ID); err != nil {
		t.Fatal(err)
	}
	seen := h.get(strings.TrimPrefix(at, h.URL))
	if m := seen.is(http.StatusOK); m["status"] != "SENT" || m["reason"] != nil || m["completedAt"] == nil {
		t.Error(m)
	}
	other := h.test(`{"deliveryMethod":"SMS","to":"` + number + `"}`).is(http.StatusCreated)["id"].(string)
	if err := h.outbox.Dropped(t.Context(), other, "REFUSED"); err != nil {
		t.Fatal(err)
	}
	if m := h.get("/notificationsSettings/tests/" + other).is(http.StatusOK); m["status"] != "DROPPED" || m["reason"] != "REFUSED" {
		t.Error(m)
	}
	h.get("/notificationsSettings/tests/"+policyID).refuses(http.StatusNotFound, "NOT_FOUND")
	events := h.events.of(flow.ManagementInvoked)
	if len(events) != 2 || events[0].Reason != "notificationsSettings SMS" || events[0].Application != admin {
		t.Errorf("%+v", events)
	}
	for _, text := range []string{made.text, seen.text, h.logs.String()} {
		if strings.Contains(text, "4930123456") || strings.Contains(text, got[0].Params["code"]) {
			t.Errorf("it tells the number or the code: %s", text)
		}
	}
}

func TestATestMessageSaysWhatIsWrong(t *testing.T) {
	h := newHouse(t)
	h.texting()
	for body, want := range map[string]string{
		`{}`: "REQUIRED_VALUE deliveryMethod, REQUIRED_VALUE to",
		`{"deliveryMethod":"EMAIL","to":"` + number + `"}`:          "INVALID_VALUE deliveryMethod",
		`{"deliveryMethod":"SMS","to":"030 123456"}`:                "INVALID_VALUE to",
		`{"deliveryMethod":"SMS","to":"` + number + `","text":"x"}`: "INVALID_VALUE text",
	} {
		h.test(body).refuses(http.StatusBadRequest, "INVALID_DATA", strings.Split(want, ", ")...)
	}
	h.post("/notificationsSettings", `{"deliveryMethod":"SMS","to":"`+number+`"}`).refuses(http.StatusUnsupportedMediaType, "INVALID_REQUEST")
}

func TestTestMessagesAreFew(t *testing.T) {
	h := newHouse(t)
	h.texting()
	to := func(n string) reply { return h.test(`{"deliveryMethod":"SMS","to":"` + n + `"}`) }
	for range 3 {
		to(number).is(http.StatusCreated)
	}
	r := to(number)
	r.refuses(http.StatusTooManyRequests, "REQUEST_LIMITED", "LIMIT_EXCEEDED")
	if r.Header.Get("Retry-After") != "3600" || len(h.events.of(flow.RequestLimited)) != 1 {
		t.Errorf("%v, events %v", r.Header, h.events.all)
	}
	for i := range 17 {
		to(number + fmt.Sprintf("%02d", i)).is(http.StatusCreated)
	}
	to("+4989999999").refuses(http.StatusTooManyRequests, "REQUEST_LIMITED", "LIMIT_EXCEEDED")
	h.wait(61 * time.Minute)
	to(number).is(http.StatusCreated)
}

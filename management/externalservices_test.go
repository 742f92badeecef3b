package management_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/management"
	"doorward/runtime/external"
	"doorward/runtime/flow"
)

// outside is another company's server, wherever that is said to be, and the only
// way there.
type outside struct {
	*httptest.Server
	asked   []string
	refused *external.Error // what every call comes to; nil: the server's answer
	targets []management.Target
}

// Send implements external.Sender.
func (o *outside) Send(ctx context.Context, c external.Outbound) (external.Inbound, error) {
	if o.refused != nil {
		return external.Inbound{}, o.refused
	}
	r, err := http.NewRequestWithContext(ctx, c.Method, o.URL+strings.TrimPrefix(c.URL, c.Origin), bytes.NewReader(c.Body))
	if err != nil {
		return external.Inbound{}, err
	}
	r.Header = c.Header
	res, err := o.Client().Do(r)
	if err != nil {
		return external.Inbound{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	o.asked = append(o.asked, fmt.Sprintf("%s %s key=%s idempotency=%s %s", r.Method, r.URL.Path, r.Header.Get("X-Key"), c.Key, c.Body))
	return external.Inbound{Status: res.StatusCode, Header: res.Header, Body: body}, err
}

// Targets implements management.Targets.
func (o *outside) Targets(string) []management.Target { return o.targets }

// reach starts the server and has the house call it.
func (h *house) reach() *outside {
	h.t.Helper()
	o := &outside{Server: httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, io.MultiReader(strings.NewReader(`{"got":`), r.Body, strings.NewReader(`}`)))
	}))}
	h.t.Cleanup(o.Close)
	h.api.Invoker, h.api.Targets = external.New(o, h.registry, h.now), o
	return o
}

// service is an external service there.
func (h *house) service() string {
	h.t.Helper()
	return h.post("/externalServices", `{"name":"Partner","variables":{"base":"https://partner.example"},
		"authSchemes":[{"name":"key","type":"API_KEY","key":"hidden-key"},
			{"name":"oauth","type":"OAUTH_2","tokenEndpointAuthType":"client_secret_basic","tokenEndpoint":"https://idp.example/token","clientId":"c","clientSecret":"hidden-client"}],
		"requests":[{"name":"Say so.","request":{"method":"POST","url":"variables.base + '/say'","headers":{"X-Key":"secrets.apiKey"},
			"body":{"type":"JSON","template":"{'said': inputs.words}"},"inputSchema":"{\"properties\":{\"words\":{}}}"},
			"response":{"output":"response.body.got.said","outputSchema":"{}"}}]}`).is(http.StatusCreated)["id"].(string)
}

func TestAServiceIsShownWithoutWhatIsSecret(t *testing.T) {
	h := newHouse(t)
	h.reach()
	made := h.post("/externalServices", published(t, "rec-external-service-create.json"))
	id := made.is(http.StatusCreated)["id"].(string)
	path := "/externalServices/" + id
	if w := list(at(made.json(), "_embedded", "warnings")); len(w) != 1 || w[0]["code"] != "SECRET_UNSET" || w[0]["target"] != "requests[2]" {
		t.Errorf("warnings %v", w)
	}
	set := h.put(path+"/secrets", published(t, "rec-external-service-secrets-update.json"))
	want := []map[string]any{{"name": "apiKey"}}
	if diff := cmp.Diff(want, list(set.is(http.StatusOK)["secrets"])); diff != "" {
		t.Error(diff)
	}
	read := h.get(path)
	if diff := cmp.Diff([]any{"apiKey"}, read.is(http.StatusOK)["secrets"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"userId"}, list(read.json()["requests"])[3]["inputs"]); diff != "" {
		t.Error(diff)
	}
	if at(read.json(), "_links", "secrets", "href") != h.URL+"/v1/environments/"+envID+path+"/secrets" {
		t.Error(read.json()["_links"])
	}
	again := h.put(path, read.text)
	answers := []reply{
		made, set, read, again, h.get(path + "/secrets"), h.get("/externalServices"), h.get(path + "/status"),
		h.put(path+"/secrets", `{"secrets":[{"name":"apiKey","value":"s3cr3t","x":1}]}`),
		h.put(path, strings.Replace(published(t, "rec-external-service-create.json"), `"requests"`, `"secrets":[{"name":"apiKey","value":"s3cr3t"}],"requests"`, 1)),
		h.put(path, strings.Replace(published(t, "rec-external-service-create.json"), `"key": "changeme"`, `"token": "changeme"`, 1)),
		h.post("/externalServices", published(t, "rec-external-service-create.json")), // the name is taken
	}
	for i, status := range []int{201, 200, 200, 200, 200, 200, 200, 400, 400, 400, 400} {
		answers[i].is(status)
	}
	for _, secret := range []string{"changeme", "csecret", "s3cr3t"} {
		for _, r := range answers {
			if strings.Contains(r.text, secret) {
				t.Errorf("%s %s tells a secret: %s", r.Request.Method, r.Request.URL, r.text)
			}
		}
		if strings.Contains(h.logs.String(), secret) || strings.Contains(fmt.Sprintf("%+v", h.events.all), secret) {
			t.Errorf("%s is in the log or the audit", secret)
		}
	}
	events := h.events.of(flow.ManagementUpdated)
	if len(events) != 2 || events[0].Reason != "externalService.secrets "+id || events[0].Application != admin {
		t.Errorf("%+v", events)
	}
}

func TestWhatIsSecretOfAServiceTakesTheAdministrator(t *testing.T) {
	h := newHouse(t)
	o := h.reach()
	path := "/externalServices/" + h.service()
	for _, r := range []reply{
		h.do(viewer, "GET", path+"/secrets", ""), h.do(viewer, "PUT", path+"/secrets", `{"secrets":[]}`), h.do(viewer, "POST", path+"/requests/x", `{}`),
		h.do(people, "GET", path, ""), h.do(people, "GET", path+"/status", ""), h.do(viewer, "PUT", path, `{}`), h.do(viewer, "DELETE", path, ""),
	} {
		r.refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	}
	h.do(viewer, "GET", path, "").is(http.StatusOK)
	h.do(viewer, "GET", path+"/status", "").is(http.StatusOK)
	if len(o.asked) > 0 {
		t.Errorf("asked: %q", o.asked)
	}
}

func TestARequestOfAServiceIsInvoked(t *testing.T) {
	h := newHouse(t)
	o := h.reach()
	path := "/externalServices/" + h.service()
	say := path + "/requests/Say%20so."
	m := h.post(say, `{"inputs":{"words":"x"}}`).refuses(http.StatusBadRequest, "REQUEST_FAILED", "INVOCATION_ERROR")
	if !strings.Contains(list(m["details"])[0]["message"].(string), "apiKey") {
		t.Errorf("which secret is missing is not told: %v", m)
	}
	h.put(path+"/secrets", `{"secrets":[{"name":"apiKey","value":"hidden-1"}]}`).is(http.StatusOK)
	if diff := cmp.Diff(map[string]any{"outputs": "hello"}, h.post(say, `{"inputs":{"words":"hello"}}`).is(http.StatusOK)); diff != "" {
		t.Error(diff)
	}
	big := h.do(admin, "POST", say, `{"inputs":{"words":{"n":12345678901234567890,"list":[1.50,null,true]}}}`, "Idempotency-Key", "k-1")
	if big.is(http.StatusOK); !strings.Contains(big.text, `12345678901234567890`) {
		t.Errorf("a number has changed: %s", big.text)
	}
	h.put(path+"/secrets", `{"secrets":[{"name":"apiKey","value":"hidden-2"}]}`).is(http.StatusOK) // at once
	h.post(say, `{"inputs":{"words":"x"}}`).is(http.StatusOK)
	want := []string{
		`POST /say key=hidden-1 idempotency= {"said":"hello"}`,
		`POST /say key=hidden-1 idempotency=k-1 {"said":{"list":[1.50,null,true],"n":12345678901234567890}}`,
		`POST /say key=hidden-2 idempotency= {"said":"x"}`,
	}
	if diff := cmp.Diff(want, o.asked); diff != "" {
		t.Error(diff)
	}
	for body, target := range map[string]string{`{"inputs":{}}`: "inputs.words", `{}`: "inputs.words", ``: "inputs.words"} {
		h.post(say, body).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE "+target)
	}
	h.post(say, `{"inputs":[]}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE inputs")
	h.post(say, `{"input":{}}`).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE input")
	h.post(say, `[]`).refuses(http.StatusBadRequest, "INVALID_REQUEST")
	h.do(admin, "POST", say, `{}`, "Idempotency-Key", "a b").refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER Idempotency-Key")
	h.post(path+"/requests/other", `{}`).refuses(http.StatusNotFound, "NOT_FOUND")
	h.post("/externalServices/d0000000-0000-4000-8000-00000000dead/requests/x", `{}`).refuses(http.StatusNotFound, "NOT_FOUND")
	if log := h.logs.String(); strings.Contains(log, "hidden") {
		t.Errorf("a secret is in the log: %s", log)
	}
}

func TestAFailedInvocationSaysWhich(t *testing.T) {
	h := newHouse(t)
	o := h.reach()
	path := "/externalServices/" + h.service()
	h.put(path+"/secrets", `{"secrets":[{"name":"apiKey","value":"hidden-1"}]}`).is(http.StatusOK)
	for _, code := range []string{"SSL_HANDSHAKE_FAILED", "NO_HTTP_RESPONSE", "TIMEOUT", "TOO_MANY_INVOCATIONS", "MALICIOUS_URL", "INVOCATION_FAILED", "INVOCATION_ERROR", "EXPRESSION_ERROR"} {
		o.refused = &external.Error{Code: code, Message: "Said of " + code + ".", Reason: fmt.Errorf("inside of %s", code)}
		if code == "TOO_MANY_INVOCATIONS" {
			o.refused.RetryAfter = 1500 * time.Millisecond
		}
		r := h.post(path+"/requests/Say%20so.", `{"inputs":{"words":"x"}}`)
		m := r.refuses(http.StatusBadRequest, "REQUEST_FAILED", code)
		if list(m["details"])[0]["message"] != "Said of "+code+"." || strings.Contains(r.text, "inside") {
			t.Errorf("%s: %s", code, r.text)
		}
		if retry := r.Header.Get("Retry-After"); (retry == "2") != (code == "TOO_MANY_INVOCATIONS") {
			t.Errorf("%s: Retry-After %q", code, retry)
		}
		if !strings.Contains(h.logs.String(), "inside of "+code) {
			t.Errorf("%s: the log does not say why", code)
		}
	}
}

func TestAServiceSaysHowItDoes(t *testing.T) {
	h := newHouse(t)
	o := h.reach()
	id := h.service()
	used := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	o.targets = []management.Target{
		{Name: id, Breaker: "half-open", RetryAfter: 1500 * time.Millisecond, Concurrent: 3, Most: 15, PerSecond: 100, Answers: 7, Failures: map[string]uint64{"TIMEOUT": 2}, Used: used},
		{Name: "https://idp.example", Breaker: "closed"},
		{Name: "https://other.example", Breaker: "open"},
	}
	path := "/externalServices/" + id + "/status"
	want := []map[string]any{
		{
			"name": id, "breaker": "HALF_OPEN", "secondsUntilRetry": 2.0, "lastInvokedAt": "2026-03-01T12:00:00.000Z",
			"limits":      map[string]any{"underWay": 15.0, "perSecond": 100.0},
			"invocations": map[string]any{"underWay": 3.0, "answered": 7.0, "failed": map[string]any{"TIMEOUT": 2.0}},
		},
		{"name": "https://idp.example", "breaker": "CLOSED", "limits": map[string]any{"underWay": 0.0, "perSecond": 0.0}, "invocations": map[string]any{"underWay": 0.0, "answered": 0.0, "failed": map[string]any{}}},
	}
	if diff := cmp.Diff(want, list(h.get(path).is(http.StatusOK)["targets"])); diff != "" {
		t.Error(diff)
	}
	h.get("/externalServices/d0000000-0000-4000-8000-00000000dead/status").refuses(http.StatusNotFound, "NOT_FOUND")
}
